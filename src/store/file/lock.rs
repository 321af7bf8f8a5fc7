//! One replacing writer at a time in a directory, by flock(2).

use std::io;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::beneath::Directory;

/// How long another writer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Held until dropped. It binds only writers that take it too, which all
/// [`super::FileStore`]s do.
#[derive(Debug)]
pub(super) struct Lock(Directory);

impl Lock {
    /// Blocks, for at most [`PATIENCE`].
    pub(super) fn take(dir: Directory) -> io::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match flock(dir.fd(), FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self(dir)),
                Err(Errno::WOULDBLOCK) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Err(Errno::WOULDBLOCK) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "another writer has held the directory's lock for too long",
                    ));
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) fn dir(&self) -> &Directory {
        &self.0
    }
}
