//! The two kinds of keys.

use std::fmt;
use std::str::FromStr;

/// What kind a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum KeyType {
    /// Pure Ed25519 (RFC 8032), not Ed25519ph: what verifiers of attestations use.
    #[default]
    Ed25519,
    /// ECDSA over NIST P-256 with SHA-256 (FIPS 186-5), what cosign makes.
    EcdsaP256,
}

/// The text names no kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key type: `ed25519` or `ecdsa-p256` is expected")]
pub struct InvalidKeyType;

impl KeyType {
    /// Every kind, the default first.
    pub const ALL: [Self; 2] = [Self::Ed25519, Self::EcdsaP256];

    /// The name on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-p256",
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for KeyType {
    type Err = InvalidKeyType;

    fn from_str(text: &str) -> Result<Self, InvalidKeyType> {
        Self::ALL.into_iter().find(|t| t.as_str() == text).ok_or(InvalidKeyType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for key_type in KeyType::ALL {
            assert_eq!(key_type.to_string().parse(), Ok(key_type));
        }
        assert_eq!("rsa".parse::<KeyType>(), Err(InvalidKeyType));
    }
}
