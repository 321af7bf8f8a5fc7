//! Signing without a key of one's own: one that is made for this process alone, and a certificate that Fulcio gives
//! for it, and for minutes, to whoever has an identity token.
//!
//! The token goes to Fulcio and to nobody else; the private key goes nowhere. What comes back is held against the
//! trusted root, the key and the token before anything is signed with it
//! ([`argo_attest_core::proof::asking::Fulcio`]), and a certificate is replaced by another for the same key and the same
//! identity well before it ends, so that none has to be asked for when something is to be signed.

mod asking;
mod renewal;
mod signer;
mod token;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::proof::TrustedRoot;

use super::opening::Opening;
use crate::net::Proxies;
use crate::service::{Http, ServiceError};
use crate::store::s3::Endpoint;
use asking::Asking;
pub(super) use signer::KeylessSigner;

pub use token::TokenSource;

/// For whom a token is that is sent to Fulcio: what Sigstore's clients ask for.
pub const AUDIENCE: &str = "sigstore";

/// Who is asked for a certificate, for whom, and by what it is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyless {
    fulcio: Endpoint,
    token: TokenSource,
    audience: String,
    root: Arc<TrustedRoot>,
}

impl Keyless {
    /// Asks this Fulcio, with the token from there. `root` has to name the authority, and is what verifiers
    /// will have.
    pub fn new(fulcio: Endpoint, token: TokenSource, root: Arc<TrustedRoot>) -> Self {
        Self { fulcio, token, audience: AUDIENCE.to_owned(), root }
    }

    /// With tokens for this audience, where Fulcio's configuration names another than [`AUDIENCE`].
    #[must_use]
    pub fn for_audience(self, audience: String) -> Self {
        Self { audience, ..self }
    }

    /// By what its certificates are judged, and what verifiers have.
    pub fn trusted_root(&self) -> &Arc<TrustedRoot> {
        &self.root
    }

    /// The file of the identity token, if it is in one.
    pub fn token_file(&self) -> Option<&Path> {
        self.token.file()
    }

    /// Makes a key, and asks for the first certificate.
    pub(super) async fn signer(&self, opening: &Opening<'_>) -> Result<KeylessSigner, ServiceError> {
        if !self.fulcio.is_secure() && !self.fulcio.is_loopback() {
            return Err(ServiceError::Settings {
                what: format!("{} is no https address, and a token is sent to it", self.fulcio),
                remedy: "name Fulcio's https address".to_owned(),
            });
        }
        let trust = crate::witness::trust(opening.environment);
        let proxies = Proxies::from_env(opening.environment).map_err(|error| ServiceError::Settings {
            what: error.to_string(),
            remedy: format!("correct {}", error.name),
        })?;
        let key = PrivateKey::generate(KeyType::EcdsaP256)
            .map_err(|_| ServiceError::Odd("there is no randomness to make a key of"))?;
        let asking = Asking {
            http: Http::new(self.fulcio.is_secure(), &trust, proxies, opening.limits)?,
            fulcio: self.fulcio.clone(),
            token: self.token.open(opening.environment)?,
            audience: self.audience.clone(),
            root: Arc::clone(&self.root),
            limits: opening.limits,
        };
        KeylessSigner::begin(self.to_string(), key, asking).await
    }
}

/// Who gives the certificates.
impl fmt::Display for Keyless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fulcio at {}", self.fulcio)
    }
}
