//! Contents that were read, and what is told of them, on the way to who digests them.

use super::walk::EntryKind;

/// Bytes of names and targets after which a batch is full.
const TEXT: usize = 64 * 1024;

/// How much goes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Bytes of the object.
    pub(super) object: usize,
    /// Bytes of contents.
    pub(super) content: usize,
    /// What is told of them.
    pub(super) told: usize,
}

impl Sizes {
    /// Few enough bytes that they are still in the processor's cache when they are digested, and
    /// so many that handing them over costs nothing beside that.
    pub(super) const USUAL: Self = Self { object: 128 * 1024, content: 128 * 1024, told: 512 };
}

/// An entry whose content was read, and is not digested yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Undigested<'a> {
    pub(super) name: &'a [u8],
    pub(super) kind: EntryKind,
    pub(super) size: u64,
    /// What a link holds; of anything else, nothing that means anything.
    pub(super) target: &'a [u8],
    /// An attribute that makes an unpacker treat it as something else.
    pub(super) disguised: bool,
}

/// What is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told<'a> {
    /// An entry's content comes, if it has any; of a tar only.
    Begins { name: &'a [u8], size: u64 },
    /// Some of that content.
    Content(&'a [u8]),
    /// All of the entry was read.
    Entry(Undigested<'a>),
}

/// The same, with lengths for what lies one after the other.
#[derive(Debug, Clone, Copy)]
enum Said {
    Begins { name: usize, size: u64 },
    Content(usize),
    Entry { name: usize, kind: EntryKind, size: u64, target: usize, disguised: bool },
}

/// Contents, one after the other, and what is told of them. Used again and again: what was
/// allocated for one batch serves the next.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// As long as it ever gets.
    content: Vec<u8>,
    /// How much of that is content.
    filled: usize,
    /// Names and targets.
    text: Vec<u8>,
    said: Vec<Said>,
    sizes: Sizes,
}

impl Batch {
    pub(super) fn new(sizes: Sizes) -> Self {
        Self { content: vec![0; sizes.content], sizes, ..Self::default() }
    }

    /// How large it gets.
    pub(super) fn sizes(&self) -> Sizes {
        self.sizes
    }

    pub(super) fn clear(&mut self) {
        self.filled = 0;
        self.text.clear();
        self.said.clear();
    }

    /// Where content goes.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.content.get_mut(self.filled..).unwrap_or_default()
    }

    /// Whether all of so much content goes together here, or at least half a batch of it.
    pub(super) fn fits(&self, size: u64) -> bool {
        let together = usize::try_from(size).unwrap_or(usize::MAX).min(self.content.len() / 2);
        together <= self.content.len().saturating_sub(self.filled)
    }

    /// Whether nothing more is to be said.
    pub(super) fn is_full(&self) -> bool {
        self.said.len() >= self.sizes.told || self.text.len() >= TEXT
    }

    pub(super) fn begins(&mut self, name: &[u8], size: u64) {
        self.text.extend_from_slice(name);
        self.said.push(Said::Begins { name: name.len(), size });
    }

    /// So much of the room is content now.
    pub(super) fn content(&mut self, count: usize) {
        self.filled = self.filled.saturating_add(count);
        match self.said.last_mut() {
            Some(Said::Content(before)) => *before = before.saturating_add(count),
            _ if count == 0 => {}
            _ => self.said.push(Said::Content(count)),
        }
    }

    pub(super) fn entry(&mut self, entry: Undigested<'_>) {
        let Undigested { name, kind, size, target, disguised } = entry;
        self.text.extend_from_slice(name);
        self.text.extend_from_slice(target);
        self.said.push(Said::Entry { name: name.len(), kind, size, target: target.len(), disguised });
    }

    /// All that is told, in the order in which it was read.
    pub(super) fn told(&self) -> impl Iterator<Item = Told<'_>> {
        let (mut text, mut content) = (self.text.as_slice(), self.content.as_slice());
        self.said.iter().map(move |said| match *said {
            Said::Begins { name, size } => Told::Begins { name: next(&mut text, name), size },
            Said::Content(count) => Told::Content(next(&mut content, count)),
            Said::Entry { name, kind, size, target, disguised } => Told::Entry(Undigested {
                name: next(&mut text, name),
                kind,
                size,
                target: next(&mut text, target),
                disguised,
            }),
        })
    }
}

/// The next so many bytes.
fn next<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    bytes.split_off(..count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(batch: &Batch) -> Vec<String> {
        batch
            .told()
            .map(|told| match told {
                Told::Begins { name, size } => format!("{} {size}", name.escape_ascii()),
                Told::Content(bytes) => bytes.escape_ascii().to_string(),
                Told::Entry(Undigested { name, target, .. }) => {
                    format!("{} -> {}", name.escape_ascii(), target.escape_ascii())
                }
            })
            .collect()
    }

    fn put(batch: &mut Batch, bytes: &[u8]) {
        batch.room()[..bytes.len()].copy_from_slice(bytes);
        batch.content(bytes.len());
    }

    #[test]
    fn tells_what_was_said_in_its_order_and_nothing_of_the_batch_before() {
        let mut batch = Batch::new(Sizes { object: 0, content: 8, told: 7 });
        let entry =
            |name, target| Undigested { name, kind: EntryKind::File, size: 0, target, disguised: false };
        batch.begins(b"a", 3);
        put(&mut batch, b"xy");
        put(&mut batch, b"z");
        batch.entry(entry(b"a", b""));
        batch.begins(b"bc", 0);
        batch.entry(entry(b"bc", b"to"));
        batch.begins(b"d", 9);
        assert!(!batch.is_full());
        put(&mut batch, b"12345");
        assert!(batch.room().is_empty() && batch.is_full());
        assert_eq!(told(&batch), ["a 3", "xyz", "a -> ", "bc 0", "bc -> to", "d 9", "12345"]);
        batch.clear();
        assert_eq!(told(&batch), [""; 0]);
        put(&mut batch, b"6789");
        batch.entry(entry(b"d", b""));
        assert_eq!(told(&batch), ["6789", "d -> "]);
    }

    #[test]
    fn long_names_fill_it_too() {
        let mut batch = Batch::new(Sizes::USUAL);
        batch.begins(&vec![b'n'; TEXT], 0);
        assert!(batch.is_full());
    }
}
