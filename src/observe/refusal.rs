//! Why an entry has no digest.

use std::io;

use super::identity::Kind;

/// Why an entry was not digested. The text is for the person who wonders; it
/// never holds the entry's name, which is beside it wherever it is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The entry, or a directory on the way to it, is a symbolic link.
    #[error("a symbolic link, which is never followed")]
    Symlink,
    /// A named pipe, which has no content of its own.
    #[error("a named pipe, not a regular file")]
    Fifo,
    /// A Unix socket.
    #[error("a socket, not a regular file")]
    Socket,
    /// A block device.
    #[error("a block device, not a regular file")]
    BlockDevice,
    /// A character device.
    #[error("a character device, not a regular file")]
    CharDevice,
    /// A kind of entry that is not known here.
    #[error("not a regular file")]
    UnknownKind,
    /// It was changed each time it was read.
    #[error("changed while it was read, {attempts} times in a row")]
    Unstable {
        /// How often it was tried.
        attempts: u32,
    },
    /// The kernel did not let us read it, or a directory on the way to it.
    #[error("permission denied: owned by {owner}, mode {mode:04o}; we run as {running_as}")]
    PermissionDenied {
        /// User id of the owner of what could not be opened.
        owner: u32,
        /// Its permission bits.
        mode: u32,
        /// Our effective user id.
        running_as: u32,
    },
    /// No program could open a path of this length, so none is attested.
    #[error("the path is longer than the {limit} bytes that the system can open")]
    TooDeep {
        /// The longest path, in bytes.
        limit: usize,
    },
    /// It was there and is not any more.
    #[error("vanished before it could be read")]
    Vanished,
    /// There was no time to read it.
    #[error("not read before the time was up")]
    Unfinished,
    /// Reading failed.
    #[error("could not be read: {}", io::Error::from_raw_os_error(*code))]
    Io {
        /// The system's error number (errno).
        code: i32,
    },
}

impl Refusal {
    /// Why an entry of this kind is refused; `None` for files and directories.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::File | Kind::Directory => None,
            Kind::Symlink => Some(Self::Symlink),
            Kind::Fifo => Some(Self::Fifo),
            Kind::Socket => Some(Self::Socket),
            Kind::BlockDevice => Some(Self::BlockDevice),
            Kind::CharDevice => Some(Self::CharDevice),
            Kind::Unknown => Some(Self::UnknownKind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_whose_file_it_is() {
        let refusal = Refusal::PermissionDenied { owner: 1000, mode: 0o600, running_as: 0 };
        assert_eq!(refusal.to_string(), "permission denied: owned by 1000, mode 0600; we run as 0");
    }

    #[test]
    fn an_io_error_says_what_the_system_said() {
        assert_eq!(Refusal::Io { code: 5 }.to_string(), "could not be read: Input/output error (os error 5)");
    }
}
