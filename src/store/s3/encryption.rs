//! How the store is to encrypt objects, as Argo's executor asks for it: by itself, with a key
//! of its key management, or with a key that only requests bring (SSE-C).

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use super::credentials::read_raw;
use super::fault::Fault;
use super::settings::ConfigError;

/// How many objects' keys are kept: each takes 64 MiB and some 100 ms to make.
const KEPT: usize = 256;

/// How objects are encrypted.
#[derive(Debug, Clone, Default)]
pub enum Encryption {
    /// As the bucket does it by itself.
    #[default]
    Default,
    /// With keys of the store (SSE-S3).
    Managed,
    /// With a key of the store's key management (SSE-KMS).
    Kms {
        /// The key.
        key_id: String,
        /// What goes with it: a JSON object of texts, in base64.
        context: Option<String>,
    },
    /// With a key for each object that is made of a secret and comes with every request (SSE-C).
    Customer(CustomerKeys),
}

/// Makes the keys of objects as minio-go does (`encrypt.DefaultPBKDF`): Argon2id of the
/// secret, salted with bucket and key, one pass over 64 MiB in four lanes.
#[derive(Clone)]
pub struct CustomerKeys {
    secret: PathBuf,
    made: Arc<Mutex<HashMap<String, CustomerKey>>>,
}

/// One object's key, and its MD5 to notice what got lost on the way; both in base64.
#[derive(Clone)]
pub(super) struct CustomerKey {
    pub(super) key: Zeroizing<String>,
    pub(super) md5: String,
}

impl fmt::Debug for CustomerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerKeys").field("secret", &self.secret).finish_non_exhaustive()
    }
}

impl CustomerKeys {
    /// Of the secret in this file, whose every byte counts.
    pub fn of(secret: PathBuf) -> Self {
        Self { secret, made: Arc::default() }
    }

    /// The key of one object.
    pub(super) async fn of_object(&self, bucket: &str, key: &str) -> Result<CustomerKey, Fault> {
        let (this, salt) = (self.clone(), format!("{bucket}{key}"));
        tokio::task::spawn_blocking(move || this.make(salt))
            .await
            .unwrap_or_else(|error| Err(ConfigError::Request(error.into())))
            .map_err(Fault::Settings)
    }

    fn make(&self, salt: String) -> Result<CustomerKey, ConfigError> {
        // Held while one is made, so that the memory is taken once.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = made.get(&salt) {
            return Ok(key.clone());
        }
        let secret = read_raw(&self.secret)?;
        let key = derived(&secret, salt.as_bytes()).map_err(|error| {
            ConfigError::Request(format!("the customer's encryption key cannot be made: {error}").into())
        })?;
        if made.len() >= KEPT {
            made.clear();
        }
        made.insert(salt, key.clone());
        Ok(key)
    }
}

fn derived(secret: &[u8], salt: &[u8]) -> Result<CustomerKey, argon2::Error> {
    let params = Params::new(64 * 1024, 1, 4, Some(32))?;
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(secret, salt, &mut *key)?;
    let md5 = STANDARD.encode(Md5::digest(*key));
    Ok(CustomerKey { key: Zeroizing::new(STANDARD.encode(*key)), md5 })
}

impl Encryption {
    /// The options of a template, as Argo reads them. `secret`: the file of the customer's
    /// secret. The error is what Argo would refuse, too.
    pub fn of_template(
        enabled: bool,
        kms_key_id: Option<&str>,
        kms_context: Option<&str>,
        secret: Option<PathBuf>,
        secure: bool,
    ) -> Result<Self, &'static str> {
        match (secret, kms_key_id) {
            (Some(_), Some(_)) => Err("names a key of the store's key management and a customer's key"),
            (Some(_), None) if !secure => Err("names a customer's key, which is sent over https only"),
            _ if !enabled => Ok(Self::Default),
            (Some(secret), None) => Ok(Self::Customer(CustomerKeys::of(secret))),
            (None, Some(key_id)) => {
                let context = kms_context.map(encoded).transpose()?;
                Ok(Self::Kms { key_id: key_id.to_owned(), context })
            }
            (None, None) => Ok(Self::Managed),
        }
    }
}

fn encoded(context: &str) -> Result<String, &'static str> {
    let read: HashMap<String, String> =
        serde_json::from_str(context).map_err(|_| "has a context that is no JSON object of texts")?;
    drop(read);
    Ok(STANDARD.encode(context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_argo_reads_them() {
        let of = |enabled, kms, context, secret: Option<&str>, secure| {
            Encryption::of_template(enabled, kms, context, secret.map(PathBuf::from), secure)
        };
        assert!(matches!(of(false, Some("k"), None, None, true), Ok(Encryption::Default)));
        assert!(matches!(of(false, None, None, Some("/s"), true), Ok(Encryption::Default)));
        assert!(matches!(of(true, None, None, None, false), Ok(Encryption::Managed)));
        assert!(matches!(of(true, None, None, Some("/s"), true), Ok(Encryption::Customer(_))));
        match of(true, Some("k"), Some("{\"team\": \"a\"}"), None, true) {
            Ok(Encryption::Kms { key_id, context }) => {
                assert_eq!((key_id.as_str(), context.as_deref()), ("k", Some("eyJ0ZWFtIjogImEifQ==")));
            }
            other => panic!("{other:?}"),
        }
        for (refused, why) in [
            (of(true, Some("k"), None, Some("/s"), true), "both"),
            (of(false, None, None, Some("/s"), false), "over http"),
            (of(true, Some("k"), Some("[1]"), None, true), "no texts"),
        ] {
            assert!(refused.is_err(), "{why}");
        }
    }

    /// Made by minio-go 7.0.97, `encrypt.DefaultPBKDF`.
    #[test]
    fn keys_are_those_of_minio_go() {
        let key = derived(b"32byteslongsecretkeymustbegiven1", b"bucketa/b.tgz").unwrap();
        assert_eq!(key.key.as_str(), "ZnkT4nH4nCsgWiWi/ZSrG8PAXmikXgBW6OsLZ0YVm3Q=");
        assert_eq!(key.md5, "9+x/rGFhPmoA/zk/Wif2bA==");
    }
}
