//! Where an attestation lies: beside its artifact, under names that follow from the
//! artifact's own.

use argo_attest_core::manifest;

use crate::store::{InvalidKey, ObjectKey};

/// Appended to an artifact's name to name its Sigstore bundle.
pub const BUNDLE_SUFFIX: &str = ".sigstore.json";
/// Appended to an artifact's name to name its DSSE envelopes, one a line.
pub const LINES_SUFFIX: &str = ".intoto.jsonl";
/// Size limit of an attestation that is read, in bytes.
pub const MAX_ATTESTATION: u64 = 16 * 1024 * 1024;
/// The same, of what is read from a file.
pub const MAX_ATTESTATION_BYTES: usize = 16 * 1024 * 1024;

/// The objects of one attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationNames {
    /// The Sigstore bundle.
    pub bundle: ObjectKey,
    /// The DSSE envelopes.
    pub lines: ObjectKey,
    /// The manifest, where there is one.
    pub manifest: ObjectKey,
}

impl AttestationNames {
    /// The names beside the artifact with this key.
    pub fn beside(artifact: &str) -> Result<Self, InvalidKey> {
        Ok(Self {
            bundle: ObjectKey::new(&format!("{artifact}{BUNDLE_SUFFIX}"))?,
            lines: ObjectKey::new(&format!("{artifact}{LINES_SUFFIX}"))?,
            manifest: ObjectKey::new(&format!("{artifact}{}", manifest::SUFFIX))?,
        })
    }
}
