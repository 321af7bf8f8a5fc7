//! The object as a stream of bytes, digested as they pass.

use std::io::{self, BufRead, BufReader, Read};

use sha2::{Digest as _, Sha256};

use crate::digest::Sha256Digest;

/// Digest and size of an object that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectDigest {
    /// The SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// The object could not be read to its end: this says nothing of its content.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the archive after {after} bytes")]
pub struct ReadError {
    /// How many bytes came.
    pub after: u64,
    /// What its source said.
    pub source: io::Error,
}

/// A buffered reader that knows how many bytes were taken from it, digests all
/// that it reads, and remembers an error of its source: decoders on top of it
/// would pass that off as an error of the archive.
pub(super) struct Object<R> {
    inner: BufReader<Digesting<R>>,
    consumed: u64,
}

struct Digesting<R> {
    source: R,
    hasher: Sha256,
    size: u64,
    failed: Option<io::Error>,
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.failed.is_some() {
            return Err(io::Error::other("the source failed before"));
        }
        loop {
            match self.source.read(buffer) {
                Ok(count) => {
                    let read =
                        buffer.get(..count).ok_or_else(|| io::Error::other("more was read than fits"))?;
                    self.hasher.update(read);
                    self.size = self.size.saturating_add(count.try_into().unwrap_or(u64::MAX));
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    return Err(io::Error::other("the source failed"));
                }
            }
        }
    }
}

impl<R: Read> Object<R> {
    pub(super) fn new(source: R) -> Self {
        let digesting = Digesting { source, hasher: Sha256::new(), size: 0, failed: None };
        Self { inner: BufReader::with_capacity(64 * 1024, digesting), consumed: 0 }
    }

    /// How many bytes were taken.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Whether all bytes were taken.
    pub(super) fn at_end(&mut self) -> io::Result<bool> {
        Ok(self.fill_buf()?.is_empty())
    }

    /// The error of the source, if it had one.
    pub(super) fn failure(&mut self) -> Option<ReadError> {
        let digesting = self.inner.get_mut();
        let after = digesting.size;
        digesting.failed.take().map(|source| ReadError { after, source })
    }

    /// The digest of all that was read.
    pub(super) fn finish(self) -> ObjectDigest {
        let Digesting { hasher, size, .. } = self.inner.into_inner();
        ObjectDigest { digest: Sha256Digest::from_hasher(hasher), size }
    }
}

impl<R: Read> Read for Object<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Object<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.consumed = self.consumed.saturating_add(count.try_into().unwrap_or(u64::MAX));
        self.inner.consume(count);
    }
}
