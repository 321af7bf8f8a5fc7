use std::ffi::OsString;

use proptest::prelude::*;

use super::*;

fn env(vars: &'static [(&'static str, &'static str)]) -> impl Env {
    move |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
}

fn config(vars: &'static [(&'static str, &'static str)]) -> Result<S3Config, ConfigError> {
    S3Config::from_env(BucketName::new("bucket").unwrap(), None, &env(vars))
}

#[test]
fn follows_the_usual_variables() {
    let c = config(&[
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "do-not-show"),
        ("AWS_ENDPOINT_URL", "https://ignored.example"),
        ("AWS_ENDPOINT_URL_S3", "http://minio:9000/"),
        ("AWS_CA_BUNDLE", "/etc/ca.pem"),
    ])
    .unwrap();
    assert_eq!(c.endpoint.as_ref().unwrap().as_str(), "http://minio:9000");
    assert_eq!(c.signing_region().unwrap(), "us-east-1");
    assert!(c.path_style());
    assert_eq!(c.trust, Trust::Bundle("/etc/ca.pem".into()));
    assert!(!format!("{c:?}").contains("do-not-show"));
    let c = config(&[
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ])
    .unwrap();
    assert!(c.endpoint.is_none() && !c.path_style());
    assert_eq!(c.signing_region().unwrap(), "eu-west-1");
}

#[test]
fn says_what_is_missing() {
    let why = |vars| config(vars).unwrap_err().to_string();
    let nobody = [("AWS_REGION", "eu-west-1"), ("AWS_EC2_METADATA_DISABLED", "true")];
    assert_eq!(why(Box::leak(Box::new(nobody))), "no credentials for S3 are set");
    assert_eq!(
        why(&[("AWS_ACCESS_KEY_ID", "id")]),
        "AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not"
    );
    assert_eq!(
        why(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")]),
        "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN is not"
    );
    assert_eq!(why(&[("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s")]), "no region is set");
    assert_eq!(
        why(&[
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
            ("AWS_ENDPOINT_URL_S3", "https://u:p@h")
        ]),
        "AWS_ENDPOINT_URL_S3 must not hold credentials"
    );
}

#[test]
fn knows_the_region_of_awss_hosts() {
    for (host, region) in [
        ("s3.eu-west-1.amazonaws.com", Some("eu-west-1")),
        ("s3.dualstack.eu-central-1.amazonaws.com", Some("eu-central-1")),
        ("s3-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
        ("s3-fips.dualstack.us-east-2.amazonaws.com", Some("us-east-2")),
        ("S3.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("s3-us-west-2.amazonaws.com", Some("us-west-2")),
        ("s3.amazonaws.com", None),
        ("s3-accelerate.amazonaws.com", None),
        ("s3.eu-west-1.amazonaws.com.evil.example", None),
        ("s3.eu-west-1.example.com", None),
    ] {
        let endpoint: Endpoint = format!("https://{host}").parse().unwrap();
        assert_eq!(endpoint.region(), region, "{host}");
    }
}

#[test]
fn knows_endpoints() {
    for (text, host, secure, aws) in [
        ("https://s3.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", true, true),
        ("https://s3.cn-north-1.amazonaws.com.cn", "s3.cn-north-1.amazonaws.com.cn", true, true),
        ("https://amazonaws.com.evil.example", "amazonaws.com.evil.example", true, false),
        ("http://[::1]:9000", "[::1]", false, false),
        ("http://MinIO:9000/base", "minio", false, false),
    ] {
        let endpoint: Endpoint = text.parse().unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.secure, endpoint.is_aws()), (host, secure, aws));
    }
    for text in
        ["", "minio:9000", "ftp://x", "http://", "http://:9", "http://h:x", "http://h?x", "http://a b"]
    {
        assert!(text.parse::<Endpoint>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn an_endpoint_holds_no_password_and_no_control_character(text in "(https?://)?\\PC{0,40}") {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            prop_assert!(endpoint.url.bytes().all(|b| b.is_ascii_graphic()) && !endpoint.url.contains('@'));
            prop_assert!(!endpoint.host.is_empty());
            prop_assert_eq!(endpoint.url.parse::<Endpoint>(), Ok(endpoint));
        }
    }
}
