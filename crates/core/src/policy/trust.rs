//! Keys, when they count, and for which builders.

use jiff::Timestamp;

use super::PolicyViolation;
use crate::keys::PublicKey;
use crate::proof::{Proof, ProvenTime};

/// A public key that the policy names.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// The name under which the policy knows it; shown in answers.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// Not accepted before; by the time that is proven of a signature, or else by the verifier's clock.
    pub not_before: Option<Timestamp>,
    /// Not accepted after, by the same. What the signer says of the time counts for nothing:
    /// whoever stole the key could date an attestation back.
    pub not_after: Option<Timestamp>,
}

impl TrustedKey {
    /// A key without limits in time.
    pub fn new(name: impl Into<String>, key: PublicKey) -> Self {
        Self { name: name.into(), key, not_before: None, not_after: None }
    }

    /// Whether a signature of this key counts that is known to have been there at the earliest of
    /// these times: who had the key later cannot have made it.
    pub(super) fn valid_at(&self, proof: &Proof, now: Timestamp) -> Result<(), PolicyViolation> {
        let proven = proof.earliest().map(ProvenTime::get);
        let at = proven.unwrap_or(now);
        if let Some(not_before) = self.not_before.filter(|t| at < *t) {
            return Err(PolicyViolation::KeyNotYetValid { key: self.name.clone(), not_before, proven });
        }
        if let Some(not_after) = self.not_after.filter(|t| at > *t) {
            return Err(PolicyViolation::KeyExpired { key: self.name.clone(), not_after, proven });
        }
        Ok(())
    }
}

/// One that the policy trusts, by its place among the others of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Principal {
    /// Of the policy's keys.
    Key(usize),
    /// Of the policy's identities.
    Identity(usize),
}

/// Which builders a key or an identity may speak for.
#[derive(Debug, Clone)]
pub enum Builders {
    /// Any: the caller trusts them for whatever they say.
    Any,
    /// Only the listed pairs: builder id, and who may speak for it.
    Listed(Vec<(String, Vec<Principal>)>),
}

impl Builders {
    /// Whether this one may speak for this builder.
    pub fn allow(&self, builder: &str, by: Principal) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(pairs) => pairs.iter().any(|(id, all)| id == builder && all.contains(&by)),
        }
    }
}
