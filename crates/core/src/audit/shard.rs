//! Which part of a place one audit of several looks at.
//!
//! An artifact, its attestations and its manifest are in the same part, whatever else is there: the
//! name that all of theirs are made of decides, by its SHA-256. So parts are the same for everybody
//! who divides, and of about the same size, however names are chosen. What an outcome says of a node is
//! in the part of the outcome's own name; where that hangs on what another part has,
//! the parts say so to each other in their [reports](super::shard_report).

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::digest::Sha256Digest;

/// Parts of one audit.
pub const MOST_SHARDS: u32 = 1000;

/// One of so many parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: NonZeroU32,
    of: NonZeroU32,
}

/// Why a text names no part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidShard {
    /// It is no two numbers.
    #[error("not a part such as 3/8: two numbers and a / between them")]
    Form,
    /// There is no such part.
    #[error("there is no part {number} of {of}: the first is 1, and there are {MOST_SHARDS} at most")]
    None {
        /// Which one.
        number: u32,
        /// Of how many.
        of: u32,
    },
}

impl Shard {
    /// Which one it is, the first being 1.
    pub fn number(self) -> u32 {
        self.number.get()
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of.get()
    }

    /// Whether what has this name is in it.
    pub fn has(self, name: &[u8]) -> bool {
        let digest = Sha256Digest::of(name);
        let (first, _) = digest.as_bytes().as_chunks::<8>();
        let hash = first.first().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        hash % u64::from(self.of()) == u64::from(self.number() - 1)
    }
}

impl FromStr for Shard {
    type Err = InvalidShard;

    fn from_str(text: &str) -> Result<Self, InvalidShard> {
        let (number, of) = text.split_once('/').ok_or(InvalidShard::Form)?;
        let plain = |text: &str| -> Result<u32, InvalidShard> {
            let is_plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            if is_plain { text.parse().map_err(|_| InvalidShard::Form) } else { Err(InvalidShard::Form) }
        };
        let (number, of) = (plain(number)?, plain(of)?);
        let none = InvalidShard::None { number, of };
        match (NonZeroU32::new(number), NonZeroU32::new(of)) {
            (Some(first), Some(all)) if number <= of && of <= MOST_SHARDS => {
                Ok(Self { number: first, of: all })
            }
            _ => Err(none),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_part_that_there_is_is_one() {
        for good in ["1/1", "8/8", "1/1000"] {
            assert_eq!(good.parse::<Shard>().unwrap().to_string(), good);
        }
        for odd in ["", "1", "/", "1/", "/1", "+1/2", "1/2/3", " 1/2", "a/b", "9999999999/1", "1/-1"] {
            assert_eq!(odd.parse::<Shard>(), Err(InvalidShard::Form), "{odd}");
        }
        for none in ["0/1", "2/1", "1/0", "0/0", "1/1001"] {
            assert!(matches!(none.parse::<Shard>(), Err(InvalidShard::None { .. })), "{none}");
        }
    }

    /// Whoever divided before must find the same parts.
    #[test]
    fn parts_stay_what_they_are() {
        let part = |name: &str| {
            (1..=8_u32).find(|n| format!("{n}/8").parse::<Shard>().unwrap().has(name.as_bytes())).unwrap()
        };
        // SHA-256 of "" begins with e3b0c44298fc1c14, of "abc" with ba7816bf8f01cfea.
        assert_eq!((part(""), part("abc")), (0x14 % 8 + 1, 0xea % 8 + 1));
    }

    proptest! {
        #[test]
        fn each_name_is_in_one_part(name in proptest::collection::vec(any::<u8>(), 0..40), of in 1_u32..20) {
            let parts = (1..=of).map(|number| format!("{number}/{of}").parse::<Shard>().unwrap());
            prop_assert_eq!(parts.filter(|part| part.has(&name)).count(), 1);
        }
    }
}
