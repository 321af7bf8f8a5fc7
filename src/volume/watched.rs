//! Which directories are watched, and whether that can still be relied on.

use std::collections::BTreeMap;

use super::identity::Identity;
use super::root::Root;
use super::stats::Stats;
use super::subtree;
use super::watch::{HintSink, Watch, WatchError};
use crate::relpath::RelPath;

/// The watch and what it was told.
pub(super) struct Watched {
    watch: Box<dyn Watch>,
    directories: BTreeMap<RelPath, (u64, u64)>,
    armed: bool,
    /// Some directory is not watched, so everything is scanned now and then.
    scanning: bool,
    warned: bool,
}

impl Watched {
    pub(super) fn arm(mut watch: Box<dyn Watch>, sink: HintSink, stats: &Stats) -> Self {
        let armed = watch.arm(sink);
        let mut watched = Self {
            watch,
            directories: BTreeMap::new(),
            armed: armed.is_ok(),
            scanning: false,
            warned: false,
        };
        if let Err(error) = armed {
            watched.fall_back(&error, stats);
        }
        watched
    }

    /// Whether this very directory is watched at this path.
    pub(super) fn has(&self, path: &RelPath, identity: &Identity) -> bool {
        self.directories.get(path) == Some(&identity.inode())
    }

    /// Watches a directory, again if it was watched.
    pub(super) fn add(&mut self, root: &Root, path: &RelPath, identity: &Identity, stats: &Stats) {
        if !self.armed {
            return;
        }
        match self.watch.add(&root.absolute(path)) {
            Ok(()) => {
                self.directories.insert(path.clone(), identity.inode());
            }
            // Whatever has become of it was reported to the watch of its parent;
            // what may not be read is refused by the final scan.
            Err(WatchError::Gone | WatchError::Denied) => {
                self.directories.remove(path);
            }
            Err(error) => {
                self.directories.remove(path);
                self.fall_back(&error, stats);
            }
        }
    }

    /// A directory went away, and all beneath it.
    pub(super) fn forget(&mut self, path: &RelPath) {
        subtree::remove(&mut self.directories, path);
    }

    /// Whether scanning has to make up for watches that could not be had.
    pub(super) fn scanning(&self) -> bool {
        self.scanning
    }

    /// Events were lost.
    pub(super) fn lost(&mut self) {
        self.warn("events were lost, everything is scanned instead", None);
    }

    fn fall_back(&mut self, error: &WatchError, stats: &Stats) {
        self.scanning = true;
        stats.fell_back();
        self.warn("not everything can be watched, it is scanned now and then instead", Some(error));
    }

    /// Once: a limit that is reached is reached for every directory.
    fn warn(&mut self, what: &str, error: Option<&WatchError>) {
        if std::mem::replace(&mut self.warned, true) {
            return;
        }
        let reason = error.map(tracing::field::display);
        tracing::warn!(reason, "{what}");
    }
}
