//! Directories beneath the store's own, reached without following a link.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use argo_attest_core::relpath::RelPath;
use rustix::fs::{Mode, OFlags, fsync, mkdirat, open, openat};
use rustix::io::Errno;

/// An open directory.
#[derive(Debug)]
pub(super) struct Directory(OwnedFd);

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

impl Directory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(open(path, DIRECTORY, Mode::empty())?))
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.0
    }

    /// The directory at `path` beneath this one.
    pub(super) fn descend(&self, path: &RelPath) -> io::Result<Self> {
        self.walk(path, Self::child)
    }

    /// The same, making what is missing (0777 less the umask) and making that last.
    pub(super) fn descend_or_create(&self, path: &RelPath) -> io::Result<Self> {
        self.walk(path, |dir, name| match dir.child(name) {
            Err(Errno::NOENT) => {
                match mkdirat(&dir.0, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) => dir.sync()?,
                    // Another writer was quicker.
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(error),
                }
                dir.child(name)
            }
            other => other,
        })
    }

    fn walk(&self, path: &RelPath, step: impl Fn(&Self, &[u8]) -> Result<Self, Errno>) -> io::Result<Self> {
        let mut dir = Self(self.0.try_clone()?);
        for name in path.components() {
            dir = step(&dir, name)?;
        }
        Ok(dir)
    }

    fn child(&self, name: &[u8]) -> Result<Self, Errno> {
        openat(&self.0, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()).map(Self)
    }

    /// Opens a file in this directory to read. `O_NONBLOCK`, or a FIFO that an
    /// attacker put there would hold us for ever.
    pub(super) fn open_file(&self, name: &[u8]) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        openat(&self.0, name, flags, Mode::empty())
    }

    /// Makes names in this directory outlast a power cut. A file system that
    /// knows no such thing (FUSE ones) has made them last as well as it can.
    pub(super) fn sync(&self) -> Result<(), Errno> {
        match fsync(self.0.as_fd()) {
            Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
            other => other,
        }
    }
}
