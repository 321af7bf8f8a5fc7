//! Digesting what was read, and telling a sink of it.

use std::io;

use sha2::{Digest as _, Sha256};

use super::batch::{Batch, Told, Undigested};
use super::object::{Chunk, ObjectDigest};
use super::taker::Taker;
use super::walk::{Entry, Sink};
use crate::digest::Sha256Digest;

/// The digests of the object and of the content that comes, and who is told of the entries.
pub(super) struct Digesting<'s> {
    object: Sha256,
    size: u64,
    content: Sha256,
    sink: &'s mut dyn Sink,
}

impl<'s> Digesting<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink) -> Self {
        Self { object: Sha256::new(), size: 0, content: Sha256::new(), sink }
    }

    pub(super) fn object(&mut self, bytes: &[u8]) {
        self.object.update(bytes);
        self.size = self.size.saturating_add(bytes.len().try_into().unwrap_or(u64::MAX));
    }

    pub(super) fn told(&mut self, batch: &Batch) {
        for told in batch.told() {
            match told {
                Told::Begins { name, size } => self.sink.begins(name, size),
                Told::Content(bytes) => {
                    self.content.update(bytes);
                    self.sink.content(bytes);
                }
                Told::Entry(Undigested { name, kind, size, target, disguised }) => {
                    let digest = Sha256Digest::from_hasher(std::mem::take(&mut self.content));
                    self.sink.entry(Entry { name, kind, size, digest, target, disguised });
                }
            }
        }
    }

    /// The digest of the object, all of which came.
    pub(super) fn finish(self) -> ObjectDigest {
        ObjectDigest { digest: Sha256Digest::from_hasher(self.object), size: self.size }
    }
}

/// At once, on the thread that reads.
impl Taker for Digesting<'_> {
    fn object(&mut self, mut full: Chunk) -> io::Result<Chunk> {
        Digesting::object(self, full.bytes());
        full.clear();
        Ok(full)
    }

    fn told(&mut self, mut full: Batch) -> io::Result<Batch> {
        Digesting::told(self, &full);
        full.clear();
        Ok(full)
    }
}
