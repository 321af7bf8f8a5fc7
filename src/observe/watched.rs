//! Which directories are watched, and whether that can still be relied on.

use std::collections::BTreeMap;

use argo_attest_core::relpath::RelPath;

use super::identity::Identity;
use super::root::Root;
use super::stats::Stats;
use super::subtree;
use super::watch::{HintSink, Watch, WatchError};

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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span;

    use super::super::fixture::{directory, path, write};
    use super::super::inbox::Inbox;
    use super::super::interests::Interests;
    use super::*;

    struct Full;

    impl Watch for Full {
        fn arm(&mut self, _sink: HintSink) -> Result<(), WatchError> {
            Ok(())
        }

        fn add(&mut self, _dir: &Path) -> Result<(), WatchError> {
            Err(WatchError::Watches)
        }
    }

    #[derive(Clone, Default)]
    struct Warnings(Arc<AtomicUsize>);

    impl tracing::Subscriber for Warnings {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() <= tracing::Level::WARN
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn warns_once_and_falls_back() {
        let (dir, root) = directory();
        write(dir.path(), "a/x", "");
        let sink = HintSink {
            inbox: Arc::new(Inbox::default()),
            interests: Arc::new(Interests::new(vec![], vec![])),
            root: root.path().into(),
        };
        let stats = Stats::default();
        let warnings = Warnings::default();
        let identity = root.entry(&path("a")).unwrap().identity;
        tracing::subscriber::with_default(warnings.clone(), || {
            let mut watched = Watched::arm(Box::new(Full), sink, &stats);
            assert!(!watched.scanning());
            for _ in 0..3 {
                watched.add(&root, &path("a"), &identity, &stats);
                watched.lost();
            }
            assert!(watched.scanning() && !watched.has(&path("a"), &identity));
        });
        assert_eq!(warnings.0.load(Ordering::Relaxed), 1);
        assert_eq!(stats.snapshot().fallbacks, 1);
    }
}
