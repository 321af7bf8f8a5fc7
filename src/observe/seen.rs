//! The files of an artifact as they were digested.

use std::collections::BTreeMap;
use std::ops::{Bound, Deref};

use argo_attest_core::archive::{ExpectedFile, ExpectedFiles};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::manifest::DigestedFiles;
use argo_attest_core::relpath::RelPath;
use jiff::Timestamp;

use super::ObservedFile;

/// A file as it was digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// CRC-64/NVME of the same bytes; `None` where it was not asked for, and for a file that was seen
    /// in an archive only.
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
            crc64nvme: file.crc64nvme,
            size: file.size,
            digested: file.digested(),
            changed: file.changed,
        }
    }
}

/// Files by where they are. Boxed: nodes of a map that grows in order are half empty.
#[derive(Debug, Clone, Default)]
pub struct SeenFiles(BTreeMap<RelPath, Box<Seen>>);

impl Deref for SeenFiles {
    type Target = BTreeMap<RelPath, Box<Seen>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Extend<(RelPath, Box<Seen>)> for SeenFiles {
    fn extend<T: IntoIterator<Item = (RelPath, Box<Seen>)>>(&mut self, files: T) {
        // One by one: to collect them would be to list them first.
        self.0.extend(files);
    }
}

impl FromIterator<(RelPath, Box<Seen>)> for SeenFiles {
    fn from_iter<T: IntoIterator<Item = (RelPath, Box<Seen>)>>(files: T) -> Self {
        let mut seen = Self::default();
        seen.extend(files);
        seen
    }
}

impl DigestedFiles for SeenFiles {
    fn count(&self) -> usize {
        self.len()
    }

    fn after<'a>(
        &'a self,
        path: Option<&RelPath>,
    ) -> Box<dyn Iterator<Item = (&'a RelPath, &'a Sha256Digest)> + 'a> {
        let first = path.map_or(Bound::Unbounded, Bound::Excluded);
        let files = self.0.range::<RelPath, _>((first, Bound::Unbounded));
        Box::new(files.map(|(path, seen)| (path, &seen.digest)))
    }
}

impl ExpectedFiles for SeenFiles {
    fn get(&self, path: &RelPath) -> Option<ExpectedFile> {
        self.0.get(path).map(|seen| expected(seen))
    }

    fn iter(&self) -> impl Iterator<Item = (&RelPath, ExpectedFile)> {
        self.0.iter().map(|(path, seen)| (path, expected(seen)))
    }
}

fn expected(seen: &Seen) -> ExpectedFile {
    ExpectedFile { digest: seen.digest, size: seen.size }
}
