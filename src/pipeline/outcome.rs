//! What became of an artifact.

use jiff::Timestamp;

use crate::attest::Receipt;
use crate::digest::Sha256Digest;
use crate::relpath::RelPath;
use crate::volume::Refusal;

/// Whether there is an attestation. "Attested" cannot be said without a receipt.
#[derive(Debug)]
pub enum Verdict {
    /// Written, read back and verified.
    Attested(Receipt),
    /// There is none.
    NotAttested {
        /// Why not.
        reason: String,
        /// What to do about it, if that is known.
        remedy: Option<String>,
    },
}

/// A file as it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// Its name as a subject.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Sha256Digest,
    /// When it was digested.
    pub digested: Timestamp,
}

/// One artifact, at the end.
#[derive(Debug)]
pub struct Outcome {
    /// The artifact's name.
    pub name: String,
    /// Whether it is attested.
    pub verdict: Verdict,
    /// Its digest, `sha256:…` or `dirHash:…`, where there is one for the whole.
    pub digest: Option<String>,
    /// What is in it.
    pub files: Vec<FileSeen>,
    /// What is in it and could not be attested.
    pub refused: Vec<(RelPath, Refusal)>,
}

impl Outcome {
    /// Whether everything that is there is attested.
    pub fn is_complete(&self) -> bool {
        matches!(self.verdict, Verdict::Attested(_)) && self.refused.is_empty()
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }
}
