//! Where a dependency's own attestation is, and which one it is.

use crate::digest::Sha256Digest;
use crate::intoto::ResourceDescriptor;
use serde_json::{Value, json};

/// The annotation that names it, in `argo-step/v1`.
const ANNOTATION: &str = "attestation";

/// An attestation by which it can be found again, though a newer one take its place:
/// `uri` is where the bundle of the newest is, and `sha256` the digest of the bundle
/// that carries this one, which can be made from its line in the `.intoto.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationRef {
    /// Address of the `.sigstore.json`, when it was accepted; foreign text.
    pub uri: String,
    /// The SHA-256 of the bundle's bytes: other bytes are another attestation.
    pub sha256: Sha256Digest,
}

/// Why a dependency cannot be followed though it says that it is attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReference {
    /// Another type, or no uri.
    #[error("the statement's reference to its attestation has no uri")]
    NoUri,
    /// No digest, or none that could be one.
    #[error("the statement's reference to its attestation has no sha256")]
    NoDigest,
    /// An attestation of nothing in particular.
    #[error("the statement names its attestation, and not its digest")]
    NoSubject,
}

impl AttestationRef {
    /// Writes it beside the artifact that it vouches for.
    pub(super) fn annotate(&self, dependency: &mut ResourceDescriptor) {
        let annotation = json!({"uri": self.uri, "sha256": self.sha256.to_string()});
        dependency.annotations.insert(ANNOTATION.into(), annotation);
    }

    /// The dependency's attestation; `None` if it names none, and so is a root.
    pub fn of(dependency: &ResourceDescriptor) -> Result<Option<Self>, InvalidReference> {
        let Some(annotation) = dependency.annotations.get(ANNOTATION) else { return Ok(None) };
        let text = |field: &str| annotation.get(field).and_then(Value::as_str);
        let uri = text("uri").filter(|uri| !uri.is_empty()).ok_or(InvalidReference::NoUri)?;
        let sha256 = text("sha256").and_then(|hex| hex.parse().ok()).ok_or(InvalidReference::NoDigest)?;
        if dependency.digest.sha256().is_none() && dependency.digest.dir_hash().is_none() {
            return Err(InvalidReference::NoSubject);
        }
        Ok(Some(Self { uri: uri.to_owned(), sha256 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_that_is_not_whole_is_no_root() {
        let digest = Sha256Digest::of(b"x");
        let of = |annotation: Value| {
            let mut dependency = ResourceDescriptor::named("inputs/x", digest);
            dependency.annotations.insert("attestation".into(), annotation);
            AttestationRef::of(&dependency)
        };
        assert_eq!(AttestationRef::of(&ResourceDescriptor::named("x", digest)), Ok(None));
        let whole = json!({"uri": "s3://b/x.sigstore.json", "sha256": digest.to_string(), "more": 1});
        assert_eq!(of(whole).unwrap().unwrap().sha256, digest);
        for (annotation, why) in [
            (json!(null), InvalidReference::NoUri),
            (json!("s3://b/x"), InvalidReference::NoUri),
            (json!({"uri": "", "sha256": digest.to_string()}), InvalidReference::NoUri),
            (json!({"uri": "s3://b/x"}), InvalidReference::NoDigest),
            (json!({"uri": "s3://b/x", "sha256": "12"}), InvalidReference::NoDigest),
            (json!({"uri": "s3://b/x", "sha256": 12}), InvalidReference::NoDigest),
        ] {
            assert_eq!(of(annotation.clone()), Err(why), "{annotation}");
        }
        let mut bare = ResourceDescriptor { name: "inputs/x".into(), ..ResourceDescriptor::default() };
        let whole = json!({"uri": "s3://b/x", "sha256": digest.to_string()});
        bare.annotations.insert("attestation".into(), whole);
        assert_eq!(AttestationRef::of(&bare), Err(InvalidReference::NoSubject));
    }
}
