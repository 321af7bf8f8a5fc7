//! Names of keys: OpenSSH fingerprints.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

const PREFIX: &str = "SHA256:";

/// The name of a public key: `SHA256:` and the unpadded base64 of the SHA-256 of
/// the key as SSH writes it on the wire (RFC 4253 section 6.6, RFC 5656 section
/// 3.1, RFC 8709 section 4), as `ssh-keygen -l` prints it.
///
/// Go's DSSE library (cosign, sigstore-go, slsa-verifier) skips a signature whose
/// `keyid` is any other name. It is a hint: it is not signed and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 32]);

/// The text is not an OpenSSH SHA-256 fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key id: `SHA256:` and 43 characters of base64 are expected")]
pub struct InvalidKeyId;

impl KeyId {
    /// Hashes the fields of an SSH public key, each preceded by its length.
    pub(super) fn of_ssh_fields(fields: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for field in fields {
            // The fields are key types, curve names and points, never longer than 65 bytes.
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            hasher.update(length.to_be_bytes());
            hasher.update(field);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        f.write_str(&STANDARD_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for KeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let base64 = text.strip_prefix(PREFIX).ok_or(InvalidKeyId)?;
        let bytes = STANDARD_NO_PAD.decode(base64).map_err(|_| InvalidKeyId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidKeyId)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_what_it_writes() {
        let id = KeyId::of_ssh_fields(&[b"ssh-ed25519", &[7; 32]]);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        let altered = text.replace("SHA256:", "MD5:");
        for bad in ["", "SHA256:", &text[7..], &text[..49], &format!("{text}="), &altered] {
            assert_eq!(bad.parse::<KeyId>(), Err(InvalidKeyId), "{bad}");
        }
    }
}
