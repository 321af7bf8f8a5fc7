//! Which key signs, by the name that a user gives it.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use argo_attest_core::keys::{KeyId, PublicKey};
use argo_attest_core::proof::TrustedRoot;

use super::keyless::Keyless;
use super::opening::Opening;
use super::port::Signer;
use super::service_key::ServiceKey;
use super::source::{InvalidKeySource, KeyError, KeySource, VariableName};
use crate::service::ServiceError;
use crate::token::IDENTITY_VARIABLE;

/// Which key signs. Never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningKey {
    /// One that this process can read.
    AtHand(KeySource),
    /// One that a service has, and nobody reads.
    Service(ServiceKey),
    /// One that is made for this process, and counts by a certificate for who runs it.
    Keyless(Keyless),
}

impl TryFrom<OsString> for SigningKey {
    type Error = InvalidKeySource;

    fn try_from(text: OsString) -> Result<Self, InvalidKeySource> {
        match ServiceKey::read(&text) {
            Some(key) => key.map(Self::Service),
            None => KeySource::try_from(text).map(Self::AtHand),
        }
    }
}

impl SigningKey {
    /// What signs with it, if it is the key that is expected.
    pub async fn signer(&self, opening: &Opening<'_>) -> Result<Box<dyn Signer>, KeyError> {
        let signer: Box<dyn Signer> = match self {
            Self::AtHand(source) => Box::new(source.private(opening)?),
            Self::Service(key) => {
                Box::new(key.signer(opening).await.map_err(|source| self.unanswered(source))?)
            }
            Self::Keyless(keyless) => {
                Box::new(keyless.signer(opening).await.map_err(|source| self.unanswered(source))?)
            }
        };
        self.check(&signer.public_key(), opening)?;
        Ok(signer)
    }

    /// The public half; of a key at hand, from either half.
    pub async fn public_half(&self, opening: &Opening<'_>) -> Result<PublicKey, KeyError> {
        let key = match self {
            Self::AtHand(source) => source.public_half(opening)?,
            Self::Service(key) => key.open(opening).await.map_err(|source| self.unanswered(source))?.0,
            Self::Keyless(keyless) => {
                let signer = keyless.signer(opening).await.map_err(|source| self.unanswered(source))?;
                signer.public_key()
            }
        };
        self.check(&key, opening)?;
        Ok(key)
    }

    /// The file, if it is in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::AtHand(source) => source.file(),
            Self::Service(_) | Self::Keyless(_) => None,
        }
    }

    /// The variable, if it is in one.
    pub fn variable(&self) -> Option<&VariableName> {
        match self {
            Self::AtHand(source) => source.variable(),
            Self::Service(_) | Self::Keyless(_) => None,
        }
    }

    /// The file of an identity token, where that is what signs.
    pub fn token_file(&self) -> Option<&Path> {
        match self {
            Self::Keyless(keyless) => keyless.token_file(),
            Self::AtHand(_) | Self::Service(_) => None,
        }
    }

    /// The trusted root by which what it signs counts, where that is by certificates: read once for all who judge.
    pub fn trusted_root(&self) -> Option<&Arc<TrustedRoot>> {
        match self {
            Self::Keyless(keyless) => Some(keyless.trusted_root()),
            Self::AtHand(_) | Self::Service(_) => None,
        }
    }

    /// The variables by which somebody else could sign with it, too.
    pub fn secret_variables(&self) -> Vec<&str> {
        match self {
            Self::AtHand(source) => source.variable().map(VariableName::as_str).into_iter().collect(),
            Self::Service(key) => key.secret_variables().to_vec(),
            Self::Keyless(_) => vec![IDENTITY_VARIABLE],
        }
    }

    fn unanswered(&self, source: ServiceError) -> KeyError {
        KeyError::Service { name: self.to_string(), source }
    }

    /// That it is the key that is expected, where that is said.
    pub(super) fn check(&self, key: &PublicKey, opening: &Opening<'_>) -> Result<(), KeyError> {
        let found: KeyId = key.key_id();
        match opening.expected {
            Some(expected) if expected != found => {
                Err(KeyError::Unexpected { name: self.to_string(), expected, found })
            }
            _ => Ok(()),
        }
    }
}

/// As it was given, in the printable form.
impl fmt::Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtHand(source) => fmt::Display::fmt(source, f),
            Self::Service(key) => fmt::Display::fmt(key, f),
            Self::Keyless(keyless) => fmt::Display::fmt(keyless, f),
        }
    }
}

impl From<KeySource> for SigningKey {
    fn from(source: KeySource) -> Self {
        Self::AtHand(source)
    }
}
