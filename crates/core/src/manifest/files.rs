//! The digested files of a directory, which are kept once and gone through as often as it takes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use crate::digest::Sha256Digest;
use crate::relpath::RelPath;

/// Files with their digests, in the order of their paths. They do not change.
pub trait DigestedFiles: Debug + Send + Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// Those after this path, or all of them.
    fn after<'a>(
        &'a self,
        path: Option<&RelPath>,
    ) -> Box<dyn Iterator<Item = (&'a RelPath, &'a Sha256Digest)> + 'a>;
}

/// Files that several look at. There may be a million: nobody has a copy of his own.
#[derive(Debug, Clone)]
pub struct Files(Arc<dyn DigestedFiles>);

impl Files {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// All of them, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&RelPath, &Sha256Digest)> {
        self.0.after(None)
    }

    /// Those after this path, or all of them.
    pub(super) fn after(&self, path: Option<&RelPath>) -> impl Iterator<Item = (&RelPath, &Sha256Digest)> {
        self.0.after(path)
    }
}

impl<T: DigestedFiles + 'static> From<Arc<T>> for Files {
    fn from(files: Arc<T>) -> Self {
        Self(files)
    }
}

impl From<&BTreeMap<RelPath, Sha256Digest>> for Files {
    /// A copy of them.
    fn from(files: &BTreeMap<RelPath, Sha256Digest>) -> Self {
        Self(Arc::new(files.clone()))
    }
}

impl DigestedFiles for BTreeMap<RelPath, Sha256Digest> {
    fn count(&self) -> usize {
        self.len()
    }

    fn after<'a>(
        &'a self,
        path: Option<&RelPath>,
    ) -> Box<dyn Iterator<Item = (&'a RelPath, &'a Sha256Digest)> + 'a> {
        use std::ops::Bound::{Excluded, Unbounded};
        match path {
            Some(path) => Box::new(self.range::<RelPath, _>((Excluded(path), Unbounded))),
            None => Box::new(self.iter()),
        }
    }
}
