//! What became of an artifact.

use std::path::PathBuf;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::relpath::printable;
use argo_attest_core::secret::shown;
use jiff::Timestamp;

use super::Artifact;
use crate::attest::Receipt;
use crate::volume::{ObservedFile, Refusal};

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

/// A file as it was digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// CRC-64/NVME of the same bytes; `None` for a file that was seen in an archive only.
    pub crc64nvme: Option<u64>,
    /// Bytes.
    pub size: u64,
    /// When it was digested.
    pub digested: Timestamp,
    /// The change time of the file when it was digested, in nanoseconds since 1970.
    pub changed: i64,
}

impl From<&ObservedFile> for Seen {
    fn from(file: &ObservedFile) -> Self {
        Self {
            digest: file.digest,
            crc64nvme: Some(file.crc64nvme),
            size: file.size,
            digested: file.digested,
            changed: file.changed,
        }
    }
}

/// A file as it is told.
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
    /// Where it is.
    pub place: PathBuf,
    /// Whether it is attested.
    pub verdict: Verdict,
    /// Its digest, `sha256:…` or `dirHash:…`, where there is one for the whole.
    pub digest: Option<String>,
    /// What is in it.
    pub files: Vec<FileSeen>,
    /// What is in it and could not be attested, by name.
    pub refused: Vec<(String, Refusal)>,
}

impl Outcome {
    /// Whether everything that is there is attested.
    pub fn is_complete(&self) -> bool {
        matches!(self.verdict, Verdict::Attested(_)) && self.refused.is_empty()
    }

    /// A signal came before it was attested. Something of it may have been written.
    pub fn interrupted(artifact: Artifact) -> Self {
        let reason = "interrupted before its attestation was written and read back".to_owned();
        let verdict = Verdict::NotAttested { reason, remedy: Some("run it again".to_owned()) };
        let place = artifact.place();
        Self { name: artifact.name, place, verdict, digest: None, files: Vec::new(), refused: Vec::new() }
    }

    /// What it is called where it is told of. What is not there may be called by what is
    /// no name at all.
    pub fn told(&self) -> String {
        let is_there = || std::fs::symlink_metadata(&self.place).is_ok();
        if matches!(self.verdict, Verdict::Attested(_)) || is_there() {
            printable(self.name.as_bytes())
        } else {
            shown(self.name.as_bytes())
        }
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }
}
