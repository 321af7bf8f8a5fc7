//! Digesting what was read, and telling a sink of it.

use std::io;

use super::batch::{Batch, Told, Undigested};
use super::message::Message;
use super::object::{Chunk, ObjectDigest};
use super::taker::Taker;
use super::walk::{Entry, Sink};

/// The digests of the object and of the content that comes, and who is told of the entries.
pub(super) struct Digesting<'s> {
    object: Message,
    size: u64,
    /// What comes next of the object: it is digested beside the next content.
    waiting: Option<Chunk>,
    content: Message,
    sink: &'s mut dyn Sink,
}

impl<'s> Digesting<'s> {
    pub(super) fn new(sink: &'s mut dyn Sink) -> Self {
        let (object, content) = (Message::default(), Message::default());
        Self { object, size: 0, waiting: None, content, sink }
    }

    /// Keeps bytes of the object until there is content to go with. What was kept before is
    /// given back, digested.
    pub(super) fn object(&mut self, mut chunk: Chunk) -> Option<Chunk> {
        self.size = self.size.saturating_add(chunk.bytes().len().try_into().unwrap_or(u64::MAX));
        chunk.rewind();
        let mut before = self.waiting.replace(chunk)?;
        self.object.update(before.rest());
        before.clear();
        Some(before)
    }

    pub(super) fn told(&mut self, batch: &Batch) {
        for told in batch.told() {
            match told {
                Told::Begins { name, size } => self.sink.begins(name, size),
                Told::Content(bytes) => {
                    self.content(bytes);
                    self.sink.content(bytes);
                }
                Told::Entry(Undigested { name, kind, size, target, disguised }) => {
                    let digest = std::mem::take(&mut self.content).finish();
                    self.sink.entry(Entry { name, kind, size, digest, target, disguised });
                }
            }
        }
    }

    fn content(&mut self, bytes: &[u8]) {
        let mut both = 0;
        if let Some(chunk) = &mut self.waiting {
            both = Message::update_both((&mut self.content, bytes), (&mut self.object, chunk.rest()));
            chunk.take(both);
        }
        self.content.update(bytes.get(both..).unwrap_or_default());
    }

    /// The digest of the object, all of which came.
    pub(super) fn finish(mut self) -> ObjectDigest {
        self.object.update(self.waiting.as_ref().map_or(&[], Chunk::rest));
        ObjectDigest { digest: self.object.finish(), size: self.size }
    }
}

/// At once, on the thread that reads.
impl Taker for Digesting<'_> {
    fn object(&mut self, full: Chunk) -> io::Result<Chunk> {
        let size = full.size();
        Ok(Digesting::object(self, full).unwrap_or_else(|| Chunk::new(size)))
    }

    fn told(&mut self, mut full: Batch) -> io::Result<Batch> {
        Digesting::told(self, &full);
        full.clear();
        Ok(full)
    }
}
