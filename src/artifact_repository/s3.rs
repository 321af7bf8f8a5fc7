//! An S3 bucket of a template: its settings, and where its credentials are.
//!
//! Endpoint, bucket and region come from the template. Credentials are those that Argo's
//! executor would take, in its order (`GetCredentials` in workflow/artifacts/s3/s3.go): the
//! Secrets that the template names; the role that it names; whoever the platform says we are.

use std::path::Path;

use argo_attest_core::argo::{Addressing as Style, S3Bucket, SecretKey};
use argo_attest_core::trouble::Trouble as _;

use super::StoresError;
use super::secrets::file;
use crate::store::s3::{
    Addressing, AssumedRole, ConfigError, Credentials, Encryption, Endpoint, IfRegionUnknown,
    InvalidEndpoint, Proxies, S3Config, Trust,
};
use crate::store::{BucketName, Env};

/// What does in place of a Secret.
const OTHERWISE: &str = ", or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or web identity";

/// The bucket's settings. Reads no file but to see whether it is there.
pub(super) fn config(described: &S3Bucket, env: &dyn Env, secrets: &Path) -> Result<S3Config, StoresError> {
    let bucket = &described.bucket;
    let failed = |error: ConfigError| StoresError::Config {
        bucket: bucket.clone(),
        remedy: error.remedy(),
        source: Box::new(error),
    };
    let credentials = credentials(described, env, secrets, failed)?;
    let name =
        BucketName::new(bucket).map_err(|source| StoresError::Bucket { name: bucket.clone(), source })?;
    let mut config = S3Config::new(name, None, credentials);
    let url = described.endpoint_url();
    let endpoint: Endpoint = url.parse().map_err(|error: InvalidEndpoint| StoresError::Endpoint {
        endpoint: url.clone(),
        source: Box::new(error),
    })?;
    // A platform's AWS_REGION is the cluster's, which a host that names a region knows better.
    let of_host = || endpoint.region().map(str::to_owned);
    let given = described.region.clone().filter(|region| !region.is_empty());
    config.region = given.or_else(of_host).or_else(|| region(env));
    // AWS's general address stands for the one of the region.
    config.endpoint = Some(endpoint).filter(|_| described.endpoint != "s3.amazonaws.com");
    config.if_region_unknown = IfRegionUnknown::Ask;
    config.addressing = match described.addressing {
        Style::Auto => Addressing::ByHost,
        Style::Path => Addressing::Path,
        Style::VirtualHosted => Addressing::VirtualHost,
    };
    config.creates_bucket = described.creates_bucket;
    let wanted = &described.encryption;
    let secret = wanted.customer_key.as_ref();
    let secret = secret.map(|key| file(secrets, "serverSideCustomerKeySecret", key)).transpose()?;
    config.encryption = Encryption::of_template(
        wanted.enabled,
        wanted.kms_key_id.as_deref(),
        wanted.kms_context.as_deref(),
        secret,
        !described.insecure,
    )
    .map_err(|why| StoresError::Encryption { bucket: bucket.clone(), why })?;
    config.trust = match &described.ca {
        Some(ca) => Trust::Bundle(file(secrets, "caSecret", ca)?),
        None => Trust::from_env(env),
    };
    config.proxies = Proxies::from_env(env).map_err(|error| failed(error.into()))?;
    Ok(config)
}

fn region(env: &dyn Env) -> Option<String> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| env.var(name)?.into_string().ok())
        .filter(|region| !region.is_empty())
}

/// The first of Argo's order that is there.
fn credentials(
    described: &S3Bucket,
    env: &dyn Env,
    secrets: &Path,
    failed: impl Fn(ConfigError) -> StoresError,
) -> Result<Credentials, StoresError> {
    match mounted(described, secrets) {
        Ok(Some(files)) => return Ok(files),
        Ok(None) => {}
        // A Secret that only Argo's containers have: then by what this one was given for it,
        // if it was.
        Err(missing @ StoresError::NoSecret { .. }) => {
            return Credentials::from_env(env).map_err(failed)?.ok_or(missing);
        }
        Err(error) => return Err(error),
    }
    let found = match &described.role_arn {
        Some(role) => AssumedRole::by_ambient(role, env).map(|role| Some(Credentials::Role(Box::new(role?)))),
        None => Credentials::ambient(env),
    };
    found.map_err(&failed)?.ok_or_else(|| failed(ConfigError::NoCredentials))
}

/// The files that the template's secret selectors stand for.
fn mounted(described: &S3Bucket, secrets: &Path) -> Result<Option<Credentials>, StoresError> {
    let (Some(id), Some(secret)) = (&described.access_key, &described.secret_key) else { return Ok(None) };
    let there = |selector, key: &SecretKey| {
        let path = file(secrets, selector, key)?;
        if path.exists() {
            Ok(path)
        } else {
            Err(StoresError::NoSecret { bucket: described.bucket.clone(), path, otherwise: OTHERWISE })
        }
    };
    let token = described.session_token.as_ref().map(|token| there("sessionTokenSecret", token));
    Ok(Some(Credentials::Files {
        access_key_id: there("accessKeySecret", id)?,
        secret_access_key: there("secretKeySecret", secret)?,
        session_token: token.transpose()?,
    }))
}

#[cfg(test)]
mod tests {
    use argo_attest_core::argo::EncryptionOptions;

    use super::*;

    fn selector(name: &str, key: &str) -> SecretKey {
        SecretKey { name: name.to_owned(), key: key.to_owned() }
    }

    fn bucket() -> S3Bucket {
        S3Bucket {
            endpoint: "store.example.com".into(),
            bucket: "bucket".into(),
            region: None,
            insecure: false,
            role_arn: None,
            use_sdk_creds: false,
            access_key: None,
            secret_key: None,
            session_token: None,
            ca: None,
            addressing: Style::Auto,
            creates_bucket: false,
            encryption: EncryptionOptions::default(),
        }
    }

    #[test]
    fn the_host_knows_the_region_better_than_the_cluster() {
        let region = |endpoint: &str, region: Option<&str>| {
            let described =
                S3Bucket { endpoint: endpoint.to_owned(), region: region.map(str::to_owned), ..bucket() };
            let env = |name: &str| match name {
                "AWS_REGION" => Some("us-east-2".into()),
                "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("x".into()),
                _ => None,
            };
            config(&described, &env, Path::new("/none")).unwrap().region.unwrap()
        };
        assert_eq!(region("s3.eu-west-1.amazonaws.com", None), "eu-west-1");
        assert_eq!(region("s3.eu-west-1.amazonaws.com", Some("eu-west-2")), "eu-west-2");
        assert_eq!(region("store.example.com", None), "us-east-2");
    }

    /// Argo's `GetCredentials`: Secrets, role, SDK or IAM; whatever else is there.
    #[test]
    fn credentials_are_taken_in_argos_order() {
        let secrets = tempfile::tempdir().unwrap();
        std::fs::create_dir(secrets.path().join("s")).unwrap();
        std::fs::write(secrets.path().join("s/k"), "x").unwrap();
        let found = |described: &S3Bucket, vars: &[(&str, &str)]| {
            let env =
                |name: &str| Some(std::ffi::OsString::from(vars.iter().find(|(known, _)| *known == name)?.1));
            config(described, &env, secrets.path()).map(|config| config.credentials)
        };
        let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let web = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x")];
        let pod = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")];
        let everything = [&keys[..], &web, &pod].concat();

        let role = S3Bucket { role_arn: Some("arn:aws:iam::1:role/y".into()), ..bucket() };
        let own = S3Bucket {
            access_key: Some(selector("s", "k")),
            secret_key: Some(selector("s", "k")),
            use_sdk_creds: true,
            ..role.clone()
        };
        let got = found(&own, &everything).unwrap();
        assert!(matches!(got, Credentials::Files { .. }), "{got:?}");
        // One half of a pair is none.
        let half = S3Bucket { secret_key: None, ..own.clone() };
        for described in [&role, &half] {
            match found(described, &everything).unwrap() {
                Credentials::Role(role) => assert!(matches!(role.base, Credentials::Static(_)), "{role:?}"),
                other => panic!("{other:?}"),
            }
        }
        for use_sdk_creds in [true, false] {
            let plain = S3Bucket { use_sdk_creds, ..bucket() };
            assert!(matches!(found(&plain, &everything).unwrap(), Credentials::Static(_)));
            let without_keys = [&web[..], &pod].concat();
            assert!(matches!(found(&plain, &without_keys).unwrap(), Credentials::WebIdentity(_)));
            assert!(matches!(found(&plain, &pod).unwrap(), Credentials::Container(_)));
            assert!(matches!(found(&plain, &[]).unwrap(), Credentials::Instance(_)));
        }
        // A Secret that this container does not have: what it was given in its place, or nothing.
        let unmounted = S3Bucket { access_key: Some(selector("gone", "k")), ..own };
        assert!(matches!(found(&unmounted, &web).unwrap(), Credentials::WebIdentity(_)));
        assert!(matches!(found(&unmounted, &[]).unwrap_err(), StoresError::NoSecret { .. }));
    }

    /// Every selector that a template can give is held to it, not only the one that is read first.
    #[test]
    fn every_selector_is_looked_at() {
        let secrets = tempfile::tempdir().unwrap();
        std::fs::create_dir(secrets.path().join("s")).unwrap();
        std::fs::write(secrets.path().join("s/k"), "x").unwrap();
        std::fs::write(secrets.path().join("outside"), "x").unwrap();
        let good = || Some(selector("s", "k"));
        let described = S3Bucket {
            access_key: good(),
            secret_key: good(),
            session_token: good(),
            ca: good(),
            ..bucket()
        };
        let nothing = |_: &str| None;
        config(&described, &nothing, secrets.path()).unwrap();
        let bad = || Some(selector("..", "outside"));
        let customer = EncryptionOptions { customer_key: bad(), ..EncryptionOptions::default() };
        for (named, described) in [
            ("accessKeySecret", S3Bucket { access_key: bad(), ..described.clone() }),
            ("secretKeySecret", S3Bucket { secret_key: bad(), ..described.clone() }),
            ("sessionTokenSecret", S3Bucket { session_token: bad(), ..described.clone() }),
            ("serverSideCustomerKeySecret", S3Bucket { encryption: customer, ..described.clone() }),
            ("caSecret", S3Bucket { ca: bad(), ..described }),
        ] {
            let told = config(&described, &nothing, secrets.path()).unwrap_err().to_string();
            assert!(told.contains(named), "{named}: {told}");
        }
    }
}
