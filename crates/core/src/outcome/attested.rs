//! That an output is attested, as a value that only a verified statement gives.

use crate::image::ManifestKind;
use crate::verify::{Authentic, Subjects};

/// An output whose attestation was read back and verified. There is no such value
/// without an [`Authentic`] statement, and none of those without a checked signature:
///
/// ```
/// use argo_attest_core::outcome::Attested;
/// fn pass_on(attested: Attested) -> Attested {
///     attested
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest_core::outcome::Attested;
/// fn forge(attested: Attested) -> Attested {
///     Attested { ..attested }
/// }
/// ```
///
/// Nor can one be made of words, as whoever reads an outcome might like to:
///
/// ```
/// use argo_attest_core::{outcome::Attested, verify::Authentic};
/// fn read(statement: &Authentic) -> Attested {
///     Attested::read_back(statement, "s3://bucket/out.sigstore.json")
/// }
/// ```
/// ```compile_fail,E0308
/// use argo_attest_core::{outcome::Attested, verify::Authentic};
/// fn read(statement: &str) -> Attested {
///     Attested::read_back(statement, "s3://bucket/out.sigstore.json")
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attested {
    digest: Option<String>,
    attestation: String,
}

impl Attested {
    /// The statement that was read back from this address and found authentic.
    pub fn read_back(statement: &Authentic, attestation: impl Into<String>) -> Self {
        Self { digest: digest_of_whole(statement), attestation: attestation.into() }
    }

    /// The digest of the whole, `sha256:…` or `dirHash:…`, if the statement gives one.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Where the attestation is, a URI.
    pub fn attestation(&self) -> &str {
        &self.attestation
    }
}

/// Of what was written, not of the archive that it may be stored as.
fn digest_of_whole(statement: &Authentic) -> Option<String> {
    let subjects = statement.statement().subjects();
    // An image is named by the first, which has the digests of all others in it.
    if let Some(whole) = subjects.first().filter(|first| ManifestKind::of(&first.media_type).is_some()) {
        return Some(format!("sha256:{}", whole.digest.sha256()?));
    }
    let Subjects { object, directory, file } = Subjects::of(subjects);
    if let Some(hash) = directory.and_then(|directory| directory.digest.dir_hash()) {
        return Some(format!("dirHash:{hash}"));
    }
    Some(format!("sha256:{}", file.or(object)?.digest.sha256()?))
}

#[cfg(test)]
impl Attested {
    /// What no statement says, to be told in full.
    pub(super) fn untrue(digest: Option<String>, attestation: String) -> Self {
        Self { digest, attestation }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::bundle::Evidence;
    use crate::contents::Contents;
    use crate::digest::{DirHash, Sha256Digest};
    use crate::dsse::Envelope;
    use crate::image::ImageSubject;
    use crate::intoto;
    use crate::keys::{KeyType, PrivateKey};
    use crate::policy::{Policy, TrustedKey};
    use crate::relpath::RelPath;
    use crate::slsa::PROVENANCE_V1;
    use crate::verify::authenticate;

    fn digest(contents: &Contents) -> Option<String> {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let predicate = json!({
            "buildDefinition": {"buildType": "https://example.com/t", "externalParameters": {"a": 1}},
            "runDetails": {"builder": {"id": "https://ci.example.com"}},
        });
        let payload = intoto::serialize(contents.subjects(), PROVENANCE_V1, &predicate).unwrap();
        let policy = Policy::of_keys(vec![TrustedKey::new("k", key.public().clone())]);
        let envelope = Envelope::signed_by(payload, &key).unwrap();
        let statement =
            authenticate(&envelope, &Evidence::default(), &policy, Timestamp::UNIX_EPOCH).unwrap();
        let attested = Attested::read_back(&statement, "s3://b/x");
        assert_eq!(attested.attestation(), "s3://b/x");
        attested.digest().map(str::to_owned)
    }

    #[test]
    fn the_digest_is_that_of_what_was_written() {
        let (written, packed) = (Sha256Digest::of(b"x"), Sha256Digest::of(b"tgz"));
        let file = || Contents::file("out", written);
        let sha256 = Some(format!("sha256:{written}"));
        assert_eq!(digest(&file()), sha256);
        assert_eq!(digest(&file().stored_as("out", "s3://b/out", written)), sha256);
        assert_eq!(digest(&file().stored_as("out.tgz", "s3://b/out.tgz", packed)), sha256);

        let tree: BTreeMap<_, _> = ["a", "b"]
            .map(|name| (RelPath::from_bytes(name.as_bytes()).unwrap(), Sha256Digest::of(name.as_bytes())))
            .into();
        let hash = Some(format!("dirHash:{}", DirHash::of_files(&tree)));
        let directory = || Contents::directory("out", &tree);
        assert_eq!(digest(&directory()), hash);
        assert_eq!(digest(&directory().stored_as("out.tgz", "s3://b/out.tgz", packed)), hash);
        assert_eq!(digest(&Contents::files(&tree)), None, "several files are no whole");

        let image = |of: &[u8]| {
            let (kind, digest) = (ManifestKind::OciIndex, Sha256Digest::of(of));
            ImageSubject { digest, kind, size: 1, platform: None }
        };
        let index = Contents::image("r.example/app", &image(b"index"), &[image(b"amd64"), image(b"arm64")]);
        assert_eq!(digest(&index), Some(format!("sha256:{}", Sha256Digest::of(b"index"))));
    }
}
