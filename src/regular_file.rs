//! The one way in which a file that somebody else may have made is opened and read.
//!
//! Never for ever: a FIFO in a file's place would hold an ordinary open(2) until somebody
//! writes to it, a device may give bytes without end. Never further than a limit. And with
//! a link at the end of the path only where the caller says that one may be there.
//!
//! What is found (beside an artifact, in a volume) must be a regular file. What a user
//! names may be a pipe as well: its writer is waited for, a pipe without one is not.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use argo_attest_core::trouble::{Fault, Trouble};
use rustix::fs::{Mode, OFlags};

/// How long a pipe may have no writer before it is given up.
const WRITER_TIME: Duration = Duration::from_secs(5);
/// How long to wait before a pipe without a writer is asked again.
const WRITER_PAUSE: Duration = Duration::from_millis(10);

/// Whether the last component of a path may be a symbolic link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// It may.
    Followed,
    /// It may not.
    Refused,
}

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such file.
    #[error(transparent)]
    Missing(io::Error),
    /// Something else than what is read.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// A pipe that nothing came from.
    #[error("it is a pipe, and nobody writes to it")]
    NoWriter,
    /// More than is read.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// What is read at most.
        limit: usize,
    },
    /// The system failed.
    #[error(transparent)]
    Io(io::Error),
}

impl Trouble for ReadError {
    fn fault(&self) -> Fault {
        match self {
            Self::Missing(_) => Fault::Missing,
            Self::TooLarge { .. } => Fault::Malformed,
            Self::NotRegular(_) | Self::NoWriter | Self::Io(_) => Fault::Io,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some("check the path, and that the user this runs as may read it".to_owned())
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing(error),
            // A socket, or a device without a driver.
            _ if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
                Self::NotRegular("a socket or a device")
            }
            _ => Self::Io(error),
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        let kind = match &error {
            ReadError::NotRegular(_) => io::ErrorKind::InvalidInput,
            ReadError::NoWriter => io::ErrorKind::TimedOut,
            ReadError::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            ReadError::Missing(_) | ReadError::Io(_) => io::ErrorKind::Other,
        };
        match error {
            ReadError::Missing(error) | ReadError::Io(error) => error,
            other => Self::new(kind, other),
        }
    }
}

/// Opens a regular file to read; anything else is refused at once.
pub fn open(path: &Path, links: Links) -> Result<File, ReadError> {
    let file = open_any(path, links)?;
    match irregular(file.metadata()?.file_type()) {
        Some(kind) => Err(ReadError::NotRegular(kind)),
        None => Ok(file),
    }
}

fn open_any(path: &Path, links: Links) -> Result<File, ReadError> {
    let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    if links == Links::Refused {
        flags |= OFlags::NOFOLLOW;
    }
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?))
}

/// All of a regular file that was found, if it has no more than `limit` bytes.
pub fn read(path: &Path, links: Links, limit: usize) -> Result<Vec<u8>, ReadError> {
    let file = open(path, links)?;
    // Told by its size, not by reading as much as is allowed.
    if file.metadata()?.len() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(ReadError::TooLarge { limit });
    }
    read_all(file, limit)
}

/// The first `limit` bytes of a regular file that was found.
pub fn read_first(path: &Path, links: Links, limit: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let file = open(path, links)?;
    file.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What stands for standard input where a file is named.
pub const STANDARD_INPUT: &str = "-";

/// What a user named, opened: a regular file, or a stream.
#[derive(Debug)]
pub struct Named {
    file: File,
    /// What was read of it already.
    first: Vec<u8>,
    /// As it was when it was opened.
    pub metadata: Metadata,
}

impl TryFrom<File> for Named {
    type Error = io::Error;

    fn try_from(file: File) -> io::Result<Self> {
        Ok(Self { metadata: file.metadata()?, file, first: Vec::new() })
    }
}

impl Read for Named {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match (self.first.pop(), buffer.first_mut()) {
            (Some(byte), Some(to)) => {
                *to = byte;
                Ok(1)
            }
            (byte, _) => {
                self.first.extend(byte);
                self.file.read(buffer)
            }
        }
    }
}

/// Opens what a user named: a regular file, a pipe, whose writer is waited for, or `-`,
/// standard input.
pub fn open_named(path: &Path) -> Result<Named, ReadError> {
    if path == Path::new(STANDARD_INPUT) {
        let file =
            File::from(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 0).map_err(io::Error::from)?);
        let metadata = file.metadata()?;
        return match irregular(metadata.file_type()) {
            Some(kind) if kind == DIRECTORY || kind == BLOCK_DEVICE => Err(ReadError::NotRegular(kind)),
            _ => Ok(Named { file, first: Vec::new(), metadata }),
        };
    }
    let mut file = open_any(path, Links::Followed)?;
    let metadata = file.metadata()?;
    let mut first = Vec::new();
    match irregular(metadata.file_type()) {
        Some(kind) if kind == DIRECTORY || kind == BLOCK_DEVICE => return Err(ReadError::NotRegular(kind)),
        // Devices as well: `/dev/stdin` may be a terminal.
        Some(_) => {
            first = first_byte(&mut file)?;
            rustix::fs::fcntl_setfl(&file, OFlags::empty()).map_err(io::Error::from)?;
        }
        None => {}
    }
    Ok(Named { file, first, metadata })
}

/// All of what a user named, if it has no more than `limit` bytes.
pub fn read_named(path: &Path, limit: usize) -> Result<Vec<u8>, ReadError> {
    read_all(open_named(path)?, limit)
}

/// The first byte of a pipe, if it is there already. While nobody has it open to write, its
/// end is no end.
fn first_byte(pipe: &mut File) -> Result<Vec<u8>, ReadError> {
    let begun = Instant::now();
    let mut first = [0];
    loop {
        match pipe.read(&mut first) {
            Ok(0) if begun.elapsed() > WRITER_TIME => return Err(ReadError::NoWriter),
            Ok(0) => std::thread::sleep(WRITER_PAUSE),
            Ok(_) => return Ok(first.to_vec()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// All that a reader gives, if that is no more than `limit` bytes.
pub fn read_all(from: impl Read, limit: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    // One byte more than is taken tells that there is more.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    from.take(most).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() > limit { Err(ReadError::TooLarge { limit }) } else { Ok(bytes) }
}

const DIRECTORY: &str = "a directory";
const BLOCK_DEVICE: &str = "a block device";

/// What it is, with its article, if it is no regular file.
fn irregular(file_type: std::fs::FileType) -> Option<&'static str> {
    if file_type.is_file() {
        None
    } else if file_type.is_dir() {
        Some(DIRECTORY)
    } else if file_type.is_fifo() {
        Some("a FIFO")
    } else if file_type.is_block_device() {
        Some(BLOCK_DEVICE)
    } else {
        Some("a device")
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, FileType, mknodat};

    use super::*;

    #[test]
    fn what_is_found_is_a_regular_file_within_its_limit_or_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "0123456789").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        mknodat(CWD, at("fifo"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let said = |name: &str, links| read(&at(name), links, 10).unwrap_err().to_string();
        assert_eq!(read(&at("file"), Links::Refused, 10).unwrap(), b"0123456789");
        assert_eq!(read(&at("link"), Links::Followed, 10).unwrap(), b"0123456789");
        assert!(matches!(read(&at("file"), Links::Refused, 9), Err(ReadError::TooLarge { limit: 9 })));
        assert_eq!(read_first(&at("file"), Links::Refused, 4).unwrap(), b"0123");
        assert_eq!(read_first(&at("file"), Links::Refused, 11).unwrap(), b"0123456789");
        assert!(matches!(read_first(&at("fifo"), Links::Followed, 4), Err(ReadError::NotRegular(_))));
        assert!(matches!(read(&at("none"), Links::Refused, 9), Err(ReadError::Missing(_))));
        assert!(matches!(read(&at("file/x"), Links::Refused, 9), Err(ReadError::Missing(_))));
        assert_eq!(said("fifo", Links::Followed), "it is a FIFO, not a regular file");
        assert_eq!(said("", Links::Followed), "it is a directory, not a regular file");
        assert_eq!(said("socket", Links::Followed), "it is a socket or a device, not a regular file");
        match read(&at("link"), Links::Refused, 10) {
            Err(ReadError::Io(error)) => assert_eq!(error.raw_os_error(), Some(40), "ELOOP"),
            other => panic!("{other:?}"),
        }
        let zero = read(Path::new("/dev/zero"), Links::Followed, 10).unwrap_err();
        assert_eq!(zero.to_string(), "it is a device, not a regular file");
    }

    #[test]
    fn what_is_named_may_be_a_pipe() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let read = |limit| {
            let named = fifo.clone();
            let reading = std::thread::spawn(move || read_named(&named, limit));
            std::fs::write(&fifo, "0123456789").unwrap();
            reading.join().unwrap()
        };
        assert_eq!(read(10).unwrap(), b"0123456789");
        assert!(matches!(read(9), Err(ReadError::TooLarge { limit: 9 })));
        assert!(matches!(read_named(&fifo, 9), Err(ReadError::NoWriter)));
        assert!(matches!(read_named(dir.path(), 9), Err(ReadError::NotRegular("a directory"))));
        // Without an end, and read no further than the limit.
        assert!(matches!(read_named(Path::new("/dev/zero"), 9), Err(ReadError::TooLarge { .. })));
    }
}
