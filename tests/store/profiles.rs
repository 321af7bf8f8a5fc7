//! Profiles of AWS's shared files: followed for a person at a command line, and by nobody else.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use argo_attest::store::s3::{ConfigError, Limits, S3Config};
use argo_attest::store::{
    self, BucketName, Location, ObjectKey, S3Store, Store as _, StoreError, StoreErrorKind,
};
use argo_attest_core::trouble::Trouble as _;
use tempfile::TempDir;

use crate::identities::{HOUR, denied, expires, objects, signed_by, taken};
use crate::nobody::Nobody;
use crate::scripted::{Act, Plain, Scripted, reply};
use crate::trust::{jwt, settings, variables};

/// Somebody's home.
struct Home(TempDir);

impl Home {
    fn new(config: &str, credentials: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write(".aws/config", config);
        home.write(".aws/credentials", credentials);
        home
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// What a person's shell has, and these.
    fn config(&self, vars: &[(&str, &str)]) -> Result<S3Config, ConfigError> {
        let mut all = vec![("HOME", self.path().to_str().unwrap()), ("AWS_EC2_METADATA_DISABLED", "true")];
        all.extend_from_slice(vars);
        S3Config::at_command_line(BucketName::new("bucket").unwrap(), None, &variables(&all))
    }

    fn open(&self, vars: &[(&str, &str)]) -> S3Store {
        let limits = Limits {
            sign_in: Duration::from_secs(1),
            first_pause: Duration::from_millis(1),
            longest_pause: Duration::from_millis(10),
            ..Limits::default()
        };
        S3Store::new(S3Config { limits, ..self.config(vars).unwrap() }).unwrap()
    }
}

fn key() -> ObjectKey {
    ObjectKey::new("k").unwrap()
}

fn local(s3: &Scripted, rest: &str) -> String {
    format!("[default]\nregion = eu-west-1\nendpoint_url = {}\n{rest}", s3.endpoint())
}

#[tokio::test]
async fn keys_region_and_endpoint_are_the_profiles() {
    let s3 = objects(3);
    let config = format!(
        "[profile dev]\nregion = eu-north-1\nservices = here\n[services here]\ns3 =\n  endpoint_url = {}\n",
        s3.endpoint()
    );
    let keys =
        "[dev]\naws_access_key_id = DEV\naws_secret_access_key = canary-secret\naws_session_token = token\n";
    let home = Home::new(&config, keys);
    let store = home.open(&[("AWS_PROFILE", "dev")]);
    store.get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3), [("DEV".to_owned(), "token".to_owned())]);
    assert!(s3.requests()[0].header("authorization").contains("/eu-north-1/s3/"));
    assert!(!format!("{store:?}").contains("canary"), "{store:?}");

    // What variables say comes first.
    let vars = [("AWS_PROFILE", "dev"), ("AWS_ACCESS_KEY_ID", "OWN"), ("AWS_SECRET_ACCESS_KEY", "s")];
    home.open(&vars).get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3)[1], ("OWN".to_owned(), String::new()));
    let vars = [("AWS_PROFILE", "dev"), ("AWS_REGION", "eu-west-3"), ("AWS_ENDPOINT_URL", "http://other:1")];
    let config = home.config(&vars).unwrap();
    assert_eq!(
        (config.endpoint.unwrap().as_str(), config.region.as_deref()),
        ("http://other:1", Some("eu-west-3"))
    );

    // Files elsewhere, and a profile that nobody has to name.
    home.write("elsewhere", &local(&s3, "aws_access_key_id = ELSE\naws_secret_access_key = s\n"));
    let elsewhere = home.path().join("elsewhere");
    let vars =
        [("AWS_CONFIG_FILE", elsewhere.to_str().unwrap()), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    home.open(&vars).get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3)[2].0, "ELSE");
}

#[tokio::test]
async fn a_role_is_taken_by_the_profile_that_it_names() {
    let sts = Scripted::start([Act::Reply(taken("ROLE")), Act::Reply(denied())]);
    let s3 = objects(1);
    let rest = format!(
        "services = fake\nrole_arn = arn:aws:iam::123456789012:role/artifacts\nrole_session_name = me\n\
         external_id = outside\nsource_profile = base\n[services fake]\nsts =\n  endpoint_url = {}\n\
         [profile base]\naws_access_key_id = BASE\naws_secret_access_key = secret\n",
        sts.endpoint()
    );
    let home = Home::new(&local(&s3, &rest), "");
    home.open(&[]).get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3), [("ROLE".to_owned(), "session-of-ROLE".to_owned())]);
    assert_eq!(signed_by(&sts)[0].0, "BASE");
    let form = String::from_utf8(sts.requests()[0].body.clone()).unwrap();
    for part in ["Action=AssumeRole&", "role%2Fartifacts", "RoleSessionName=me", "ExternalId=outside"] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let said = settings(home.open(&[]).get(&key(), 10).await).to_string();
    assert_eq!(said, "the profile default gives no credentials: it answered 403 AccessDenied: no");
}

#[tokio::test]
async fn a_web_identity_of_a_profile_is_a_token_and_nothing_else() {
    let sts = Scripted::start([Act::Reply(reply(
        200,
        &[("Content-Type", "text/xml")],
        String::from_utf8(taken("WEB"))
            .unwrap()
            .split_once("\r\n\r\n")
            .unwrap()
            .1
            .replace("AssumeRoleRe", "AssumeRoleWithWebIdentityRe")
            .as_bytes(),
    ))]);
    let s3 = objects(1);
    let home = Home::new("", "");
    let token = home.path().join("token");
    let rest = format!(
        "services = fake\nrole_arn = arn:aws:iam::123456789012:role/web\nweb_identity_token_file = {}\n\
         [services fake]\nsts =\n  endpoint_url = {}\n",
        token.display(),
        sts.endpoint()
    );
    home.write(".aws/config", &local(&s3, &rest));
    std::fs::write(&token, "no token").unwrap();
    let error = settings(home.open(&[]).get(&key(), 10).await);
    assert!(matches!(error, ConfigError::Token { .. }), "{error:?}");
    assert!(sts.requests().is_empty());
    std::fs::write(&token, jwt("x")).unwrap();
    home.open(&[]).get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3)[0].0, "WEB");

    // A token is told to nobody over a network that others can read.
    home.write(".aws/config", &local(&s3, &rest.replace(&sts.endpoint(), "http://sts.invalid:9")));
    let error = home.open(&[]).get(&key(), 10).await.unwrap_err();
    assert!(error_text(&error).contains("http://sts.invalid:9 is not https"), "{}", error_text(&error));
}

fn error_text(error: &StoreError) -> String {
    argo_attest_core::text::causes(error)
}

#[tokio::test]
async fn a_process_gives_keys_or_says_why_not() {
    let s3 = objects(1);
    let home = Home::new("", "");
    let given = format!(
        "echo '{{\"Version\": 1, \"AccessKeyId\": \"PROCESS\", \"SecretAccessKey\": \"canary\", \
         \"SessionToken\": \"t\", \"Expiration\": \"{}\"}}'\n",
        expires(HOUR)
    );
    home.write("give", &given);
    home.write("refuse", "echo 'sign in first' >&2; exit 3\n");
    let process = |name: &str| {
        let script = home.path().join(name);
        home.write(".aws/config", &local(&s3, &format!("credential_process = sh {}\n", script.display())));
        home.open(&[])
    };
    process("give").get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3), [("PROCESS".to_owned(), "t".to_owned())]);
    let error = process("refuse").get(&key(), 10).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Config);
    assert!(error_text(&error).contains("sign in first"), "{}", error_text(&error));
}

#[tokio::test]
async fn a_profile_is_what_it_was_when_the_store_was_opened() {
    let s3 = objects(1);
    let home = Home::new(&local(&s3, "aws_access_key_id = FIRST\naws_secret_access_key = s\n"), "");
    let store = home.open(&[]);
    let ran = home.path().join("ran");
    home.write(".aws/config", &local(&s3, &format!("credential_process = touch {}\n", ran.display())));
    store.get(&key(), 10).await.unwrap();
    assert_eq!(signed_by(&s3)[0].0, "FIRST");
    assert!(!ran.exists());
    // And there it would have been followed.
    home.open(&[]).get(&key(), 10).await.unwrap_err();
    assert!(ran.exists());
}

#[test]
fn a_profile_that_is_not_there_is_named_with_its_files() {
    let home = Home::new("[profile dev]\nregion = eu-west-1\n", "");
    let keys = [("AWS_PROFILE", "prod"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s")];
    for vars in [&keys[..1], &keys[..]] {
        let error = home.config(vars).unwrap_err();
        let here = home.path().join(".aws");
        let files = format!("{} or {}", here.join("config").display(), here.join("credentials").display());
        assert_eq!(error.to_string(), format!("there is no profile prod in {files}"));
        assert!(error.remedy().unwrap().contains("AWS_PROFILE"));
    }
    // Nobody asked for one: there just are no credentials.
    assert!(matches!(home.config(&[]).unwrap_err(), ConfigError::NoCredentials));
    // One that only says a region leaves the rest to others.
    assert!(matches!(home.config(&[("AWS_PROFILE", "dev")]).unwrap_err(), ConfigError::NoCredentials));
}

#[test]
fn files_that_are_none_are_named() {
    let home = Home::new("[profile dev\n", "");
    let error = home.config(&[]).unwrap_err();
    let path = home.path().join(".aws/config").display().to_string();
    assert!(error.to_string().starts_with(&format!("{path} is not a file of AWS profiles: ")), "{error}");
    for (config, said) in [
        ("[default]\nregion = eu west\n", "region of the profile default is not a region's name"),
        ("[default]\nendpoint_url = minio:9000\n", "endpoint_url of the profile default must "),
    ] {
        home.write(".aws/config", config);
        let error = home.config(&[]).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
    home.write(".aws/config", &"#".repeat(5 * 1024 * 1024));
    assert!(matches!(home.config(&[]).unwrap_err(), ConfigError::File { .. }));
}

#[tokio::test]
async fn what_is_not_supported_says_what_to_do_instead() {
    let s3 = objects(0);
    let rest = "login_session = arn:aws:iam::123456789012:user/me\n";
    let said = settings(Home::new(&local(&s3, rest), "").open(&[]).get(&key(), 10).await).to_string();
    assert!(said.contains("aws configure export-credentials"), "{said}");
}

#[tokio::test]
async fn who_does_not_answer_is_named_in_seconds() {
    let hanging = Scripted::start((0..100).map(|_| Act::Hang));
    let busy = Scripted::choosing(Plain, |_| Some(Act::Reply(reply(503, &[], b""))));
    let nobody = Nobody::new();
    for sts in [hanging.endpoint(), busy.endpoint(), format!("http://{}", nobody.address())] {
        let s3 = objects(1);
        let rest = format!(
            "services = fake\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = base\n\
             [services fake]\nsts =\n  endpoint_url = {sts}\n\
             [profile base]\naws_access_key_id = BASE\naws_secret_access_key = secret\n"
        );
        let home = Home::new(&local(&s3, &rest), "");
        let started = Instant::now();
        let error = home.open(&[]).get(&key(), 10).await.unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error:?}");
        let named = format!("s3://bucket/k: no useful answer from {sts} (profile default) (attempts: ");
        assert!(error.to_string().starts_with(&named), "{error}");
        assert!(s3.requests().is_empty());
    }
}

#[test]
fn a_pod_follows_no_profile() {
    let home =
        Home::new("[default]\ncredential_process = touch ran\n", "[default]\naws_access_key_id = HOME\n");
    let vars = [
        ("HOME", home.path().to_str().unwrap()),
        ("AWS_PROFILE", "none"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let location: Location = "s3://bucket".parse().unwrap();
    let error = settings(store::open(&location, &variables(&vars)));
    assert!(matches!(error, ConfigError::NoCredentials), "{error:?}");
    // And where a person is, the same is an error.
    let error = settings(store::open_named(&location, &variables(&vars)));
    assert!(matches!(error, ConfigError::NoProfile { .. }), "{error:?}");
}

/// The program, as somebody with this home runs it.
fn verify(home: &Home, vars: &[(&str, &str)]) -> String {
    let key = home.path().join("attest.key");
    if !key.exists() {
        argo_attest::signer::create_pair(&key, argo_attest_core::keys::KeyType::ALL[0]).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_argo-attest"));
    command
        .args(["verify", "s3://bucket/k", "--key"])
        .arg(key.with_extension("pub"))
        .env_clear()
        .env("COLUMNS", "100000")
        .env("HOME", home.path());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(vars.iter().copied());
    let ended = command.output().unwrap();
    String::from_utf8(ended.stderr).unwrap() + &String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn somebody_who_signed_in_with_sso_needs_nothing_else() {
    // SHA-1 of the session's name and of the start URL, as `aws sso login` names its files.
    const SESSION: &str = "34c6fceca75e456f25e7e99531e2425c6c1de443";
    let portal = Scripted::choosing(Plain, |request| {
        let answer = match request.header("x-amz-sso_bearer_token") {
            "canary-token" => reply(
                200,
                &[("Content-Type", "application/json")],
                format!(
                    "{{\"roleCredentials\": {{\"accessKeyId\": \"SSO\", \"secretAccessKey\": \"canary\", \
                     \"sessionToken\": \"session-of-SSO\", \"expiration\": {}}}}}",
                    jiff::Timestamp::now().as_millisecond() + 3_600_000
                )
                .as_bytes(),
            ),
            _ => reply(
                401,
                &[("Content-Type", "application/json"), ("x-amzn-errortype", "UnauthorizedException")],
                b"{\"message\": \"Session token not found or invalid\"}",
            ),
        };
        Some(Act::Reply(answer))
    });
    let s3 = Scripted::choosing(Plain, |_| Some(Act::Reply(crate::scripted::error(403, "AccessDenied"))));
    let rest = format!(
        "services = fake\nsso_session = dev\nsso_account_id = 123456789012\nsso_role_name = reader\n\
         [services fake]\nsso =\n  endpoint_url = {}\n\
         [sso-session dev]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n",
        portal.endpoint()
    );
    let home = Home::new(&local(&s3, &rest), "");
    let said = verify(&home, &[]);
    assert!(said.contains("aws sso login --profile default"), "{said}");
    let cache = |token: &str| {
        let text = format!(
            "{{\"startUrl\": \"https://example.awsapps.com/start\", \"region\": \"eu-west-1\", \
             \"accessToken\": \"{token}\", \"expiresAt\": \"{}\"}}",
            expires(HOUR)
        );
        home.write(&format!(".aws/sso/cache/{SESSION}.json"), &text);
    };
    cache("canary-old");
    let said = verify(&home, &[("ARGO_ATTEST_LOG", "trace")]);
    assert!(said.contains("401 UnauthorizedException: Session token not found or invalid"), "{said}");
    assert!(said.contains("aws sso login --profile default") && !said.contains("canary"), "{said}");
    assert!(s3.requests().is_empty());
    cache("canary-token");
    let said = verify(&home, &[("ARGO_ATTEST_LOG", "trace")]);
    let asked = &portal.requests()[1].path;
    assert!(asked.starts_with("/federation/credentials?"), "{asked}");
    assert!(asked.contains("role_name=reader") && asked.contains("account_id=123456789012"), "{asked}");
    assert_eq!(signed_by(&s3)[0], ("SSO".to_owned(), "session-of-SSO".to_owned()), "{said}");
    assert!(!said.contains("canary"), "{said}");
}
