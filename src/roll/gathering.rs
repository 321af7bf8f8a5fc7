//! A roll while names are added to it.

use super::{BLOCK, Place, Roll};

/// Names that did not come in order, and are sorted together.
const LOOSE: usize = 4096;

/// A name with its note.
type Noted = (Box<[u8]>, Box<[u8]>);

/// Names as they come. Those that come in order, as most listings have them, are written at once; of
/// the others some are sorted together, and what came of that is put together as it grows.
#[derive(Debug, Default)]
pub struct Gathering {
    written: Writing,
    /// Each name with its note.
    loose: Vec<Noted>,
    /// Each at least twice as long as the one behind it.
    parts: Vec<Roll>,
}

impl Gathering {
    /// Adds a name; if it is there already, with whichever of the notes.
    pub fn note(&mut self, name: &[u8], note: &[u8]) {
        if self.written.is_last(name) {
            return;
        }
        if self.written.is_next(name) {
            self.written.push(name, note);
            return;
        }
        self.loose.push((name.into(), note.into()));
        if self.loose.len() >= LOOSE {
            self.sort();
        }
    }

    /// Writes what is loose.
    fn sort(&mut self) {
        let mut loose = std::mem::take(&mut self.loose);
        loose.sort();
        loose.dedup_by(|(one, _), (other, _)| one == other);
        let mut written = Writing::default();
        for (name, note) in &loose {
            written.push(name, note);
        }
        self.add(written.roll());
    }

    /// Adds all names of a roll.
    pub fn add(&mut self, part: Roll) {
        self.parts.push(part);
        while let [.., before, last] = self.parts.as_slice()
            && before.len() < last.len().saturating_mul(2)
        {
            self.put_together();
        }
    }

    /// All of them.
    pub fn roll(mut self) -> Roll {
        self.sort();
        let written = std::mem::take(&mut self.written).roll();
        self.parts.push(written);
        while self.parts.len() > 1 {
            self.put_together();
        }
        self.parts.pop().unwrap_or_default()
    }

    /// Makes one of the last two parts.
    fn put_together(&mut self) {
        let Some((last, before)) = self.parts.pop().zip(self.parts.pop()) else { return };
        self.parts.push(if before.is_empty() {
            last
        } else if last.is_empty() {
            before
        } else {
            together(&before, &last)
        });
    }
}

/// All names of both.
fn together(one: &Roll, other: &Roll) -> Roll {
    let (mut written, mut places) = (Writing::default(), [Place::default(), Place::default()]);
    let [of_one, of_other] = &mut places;
    let (mut left, mut right) = (one.next(of_one).is_some(), other.next(of_other).is_some());
    while left || right {
        let takes_left = left && (!right || of_one.name <= of_other.name);
        let takes_right = right && (!left || of_other.name <= of_one.name);
        let (roll, place) = if takes_left { (one, &*of_one) } else { (other, &*of_other) };
        written.push(&place.name, roll.note_at(place));
        if takes_left {
            left = one.next(of_one).is_some();
        }
        if takes_right {
            right = other.next(of_other).is_some();
        }
    }
    written.roll()
}

impl Roll {
    /// The note of the name that was read last.
    fn note_at(&self, place: &Place) -> &[u8] {
        let block = self.blocks.get(place.at.saturating_sub(1) / BLOCK);
        block.and_then(|block| block.get(place.note.clone())).unwrap_or_default()
    }
}

/// A roll of names that come in order.
#[derive(Debug, Default)]
struct Writing {
    roll: Roll,
    /// The block that is not full yet.
    block: Vec<u8>,
    last: Vec<u8>,
}

impl Writing {
    fn is_next(&self, name: &[u8]) -> bool {
        self.roll.len == 0 || self.last.as_slice() < name
    }

    fn is_last(&self, name: &[u8]) -> bool {
        self.roll.len > 0 && self.last == name
    }

    fn push(&mut self, name: &[u8], note: &[u8]) {
        if self.roll.len.is_multiple_of(BLOCK) {
            self.close();
        }
        let shared = self.last.iter().zip(name).take_while(|(one, other)| one == other).count();
        let (_, rest) = name.split_at(shared);
        for length in [shared, rest.len(), note.len()] {
            number(length, &mut self.block);
        }
        self.block.extend_from_slice(rest);
        self.block.extend_from_slice(note);
        self.last.clear();
        self.last.extend_from_slice(name);
        self.roll.len += 1;
    }

    /// Ends a block: the next one begins with a whole name.
    fn close(&mut self) {
        if !self.block.is_empty() {
            self.roll.blocks.push(self.block.as_slice().into());
            self.block.clear();
        }
        self.last.clear();
    }

    fn roll(mut self) -> Roll {
        self.close();
        self.roll
    }
}

/// Writes a number as it is read.
fn number(mut value: usize, to: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            to.push(low & 0x7f);
            return;
        }
        to.push(low | 0x80);
    }
}
