//! Reading through an archive once, entry by entry, within limits.

use std::cell::RefCell;
use std::io::{self, Read};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::aside::Aside;
use super::batch::{Batch, Sizes};
use super::digesting::Digesting;
use super::expected::{Expected, ExpectedFiles};
use super::object::{Chunk, Object, ObjectDigest, ReadError};
use super::taker::{Taker, Telling};
use super::tar_header::Dialect;
use super::{tar, zip};
use crate::digest::Sha256Digest;

/// Archive formats that Argo writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A gzipped tar.
    TarGz,
    /// A zip.
    Zip,
}

/// Bounds on what an archive may make its reader do. Time and decompressed bytes
/// are bounded by them; memory is bounded in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most entries.
    pub entries: u64,
    /// The most bytes after decompression, headers and padding included.
    pub bytes: u64,
    /// The most bytes of all names, which some readers keep.
    pub names: u64,
}

/// Bytes of an entry's name: of a path, as the kernel has it, beneath the artifact's name.
pub const MAX_NAME: usize = 4096 + 256;

/// Directories in one another that an entry may be in.
pub const MAX_DEPTH: usize = 256;

/// Entries allowed beyond those that are known of: empty directories, if nobody
/// counted them.
const SPARE_ENTRIES: u64 = 65_536;

/// Bytes of headers and padding that an entry may need beside its name: three
/// blocks of a tar and its padding, a link target of 4 KiB.
const ENTRY_BYTES: u64 = 8192;

/// Bytes allowed beyond that.
const SPARE_BYTES: u64 = 64 << 20;

impl Limits {
    /// For a packed output on disk, of which nothing is known, and whose names are kept:
    /// 200,000 entries, 16 MiB of names, and a tebibyte.
    pub const PACKED: Self = Self { entries: 200_000, bytes: 1 << 40, names: 16 << 20 };

    /// Enough for an archive of exactly what is expected, and for little more: a
    /// bomb is given up on soon after where an honest archive would have ended.
    pub fn for_expected<F: ExpectedFiles>(expected: &Expected<F>) -> Self {
        let (mut files, mut directories, mut bytes) = (1_u64, 0_u64, SPARE_BYTES);
        let mut before: Vec<&[u8]> = Vec::new();
        let links = expected.links.iter().map(|(path, _)| path);
        let paths = expected.files.iter().map(|(path, _)| path);
        for path in paths.chain(expected.refused.keys()).chain(links) {
            files = files.saturating_add(1);
            let components: Vec<&[u8]> = path.components().collect();
            // Directories that the path before did not have. Some are counted
            // again, since paths do not sort by component; none is missed.
            let shared = before.iter().zip(&components).take_while(|(one, other)| one == other).count();
            let new = count(components.len().saturating_sub(shared));
            directories = directories.saturating_add(new);
            // Each name is written twice at most: in a tar's header and PAX
            // record, in both headers of a zip.
            let names = count(path.as_bytes().len()).saturating_mul(2).saturating_mul(new.saturating_add(1));
            bytes = bytes.saturating_add(names);
            before = components;
        }
        for (_, file) in expected.files.iter() {
            bytes = bytes.saturating_add(file.size);
        }
        let known = files.saturating_add(directories.max(expected.directories));
        Self {
            entries: known.saturating_add(SPARE_ENTRIES),
            bytes: bytes.saturating_add(known.saturating_mul(ENTRY_BYTES)),
            // None is kept.
            names: u64::MAX,
        }
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// What an entry of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A hard link to another entry.
    HardLink,
    /// A character or block device.
    Device,
    /// A FIFO.
    Fifo,
}

impl std::fmt::Display for EntryKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Directory => "a directory",
            Self::Symlink => "a symbolic link",
            Self::HardLink => "a hard link",
            Self::Device => "a device",
            Self::Fifo => "a FIFO",
        })
    }
}

/// One entry, after its content was read and digested.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: EntryKind,
    pub(super) size: u64,
    pub(super) digest: Sha256Digest,
    /// What a link holds; of anything else, nothing that means anything.
    pub(super) target: &'a [u8],
    /// An attribute that makes an unpacker treat it as something else.
    pub(super) disguised: bool,
}

/// Who is told of the entries, on whatever thread the contents are digested.
pub(super) trait Sink: Send {
    /// An entry's content comes, if it has any; of a tar only.
    fn begins(&mut self, _name: &[u8], _size: u64) {}

    /// Some of that content.
    fn content(&mut self, _chunk: &[u8]) {}

    /// All of the entry was read.
    fn entry(&mut self, entry: Entry<'_>);
}

/// Why an archive is not one that Argo could have written. Reading ends there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It ends too early.
    #[error("the archive is cut short")]
    Truncated,
    /// The compressed stream is damaged, or its checksum does not fit.
    #[error("the compressed data is damaged: {0}")]
    Compression(String),
    /// There is something after its end.
    #[error("there is data after the end of the archive")]
    TrailingData,
    /// A header is malformed.
    #[error("a header of the archive is malformed: {0}")]
    Header(&'static str),
    /// Something that Argo's writer never uses, and unpackers may read
    /// differently.
    #[error("the archive has what Argo never writes: {0}")]
    Foreign(&'static str),
    /// A zip's central directory does not say what its local headers say.
    #[error("the zip's central directory contradicts its entries: {0}")]
    Directory(&'static str),
    /// More than [`Limits::entries`].
    #[error("the archive has more than {0} entries")]
    TooManyEntries(u64),
    /// More than [`MAX_NAME`] or [`MAX_DEPTH`].
    #[error("the archive has a name of more than {MAX_NAME} bytes, or in more than {MAX_DEPTH} directories")]
    LongName,
    /// More than [`Limits::names`].
    #[error("the archive's names have more than {0} bytes")]
    TooLongNames(u64),
    /// More than [`Limits::bytes`].
    #[error("the archive has more than {0} bytes when decompressed")]
    TooManyBytes(u64),
}

/// Why a walk stopped.
#[derive(Debug)]
pub(super) enum Stop {
    Broken(Broken),
    Io(io::Error),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Counts against [`Limits`].
#[derive(Debug)]
pub(super) struct Budget {
    limits: Limits,
    entries: u64,
    bytes: u64,
    names: u64,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, entries: 0, bytes: 0, names: 0 }
    }

    pub(super) fn entry(&mut self, name: &[u8]) -> Result<(), Broken> {
        self.entries = self.entries.saturating_add(1);
        self.names = self.names.saturating_add(self::count(name.len()));
        if self.entries > self.limits.entries {
            Err(Broken::TooManyEntries(self.limits.entries))
        } else if name.len() > MAX_NAME || name.split(|b| *b == b'/').count() > MAX_DEPTH + 1 {
            Err(Broken::LongName)
        } else if self.names > self.limits.names {
            Err(Broken::TooLongNames(self.limits.names))
        } else {
            Ok(())
        }
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<(), Broken> {
        self.bytes = self.bytes.saturating_add(self::count(count));
        if self.bytes > self.limits.bytes { Err(Broken::TooManyBytes(self.limits.bytes)) } else { Ok(()) }
    }

    pub(super) fn entries(&self) -> u64 {
        self.entries
    }
}

/// What came of a walk.
#[derive(Debug)]
pub(super) struct Walked {
    /// Of the whole object; only if it was read to its end.
    pub(super) object: Result<ObjectDigest, Broken>,
    pub(super) entries: u64,
}

/// Which reader reads an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// Of what Argo wrote.
    Argo(Format),
    /// Of a tar that anybody may have written.
    AnyTar { is_gzipped: bool },
}

/// Reads `source` as an archive and tells `sink` of each entry.
pub(super) fn walk(
    format: Format,
    source: impl Read,
    limits: Limits,
    sink: &mut dyn Sink,
) -> Result<Walked, ReadError> {
    walk_by(Reader::Argo(format), source, limits, Sizes::USUAL, sink)
}

/// The same of a tar that anybody may have written, gzipped or not.
pub(super) fn walk_tar(
    is_gzipped: bool,
    source: impl Read,
    limits: Limits,
    sink: &mut dyn Sink,
) -> Result<Walked, ReadError> {
    walk_by(Reader::AnyTar { is_gzipped }, source, limits, Sizes::USUAL, sink)
}

/// Reading, headers and limits are this thread's; digesting and the sink another's, if there is
/// much to digest.
pub(super) fn walk_by(
    reader: Reader,
    source: impl Read,
    limits: Limits,
    sizes: Sizes,
    sink: &mut dyn Sink,
) -> Result<Walked, ReadError> {
    let digesting = Mutex::new(Digesting::new(sink));
    let through = thread::scope(|scope| {
        let aside = RefCell::new(Aside::new(scope, &digesting));
        let through = read_through(reader, source, limits, sizes, &aside);
        aside.into_inner().finish();
        through
    })?;
    let digesting = digesting.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Walked { object: through.end.map(|()| digesting.finish()), entries: through.entries })
}

/// How reading ended.
#[derive(Debug)]
pub(super) struct Through {
    /// Whether the end is that of a sound archive.
    pub(super) end: Result<(), Broken>,
    pub(super) entries: u64,
}

/// Reads `source`, all on this thread. All that was read was taken when this returns, except of
/// a source that failed.
pub(super) fn read_through<'t>(
    reader: Reader,
    source: impl Read,
    limits: Limits,
    sizes: Sizes,
    taker: &'t RefCell<dyn Taker + 't>,
) -> Result<Through, ReadError> {
    let mut object = Object::new(source, Chunk::new(sizes.object), taker);
    let mut telling = Telling::new(Batch::new(sizes), taker);
    let mut budget = Budget::new(limits);
    let (to, limit) = (&mut telling, &mut budget);
    let read = match reader {
        Reader::Argo(Format::TarGz) => tar::read_gzipped(&mut object, Dialect::Argo, limit, to),
        Reader::Argo(Format::Zip) => zip::read(&mut object, limit, to),
        Reader::AnyTar { is_gzipped: true } => tar::read_gzipped(&mut object, Dialect::Common, limit, to),
        Reader::AnyTar { is_gzipped: false } => tar::read(&mut object, Dialect::Common, limit, to),
    };
    let read = read.and_then(|()| if object.at_end()? { Ok(()) } else { Err(Broken::TrailingData.into()) });
    if let Some(error) = object.failure() {
        return Err(error);
    }
    let last = taker.borrow_mut().last(object.rest(), telling.rest());
    let end = match read.and_then(|()| Ok(last?)) {
        Ok(()) => Ok(()),
        Err(Stop::Broken(broken)) => Err(broken),
        Err(Stop::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Broken::Truncated),
        // The source did not fail, so that this is a decoder speaking.
        Err(Stop::Io(error)) => Err(Broken::Compression(error.to_string())),
    };
    Ok(Through { end, entries: budget.entries() })
}
