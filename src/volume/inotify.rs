//! The [`Watch`] port over `inotify(7)`, by the crate `notify`.
//!
//! Only its non-recursive mode is used. The recursive mode adds the watch of a
//! new directory after the event that tells of it and never looks at what was
//! written there before, so files are lost without a word.

use std::io;
use std::path::Path;

use notify::event::{AccessKind, AccessMode, EventKind, Flag, ModifyKind, RenameMode};
use notify::{Config, ErrorKind, Event, INotifyWatcher, RecursiveMode, Watcher as _};
use rustix::io::Errno;

use super::watch::{Hint, HintSink, Watch, WatchError};

/// Watches with `inotify(7)`.
#[derive(Debug, Default)]
pub struct Inotify {
    watcher: Option<INotifyWatcher>,
}

impl Inotify {
    /// Takes nothing from the system before [`Watch::arm`].
    pub fn new() -> Self {
        Self::default()
    }
}

impl Watch for Inotify {
    fn arm(&mut self, sink: HintSink) -> Result<(), WatchError> {
        let handler = move |event: notify::Result<Event>| match event {
            Ok(event) => pass_on(&event, &sink),
            Err(_) => sink.rescan(),
        };
        let config = Config::default().with_follow_symlinks(false);
        self.watcher = Some(INotifyWatcher::new(handler, config).map_err(error)?);
        Ok(())
    }

    fn add(&mut self, dir: &Path) -> Result<(), WatchError> {
        let watcher = self.watcher.as_mut().ok_or(WatchError::Instances)?;
        watcher.watch(dir, RecursiveMode::NonRecursive).map_err(error)
    }
}

fn pass_on(event: &Event, sink: &HintSink) {
    // IN_Q_OVERFLOW.
    if event.flag() == Some(Flag::Rescan) {
        return sink.rescan();
    }
    let hint = match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => Hint::Ready,
        EventKind::Create(_) => Hint::Made,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Hint::Gone,
        EventKind::Modify(ModifyKind::Metadata(_)) => Hint::Changed,
        // Opening and writing say nothing that closing will not say.
        _ => return,
    };
    for path in &event.paths {
        sink.hint(path, hint);
    }
}

fn error(error: notify::Error) -> WatchError {
    let system = match &error.kind {
        ErrorKind::MaxFilesWatch => return WatchError::Watches,
        ErrorKind::PathNotFound => return WatchError::Gone,
        ErrorKind::Io(e) => e.raw_os_error().map(Errno::from_raw_os_error),
        _ => None,
    };
    match system {
        Some(Errno::MFILE | Errno::NFILE) => WatchError::Instances,
        Some(Errno::NOSPC) => WatchError::Watches,
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => WatchError::Gone,
        Some(Errno::ACCESS | Errno::PERM) => WatchError::Denied,
        _ => WatchError::Backend(Box::new(io::Error::other(error))),
    }
}
