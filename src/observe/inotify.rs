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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs::{self, OpenOptions};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use argo_attest_core::relpath::RelPath;

    use super::super::fixture::{directory, path, skip};
    use super::super::inbox::Inbox;
    use super::super::interests::Interests;
    use super::*;

    struct Watching {
        dir: tempfile::TempDir,
        inbox: Arc<Inbox>,
        watch: Inotify,
    }

    fn watching() -> Watching {
        let (dir, root) = directory();
        let inbox = Arc::new(Inbox::default());
        let interests = Arc::new(Interests::new(vec![RelPath::root()], vec![]));
        let mut watch = Inotify::new();
        watch.arm(HintSink { inbox: Arc::clone(&inbox), interests, root: root.path().into() }).unwrap();
        watch.add(root.path()).unwrap();
        Watching { dir, inbox, watch }
    }

    /// All hints up to the one about a file that is made last.
    fn hints(scene: &Watching) -> HashMap<RelPath, Hint> {
        fs::write(scene.dir.path().join("last"), "").unwrap();
        let end = Instant::now() + Duration::from_mins(1);
        let mut hints: HashMap<RelPath, Hint> = HashMap::new();
        while hints.get(&path("last")) != Some(&Hint::Ready) {
            assert!(Instant::now() < end, "no hint: {hints:?}");
            for (path, hint) in scene.inbox.wait(Some(end), 1).hints {
                let known = hints.entry(path).or_insert(hint);
                *known = hint.max(*known);
            }
        }
        hints.remove(&path("last"));
        hints
    }

    #[test]
    fn tells_what_happened_and_no_more() {
        let scene = watching();
        let at = |name: &str| scene.dir.path().join(name);
        fs::write(at("written"), "x").unwrap();
        fs::write(at("moved"), "x").unwrap();
        fs::write(at("gone"), "x").unwrap();
        fs::write(at("changed"), "x").unwrap();
        fs::write(at("read"), "x").unwrap();
        let first = hints(&scene);
        assert!(first.values().all(|hint| *hint == Hint::Ready) && first.len() == 5, "{first:?}");
        fs::rename(at("moved"), at("to")).unwrap();
        fs::remove_file(at("gone")).unwrap();
        fs::set_permissions(at("changed"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::read(at("read")).unwrap();
        fs::hard_link(at("written"), at("link")).unwrap();
        fs::create_dir(at("dir")).unwrap();
        let mut open = OpenOptions::new().append(true).open(at("to")).unwrap();
        open.write_all(b"more").unwrap();
        // Nobody tells the watch of a directory that a file in it got a link.
        let expected = [
            ("moved", Hint::Gone),
            ("to", Hint::Ready),
            ("gone", Hint::Gone),
            ("changed", Hint::Changed),
            ("link", Hint::Made),
            ("dir", Hint::Made),
        ];
        assert_eq!(hints(&scene), expected.map(|(name, hint)| (path(name), hint)).into());
    }

    #[test]
    fn an_overflow_of_the_queue_asks_for_a_scan() {
        let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events").unwrap();
        let limit: u32 = limit.trim().parse().unwrap();
        if limit > 100_000 {
            skip(&format!("a queue of events that is soon full, not one of {limit}"));
            return;
        }
        let scene = watching();
        let hold = scene.inbox.hold();
        // Four events each, none like the one before it; some are on their way already.
        for n in 0..limit / 2 {
            fs::write(scene.dir.path().join(n.to_string()), "x").unwrap();
        }
        drop(hold);
        let end = Instant::now() + Duration::from_mins(1);
        while !scene.inbox.wait(Some(end), 1).rescan {
            assert!(Instant::now() < end, "no overflow after {limit} events");
        }
    }

    #[test]
    fn says_which_limit_or_what_is_wrong() {
        let mut scene = watching();
        let gone = scene.watch.add(&scene.dir.path().join("none")).unwrap_err();
        assert!(matches!(gone, WatchError::Gone), "{gone:?}");
        let full = error(notify::Error::io(Errno::NOSPC.into()));
        assert!(matches!(full, WatchError::Watches), "{full:?}");
        let full = error(notify::Error::io(Errno::MFILE.into()));
        assert!(matches!(full, WatchError::Instances), "{full:?}");
        let denied = error(notify::Error::io(Errno::ACCESS.into()));
        assert!(matches!(denied, WatchError::Denied), "{denied:?}");
    }
}
