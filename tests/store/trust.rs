//! Whom the S3 store believes (TLS), and who it says it is (credentials).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::scripted::{Act, Scripted, error, object, reply};
use crate::tls::Authority;
use argo_attest::signer::create_pair;
use argo_attest::store::s3::{ConfigError, Credentials, Limits, S3Config, Trust};
use argo_attest::store::{self, BucketName, Location, ObjectKey, S3Store, Store, StoreError, StoreErrorKind};
use argo_attest_core::trouble::Trouble as _;

/// What is wrong with the settings, if that is the error.
#[track_caller]
pub(crate) fn settings<T: std::fmt::Debug>(got: Result<T, StoreError>) -> ConfigError {
    match got {
        Err(StoreError::Config { source, remedy, .. }) => {
            let error = *source.downcast::<ConfigError>().unwrap();
            assert_eq!(error.remedy(), remedy);
            error
        }
        other => panic!("{other:?}"),
    }
}

fn key() -> ObjectKey {
    ObjectKey::new("k").unwrap()
}

fn limits() -> Limits {
    Limits {
        attempt: Duration::from_secs(10),
        total: Duration::from_secs(20),
        first_pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(10),
        page: 1000,
        unreached: Duration::from_mins(1),
        ..Limits::default()
    }
}

fn anonymous(endpoint: &str, trust: Trust) -> Result<S3Store, StoreError> {
    within(endpoint, trust, limits())
}

fn within(endpoint: &str, trust: Trust, limits: Limits) -> Result<S3Store, StoreError> {
    let mut config = S3Config::new(BucketName::new("bucket").unwrap(), None, Credentials::Anonymous);
    config.endpoint = Some(endpoint.parse().unwrap());
    config.trust = trust;
    config.limits = limits;
    S3Store::new(config)
}

#[tokio::test]
async fn only_the_right_authority_and_name_are_believed() {
    let (Some(ours), Some(other)) = (Authority::new(), Authority::new()) else { return };
    let serve = |name, days| Scripted::start_over(ours.server(name, days), [Act::Reply(object(b"x"))]);

    let server = serve("DNS:localhost", "2");
    let endpoint = |server: &Scripted| format!("https://localhost:{}", server.address.port());
    let store = anonymous(&endpoint(&server), Trust::Bundle(ours.bundle())).unwrap();
    assert_eq!(store.get(&key(), 10).await.unwrap().bytes, "x");

    for (server, bundle, what) in [
        (serve("DNS:localhost", "2"), other.bundle(), "an authority that was not named"),
        (serve("DNS:elsewhere.example", "2"), ours.bundle(), "another host's name"),
        (serve("DNS:localhost", "-1"), ours.bundle(), "expired yesterday"),
    ] {
        let store = anonymous(&endpoint(&server), Trust::Bundle(bundle)).unwrap();
        match store.get(&key(), 10).await {
            Err(error @ StoreError::Tls { .. }) => {
                assert!(error.remedy().unwrap().contains("AWS_CA_BUNDLE"), "{error:?}");
                assert_eq!(error.kind(), StoreErrorKind::Config);
            }
            got => panic!("{what}: {got:?}"),
        }
        assert_eq!(server.asked(), Vec::<String>::new(), "{what}");
        assert_eq!(store.retries(), 0, "{what}: a certificate does not get better");
    }
}

/// As Go's programs, and so Argo, do it: the server's own certificate is in the file.
#[tokio::test]
async fn a_servers_own_certificate_is_believed_for_what_it_is() {
    let (Some(ours), Some(other)) = (Authority::new(), Authority::new()) else { return };
    let get = async |(tls, bundle): (_, PathBuf)| {
        let server = Scripted::start_over(tls, [Act::Reply(object(b"x"))]);
        let endpoint = format!("https://localhost:{}", server.address.port());
        let store = anonymous(&endpoint, Trust::Bundle(bundle)).unwrap();
        let got = store.get(&key(), 10).await.map(|object| object.bytes);
        (got, server.asked().len())
    };
    for good in ["", "extendedKeyUsage=serverAuth\n", "extendedKeyUsage=anyExtendedKeyUsage\n"] {
        let (got, _) = get(ours.self_signed("DNS:localhost", "2", good)).await;
        assert_eq!(got.unwrap(), "x", "{good}");
    }
    // Same name, same subject, same days: another key.
    let (_, another) = other.self_signed("DNS:localhost", "2", "");
    let (tls, _) = ours.self_signed("DNS:localhost", "2", "");
    for (what, refused) in [
        ("another key of the same subject", (tls, another)),
        ("expired yesterday", ours.self_signed("DNS:localhost", "-1", "")),
        ("another host's name", ours.self_signed("DNS:elsewhere.example", "2", "")),
        ("not for servers", ours.self_signed("DNS:localhost", "2", "extendedKeyUsage=clientAuth\n")),
        ("not in the file", (ours.self_signed("DNS:localhost", "2", "").0, ours.bundle())),
    ] {
        let (got, asked) = get(refused).await;
        assert!(matches!(got, Err(StoreError::Tls { .. })), "{what}: {got:?}");
        assert_eq!(asked, 0, "{what}");
    }
}

#[tokio::test]
async fn https_is_never_spoken_in_the_clear() {
    let Some(ours) = Authority::new() else { return };
    let plain = Scripted::start([Act::Reply(object(b"x"))]);
    let endpoint = format!("https://localhost:{}", plain.address.port());
    let short = Duration::from_millis(300);
    let limits = Limits { attempt: short, total: short, ..limits() };
    let store = within(&endpoint, Trust::Bundle(ours.bundle()), limits).unwrap();
    let error = store.get(&key(), 10).await.unwrap_err();
    assert!(matches!(error, StoreError::Tls { .. } | StoreError::Unreachable { .. }), "{error:?}");
    assert_eq!(plain.asked(), Vec::<String>::new());
}

#[test]
fn a_bundle_that_is_not_there_is_an_error_at_the_start() {
    let error = anonymous("https://localhost", Trust::Bundle("/no/such/file".into())).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Config);
    match settings(Err::<(), _>(error)) {
        ConfigError::File { path, .. } => assert_eq!(path, "/no/such/file"),
        other => panic!("{other:?}"),
    }
    anonymous("http://localhost", Trust::Bundle("/no/such/file".into())).unwrap();
}

#[test]
fn aws_is_believed_by_the_systems_certificates_or_not_at_all() {
    let mut config = S3Config::new(BucketName::new("bucket").unwrap(), None, Credentials::Anonymous);
    config.region = Some("eu-west-1".to_owned());
    let Err(error) = S3Store::new(config) else { return };
    // An image without any: said at the start, not as a certificate that nobody can check.
    assert!(error.remedy().unwrap().contains("AWS_CA_BUNDLE"), "{error:?}");
    match settings(Err::<(), _>(error)) {
        ConfigError::NoCaCertificates(_) => {}
        other => panic!("{other:?}"),
    }
}

/// An environment of these variables and no others.
pub(crate) fn variables(vars: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + use<> {
    let vars: BTreeMap<String, OsString> =
        vars.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    move |name| vars.get(name).cloned()
}

#[test]
fn without_credentials_it_says_at_once_what_to_set() {
    let location: Location = "s3://bucket".parse().unwrap();
    let env = variables(&[("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")]);
    let error = store::open(&location, &env).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Config);
    assert!(error.remedy().unwrap().contains("AWS_ACCESS_KEY_ID"), "{}", error.remedy().unwrap());
}

fn session(id: &str, lasts: Duration) -> Vec<u8> {
    let expires = jiff::Timestamp::try_from(SystemTime::now() + lasts).unwrap();
    let body = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{id}</AccessKeyId>\
         <SecretAccessKey>canary-secret</SecretAccessKey><SessionToken>session-of-{id}</SessionToken>\
         <Expiration>{expires}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
         <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"
    );
    reply(200, &[("Content-Type", "text/xml")], body.as_bytes())
}

fn sts_error(status: u16, code: &str) -> Vec<u8> {
    let body = format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>as scripted</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    );
    reply(status, &[("Content-Type", "text/xml")], body.as_bytes())
}

/// A token whose signature is this.
pub(crate) fn jwt(signature: &str) -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2EifQ.{signature}")
}

struct Irsa {
    _dir: tempfile::TempDir,
    token: std::path::PathBuf,
    sts: Scripted,
    s3: Scripted,
}

impl Irsa {
    fn new(sts: impl IntoIterator<Item = Vec<u8>>, s3: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, jwt("token-1") + "\n").unwrap();
        let sts = Scripted::start(sts.into_iter().map(Act::Reply));
        let s3 = Scripted::start(s3.into_iter().map(Act::Reply));
        Self { _dir: dir, token, sts, s3 }
    }

    fn store(&self) -> S3Store {
        self.within(limits())
    }

    fn within(&self, limits: Limits) -> S3Store {
        let env = variables(&[
            ("AWS_WEB_IDENTITY_TOKEN_FILE", self.token.to_str().unwrap()),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/attest"),
            ("AWS_ENDPOINT_URL_STS", &self.sts.endpoint()),
            ("AWS_ENDPOINT_URL_S3", &self.s3.endpoint()),
            ("AWS_REGION", "eu-west-1"),
        ]);
        let config = S3Config::from_env(BucketName::new("bucket").unwrap(), None, &env).unwrap();
        S3Store::new(S3Config { limits, ..config }).unwrap()
    }

    fn signed_by(&self) -> Vec<String> {
        let id = |r: &crate::scripted::Request| {
            r.header("authorization").split(['=', '/']).nth(1).unwrap_or_default().to_owned()
        };
        self.s3.requests().iter().map(id).collect()
    }
}

#[tokio::test]
async fn a_web_identity_is_exchanged_once_and_used() {
    let hour = Duration::from_hours(1);
    let irsa = Irsa::new([session("KEY1", hour)], [object(b"a"), object(b"b")]);
    let store = irsa.store();
    store.get(&key(), 10).await.unwrap();
    store.get(&key(), 10).await.unwrap();
    assert_eq!(irsa.signed_by(), ["KEY1", "KEY1"]);
    assert_eq!(irsa.s3.requests()[0].header("x-amz-security-token"), "session-of-KEY1");
    let asked = irsa.sts.requests();
    assert_eq!(asked.len(), 1);
    let form = String::from_utf8(asked[0].body.clone()).unwrap();
    for part in [
        "Action=AssumeRoleWithWebIdentity",
        &format!("WebIdentityToken={}", jwt("token-1")),
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fattest",
        "RoleSessionName=argo-attest",
    ] {
        assert!(form.contains(part), "{form}");
    }
    assert_eq!(asked[0].header("authorization"), "", "the token is what authenticates");
    assert!(!format!("{store:?}").contains("canary"), "{store:?}");
}

#[tokio::test]
async fn a_session_is_renewed_before_its_end_and_when_the_store_says_so() {
    let (soon, hour) = (Duration::from_secs(5), Duration::from_hours(1));
    let irsa = Irsa::new(
        [session("KEY1", soon), session("KEY2", hour), session("KEY3", hour)],
        [object(b"a"), object(b"b"), error(400, "ExpiredToken"), object(b"c")],
    );
    let store = irsa.store();
    store.get(&key(), 10).await.unwrap();
    std::fs::write(&irsa.token, jwt("token-2")).unwrap();
    store.get(&key(), 10).await.unwrap();
    store.get(&key(), 10).await.unwrap();
    assert_eq!(irsa.signed_by(), ["KEY1", "KEY2", "KEY2", "KEY3"]);
    let form = String::from_utf8(irsa.sts.requests()[1].body.clone()).unwrap();
    assert!(form.contains(&format!("WebIdentityToken={}", jwt("token-2"))), "{form}");
}

#[tokio::test]
async fn what_sts_refuses_is_told_apart_from_what_it_cannot_do() {
    let irsa = Irsa::new(
        [
            reply(503, &[], b""),
            sts_error(400, "IDPCommunicationError"),
            session("KEY1", Duration::from_hours(1)),
        ],
        [object(b"a")],
    );
    let store = irsa.store();
    store.get(&key(), 10).await.unwrap();
    assert_eq!(store.retries(), 2);

    let garbled = reply(200, &[("Content-Type", "text/xml")], b"<a><SecretAccessKey>canary</b>");
    let irsa = Irsa::new((0..1000).map(|_| garbled.clone()), []);
    let short = Limits { total: Duration::from_millis(100), ..limits() };
    let error = irsa.within(short).get(&key(), 10).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error:?}");
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");

    for (status, code) in
        [(403, "AccessDenied"), (400, "ExpiredTokenException"), (400, "InvalidIdentityToken")]
    {
        let irsa = Irsa::new([sts_error(status, code)], []);
        let store = irsa.store();
        match settings(store.get(&key(), 10).await) {
            source @ ConfigError::WebIdentity(_) => {
                assert!(source.to_string().contains(code), "{source}");
                assert!(source.remedy().unwrap().contains("AWS_ROLE_ARN"));
            }
            other => panic!("{code}: {other:?}"),
        }
        assert_eq!(irsa.sts.requests().len(), 1, "{code}");
        assert_eq!(irsa.s3.asked(), Vec::<String>::new(), "{code}");
    }

    let irsa = Irsa::new([], []);
    std::fs::remove_file(&irsa.token).unwrap();
    match settings(irsa.store().get(&key(), 10).await) {
        ConfigError::Token { path, .. } => assert_eq!(Path::new(&path), irsa.token),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_key_is_sent_to_no_sts() {
    let dir = tempfile::tempdir().unwrap();
    for key_type in argo_attest_core::keys::KeyType::ALL {
        let key = dir.path().join(key_type.as_str()).join("attest.key");
        create_pair(&key, key_type).unwrap();
        let irsa = Irsa::new([], []);
        std::fs::remove_file(&irsa.token).unwrap();
        std::os::unix::fs::symlink(&key, &irsa.token).unwrap();
        let error = irsa.store().get(&self::key(), 10).await.unwrap_err();
        let told = format!("{error:?}");
        assert!(matches!(settings(Err::<(), _>(error)), ConfigError::Token { .. }), "{told}");
        let pem = std::fs::read_to_string(&key).unwrap();
        assert!(!pem.lines().any(|line| told.contains(line)), "{told}");
        assert!(irsa.sts.requests().is_empty() && irsa.s3.requests().is_empty());
    }
}

#[tokio::test]
async fn sts_is_believed_by_the_platforms_authorities_alone() {
    let (Some(platform), Some(template)) = (Authority::new(), Authority::new()) else { return };
    let hour = Duration::from_hours(1);
    // Each asked over TLS; which authority its certificate is from, and whom it is believed by.
    for (of_sts, asked) in [(&platform, 1), (&template, 0)] {
        let sts =
            Scripted::start_over(of_sts.server("IP:127.0.0.1", "2"), [Act::Reply(session("KEY1", hour))]);
        let s3 = Scripted::start_over(template.server("IP:127.0.0.1", "2"), [Act::Reply(object(b"a"))]);
        let irsa = Irsa::new([], []);
        let env = variables(&[
            ("AWS_WEB_IDENTITY_TOKEN_FILE", irsa.token.to_str().unwrap()),
            ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/attest"),
            ("AWS_ENDPOINT_URL_STS", &sts.endpoint().replace("http:", "https:")),
            ("AWS_ENDPOINT_URL_S3", &s3.endpoint().replace("http:", "https:")),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_CA_BUNDLE", platform.bundle().to_str().unwrap()),
        ]);
        let mut config = S3Config::from_env(BucketName::new("bucket").unwrap(), None, &env).unwrap();
        // As a template's caSecret has it.
        config.trust = Trust::Bundle(template.bundle().clone());
        config.limits = Limits { total: Duration::from_millis(300), ..limits() };
        let got = S3Store::new(config).unwrap().get(&key(), 10).await;
        assert_eq!((got.is_ok(), sts.requests().len()), (asked == 1, asked), "{got:?}");
    }
}

#[tokio::test]
async fn keys_from_files_are_read_again_when_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (id, secret) = (dir.path().join("accesskey"), dir.path().join("secretkey"));
    std::fs::write(&id, "OLD\n").unwrap();
    std::fs::write(&secret, "canary\n").unwrap();
    let server = Scripted::start(
        [object(b"a"), error(403, "InvalidAccessKeyId"), object(b"b"), error(403, "AccessDenied")]
            .map(Act::Reply),
    );
    let credentials =
        Credentials::Files { access_key_id: id.clone(), secret_access_key: secret, session_token: None };
    let mut config = S3Config::new(BucketName::new("bucket").unwrap(), None, credentials);
    config.endpoint = Some(server.endpoint().parse().unwrap());
    config.limits = limits();
    let store = S3Store::new(config).unwrap();
    store.get(&key(), 10).await.unwrap();
    std::fs::write(&id, "NEW\n").unwrap();
    store.get(&key(), 10).await.unwrap();
    store.get(&key(), 10).await.unwrap_err();
    let signed: Vec<_> = server
        .requests()
        .iter()
        .map(|r| r.header("authorization").split(['=', '/']).nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(signed, ["OLD", "OLD", "NEW", "NEW"]);
}

#[derive(Clone, Default)]
struct Captured(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn secrets_are_in_no_log_however_loud() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For all threads: a callsite that another test meets first, on a thread without a
    // subscriber, would stay silent here. Their lines must not hold these secrets either.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let hour = Duration::from_hours(1);
    let irsa = Irsa::new(
        [session("KEY1", hour)],
        [error(503, "SlowDown"), error(403, "AccessDenied"), object(b"x")],
    );
    std::fs::write(&irsa.token, jwt("canary-token")).unwrap();
    let store = irsa.store();
    store.get(&key(), 10).await.unwrap_err();
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("trying again") && log.contains("aws_sigv4"), "the capture works: {log}");
    for line in log.lines() {
        assert!(!line.contains("canary") && !line.contains("session-of-KEY1"), "{line}");
    }
}
