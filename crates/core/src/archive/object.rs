//! The object as a stream of bytes, which are handed over to be digested.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};

use super::taker::Taker;
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

/// Bytes of the object: read, taken by whoever decodes them, and only then by whoever digests
/// them.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    /// As long as it ever gets.
    bytes: Vec<u8>,
    filled: usize,
    taken: usize,
}

impl Chunk {
    pub(super) fn new(size: usize) -> Self {
        Self { bytes: vec![0; size], filled: 0, taken: 0 }
    }

    /// How long it gets.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// What was read.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }

    pub(super) fn clear(&mut self) {
        (self.filled, self.taken) = (0, 0);
    }

    /// To be taken again.
    pub(super) fn rewind(&mut self) {
        self.taken = 0;
    }

    pub(super) fn take(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.filled);
    }

    /// What was read and not taken.
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..self.filled).unwrap_or_default()
    }

    /// Where more can be read into.
    fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }
}

/// A buffered reader that knows how many bytes were taken from it, hands all that it reads over
/// to be digested, and remembers an error of its source: decoders on top of it would pass that
/// off as an error of the archive.
pub(super) struct Object<'t, R> {
    source: R,
    chunk: Chunk,
    taker: &'t RefCell<dyn Taker + 't>,
    /// How many bytes came.
    size: u64,
    consumed: u64,
    failed: Option<io::Error>,
}

impl<'t, R: Read> Object<'t, R> {
    pub(super) fn new(source: R, chunk: Chunk, taker: &'t RefCell<dyn Taker + 't>) -> Self {
        Self { source, chunk, taker, size: 0, consumed: 0, failed: None }
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
        let after = self.size;
        self.failed.take().map(|source| ReadError { after, source })
    }

    /// What was not handed over.
    pub(super) fn rest(self) -> Chunk {
        self.chunk
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let full = std::mem::take(&mut self.chunk);
        self.chunk = self.taker.borrow_mut().object(full)?;
        Ok(())
    }

    /// Reads once, into the room that there is.
    fn fill(&mut self) -> io::Result<()> {
        if self.failed.is_some() {
            return Err(io::Error::other("the source failed before"));
        }
        let room = self.chunk.room();
        let count = loop {
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    return Err(io::Error::other("the source failed"));
                }
                Ok(count) => break count,
            }
        };
        if count > room.len() {
            return Err(io::Error::other("more was read than fits"));
        }
        self.chunk.filled += count;
        self.size = self.size.saturating_add(count.try_into().unwrap_or(u64::MAX));
        Ok(())
    }
}

impl<R: Read> Read for Object<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Object<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.chunk.rest().is_empty() {
            if self.chunk.room().is_empty() {
                self.hand_over()?;
            }
            self.fill()?;
        }
        Ok(self.chunk.rest())
    }

    fn consume(&mut self, count: usize) {
        self.consumed = self.consumed.saturating_add(count.try_into().unwrap_or(u64::MAX));
        self.chunk.take(count);
    }
}
