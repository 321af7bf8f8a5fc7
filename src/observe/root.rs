//! An opened directory, and the only way to open what is beneath it.
//!
//! Every path is resolved by the kernel with `openat2(2)` and
//! `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS`, so no link
//! that a workload plants, at whatever moment, leads out of the root. Where
//! that call does not exist (Linux before 5.6, gVisor, old seccomp profiles),
//! the path is walked one component at a time with `O_NOFOLLOW`.
//!
//! The root itself is the caller's choice and may be reached through links.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::links::{Leads, LinkTarget};
use argo_attest_core::relpath::RelPath;
use rustix::fs::{AtFlags, Dir, Mode, OFlags, ResolveFlags, fstat, openat, openat2, readlinkat, statat};
use rustix::io::Errno;

use super::identity::{Entry, Kind};
use super::refusal::Refusal;

/// The longest path that the kernel opens, in bytes, without the final NUL.
const PATH_LIMIT: usize = 4095;

/// `openat2(2)` says EAGAIN when a rename elsewhere might have confused it.
const AGAIN_LIMIT: usize = 64;

/// The root could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open directory `{}`", .path.display())]
pub struct RootError {
    /// The directory, as given.
    pub path: PathBuf,
    #[source]
    source: io::Error,
}

/// How paths are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    /// By the kernel in one call.
    Openat2,
    /// Component by component.
    Walk,
}

/// An opened directory. Clones share it.
#[derive(Debug, Clone)]
pub struct Root {
    fd: Arc<OwnedFd>,
    path: Arc<Path>,
    resolution: Resolution,
}

impl Root {
    /// Opens a directory. Links on the way to it are followed, once, here.
    pub fn open(dir: &Path) -> Result<Self, RootError> {
        Self::open_with(dir, None)
    }

    pub(super) fn open_with(dir: &Path, resolution: Option<Resolution>) -> Result<Self, RootError> {
        let error = |source| RootError { path: dir.to_owned(), source };
        let path = dir.canonicalize().map_err(error)?;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(&path, flags, Mode::empty()).map_err(|e| error(e.into()))?;
        let resolution = resolution.unwrap_or_else(|| match beneath(&fd, Path::new("."), flags) {
            // EPERM is how a seccomp profile that predates the call refuses it.
            Err(Errno::NOSYS | Errno::PERM) => Resolution::Walk,
            _ => Resolution::Openat2,
        });
        Ok(Self { fd: Arc::new(fd), path: path.into(), resolution })
    }

    /// The absolute path, without links, that the root had when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The absolute path of something beneath the root: for messages and for
    /// watches, never for reading.
    pub fn absolute(&self, path: &RelPath) -> PathBuf {
        if path.is_root() { self.path.to_path_buf() } else { self.path.join(path.as_path()) }
    }

    /// What there is at a path. A link in its last component is reported as
    /// such, a link before that is refused.
    pub fn entry(&self, path: &RelPath) -> Result<Entry, Refusal> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = self.resolve(path, flags).map_err(|e| self.refusal(e, path))?;
        let stat = fstat(&fd).map_err(|e| self.refusal(e, path))?;
        Ok(Entry::of(&stat))
    }

    /// Opens a regular file to read it. Anything else is refused, without
    /// blocking (`O_NONBLOCK`: a FIFO without a writer) and without becoming
    /// the terminal of this process (`O_NOCTTY`).
    pub fn open_file(&self, path: &RelPath) -> Result<(OwnedFd, Entry), Refusal> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY;
        let fd = self.resolve(path, flags).map_err(|e| self.refusal(e, path))?;
        let entry = Entry::of(&fstat(&fd).map_err(|e| self.refusal(e, path))?);
        match entry.kind {
            Kind::File => Ok((fd, entry)),
            // A directory has taken the file's place.
            Kind::Directory => Err(Refusal::Vanished),
            other => Err(Refusal::of(other).unwrap_or(Refusal::UnknownKind)),
        }
    }

    /// What a symbolic link holds, read through the link itself.
    pub(super) fn read_link(&self, path: &RelPath) -> Result<LinkTarget, Refusal> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let link = self.resolve(path, flags).map_err(|e| self.refusal(e, path))?;
        let target = readlinkat(&link, c"", Vec::new()).map_err(|e| match e {
            // Something else has taken its place; or the system cannot read it so.
            Errno::NOENT | Errno::INVAL => match self.entry(path) {
                Ok(entry) if entry.kind == Kind::Symlink => Refusal::Symlink,
                _ => Refusal::Vanished,
            },
            e => self.refusal(e, path),
        })?;
        LinkTarget::from_bytes(target.to_bytes()).map_err(|_| Refusal::Symlink)
    }

    /// A directory beneath this one as a root of its own.
    pub(super) fn subroot(&self, path: &RelPath) -> Result<Self, Refusal> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = self.resolve(path, flags).map_err(|e| self.refusal(e, path))?;
        let path = self.absolute(path).into();
        Ok(Self { fd: Arc::new(fd), path, resolution: self.resolution })
    }

    /// Where the kernel gets to when it follows a link, as far as it says: nothing is opened
    /// there but a handle (`O_PATH`). Where there is no `openat2(2)` to ask, it does not
    /// contradict.
    pub(super) fn follow(&self, link: &RelPath) -> Leads {
        if self.resolution == Resolution::Walk {
            return Leads::Inside;
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        match again(|| openat2(&self.fd, link.as_path(), flags, Mode::empty(), resolve)) {
            Err(Errno::XDEV) => Leads::Outside,
            Err(Errno::LOOP | Errno::AGAIN) => Leads::Astray,
            // There, or not; or where nobody lets us look.
            _ => Leads::Inside,
        }
    }

    /// Lists a directory. Entries that vanish meanwhile are left out.
    pub(super) fn list(&self, path: &RelPath) -> Result<Listing, Refusal> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = self.resolve(path, flags).map_err(|e| self.refusal(e, path))?;
        Dir::new(fd).map(Listing).map_err(|e| self.refusal(e, path))
    }

    /// Whether a path is short enough for the kernel to open it at once.
    pub(super) fn reaches(path: &RelPath) -> bool {
        path.as_bytes().len() <= PATH_LIMIT
    }

    /// Why a path that is longer is refused.
    pub(super) fn too_deep() -> Refusal {
        Refusal::TooDeep { limit: PATH_LIMIT }
    }

    fn resolve(&self, path: &RelPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        if !Self::reaches(path) {
            return Err(Errno::NAMETOOLONG);
        }
        if path.is_root() {
            return again(|| openat(self.fd.as_fd(), c".", flags, Mode::empty()));
        }
        match self.resolution {
            Resolution::Openat2 => again(|| beneath(&self.fd, path.as_path(), flags)),
            Resolution::Walk => walk(self.fd.as_fd(), path, flags),
        }
    }

    pub(super) fn refusal(&self, errno: Errno, path: &RelPath) -> Refusal {
        match errno {
            Errno::LOOP | Errno::XDEV => Refusal::Symlink,
            Errno::NOENT | Errno::NOTDIR | Errno::STALE => Refusal::Vanished,
            Errno::NAMETOOLONG => Self::too_deep(),
            // open(2): "the file is a UNIX domain socket".
            Errno::NXIO => Refusal::Socket,
            Errno::ACCESS | Errno::PERM => self.denied(path),
            other => Refusal::Io { code: other.raw_os_error() },
        }
    }

    /// Blames the deepest entry on the way that can be looked at: the file
    /// itself, or the directory that hides it.
    fn denied(&self, path: &RelPath) -> Refusal {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let running_as = rustix::process::geteuid().as_raw();
        let mut at = Some(path.clone());
        while let Some(path) = at {
            if let Ok(stat) = self.resolve(&path, flags).and_then(fstat) {
                let entry = Entry::of(&stat);
                return Refusal::PermissionDenied { owner: entry.owner, mode: entry.mode, running_as };
            }
            at = path.parent();
        }
        Refusal::Io { code: Errno::ACCESS.raw_os_error() }
    }
}

fn beneath(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, flags, Mode::empty(), resolve)
}

fn walk(root: BorrowedFd<'_>, path: &RelPath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut components = path.components().peekable();
    let mut parent: Option<OwnedFd> = None;
    while let Some(name) = components.next() {
        let at = parent.as_ref().map_or(root, AsFd::as_fd);
        if components.peek().is_none() {
            return again(|| openat(at, name, flags, Mode::empty()));
        }
        let step = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let next = again(|| openat(at, name, step, Mode::empty()))?;
        match Entry::of(&fstat(&next)?).kind {
            Kind::Directory => parent = Some(next),
            Kind::Symlink => return Err(Errno::LOOP),
            _ => return Err(Errno::NOTDIR),
        }
    }
    Err(Errno::NOENT)
}

fn again(mut call: impl FnMut() -> Result<OwnedFd, Errno>) -> Result<OwnedFd, Errno> {
    let mut left = AGAIN_LIMIT;
    loop {
        match call() {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if left > 0 => left -= 1,
            done => return done,
        }
    }
}

/// A name in a directory, and what is there.
type Named = (Box<[u8]>, Result<Entry, Errno>);

/// The entries of one directory.
pub(super) struct Listing(Dir);

impl Listing {
    /// The next entry's name and what it is, `.` and `..` left out; an error if
    /// the directory cannot be read on.
    pub(super) fn next(&mut self) -> Option<Result<Named, Errno>> {
        loop {
            let found = match self.0.read()? {
                Ok(found) => found,
                Err(Errno::INTR) => continue,
                Err(e) => return Some(Err(e)),
            };
            let name = found.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let stat = self.0.fd().and_then(|dir| statat(dir, name, AtFlags::SYMLINK_NOFOLLOW));
            match stat {
                Err(Errno::NOENT) => {}
                stat => return Some(Ok((name.to_bytes().into(), stat.map(|s| Entry::of(&s))))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::super::fixture::{directory, is_root, path, skip_as_this_user, write};
    use super::*;

    fn both(dir: &Path) -> [Root; 2] {
        [Resolution::Openat2, Resolution::Walk].map(|r| Root::open_with(dir, Some(r)).unwrap())
    }

    #[test]
    fn opens_what_is_beneath() {
        let (dir, _) = directory();
        write(dir.path(), "a/b/c", "text");
        for root in both(dir.path()) {
            let (file, entry) = root.open_file(&path("a/b/c")).unwrap();
            let mut text = String::new();
            std::fs::File::from(file).read_to_string(&mut text).unwrap();
            assert_eq!((text.as_str(), entry.identity.size()), ("text", 4));
            assert_eq!(root.entry(&path("a/b/c")).unwrap(), entry);
            assert_eq!(root.entry(&path("a")).unwrap().kind, Kind::Directory);
            assert_eq!(root.entry(&RelPath::root()).unwrap().kind, Kind::Directory);
            assert_eq!(root.entry(&path("a/x")), Err(Refusal::Vanished));
            assert_eq!(root.entry(&path("a/b/c/d")), Err(Refusal::Vanished));
            assert_eq!(root.open_file(&path("a")).unwrap_err(), Refusal::Vanished);
        }
    }

    #[test]
    fn never_follows_a_link() {
        let (dir, _) = directory();
        let outside = tempfile::tempdir().unwrap();
        write(outside.path(), "key", "secret");
        write(dir.path(), "in/file", "fine");
        symlink(outside.path().join("key"), dir.path().join("link")).unwrap();
        symlink(outside.path(), dir.path().join("away")).unwrap();
        symlink("in", dir.path().join("within")).unwrap();
        symlink("/proc/self/root", dir.path().join("magic")).unwrap();
        symlink("/proc/self/fd/0", dir.path().join("fd")).unwrap();
        for root in both(dir.path()) {
            for name in ["link", "away/key", "within/file", "magic/etc/passwd", "fd"] {
                assert_eq!(root.open_file(&path(name)).unwrap_err(), Refusal::Symlink, "{name}");
            }
            assert_eq!(root.entry(&path("link")).unwrap().kind, Kind::Symlink);
            assert_eq!(root.entry(&path("away/key")).unwrap_err(), Refusal::Symlink);
            assert!(root.list(&path("away")).is_err());
        }
    }

    #[test]
    fn refuses_what_is_no_regular_file_at_once() {
        let (dir, _) = directory();
        let fifo = dir.path().join("fifo");
        assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let _socket = UnixListener::bind(dir.path().join("socket")).unwrap();
        for root in both(dir.path()) {
            let start = Instant::now();
            assert_eq!(root.open_file(&path("fifo")).unwrap_err(), Refusal::Fifo);
            assert_eq!(root.open_file(&path("socket")).unwrap_err(), Refusal::Socket);
            assert!(start.elapsed() < Duration::from_secs(5), "a FIFO must not block");
        }
    }

    #[test]
    fn refuses_devices() {
        let (dir, _) = directory();
        let made = Command::new("mknod").arg(dir.path().join("zero")).args(["c", "1", "5"]).output().unwrap();
        if !made.status.success() {
            skip_as_this_user("root with CAP_MKNOD");
            return;
        }
        for root in both(dir.path()) {
            // Where the file system is mounted nodev, the kernel refuses before we do.
            let refusal = root.open_file(&path("zero")).unwrap_err();
            assert!(matches!(refusal, Refusal::CharDevice | Refusal::PermissionDenied { .. }), "{refusal}");
        }
    }

    #[test]
    fn says_who_owns_what_it_may_not_read() {
        if is_root() {
            skip_as_this_user("a user without CAP_DAC_OVERRIDE");
            return;
        }
        let (dir, _) = directory();
        write(dir.path(), "closed/file", "x");
        let mode = |m| std::fs::set_permissions(dir.path().join("closed"), PermissionsExt::from_mode(m));
        mode(0o600).unwrap();
        let running_as = rustix::process::geteuid().as_raw();
        let expected = Refusal::PermissionDenied { owner: running_as, mode: 0o600, running_as };
        for root in both(dir.path()) {
            assert_eq!(root.open_file(&path("closed/file")).unwrap_err(), expected);
        }
        mode(0o700).unwrap();
    }

    #[test]
    fn a_path_beyond_the_limit_is_too_deep() {
        let (_dir, root) = directory();
        let long = path(vec!["a"; 3000].join("/"));
        assert_eq!(root.entry(&long).unwrap_err(), Root::too_deep());
        assert_eq!(root.open_file(&path("n".repeat(256))).unwrap_err(), Root::too_deep());
    }
}
