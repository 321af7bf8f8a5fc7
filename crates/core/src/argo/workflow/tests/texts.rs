//! Where the strings of a JSON text stand.

use std::ops::Range;

/// A container that a string is in, from the outside inwards.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Within {
    /// A member of an object.
    Member(String),
    /// An item of a list.
    Item,
}

/// A string that is a value.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) within: Vec<Within>,
    /// Its bytes in the text, without the quotes; or those of the tags in it.
    pub(super) range: Range<usize>,
}

impl Spot {
    /// The names on the way to it.
    pub(super) fn place(&self) -> String {
        let names = self.within.iter().filter_map(|within| match within {
            Within::Member(name) => Some(format!("/{name}")),
            Within::Item => None,
        });
        names.collect()
    }
}

/// The strings of a text that is valid JSON.
pub(super) fn spots(text: &str) -> Vec<Spot> {
    let mut spots = Vec::new();
    let mut within: Vec<Within> = Vec::new();
    let bytes = text.as_bytes();
    let (mut at, mut is_name) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => {
                within.push(Within::Member(String::new()));
                is_name = true;
            }
            b'[' => {
                within.push(Within::Item);
                is_name = false;
            }
            b'}' | b']' => {
                within.pop();
                is_name = false;
            }
            b',' => is_name = matches!(within.last(), Some(Within::Member(_))),
            b'"' => {
                let start = at + 1;
                at = start;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if is_name {
                    *within.last_mut().unwrap() = Within::Member(text[start..at].to_owned());
                    is_name = false;
                } else {
                    spots.push(Spot { within: within.clone(), range: start..at });
                }
            }
            _ => {}
        }
        at += 1;
    }
    spots
}
