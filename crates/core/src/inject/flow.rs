//! Places in flow style, which is JSON's: between brackets. Where entries have lines of their
//! own, ours gets a line, too; else it goes into the line. Ours comes first in either case.
//!
//! What goes into an empty list or mapping has a space before and after it, by which it is
//! told later that the list was there before ([`was_there`]).

use super::edit::{Edit, Rank, Spot};
use super::item::Item;
use super::yaml::{Kind, Lines, NodeId, Tree};

/// A text in which flow style is written.
#[derive(Clone, Copy)]
pub(super) struct Flow<'t> {
    pub(super) text: &'t str,
    pub(super) tree: &'t Tree,
    pub(super) lines: &'t Lines<'t>,
    /// Whether the whole document is in flow style, as JSON is: then so is what we add.
    pub(super) json: bool,
}

impl<'t> Flow<'t> {
    /// A key before all others of a mapping.
    pub(super) fn set(
        self,
        mapping: NodeId,
        entries: &[(NodeId, NodeId)],
        key: &str,
        value: &Item,
    ) -> Option<Edit> {
        let sign = if self.json { "\"" } else { "" };
        let entry = format!("{sign}{key}{sign}: {}", value.flow(self.json));
        self.before(mapping, entries.first().map(|(key, _)| *key), &[entry])
    }

    /// Items before all others of a list.
    pub(super) fn extend(self, list: NodeId, items: &[NodeId], added: &[Item]) -> Option<Edit> {
        let texts: Vec<_> = added.iter().map(|item| item.flow(self.json)).collect();
        self.before(list, items.first().copied(), &texts)
    }

    /// Pieces before the first entry of a collection, which may have none.
    fn before(self, id: NodeId, first: Option<NodeId>, pieces: &[String]) -> Option<Edit> {
        let Some(first) = first else {
            let at = self.inside(id)?;
            let rest = self.text.get(at..)?;
            // Without a space before it, it would not be a comment any more.
            return (!rest.starts_with('#')).then(|| within(at, format!(" {} ", pieces.join(", "))));
        };
        if let Some((line, indent)) = self.first_line(id, first) {
            let lines = pieces.iter().map(|piece| format!("{indent}{piece},")).collect();
            return Some(Edit { place: Spot::Before(line), rank: Rank::Begin, lines });
        }
        let after = self.inside(id)?;
        let rest = self.text.get(after..self.tree.node(first)?.bytes.start)?;
        // Nothing but properties of the first entry may stand before it.
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let properties = rest.get(blank..)?;
        let plain = properties.is_empty() || properties.starts_with(['&', '!']);
        (plain && !properties.contains(['\n', '\r']))
            .then(|| within(after + blank, format!("{}, ", pieces.join(", "))))
    }

    /// The byte after the opening bracket.
    fn inside(self, id: NodeId) -> Option<usize> {
        let node = self.tree.node(id)?;
        let written = self.text.get(node.bytes.clone())?;
        written.starts_with(['[', '{']).then_some(node.bytes.start + 1)
    }

    /// The line of the first entry, if nothing else stands before it there, and what indents it.
    fn first_line(self, id: NodeId, first: NodeId) -> Option<(usize, &'t str)> {
        let start = self.tree.node(first)?.bytes.start;
        let (line, indent) = (self.lines.of(start), self.lines.before(start));
        let alone = indent.bytes().all(|b| matches!(b, b' ' | b'\t'));
        (alone && self.lines.of(self.tree.node(id)?.bytes.start) < line).then_some((line, indent))
    }

    /// Whether a collection whose entries are all ours was there, empty, before them.
    pub(super) fn was_there(self, id: NodeId) -> bool {
        let first = self.tree.node(id).and_then(|node| match &node.kind {
            Kind::Sequence { items, .. } => items.first().copied(),
            Kind::Mapping { entries, .. } => entries.first().map(|(key, _)| *key),
            _ => None,
        });
        let first = first.and_then(|first| self.tree.node(first)).map(|node| node.bytes.start);
        self.inside(id).zip(first).is_some_and(|(inside, first)| inside + 1 == first)
    }
}

fn within(at: usize, piece: String) -> Edit {
    Edit { place: Spot::Within(at), rank: Rank::Begin, lines: vec![piece] }
}
