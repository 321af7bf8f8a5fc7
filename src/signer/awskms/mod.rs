//! Keys in AWS KMS: `awskms://[ENDPOINT]/[ID, alias/NAME or ARN]`, as cosign has it.
//!
//! Two posts, for whoever the store's credentials say we are. The key is held by the ARN that its name stood for when it was opened: an alias that is pointed
//! elsewhere meanwhile changes nothing.
//!
//! ECDSA P-256 only: of an Ed25519 key KMS takes at most 4096 bytes to sign, and statements may
//! have more.

mod name;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{KeyType, PublicKey, Signature};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::opening::{Home, Opening};
use super::service::Service;
use crate::aws::{Kind, Posts, unusable};
use crate::net::Proxies;
use crate::service::ServiceError;
use crate::store::s3::{Caller, Endpoint, InvalidEndpoint, Trust};

pub use name::KmsKey;
pub(super) use name::SCHEME;

/// ECDSA over the digest that it is given (FIPS 186-5).
const ALGORITHM: &str = "ECDSA_SHA_256";

const KMS: Kind = Kind {
    name: "AWS KMS",
    signing: "kms",
    target: "TrentService",
    endpoints: ["AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL"],
    passing: &["KMSInternalException", "DependencyTimeoutException", "KeyUnavailableException"],
    remedy,
};

/// Of `GetPublicKey`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    key_id: String,
    public_key: String,
    key_usage: Option<String>,
}

/// Of `Sign`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    key_id: String,
    signature: String,
    signing_algorithm: String,
}

/// One key, by its ARN.
#[derive(Debug)]
struct Pinned {
    kms: Posts,
    arn: String,
}

impl KmsKey {
    /// Asks for the public key, and holds whose it is.
    pub(super) async fn open(
        &self,
        opening: &Opening<'_>,
    ) -> Result<(PublicKey, Box<dyn Service>), ServiceError> {
        let kms = self.service(opening)?;
        let asked = json!({"KeyId": self.id()});
        let described: Described =
            opening.limits.ask(|refused| kms.renew(refused), || kms.post("GetPublicKey", &asked)).await?;
        let Described { key_id: arn, public_key, key_usage } = described;
        let der =
            STANDARD.decode(&public_key).map_err(|_| ServiceError::Odd("its public key is not base64"))?;
        let key = PublicKey::from_spki_der(&der);
        let kind = key.as_ref().map_or("a key of another kind", PublicKey::kind);
        let other = |what: String| {
            ServiceError::Key {
            what,
            remedy: "make one that can be used: aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY"
                .into(),
        }
        };
        if key_usage.is_some_and(|usage| usage != "SIGN_VERIFY") {
            return Err(other("the key is not one that signs".into()));
        }
        match key {
            Ok(key) if key.key_type() == Some(KeyType::EcdsaP256) => Ok((key, Box::new(Pinned { kms, arn }))),
            Ok(key) if key.key_type() == Some(KeyType::Ed25519) => Err(other(
                "the key is of type ed25519, with which AWS KMS signs at most 4096 bytes, and a statement may have more"
                    .into(),
            )),
            _ => Err(other(format!("the key is of type {kind}; ECC_NIST_P256 is supported"))),
        }
    }
}

impl KmsKey {
    /// The service, in the key's region, as who we are.
    fn service(&self, opening: &Opening<'_>) -> Result<Posts, ServiceError> {
        let env = opening.environment;
        let caller = Caller::from_env(env, opening.home == Home::Person, self.region())
            .map_err(|error| unusable(&error))?;
        let endpoint = match self.endpoint() {
            Some(host) => format!("https://{host}").parse().map_err(|why: InvalidEndpoint| {
                settings(format!("the endpoint in {self} {why}"), "correct it")
            })?,
            None => Caller::endpoint(env, KMS.endpoints)
                .map_err(|error| unusable(&error))?
                .map_or_else(|| of_region(caller.region()), Ok)?,
        };
        let proxies = Proxies::from_env(env)
            .map_err(|error| settings(error.to_string(), &format!("correct {}", error.name)))?;
        Posts::new(&KMS, caller, endpoint, &Trust::from_env(env), proxies, opening.limits)
    }
}

/// Where AWS has it.
fn of_region(region: &str) -> Result<Endpoint, ServiceError> {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let made = format!("https://kms.{region}.{domain}").parse();
    made.map_err(|why: InvalidEndpoint| {
        settings(format!("the region's endpoint {why}"), "correct AWS_REGION")
    })
}

fn settings(what: String, remedy: &str) -> ServiceError {
    ServiceError::Settings { what, remedy: remedy.to_owned() }
}

/// What its own refusals mean.
fn remedy(kind: &str, region: &str) -> Option<String> {
    Some(match kind {
        "AccessDeniedException" => {
            "grant kms:GetPublicKey and kms:Sign on the key, in its policy and in that of who asks".into()
        }
        "NotFoundException" => {
            format!("check the key's name, the account, and the region, which is {region} (AWS_REGION)")
        }
        "DisabledException" => "enable the key: aws kms enable-key".into(),
        "KMSInvalidStateException" => {
            "see whether the key is about to be deleted: aws kms cancel-key-deletion, or name another".into()
        }
        "InvalidKeyUsageException" => {
            "name a key that signs: --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY".into()
        }
        _ => return None,
    })
}

#[async_trait]
impl Service for Pinned {
    async fn sign(&self, pae: &[u8]) -> Result<Signature, ServiceError> {
        let asked = json!({
            "KeyId": self.arn,
            "Message": STANDARD.encode(Sha256Digest::of(pae).as_bytes()),
            "MessageType": "DIGEST",
            "SigningAlgorithm": ALGORITHM,
        });
        let Signed { key_id, signature, signing_algorithm } = self.kms.post("Sign", &asked).await?;
        // Of an ARN the id is the last part, and the only one that some other servers give.
        let id = |name: &str| name.rsplit('/').next().map(str::to_owned);
        if id(&key_id) != id(&self.arn) {
            return Err(ServiceError::Odd("its signature is by another key than was asked for"));
        }
        if signing_algorithm != ALGORITHM {
            return Err(ServiceError::Odd("its signature is by another algorithm than was asked for"));
        }
        let bytes =
            STANDARD.decode(signature).map_err(|_| ServiceError::Odd("its signature is not base64"))?;
        Ok(bytes.into())
    }

    fn renew(&self, refused: &ServiceError) -> bool {
        self.kms.renew(refused)
    }
}
