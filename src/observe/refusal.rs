//! Why an entry has no digest.

use std::io;

use super::identity::Kind;

/// Why an output is refused that has more links than a statement lists
/// ([`argo_attest_core::links`]).
pub(super) const TOO_MANY_LINKS: &str = "it has more symbolic links than a statement lists";

/// Why an entry was not digested. The text is for the person who wonders; it
/// never holds the entry's name, which is beside it wherever it is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The output itself, or a directory on the way to the entry, is a symbolic link.
    #[error("a symbolic link, which is never followed")]
    Symlink,
    /// A symbolic link that leads to what is no part of the output, be it only on the way.
    #[error("a symbolic link that leads out of the output")]
    LinkLeaves,
    /// A symbolic link that leads nowhere.
    #[error("a symbolic link that leads in a circle, or through too many others")]
    LinkAstray,
    /// One more symbolic link than an output may have.
    #[error("a symbolic link, of which the output has more than a statement lists")]
    TooManyLinks,
    /// A symbolic link whose target is evidently a private key: a statement is for everybody.
    #[error("a symbolic link whose target holds a private key")]
    LinkHoldsKey,
    /// A symbolic link that Argo's zip has an empty file for.
    #[error("a symbolic link, in whose place a zip as Argo makes it has an empty file")]
    LinkInZip,
    /// A symbolic link in a directory that goes file by file to a store that nobody can ask.
    #[error("a symbolic link, of which it is not known what the store it goes to has in its place")]
    LinkElsewhere,
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
    /// Whether what is refused is a symbolic link, of an entry that is in a directory.
    pub(super) fn is_of_a_link(&self) -> bool {
        matches!(
            self,
            Self::Symlink | Self::LinkLeaves | Self::LinkAstray | Self::LinkHoldsKey | Self::TooManyLinks
        )
    }

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
