//! Many names, in the order of their bytes, in little memory: an object store may list a million.
//!
//! Names that lie beside each other begin alike. So they are kept in blocks of a few, and of each
//! name but the first of a block only what differs from the one before. With a name goes a note of
//! a few bytes, which may be empty.

mod gathering;

use std::fmt;
use std::ops::Range;

pub use gathering::Gathering;

/// Names of one block.
const BLOCK: usize = 16;

/// The names, each once.
#[derive(Clone, Default)]
pub struct Roll {
    /// All of [`BLOCK`] names, but for the last one.
    blocks: Vec<Box<[u8]>>,
    len: usize,
}

/// Where somebody is who reads one name after the other. It is of one roll.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Which name is next.
    at: usize,
    /// Where that one begins in its block.
    offset: usize,
    /// The last one that was read, and where its note is in its block.
    name: Vec<u8>,
    note: Range<usize>,
}

impl Roll {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether it is one of them.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.find(name).is_some()
    }

    /// Which of them it is.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        self.find(name).map(|place| place.at.saturating_sub(1))
    }

    /// What is noted of it.
    pub fn note(&self, name: &[u8]) -> Option<&[u8]> {
        let place = self.find(name)?;
        self.blocks.get(place.at.saturating_sub(1) / BLOCK)?.get(place.note)
    }

    /// Whether one begins so.
    pub fn begins(&self, with: &[u8]) -> bool {
        self.reached(with).is_some_and(|place| place.name.starts_with(with))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Box<[u8]>> + '_ {
        self.behind(Place::default())
    }

    /// All that begin so.
    pub fn beginning<'a>(&'a self, with: &'a [u8]) -> impl Iterator<Item = Box<[u8]>> + 'a {
        let reached = self.reached(with).filter(|place| place.name.starts_with(with));
        let first = reached.as_ref().map(|place| Box::<[u8]>::from(place.name.as_slice()));
        let rest = reached.into_iter().flat_map(|place| self.behind(place));
        first.into_iter().chain(rest.take_while(move |name| name.starts_with(with)))
    }

    /// All behind a place.
    fn behind(&self, mut place: Place) -> impl Iterator<Item = Box<[u8]>> + '_ {
        std::iter::from_fn(move || self.step(&mut place).then(|| place.name.as_slice().into()))
    }

    /// The name at a place, which goes on to the one behind it, and its note.
    pub fn next<'a>(&'a self, place: &'a mut Place) -> Option<(&'a [u8], &'a [u8])> {
        let block = place.at / BLOCK;
        if !self.step(place) {
            return None;
        }
        Some((&place.name, self.blocks.get(block)?.get(place.note.clone()).unwrap_or_default()))
    }

    /// Where the first name was read that is not before this one.
    fn reached(&self, name: &[u8]) -> Option<Place> {
        // The block that it would be in is the last whose first name is not behind it.
        let behind = self.blocks.partition_point(|block| first(block).is_some_and(|first| first <= name));
        let mut place = Place { at: behind.saturating_sub(1) * BLOCK, ..Place::default() };
        while self.step(&mut place) {
            if place.name.as_slice() >= name {
                return Some(place);
            }
        }
        None
    }

    fn find(&self, name: &[u8]) -> Option<Place> {
        self.reached(name).filter(|place| place.name == name)
    }

    /// Reads the next name; false if there is none.
    fn step(&self, place: &mut Place) -> bool {
        if place.at >= self.len {
            return false;
        }
        if place.at.is_multiple_of(BLOCK) {
            place.offset = 0;
            place.name.clear();
        }
        let Some(block) = self.blocks.get(place.at / BLOCK) else { return false };
        let mut left = block.get(place.offset..).unwrap_or_default();
        let Some((shared, rest, note)) = entry(&mut left) else { return false };
        place.name.truncate(shared);
        place.name.extend_from_slice(rest);
        place.offset = block.len().saturating_sub(left.len());
        place.note = place.offset.saturating_sub(note)..place.offset;
        place.at += 1;
        true
    }
}

impl<N: AsRef<[u8]>> FromIterator<N> for Roll {
    fn from_iter<I: IntoIterator<Item = N>>(names: I) -> Self {
        let mut all = Gathering::default();
        names.into_iter().for_each(|name| all.note(name.as_ref(), &[]));
        all.roll()
    }
}

impl PartialEq for Roll {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.iter().eq(other.iter())
    }
}

impl Eq for Roll {}

impl fmt::Debug for Roll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|name| String::from_utf8_lossy(&name).into_owned())).finish()
    }
}

/// The first name of a block.
fn first(block: &[u8]) -> Option<&[u8]> {
    let mut left = block;
    entry(&mut left).map(|(_, name, _)| name)
}

/// What an entry has in common with the name before it, what it has besides, and the length of its
/// note. What is left is what is behind it.
fn entry<'a>(left: &mut &'a [u8]) -> Option<(usize, &'a [u8], usize)> {
    let [shared, rest, note] = [number(left)?, number(left)?, number(left)?];
    let (name, behind) = left.split_at_checked(rest)?;
    *left = behind.get(note..)?;
    Some((shared, name, note))
}

/// A number as it is written: seven bits a byte, the lowest first, the highest bit if more follow.
fn number(left: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for shift in (0..usize::BITS).step_by(7) {
        let (byte, behind) = left.split_first()?;
        *left = behind;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn name() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![Just("a"), Just("b/"), Just("ab"), Just(".sigstore.json"), Just("\u{ff}")];
        let usual = proptest::collection::vec(part, 0..6).prop_map(|parts| parts.concat().into_bytes());
        prop_oneof![8 => usual, 1 => proptest::collection::vec(any::<u8>(), 0..400)]
    }

    proptest! {
        /// It holds what was put into it, in whatever order, and finds it as a map does.
        #[test]
        fn is_a_map_of_names(
            all in proptest::collection::vec((name(), proptest::collection::vec(any::<u8>(), 0..30)), 0..200),
            asked in proptest::collection::vec(name(), 0..20),
        ) {
            let (mut gathering, mut map) = (Gathering::default(), BTreeMap::new());
            for (name, note) in &all {
                gathering.note(name, note);
                map.entry(name.clone()).or_insert_with(Vec::new).push(note.clone());
            }
            let roll = gathering.roll();
            prop_assert_eq!(roll.len(), map.len());
            prop_assert_eq!(roll.is_empty(), map.is_empty());
            let names: Vec<_> = map.keys().cloned().map(Vec::into_boxed_slice).collect();
            prop_assert_eq!(&roll.iter().collect::<Vec<_>>(), &names);
            let mut place = Place::default();
            for name in &names {
                let (next, _) = roll.next(&mut place).unwrap();
                prop_assert_eq!(next, name.as_ref());
            }
            prop_assert!(roll.next(&mut place).is_none());
            for name in asked.iter().chain(map.keys()) {
                prop_assert_eq!(roll.contains(name), map.contains_key(name));
                let position = names.binary_search_by(|known| known.as_ref().cmp(name.as_slice())).ok();
                prop_assert_eq!(roll.position(name), position);
                // One of those that it was given.
                let note = roll.note(name).map(<[u8]>::to_vec);
                prop_assert_eq!(note.is_some(), map.contains_key(name));
                prop_assert!(note.is_none_or(|note| map.get(name).unwrap().contains(&note)));
                let beneath: Vec<_> =
                    names.iter().filter(|known| known.starts_with(name)).cloned().collect();
                prop_assert_eq!(roll.begins(name), !beneath.is_empty());
                prop_assert_eq!(roll.beginning(name).collect::<Vec<_>>(), beneath);
            }
        }
    }

    #[test]
    fn what_lies_beside_each_other_is_kept_once() {
        let at = |number: usize| format!("artifacts/a-workflow-of-many/steps/{number:06}/main.tgz");
        let roll: Roll = (0..10_000).map(at).collect();
        let bytes: usize = roll.blocks.iter().map(|block| block.len() + size_of::<Box<[u8]>>()).sum();
        assert!(bytes < 10_000 * 24, "{bytes}");
        // Neither does it matter in which order they come.
        let back: Roll = (0..10_000).rev().map(at).collect();
        assert_eq!(back, roll);
    }
}
