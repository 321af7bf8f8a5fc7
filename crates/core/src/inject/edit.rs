//! Changes of a text that leave all its other bytes as they are: pieces put in, and pieces
//! cut out.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use super::yaml::Lines;

/// A piece to put in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Edit {
    pub(super) place: Spot,
    /// Among those for the same place: what ends a list is further right than, and comes
    /// before, what begins the next entry.
    pub(super) rank: Rank,
    /// Lines, without their ends; within a line, one piece of it.
    pub(super) lines: Vec<String>,
}

/// Where a piece goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    /// Before a line, counted from 0, or after the last.
    Before(usize),
    /// Within a line, before a byte of the text.
    Within(usize),
}

/// An order of edits for the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Rank {
    /// At the end of a collection; the deepest comes first.
    End { indent: Reverse<usize> },
    /// Before an entry.
    Begin,
}

/// A text with pieces in it.
pub(super) struct Grown {
    pub(super) text: String,
    /// Where in it what is new stands.
    new: Vec<Range<usize>>,
}

impl Grown {
    /// The text without what is new.
    pub(super) fn before(&self) -> String {
        cut(&self.text, &self.new)
    }
}

/// Puts pieces into a text.
pub(super) fn put(lines: &Lines<'_>, text: &str, mut edits: Vec<Edit>) -> Grown {
    let start = |edit: &Edit| match edit.place {
        Spot::Before(line) => lines.start(line),
        Spot::Within(byte) => byte,
    };
    // Of those for the same place, the first stays the first.
    edits.sort_by_key(|edit| (start(edit), edit.rank));
    // Places that share lines, by an alias or a merge key, ask for the same more than once.
    let mut seen = HashSet::new();
    edits.retain(|edit| seen.insert(edit.clone()));
    let mut grown = Grown { text: String::with_capacity(text.len() + edits.len() * 2048), new: Vec::new() };
    let mut at = 0;
    for edit in edits {
        let start = start(&edit);
        grown.text.push_str(text.get(at..start).unwrap_or_default());
        at = start;
        let from = grown.text.len();
        let (before, after) = match edit.place {
            Spot::Within(_) => ("", ""),
            // After a last line without an end, ours gets none either.
            Spot::Before(line) if from > 0 && !grown.text.ends_with(['\n', '\r']) => (lines.ending(line), ""),
            Spot::Before(line) => ("", lines.ending(line)),
        };
        for line in edit.lines {
            grown.text.extend([before, &line, after]);
        }
        grown.new.push(from..grown.text.len());
    }
    grown.text.push_str(text.get(at..).unwrap_or_default());
    grown
}

/// A text without some of its pieces, which are in order and apart from one another.
pub(super) fn cut(text: &str, pieces: &[Range<usize>]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for piece in pieces {
        left.push_str(text.get(at..piece.start).unwrap_or_default());
        at = piece.end;
    }
    left.push_str(text.get(at..).unwrap_or_default());
    left
}
