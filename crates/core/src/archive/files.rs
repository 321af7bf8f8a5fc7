//! All that is in a tar that anybody may have written: the digest of every file, and the
//! content of small ones.
//!
//! What is taken is what all readers read alike: ustar, PAX and what GNU's tar makes of plain
//! files. A name that is there twice, one that could leave the directory, content after the
//! end: each of them is an error, and nothing is said of such a tar.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use flate2::write::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use super::comparison::{Oddity, shown};
use super::first_names::path;
use super::object::{ObjectDigest, ReadError};
use super::walk::{Broken, Entry, EntryKind, Limits, Sink, walk_tar};
use crate::digest::Sha256Digest;
use crate::relpath::RelPath;

/// What a gzip stream begins with (RFC 1952, "Member header and trailer").
pub const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How much of a tar is read, and what of it is kept.
#[derive(Debug, Clone, Copy)]
pub struct TarLimits {
    /// What a walk may cost.
    pub walk: Limits,
    /// Bytes of the largest file whose content is kept, if it begins as JSON does.
    pub small: u64,
    /// Bytes of all content that is kept; of what would be more, none is.
    pub kept: u64,
    /// Bytes that gzipped files may unpack to, all together.
    pub unpacked: u64,
    /// Which gzipped files are unpacked, by their names.
    pub unpacks: fn(&RelPath) -> bool,
}

/// A file of a tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarFile {
    /// The SHA-256 of its content.
    pub digest: Sha256Digest,
    /// Bytes.
    pub size: u64,
    /// The SHA-256 of what it unpacks to, if it is gzipped and was unpacked.
    pub unpacked: Option<Sha256Digest>,
    /// Its content, if that is JSON and small.
    pub content: Option<Vec<u8>>,
}

/// What a tar holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarFiles {
    /// Digest and size of the tar itself, as it is stored.
    pub object: ObjectDigest,
    /// Every regular file.
    pub files: BTreeMap<RelPath, TarFile>,
    /// Every symbolic link, with its target.
    pub links: BTreeMap<RelPath, Vec<u8>>,
}

/// Why nothing is said of a tar.
#[derive(Debug, thiserror::Error)]
pub enum TarFilesError {
    /// It could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is no tar that all readers read alike.
    #[error("the tar is damaged, or has what tars of images have not: {0}")]
    Broken(#[from] Broken),
    /// It has an entry that some readers would pass over, and others not.
    #[error("the tar's entry `{name}`: {oddity}")]
    Odd {
        /// The entry's name in printable form.
        name: String,
        /// What is wrong with it.
        oddity: Oddity,
    },
}

/// Reads a tar, gzipped or not, to its end. Memory grows with the number of entries, which
/// `limits` bound, and with what is kept.
pub fn tar_files(is_gzipped: bool, source: impl Read, limits: TarLimits) -> Result<TarFiles, TarFilesError> {
    let mut lister = Lister {
        limits,
        now: None,
        kept: 0,
        left: limits.unpacked,
        files: BTreeMap::new(),
        links: BTreeMap::new(),
        odd: None,
    };
    let walked = walk_tar(is_gzipped, source, limits.walk, &mut lister)?;
    if let Some((name, oddity)) = lister.odd {
        return Err(TarFilesError::Odd { name, oddity });
    }
    Ok(TarFiles { object: walked.object?, files: lister.files, links: lister.links })
}

struct Lister {
    limits: TarLimits,
    /// The file whose content comes.
    now: Option<Now>,
    kept: u64,
    /// How much may still be unpacked.
    left: u64,
    files: BTreeMap<RelPath, TarFile>,
    links: BTreeMap<RelPath, Vec<u8>>,
    odd: Option<(String, Oddity)>,
}

/// What is made of a file's content beside its digest.
enum Now {
    /// Nothing is known of it yet.
    Beginning {
        may_unpack: bool,
        size: u64,
    },
    Kept(Vec<u8>),
    Unpacked(Box<MultiGzDecoder<Hashing>>),
    Passed,
}

struct Hashing {
    hasher: Sha256,
    left: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(count).ok_or_else(|| io::Error::other("it unpacks to too much"))?;
        self.hasher.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lister {
    fn begin(&mut self, chunk: &[u8], may_unpack: bool, size: u64) -> Now {
        let is_json = chunk.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'['));
        let kept = self.kept.saturating_add(size);
        if is_json && size <= self.limits.small && kept <= self.limits.kept {
            self.kept = kept;
            Now::Kept(Vec::with_capacity(usize::try_from(size).unwrap_or(0)))
        } else if may_unpack && chunk.starts_with(&GZIP) {
            Now::Unpacked(Box::new(MultiGzDecoder::new(Hashing { hasher: Sha256::new(), left: self.left })))
        } else {
            Now::Passed
        }
    }

    /// What the content unpacks to, and the content.
    fn ended(&mut self) -> (Option<Sha256Digest>, Option<Vec<u8>>) {
        match self.now.take() {
            Some(Now::Kept(content)) => (None, Some(content)),
            Some(Now::Unpacked(decoder)) => {
                let Ok(Hashing { hasher, left }) = decoder.finish() else { return (None, None) };
                self.left = left;
                (Some(Sha256Digest::from_hasher(hasher)), None)
            }
            _ => (None, None),
        }
    }

    fn list(&mut self, entry: &Entry<'_>) -> Result<(), Oddity> {
        let (unpacked, content) = self.ended();
        let path = path(entry.name)?;
        if entry.kind == EntryKind::Directory {
            return Ok(());
        }
        if path.is_root() {
            return Err(Oddity::UnsafeName);
        }
        if self.files.contains_key(&path) || self.links.contains_key(&path) {
            return Err(Oddity::Duplicate);
        }
        match entry.kind {
            EntryKind::File => {
                let file = TarFile { digest: entry.digest, size: entry.size, unpacked, content };
                self.files.insert(path, file);
            }
            EntryKind::Symlink => {
                self.links.insert(path, entry.target.to_vec());
            }
            kind => return Err(Oddity::Kind(kind)),
        }
        Ok(())
    }
}

impl Sink for Lister {
    fn begins(&mut self, name: &[u8], size: u64) {
        let may_unpack = path(name).is_ok_and(|path| (self.limits.unpacks)(&path));
        self.now = Some(Now::Beginning { may_unpack, size });
    }

    fn content(&mut self, chunk: &[u8]) {
        if let Some(Now::Beginning { may_unpack, size }) = self.now {
            self.now = Some(self.begin(chunk, may_unpack, size));
        }
        match &mut self.now {
            Some(Now::Kept(content)) => content.extend_from_slice(chunk),
            Some(Now::Unpacked(decoder)) => {
                let unpacked = decoder.write_all(chunk);
                // What cannot be unpacked has no such digest, and is no error of the tar.
                if unpacked.is_err() {
                    self.left = decoder.get_ref().left;
                    self.now = Some(Now::Passed);
                }
            }
            _ => {}
        }
    }

    fn entry(&mut self, entry: Entry<'_>) {
        if let Err(oddity) = self.list(&entry)
            && self.odd.is_none()
        {
            self.odd = Some((shown(entry.name), oddity));
        }
    }
}
