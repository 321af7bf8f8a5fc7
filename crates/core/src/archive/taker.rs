//! Who takes what a walk reads.

use std::cell::RefCell;
use std::io;

use super::batch::{Batch, Undigested};
use super::object::Chunk;

/// Takes what was read, and gives back what can be filled again: no allocation is made for it
/// each time. An error means that nobody hears of it any more.
pub(super) trait Taker {
    /// Bytes of the object itself, in their order.
    fn object(&mut self, full: Chunk) -> io::Result<Chunk>;

    /// Contents, and what is told of them, in their order. How the object's bytes come in
    /// between says nothing.
    fn told(&mut self, full: Batch) -> io::Result<Batch>;

    /// The last of both.
    fn last(&mut self, object: Chunk, told: Batch) -> io::Result<()> {
        self.object(object)?;
        self.told(told).map(drop)
    }
}

/// The reading end: what is read is told here, and handed over a batch at a time.
pub(super) struct Telling<'t> {
    batch: Batch,
    taker: &'t RefCell<dyn Taker + 't>,
}

impl<'t> Telling<'t> {
    pub(super) fn new(batch: Batch, taker: &'t RefCell<dyn Taker + 't>) -> Self {
        Self { batch, taker }
    }

    /// An entry's content comes. Much of it goes together, however it is read: a sink may tell by
    /// how it begins what it is.
    pub(super) fn begins(&mut self, name: &[u8], size: u64) -> io::Result<()> {
        if self.batch.is_full() || !self.batch.fits(size) {
            self.hand_over()?;
        }
        self.batch.begins(name, size);
        Ok(())
    }

    /// Where content is read into, never empty.
    pub(super) fn room(&mut self) -> io::Result<&mut [u8]> {
        if self.batch.room().is_empty() {
            self.hand_over()?;
        }
        Ok(self.batch.room())
    }

    /// So much of the room is content now.
    pub(super) fn content(&mut self, count: usize) {
        self.batch.content(count);
    }

    /// All of an entry was read.
    pub(super) fn entry(&mut self, entry: Undigested<'_>) -> io::Result<()> {
        if self.batch.is_full() {
            self.hand_over()?;
        }
        self.batch.entry(entry);
        Ok(())
    }

    /// What was not handed over.
    pub(super) fn rest(self) -> Batch {
        self.batch
    }

    fn hand_over(&mut self) -> io::Result<()> {
        let full = std::mem::take(&mut self.batch);
        self.batch = self.taker.borrow_mut().told(full)?;
        Ok(())
    }
}
