//! What is to be attested.

use std::path::PathBuf;

use argo_attest_core::relpath::RelPath;

/// One artifact: a path beneath a directory, and the name that statements give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Its name as a subject, printable.
    pub name: String,
    /// The directory that it is opened beneath.
    pub root: PathBuf,
    /// Where it is from there.
    pub path: RelPath,
}

impl Artifact {
    /// The directory and the path in it, joined.
    pub fn place(&self) -> PathBuf {
        if self.path.is_root() { self.root.clone() } else { self.root.join(self.path.as_path()) }
    }
}
