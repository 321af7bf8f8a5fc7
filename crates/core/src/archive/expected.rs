//! What an archive should hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::comparison::Oddity;
use crate::digest::Sha256Digest;
use crate::links::Links;
use crate::relpath::RelPath;

/// How the entries of an archive are named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Naming {
    /// One file under exactly this name.
    Single(Vec<u8>),
    /// A directory: this name, and all else beneath it.
    Beneath(Vec<u8>),
}

impl Naming {
    /// The path beneath the artifact that an entry's name stands for.
    pub(super) fn resolve(&self, name: &[u8]) -> Result<RelPath, Oddity> {
        let (Self::Single(base) | Self::Beneath(base)) = self;
        let rest = name.strip_prefix(base.as_slice());
        match (self, rest) {
            (_, Some([])) if !base.is_empty() => Ok(RelPath::root()),
            (Self::Beneath(_), Some([b'/', rest @ ..])) if !rest.is_empty() => {
                RelPath::from_bytes(rest).map_err(|_| Oddity::UnsafeName)
            }
            _ if RelPath::from_bytes(name).is_err() => Err(Oddity::UnsafeName),
            _ => Err(Oddity::OutsideBase),
        }
    }
}

/// A regular file as it was digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedFile {
    /// The SHA-256 of its content.
    pub digest: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// The digested files that an archive should hold, by their paths beneath the artifact. Whoever
/// digested them has them already, and there may be very many: they are looked at where they are.
pub trait ExpectedFiles {
    /// The file with this path.
    fn get(&self, path: &RelPath) -> Option<ExpectedFile>;

    /// All of them, in the order of their paths.
    fn iter(&self) -> impl Iterator<Item = (&RelPath, ExpectedFile)>;
}

impl ExpectedFiles for BTreeMap<RelPath, ExpectedFile> {
    fn get(&self, path: &RelPath) -> Option<ExpectedFile> {
        self.get(path).copied()
    }

    fn iter(&self) -> impl Iterator<Item = (&RelPath, ExpectedFile)> {
        self.iter().map(|(path, file)| (path, *file))
    }
}

impl<F: ExpectedFiles> ExpectedFiles for Arc<F> {
    fn get(&self, path: &RelPath) -> Option<ExpectedFile> {
        F::get(self, path)
    }

    fn iter(&self) -> impl Iterator<Item = (&RelPath, ExpectedFile)> {
        F::iter(self)
    }
}

/// Why the scan has no digest for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Passed {
    /// It is a symbolic link, FIFO, socket or device: there is no content. Argo's
    /// tar has such an entry as what it is, its zip as an empty file.
    Special,
    /// It has content that could not be read, or would not hold still.
    Unread,
}

/// What an archive should hold, and what it may hold besides.
#[derive(Debug, Clone)]
pub struct Expected<F = BTreeMap<RelPath, ExpectedFile>> {
    /// How the entries are named.
    pub naming: Naming,
    /// Every digested file, by its path beneath the artifact: the root for
    /// [`Naming::Single`].
    pub files: F,
    /// Every symbolic link, by its path beneath the artifact. An archive has each of them, as
    /// what it is; a zip cannot.
    pub links: Links,
    /// Every name that the scan refused. An entry without content under such a
    /// name is reported as refused there too, and is no mismatch: the outcome of
    /// the step names it already. Content under such a name is a mismatch, since
    /// nobody digested it.
    pub refused: BTreeMap<RelPath, Passed>,
    /// How many directories the scan saw, or 0 if that is not known. Bounds the
    /// number of entries, and is not compared.
    pub directories: u64,
}
