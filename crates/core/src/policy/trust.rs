//! Keys, when they count, and for which builders.

use jiff::Timestamp;

use super::PolicyViolation;
use crate::keys::PublicKey;

/// A public key that the policy names.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// The name under which the policy knows it; shown in answers.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// Not accepted before, by the verifier's clock.
    pub not_before: Option<Timestamp>,
    /// Not accepted after, by the verifier's clock. There is no trusted time in
    /// an attestation signed with a key: whoever stole the key could date one back.
    pub not_after: Option<Timestamp>,
}

impl TrustedKey {
    /// A key without limits in time.
    pub fn new(name: impl Into<String>, key: PublicKey) -> Self {
        Self { name: name.into(), key, not_before: None, not_after: None }
    }

    pub(super) fn valid_at(&self, now: Timestamp) -> Result<(), PolicyViolation> {
        if let Some(not_before) = self.not_before.filter(|t| now < *t) {
            return Err(PolicyViolation::KeyNotYetValid { key: self.name.clone(), not_before });
        }
        if let Some(not_after) = self.not_after.filter(|t| now > *t) {
            return Err(PolicyViolation::KeyExpired { key: self.name.clone(), not_after });
        }
        Ok(())
    }
}

/// Which builders a key may speak for.
#[derive(Debug, Clone)]
pub enum Builders {
    /// Any: the caller trusts the key for whatever it says.
    Any,
    /// Only the listed pairs: builder id, indices of its keys.
    Listed(Vec<(String, Vec<usize>)>),
}

impl Builders {
    /// Whether the key at this index may speak for this builder.
    pub fn allow(&self, builder: &str, key: usize) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(pairs) => pairs.iter().any(|(id, keys)| id == builder && keys.contains(&key)),
        }
    }
}
