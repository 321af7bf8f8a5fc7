//! The names of attestations, which follow from the artifact's own.

use argo_attest_core::manifest;

use super::Form;
use crate::store::{InvalidKey, ObjectKey};

/// Appended to an artifact's name to name its Sigstore bundle.
const BUNDLE_SUFFIX: &str = ".sigstore.json";
/// Appended to an artifact's name to name its DSSE envelopes, one a line.
const LINES_SUFFIX: &str = ".intoto.jsonl";
/// Appended to an artifact's name to name the list of its files.
pub(super) const MANIFEST_SUFFIX: &str = manifest::SUFFIX;

/// What is looked for beside one artifact, in this order.
pub(super) const LOOKED_FOR: [Form; 2] = [Form::Bundle, Form::Lines];

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
            bundle: ObjectKey::new(&bundle(artifact))?,
            lines: ObjectKey::new(&lines(artifact))?,
            manifest: ObjectKey::new(&manifest(artifact))?,
        })
    }

    /// All of them.
    pub fn all(&self) -> [&ObjectKey; 3] {
        [&self.bundle, &self.lines, &self.manifest]
    }
}

/// The artifact beside which an attestation of this name lies, if it is the name of one.
pub fn artifact_of(attestation: &str) -> Option<&str> {
    [BUNDLE_SUFFIX, LINES_SUFFIX].iter().find_map(|suffix| attestation.strip_suffix(suffix))
}

pub(super) fn is_lines(attestation: &str) -> bool {
    attestation.ends_with(LINES_SUFFIX)
}

/// What is appended to an artifact's name.
pub(super) fn suffix(form: Form) -> &'static str {
    match form {
        Form::Bundle | Form::Either => BUNDLE_SUFFIX,
        Form::Lines => LINES_SUFFIX,
    }
}

pub(super) fn bundle(artifact: &str) -> String {
    format!("{artifact}{BUNDLE_SUFFIX}")
}

pub(super) fn lines(artifact: &str) -> String {
    format!("{artifact}{LINES_SUFFIX}")
}

pub(super) fn manifest(artifact: &str) -> String {
    format!("{artifact}{MANIFEST_SUFFIX}")
}

/// What a statement calls the manifest that lies beside the artifact.
pub(super) fn manifest_name(artifact: &str) -> String {
    let name = manifest(artifact);
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The path of an attestation without what was appended to the artifact's, if that was.
pub(super) fn stem(path: &[u8]) -> &[u8] {
    let suffixes = [BUNDLE_SUFFIX, LINES_SUFFIX];
    suffixes.iter().find_map(|suffix| path.strip_suffix(suffix.as_bytes())).unwrap_or(path)
}
