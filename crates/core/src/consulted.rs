//! What a verifier or an auditor read to come to its verdict, as it says so in what it signs.

use serde::Serialize;

use crate::digest::{DirHash, Sha256Digest};
use crate::intoto::DigestSet;

/// Something that was read, where it was if that means anything to others, and its bytes' digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consulted {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    digest: Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Digest {
    sha256: Sha256Digest,
}

impl Consulted {
    /// What was read there. A path of this machine is no address for anybody else.
    pub fn new(uri: Option<String>, sha256: Sha256Digest) -> Self {
        Self { uri, digest: Digest { sha256 } }
    }
}

/// `sha256:…` or `dirHash:…`, as a set.
pub(crate) fn digest(text: &str) -> DigestSet {
    let of_file = || text.strip_prefix("sha256:")?.parse().ok().map(|digest: Sha256Digest| digest.into());
    let of_directory = || text.strip_prefix("dirHash:")?.parse().ok().map(|hash: DirHash| hash.into());
    of_file().or_else(of_directory).unwrap_or_default()
}
