//! The transit engine: what kind of key it has, and signatures by one version of it.

use std::collections::BTreeMap;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{KeyType, PublicKey, Signature};
use argo_attest_core::secret::shown;
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::super::service::Service;
use super::login::Login;
use crate::service::ServiceError;

/// One key of the engine, of no version yet.
#[derive(Debug)]
pub(super) struct Transit {
    login: Login,
    mount: String,
    name: String,
}

/// The newest version, as it was when it was asked for.
#[derive(Debug)]
pub(super) struct Version {
    number: u64,
    kind: KeyType,
    key: PublicKey,
}

/// One version of the key.
#[derive(Debug)]
pub(super) struct Pinned {
    transit: Transit,
    number: u64,
    kind: KeyType,
}

#[derive(Deserialize)]
struct Read<T> {
    data: T,
}

/// Of `GET /transit/keys/NAME`.
#[derive(Deserialize)]
struct Key {
    #[serde(rename = "type")]
    kind: String,
    latest_version: u64,
    #[serde(default)]
    derived: bool,
    keys: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Public {
    public_key: String,
}

/// Of `POST /transit/sign/NAME`.
#[derive(Deserialize)]
struct Signed {
    signature: String,
    key_version: Option<u64>,
}

impl Transit {
    pub(super) fn new(login: Login, mount: String, name: String) -> Self {
        Self { login, mount, name }
    }

    pub(super) fn renew(&self, refused: &ServiceError) -> bool {
        refused.is_sign_in() && self.login.renew()
    }

    /// Asks once for the newest version.
    pub(super) async fn newest(&self) -> Result<Version, ServiceError> {
        let body = self.login.ask(&format!("{}/keys/{}", self.mount, self.name), None).await?;
        let read: Result<Read<Key>, _> = serde_json::from_slice(&body);
        let Read { data: key } = read.map_err(|_| ServiceError::Odd("it describes no key of transit's"))?;
        let other = |what: String| ServiceError::Key {
            what,
            remedy:
                "make one that can be used: vault write transit/keys/NAME type=ecdsa-p256, or type=ed25519"
                    .into(),
        };
        let kind = match key.kind.as_str() {
            _ if key.derived => return Err(other("the key is derived, and each context has another".into())),
            "ed25519" => KeyType::Ed25519,
            "ecdsa-p256" => KeyType::EcdsaP256,
            kind => {
                let kind = shown(kind.as_bytes());
                return Err(other(format!(
                    "the key is of type {kind:.40}; ed25519 and ecdsa-p256 are supported"
                )));
            }
        };
        let newest = key.keys.get(&key.latest_version.to_string());
        let public = newest.and_then(|version| Public::deserialize(version).ok());
        let public = public.ok_or(ServiceError::Odd("it has no public key of the newest version"))?;
        let read = match kind {
            // 32 bytes, not SPKI.
            KeyType::Ed25519 => STANDARD
                .decode(&public.public_key)
                .ok()
                .and_then(|bytes| PublicKey::from_ed25519_bytes(bytes.as_slice().try_into().ok()?).ok()),
            KeyType::EcdsaP256 => PublicKey::from_spki_pem(public.public_key.as_bytes()).ok(),
        };
        let key_read = read.filter(|key| key.key_type() == Some(kind));
        let public = key_read.ok_or(ServiceError::Odd("its public key is not of the key's type"))?;
        Ok(Version { number: key.latest_version, kind, key: public })
    }

    /// Signs with this version from now on.
    pub(super) fn with(self, version: Version) -> (PublicKey, Pinned) {
        let Version { number, kind, key } = version;
        (key, Pinned { transit: self, number, kind })
    }
}

#[async_trait]
impl Service for Pinned {
    async fn sign(&self, pae: &[u8]) -> Result<Signature, ServiceError> {
        let Transit { login, mount, name } = &self.transit;
        let (path, body) = match self.kind {
            KeyType::Ed25519 => (
                format!("{mount}/sign/{name}"),
                json!({"input": STANDARD.encode(pae), "key_version": self.number}),
            ),
            KeyType::EcdsaP256 => (
                format!("{mount}/sign/{name}/sha2-256"),
                json!({
                    "input": STANDARD.encode(Sha256Digest::of(pae).as_bytes()),
                    "prehashed": true,
                    "marshaling_algorithm": "asn1",
                    "key_version": self.number,
                }),
            ),
        };
        let body = login.ask(&path, Some(body)).await?;
        let read: Result<Read<Signed>, _> = serde_json::from_slice(&body);
        let Read { data: Signed { signature, key_version } } =
            read.map_err(|_| ServiceError::Odd("it has no signature"))?;
        let other = ServiceError::Odd("its signature is of another version of the key than was asked for");
        if key_version.is_some_and(|version| version != self.number) {
            return Err(other);
        }
        let Some(base64) = signature.strip_prefix(&format!("vault:v{}:", self.number)) else {
            return Err(other);
        };
        let bytes = STANDARD.decode(base64).map_err(|_| ServiceError::Odd("its signature is not base64"))?;
        Ok(bytes.into())
    }

    fn renew(&self, refused: &ServiceError) -> bool {
        self.transit.renew(refused)
    }
}
