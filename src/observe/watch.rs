//! The port to whatever tells of changes. Its answers are hints: nothing is
//! attested because of one, and nothing is lost if one never comes.

use std::path::Path;
use std::sync::Arc;

use argo_attest_core::relpath::RelPath;

use super::inbox::Inbox;
use super::interests::Interests;

/// Why a directory, or anything at all, cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// ENOSPC of `inotify_add_watch(2)`.
    #[error("the limit of watches is reached (fs.inotify.max_user_watches)")]
    Watches,
    /// EMFILE of `inotify_init1(2)`.
    #[error("the limit of watchers is reached (fs.inotify.max_user_instances)")]
    Instances,
    /// The directory is not there any more, or is none.
    #[error("the directory is gone")]
    Gone,
    /// The directory may not be read, and so not be watched either.
    #[error("permission denied")]
    Denied,
    /// Anything else.
    #[error("watching failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Watches single directories, never what is beneath them.
pub trait Watch: Send {
    /// Starts; from here on hints go to `sink`, from any thread.
    fn arm(&mut self, sink: HintSink) -> Result<(), WatchError>;

    /// Watches one directory. On return every later change of an entry in it
    /// gives a hint. To add a directory again must renew its watch.
    fn add(&mut self, dir: &Path) -> Result<(), WatchError>;
}

/// What happened to an entry. When several things happened, the greatest
/// stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// Its mode, owner or number of links changed.
    Changed,
    /// It was deleted or moved away.
    Gone,
    /// It was made; if it is a file, somebody may be writing to it.
    Made,
    /// It was closed after writing, or moved here: likely complete.
    Ready,
}

/// Where a [`Watch`] leaves its hints. Never blocks for long.
#[derive(Debug, Clone)]
pub struct HintSink {
    pub(super) inbox: Arc<Inbox>,
    pub(super) interests: Arc<Interests>,
    pub(super) root: Arc<Path>,
}

impl HintSink {
    /// Something happened at this absolute path. What lies outside of what is
    /// observed is dropped here.
    pub fn hint(&self, path: &Path, hint: Hint) {
        use std::os::unix::ffi::OsStrExt as _;
        let Ok(beneath) = path.strip_prefix(&self.root) else { return };
        let Ok(path) = RelPath::from_bytes(beneath.as_os_str().as_bytes()) else { return };
        if self.interests.concern(&path) {
            self.inbox.hint(path, hint);
        }
    }

    /// Events were lost: everything has to be scanned.
    pub fn rescan(&self) {
        self.inbox.rescan();
    }
}
