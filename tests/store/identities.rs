//! Who the S3 store says it is, where the platform knows that: EKS Pod Identity and ECS, the
//! machine's own role, a role that is taken. And who is named when none of them answers.

use std::time::{Duration, Instant, SystemTime};

use argo_attest::store::s3::{AssumedRole, ConfigError, Credentials, Limits, S3Config};
use argo_attest::store::{BucketName, ObjectKey, S3Store, Store as _, StoreError, StoreErrorKind};
use argo_attest_core::trouble::Trouble as _;

use crate::nobody::Nobody;
use crate::scripted::{Act, Request, Scripted, object, reply};
use crate::trust::{jwt, settings, variables};

pub(crate) const HOUR: Duration = Duration::from_hours(1);

fn key() -> ObjectKey {
    ObjectKey::new("k").unwrap()
}

/// A store that is signed in to as the environment says.
fn store(s3: &Scripted, vars: &[(&str, &str)]) -> S3Store {
    let endpoint = s3.endpoint();
    let mut all = vec![("AWS_ENDPOINT_URL_S3", endpoint.as_str()), ("AWS_REGION", "eu-west-1")];
    all.extend_from_slice(vars);
    open(S3Config::from_env(BucketName::new("bucket").unwrap(), None, &variables(&all)).unwrap())
}

fn open(config: S3Config) -> S3Store {
    let limits = Limits {
        attempt: Duration::from_secs(10),
        total: Duration::from_mins(1),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(10),
        page: 1000,
        unreached: Duration::from_mins(1),
        ..Limits::default()
    };
    S3Store::new(S3Config { limits, ..config }).unwrap()
}

pub(crate) fn objects(count: usize) -> Scripted {
    Scripted::start((0..count).map(|_| Act::Reply(object(b"x"))))
}

/// The access keys that requests were signed with, and the session tokens.
pub(crate) fn signed_by(s3: &Scripted) -> Vec<(String, String)> {
    let of = |r: &Request| {
        let id = r.header("authorization").split(['=', '/']).nth(1).unwrap_or_default().to_owned();
        (id, r.header("x-amz-security-token").to_owned())
    };
    s3.requests().iter().map(of).collect()
}

pub(crate) fn expires(after: Duration) -> String {
    jiff::Timestamp::try_from(SystemTime::now() + after).unwrap().to_string()
}

/// What EKS's agent, ECS and EC2's metadata service answer.
fn given(id: &str) -> Vec<u8> {
    let body = format!(
        "{{\"Code\": \"Success\", \"Type\": \"AWS-HMAC\", \"AccessKeyId\": \"{id}\", \
         \"SecretAccessKey\": \"canary-secret\", \"Token\": \"session-of-{id}\", \
         \"AccountId\": \"123456789012\", \"LastUpdated\": \"{}\", \"Expiration\": \"{}\"}}",
        expires(Duration::ZERO),
        expires(HOUR)
    );
    reply(200, &[("Content-Type", "application/json")], body.as_bytes())
}

#[tokio::test]
async fn a_pods_identity_is_given_for_its_token() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, jwt("pod")).unwrap();
    let agent = Scripted::start([Act::Reply(reply(503, &[], b"")), Act::Reply(given("POD"))]);
    let s3 = objects(2);
    let address = format!("{}/v1/credentials", agent.endpoint());
    let vars = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", address.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
        ("HTTP_PROXY", "http://192.0.2.1:3128"),
    ];
    let store = store(&s3, &vars);
    store.get(&key(), 10).await.unwrap();
    store.get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3)[1], ("POD".to_owned(), "session-of-POD".to_owned()));
    assert_eq!(agent.asked(), ["GET /v1/credentials", "GET /v1/credentials"], "asked again, and then kept");
    assert_eq!(agent.requests()[1].header("authorization"), jwt("pod"));
    assert!(!format!("{store:?}").contains("canary"), "{store:?}");
}

#[tokio::test]
async fn what_is_no_token_is_sent_to_no_agent() {
    let dir = tempfile::tempdir().unwrap();
    let key_file = dir.path().join("attest.key");
    argo_attest::signer::create_pair(&key_file, argo_attest_core::keys::KeyType::ALL[0]).unwrap();
    let (agent, s3) = (Scripted::start([]), Scripted::start([]));
    let vars = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*agent.endpoint()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", key_file.to_str().unwrap()),
    ];
    let error = settings(store(&s3, &vars).get(&key(), 10).await);
    assert!(matches!(error, ConfigError::ContainerToken { .. }), "{error:?}");
    assert!(agent.requests().is_empty() && s3.requests().is_empty());
}

#[tokio::test]
async fn an_agent_that_refuses_is_named() {
    let (agent, s3) = (Scripted::start([Act::Reply(reply(403, &[], b"canary"))]), Scripted::start([]));
    let store = store(&s3, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &agent.endpoint())]);
    let error = store.get(&key(), 10).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Config, "{error:?}");
    let said = settings(Err::<(), _>(error)).to_string();
    let name = format!("the container's credentials endpoint, {},", agent.address);
    assert_eq!(said, format!("{name} gives no credentials: it answered 403"));
}

#[tokio::test]
async fn the_machines_role_is_the_last_that_is_asked_for() {
    let imds = Scripted::choosing(crate::scripted::Plain, |request| {
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("PUT", "/latest/api/token") => {
                reply(200, &[("x-aws-ec2-metadata-token-ttl-seconds", "21600")], b"imds-token")
            }
            ("GET", path) if request.header("x-aws-ec2-metadata-token") != "imds-token" => {
                reply(401, &[], path.as_bytes())
            }
            ("GET", "/latest/meta-data/iam/security-credentials/") => reply(200, &[], b"node-role"),
            ("GET", "/latest/meta-data/iam/security-credentials/node-role") => given("NODE"),
            _ => reply(404, &[], b""),
        };
        Some(Act::Reply(answer))
    });
    let s3 = objects(1);
    store(&s3, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &imds.endpoint())]).get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3), [("NODE".to_owned(), "session-of-NODE".to_owned())]);
}

#[tokio::test]
async fn a_machine_without_a_role_is_known_in_less_than_a_second() {
    // Nobody there, and nobody whom packets reach.
    let nobody = Nobody::new();
    for endpoint in [format!("http://{}", nobody.address()).as_str(), "http://192.0.2.1"] {
        let s3 = Scripted::start([]);
        let started = Instant::now();
        let error =
            store(&s3, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)]).get(&key(), 10).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(1), "{endpoint}: {:?}", started.elapsed());
        assert!(error.remedy().unwrap().contains("AWS_ACCESS_KEY_ID"), "{error:?}");
        assert!(matches!(settings(Err::<(), _>(error)), ConfigError::NoCredentials));
    }
}

/// STS's answer to who takes a role.
pub(crate) fn taken(id: &str) -> Vec<u8> {
    let body = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
         <AccessKeyId>{id}</AccessKeyId><SecretAccessKey>canary</SecretAccessKey>\
         <SessionToken>session-of-{id}</SessionToken><Expiration>{}</Expiration></Credentials></AssumeRoleResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>",
        expires(HOUR)
    );
    reply(200, &[("Content-Type", "text/xml")], body.as_bytes())
}

/// STS's answer to who may not.
pub(crate) fn denied() -> Vec<u8> {
    reply(
        403,
        &[("Content-Type", "text/xml")],
        b"<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
          <Code>AccessDenied</Code><Message>no</Message></Error><RequestId>r</RequestId></ErrorResponse>",
    )
}

#[tokio::test]
async fn a_role_is_taken_by_who_we_are() {
    let sts = Scripted::start([Act::Reply(taken("ROLE")), Act::Reply(denied())]);
    let s3 = objects(1);
    let role = || {
        let endpoint = sts.endpoint();
        let env = variables(&[
            ("AWS_ACCESS_KEY_ID", "BASE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL_STS", &endpoint),
        ]);
        let role =
            AssumedRole::by_ambient("arn:aws:iam::123456789012:role/artifacts", &env).unwrap().unwrap();
        let mut config =
            S3Config::new(BucketName::new("bucket").unwrap(), None, Credentials::Role(Box::new(role)));
        config.endpoint = Some(s3.endpoint().parse().unwrap());
        open(config)
    };
    role().get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3), [("ROLE".to_owned(), "session-of-ROLE".to_owned())]);
    assert_eq!(signed_by(&sts)[0].0, "BASE");
    let form = String::from_utf8(sts.requests()[0].body.clone()).unwrap();
    assert!(form.contains("Action=AssumeRole&"), "{form}");
    assert!(form.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fartifacts"), "{form}");
    match settings(role().get(&key(), 10).await) {
        ConfigError::Role { role, .. } => assert_eq!(role, "arn:aws:iam::123456789012:role/artifacts"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_sts_that_is_away_is_named_in_seconds() {
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, jwt("x")).unwrap();
    let hanging = Scripted::start((0..100).map(|_| Act::Hang));
    let nobody = Nobody::new();
    for sts in [hanging.endpoint(), format!("http://{}", nobody.address())] {
        let s3 = objects(1);
        let vars = [
            ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/attest"),
            ("AWS_ENDPOINT_URL_STS", &sts),
        ];
        let started = Instant::now();
        let error = store(&s3, &vars).get(&key(), 10).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
        assert_eq!(error.kind(), StoreErrorKind::Unreachable);
        let named = format!("s3://bucket/k: no useful answer from STS ({sts}) (attempts: ");
        assert!(error.to_string().starts_with(&named), "{error}");
        assert!(error.remedy().unwrap().contains("AWS_ENDPOINT_URL_STS"));
        assert!(matches!(error, StoreError::Unreachable { .. }));
        assert!(s3.requests().is_empty());
    }
}
