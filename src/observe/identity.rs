//! What `stat` says of an entry, and when two such answers mean the same bytes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{FileType, Stat};
use sha2::{Digest as _, Sha256};

/// Names one state of one inode. As long as it stays the same, so do the
/// file's bytes: `write`, `truncate`, `rename`, `chmod` and links all move the
/// change time, which no program can set. A store through a shared mapping
/// that is already dirty moves nothing, so what is attested is always the
/// digest of the bytes that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    dev: u64,
    ino: u64,
    size: u64,
    mtime: i64,
    ctime: i64,
}

impl Identity {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            mtime: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            ctime: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        }
    }

    /// The size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Device and inode number: the same for all hard links of a file.
    pub fn inode(&self) -> (u64, u64) {
        (self.dev, self.ino)
    }

    /// The change time (`st_ctime`), in nanoseconds since 1970.
    pub fn changed(&self) -> i64 {
        self.ctime
    }

    /// How long ago the entry last changed, by its change time; `None` if that
    /// is in the future.
    pub(super) fn age(&self, now: SystemTime) -> Option<Duration> {
        let now = i64::try_from(now.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()?;
        now.checked_sub(self.ctime).and_then(|ns| u64::try_from(ns).ok()).map(Duration::from_nanos)
    }

    /// The state in short, for books that hold a million of them.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.fingerprint_with(b"")
    }

    /// The state together with a name.
    pub(super) fn fingerprint_with(&self, name: &[u8]) -> Fingerprint {
        let mut hasher = Sha256::new();
        let fields = [self.dev, self.ino, self.size, self.mtime.cast_unsigned(), self.ctime.cast_unsigned()];
        for field in fields {
            hasher.update(field.to_le_bytes());
        }
        let hash = hasher.chain_update(name).finalize();
        Fingerprint(hash.as_chunks::<16>().0.first().copied().unwrap_or_default())
    }
}

/// 128 bits of a SHA-256: two states that share one cannot be made on purpose,
/// and will not be by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Fingerprint(pub(super) [u8; 16]);

/// Wraps for a time beyond the year 2262, which `touch` can set: two states
/// still differ then.
fn nanoseconds(seconds: i64, nanoseconds: u64) -> i64 {
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanoseconds.cast_signed())
}

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file, the only kind that is ever read.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, never followed.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A Unix socket.
    Socket,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharDevice,
    /// Something that this system reports and we do not know.
    Unknown,
}

/// An entry of a directory, as `stat` without following links sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// In which state it is.
    pub identity: Identity,
    /// The permission bits.
    pub mode: u32,
    /// The owner's user id.
    pub owner: u32,
    /// The number of hard links.
    pub links: u32,
}

impl Entry {
    pub(super) fn of(stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Symlink,
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            FileType::BlockDevice => Kind::BlockDevice,
            FileType::CharacterDevice => Kind::CharDevice,
            FileType::Unknown => Kind::Unknown,
        };
        Self {
            kind,
            identity: Identity::of(stat),
            mode: stat.st_mode & 0o7777,
            owner: stat.st_uid,
            links: u32::try_from(stat.st_nlink).unwrap_or(u32::MAX),
        }
    }
}
