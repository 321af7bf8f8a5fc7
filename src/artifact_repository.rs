//! The object stores of a step's artifacts, opened as the step describes them.
//!
//! Endpoint, bucket and region come from the template. Credentials come from
//! AWS's usual variables or web identity; else from the files of the Secrets that
//! the template names, where Argo itself has them.

use argo_attest_core::trouble::{Fault, Trouble};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::argo::{ObjectRef, S3Store as Described, SecretKey};
use argo_attest_core::object_name::{is_key_name, is_object_name};
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::brief;

use crate::store::s3::{ConfigError, Credentials, Endpoint, InvalidEndpoint, S3Config, Trust};
use crate::store::{BucketName, Env, InvalidKey, InvalidLocation, ObjectKey, S3Store, Store, StoreError};

/// Opened stores, one for each that the step names.
#[derive(Debug, Default)]
pub(crate) struct Stores(HashMap<Arc<Described>, Arc<dyn Store>>);

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoresError {
    /// Not a bucket's name.
    #[error("the bucket {name:?} of the template is not usable")]
    Bucket {
        name: String,
        #[source]
        source: InvalidLocation,
    },
    /// Not a host.
    #[error("the endpoint {endpoint:?} of the template is not usable")]
    Endpoint {
        endpoint: String,
        #[source]
        source: InvalidEndpoint,
    },
    /// Encrypted with a key that only Argo has.
    #[error("the bucket {0} is encrypted with a customer's key (SSE-C), which is not supported")]
    CustomerKey(String),
    /// The credentials or the rest of the settings.
    #[error("the bucket {bucket} cannot be used")]
    Config {
        bucket: String,
        #[source]
        source: ConfigError,
    },
    /// The files of a Secret that the template names are not there.
    #[error("no credentials for the bucket {bucket}: {} does not exist", shown_path(path))]
    NoSecret { bucket: String, path: PathBuf },
    /// A selector that names no Secret, or no key of one, but a way to some other file.
    #[error("the secret selector {selector} of the template is not usable: {name:?} is no {what}")]
    Selector {
        selector: &'static str,
        /// What was given, printable.
        name: String,
        what: &'static str,
    },
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Trouble for StoresError {
    fn fault(&self) -> Fault {
        match self {
            Self::NoSecret { .. } | Self::Config { .. } => Fault::Permission,
            _ => Fault::Malformed,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NoSecret { path, .. } => format!(
                "mount the Secret at {}, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or web identity",
                path.parent().unwrap_or(path).display()
            ),
            Self::Config { source, .. } => return source.remedy(),
            Self::Store(error) => return error.remedy(),
            Self::CustomerKey(_) => "use the store's own encryption for this bucket".into(),
            Self::Bucket { .. } | Self::Endpoint { .. } | Self::Selector { .. } => {
                "correct the artifact repository's settings".into()
            }
        })
    }
}

impl Stores {
    /// Opens the store of an object, if it is not open yet. Makes no request.
    pub(crate) fn open(
        &mut self,
        object: &ObjectRef,
        env: &dyn Env,
        secrets: &Path,
    ) -> Result<Arc<dyn Store>, StoresError> {
        if let Some(store) = self.0.get(&object.store) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn Store> = Arc::new(S3Store::new(config(&object.store, env, secrets)?)?);
        self.0.insert(Arc::clone(&object.store), Arc::clone(&store));
        Ok(store)
    }

    /// How many requests were repeated.
    pub(crate) fn retries(&self) -> u64 {
        self.0.values().map(|store| store.retries()).sum()
    }
}

/// The object's key, as the store takes it.
pub(crate) fn key(object: &ObjectRef) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::new(object.key())
}

fn config(described: &Described, env: &dyn Env, secrets: &Path) -> Result<S3Config, StoresError> {
    let bucket = &described.bucket;
    let failed = |source| StoresError::Config { bucket: bucket.clone(), source };
    if described.customer_key.is_some() {
        return Err(StoresError::CustomerKey(bucket.clone()));
    }
    let credentials = match Credentials::from_env(env).map_err(failed)? {
        Some(credentials) => credentials,
        None => mounted(described, secrets)?.ok_or_else(|| failed(ConfigError::NoCredentials))?,
    };
    let name =
        BucketName::new(bucket).map_err(|source| StoresError::Bucket { name: bucket.clone(), source })?;
    let mut config = S3Config::new(name, None, credentials);
    let url = described.endpoint_url();
    let endpoint: Endpoint =
        url.parse().map_err(|source| StoresError::Endpoint { endpoint: url.clone(), source })?;
    config.region = described.region.clone().filter(|r| !r.is_empty()).or_else(|| region(env));
    // AWS's general address stands for the one of the region.
    config.endpoint = Some(endpoint).filter(|_| described.endpoint != "s3.amazonaws.com");
    if config.endpoint.is_none() && config.region.is_none() {
        config.region = Some("us-east-1".into());
    }
    config.trust = match &described.ca {
        Some(ca) => Trust::Bundle(file(secrets, "caSecret", ca)?),
        None => Trust::from_env(env),
    };
    Ok(config)
}

fn region(env: &dyn Env) -> Option<String> {
    ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .find_map(|name| env.var(name)?.into_string().ok())
        .filter(|region| !region.is_empty())
}

/// The files that the template's secret selectors stand for.
fn mounted(described: &Described, secrets: &Path) -> Result<Option<Credentials>, StoresError> {
    let (Some(id), Some(secret)) = (&described.access_key, &described.secret_key) else { return Ok(None) };
    let there = |selector, key: &SecretKey| {
        let path = file(secrets, selector, key)?;
        if path.exists() {
            Ok(path)
        } else {
            Err(StoresError::NoSecret { bucket: described.bucket.clone(), path })
        }
    };
    let token = described.session_token.as_ref().map(|token| there("sessionTokenSecret", token));
    Ok(Some(Credentials::Files {
        access_key_id: there("accessKeySecret", id)?,
        secret_access_key: there("secretKeySecret", secret)?,
        session_token: token.transpose()?,
    }))
}

/// The file that a selector stands for, which is always two names beneath the folder of
/// Secrets: the selector is text of the template.
fn file(secrets: &Path, selector: &'static str, key: &SecretKey) -> Result<PathBuf, StoresError> {
    let named = |name: &str, what, is: fn(&str) -> bool| {
        if is(name) { Ok(()) } else { Err(StoresError::Selector { selector, name: brief(name, 300), what }) }
    };
    named(&key.name, "name of a Secret", is_object_name)?;
    named(&key.key, "key of a Secret", is_key_name)?;
    Ok(secrets.join(&key.name).join(&key.key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(name: &str, key: &str) -> SecretKey {
        SecretKey { name: name.to_owned(), key: key.to_owned() }
    }

    #[test]
    fn a_selector_stays_in_its_folder() {
        let secrets = Path::new("/argo/secret");
        let found = file(secrets, "accessKeySecret", &selector("s3-credentials", "access.key_ID")).unwrap();
        assert_eq!(found, Path::new("/argo/secret/s3-credentials/access.key_ID"));
        let long = "a".repeat(254);
        let nowhere = [
            "",
            ".",
            "..",
            "../..",
            "../../etc",
            "/etc",
            "/",
            "a/b",
            "a/",
            "/a",
            "a/../b",
            "./a",
            "..data",
            "..2026_11_25",
            "a\0b",
            "a b",
            "a\n",
            "a\u{202e}b",
            "%2e%2e",
            "é",
            "~",
            "$HOME",
            &long,
        ];
        for bad in nowhere {
            for (selector, what) in [(selector(bad, "key"), "name"), (selector("name", bad), "key")] {
                let error = file(secrets, "caSecret", &selector).unwrap_err();
                let told = error.to_string();
                assert!(
                    told.contains("caSecret") && told.contains(&format!("is no {what} of a Secret")),
                    "{told}"
                );
                assert!(!told.contains(['\n', '\u{202e}', '\0']) && told.len() < 500, "{told:?}");
            }
        }
        // A Secret's name has no capitals and no underscore; a key may have both.
        file(secrets, "caSecret", &selector("Name", "key")).unwrap_err();
        file(secrets, "caSecret", &selector("na_me", "key")).unwrap_err();
    }

    /// Every selector that a template can give is held to it, not only the one that is read first.
    #[test]
    fn every_selector_is_looked_at() {
        let secrets = tempfile::tempdir().unwrap();
        std::fs::create_dir(secrets.path().join("s")).unwrap();
        std::fs::write(secrets.path().join("s/k"), "x").unwrap();
        std::fs::write(secrets.path().join("outside"), "x").unwrap();
        let good = || Some(selector("s", "k"));
        let described = Described {
            endpoint: "store.example.com".into(),
            bucket: "bucket".into(),
            region: None,
            insecure: false,
            role_arn: None,
            use_sdk_creds: false,
            access_key: good(),
            secret_key: good(),
            session_token: good(),
            ca: good(),
            customer_key: None,
        };
        let nothing = |_: &str| None;
        config(&described, &nothing, secrets.path()).unwrap();
        let bad = || Some(selector("..", "outside"));
        for (named, described) in [
            ("accessKeySecret", Described { access_key: bad(), ..described.clone() }),
            ("secretKeySecret", Described { secret_key: bad(), ..described.clone() }),
            ("sessionTokenSecret", Described { session_token: bad(), ..described.clone() }),
            ("caSecret", Described { ca: bad(), ..described }),
        ] {
            let told = config(&described, &nothing, secrets.path()).unwrap_err().to_string();
            assert!(told.contains(named), "{named}: {told}");
        }
    }
}
