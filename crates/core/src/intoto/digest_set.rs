//! in-toto `DigestSet`: one immutable thing, named by the digests of its bytes.
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md>

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::{DirHash, FileDigests, Sha256Digest};

/// The algorithm name of SHA-256.
pub const SHA256: &str = "sha256";
/// The algorithm name of a directory's hash (Go's `dirhash`, `Hash1`, in hex).
pub const DIR_HASH: &str = "dirHash";

/// The algorithm name of a git commit's object id.
pub const GIT_COMMIT: &str = "gitCommit";
/// The longer digests of SHA-2 that are compared, by their names, with their lengths in bytes.
const LONGER: [(&str, usize); 2] = [("sha384", 48), ("sha512", 64)];
/// What sigstore-go accepts in one set; a hostile statement stops here.
const MAX_DIGESTS: usize = 32;

/// Digests by algorithm name. An algorithm appears once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct DigestSet(BTreeMap<String, String>);

impl DigestSet {
    /// Whether there is no digest at all: the set then names nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The id of a git commit: 40 lower-case hexadecimal digits, or `None`.
    pub fn git_commit(id: &str) -> Option<Self> {
        let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (id.len() == 40 && id.bytes().all(is_digit))
            .then(|| Self(BTreeMap::from([(GIT_COMMIT.to_owned(), id.to_owned())])))
    }

    /// The SHA-256 digest, if it is there and well formed. What is compared is what the digits
    /// stand for (in-toto's `validation.md`): others write capitals.
    pub fn sha256(&self) -> Option<Sha256Digest> {
        self.0.get(SHA256)?.to_ascii_lowercase().parse().ok()
    }

    /// The directory hash, if it is there and well formed.
    pub fn dir_hash(&self) -> Option<DirHash> {
        self.0.get(DIR_HASH)?.to_ascii_lowercase().parse().ok()
    }

    /// Whether there is a longer digest of SHA-2, well formed.
    pub fn has_longer(&self) -> bool {
        LONGER.iter().any(|(name, length)| self.bytes(name).is_some_and(|bytes| bytes.len() == *length))
    }

    /// Whether there is a digest by which a file or a directory can be compared.
    pub fn is_comparable(&self) -> bool {
        self.sha256().is_some() || self.dir_hash().is_some() || self.has_longer()
    }

    /// Adds the SHA-256 of a file that has one of the longer digests. One that is there is the
    /// statement's own, and stays.
    pub(super) fn complete(&mut self, file: &FileDigests) {
        let same = |(name, length): &(&str, usize)| {
            self.bytes(name).is_some_and(|bytes| bytes.len() == *length && file.is_longer(&bytes))
        };
        if self.sha256().is_none() && LONGER.iter().any(same) {
            self.0.insert(SHA256.to_owned(), file.sha256().to_string());
        }
    }

    fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let (pairs, rest) = self.0.get(name)?.as_bytes().as_chunks::<2>();
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
        rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten()
    }

    /// Algorithm and digest, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(algorithm, digest)| (algorithm.as_str(), digest.as_str()))
    }
}

impl From<Sha256Digest> for DigestSet {
    fn from(digest: Sha256Digest) -> Self {
        Self(BTreeMap::from([(SHA256.to_owned(), digest.to_string())]))
    }
}

impl From<DirHash> for DigestSet {
    fn from(hash: DirHash) -> Self {
        Self(BTreeMap::from([(DIR_HASH.to_owned(), hash.to_string())]))
    }
}

impl<'de> Deserialize<'de> for DigestSet {
    /// Refuses an algorithm named twice: readers that take the first and readers
    /// that take the last would verify different things.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digests;
        impl<'de> Visitor<'de> for Digests {
            type Value = DigestSet;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("digests by algorithm")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<DigestSet, A::Error> {
                let mut digests = BTreeMap::new();
                while let Some((algorithm, digest)) = map.next_entry::<String, String>()? {
                    if digests.len() == MAX_DIGESTS {
                        return Err(A::Error::custom(format_args!(
                            "more than {MAX_DIGESTS} digests in one set"
                        )));
                    }
                    if digests.insert(algorithm, digest).is_some() {
                        return Err(A::Error::custom("an algorithm is named twice in one digest set"));
                    }
                }
                Ok(DigestSet(digests))
            }
        }
        deserializer.deserialize_map(Digests)
    }
}
