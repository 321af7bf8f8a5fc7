//! Places in flow style, which is JSON's: between brackets, where each entry has lines of
//! its own. What is on one line cannot be added to by adding lines.

use super::item::Item;
use super::place::{Edit, Rank};
use super::yaml::{Lines, NodeId, Tree};

/// A key before all others of a mapping.
pub(super) fn set(
    tree: &Tree,
    lines: &Lines<'_>,
    mapping: NodeId,
    entries: &[(NodeId, NodeId)],
    key: &str,
    value: &Item,
) -> Option<Edit> {
    let (line, indent) = first_line(tree, lines, mapping, entries.first()?.0)?;
    let text = format!("{indent}\"{key}\": {},", value.flow(true));
    Some(Edit { before: line, rank: Rank::Begin, lines: vec![text] })
}

/// Items before all others of a list.
pub(super) fn extend(
    tree: &Tree,
    lines: &Lines<'_>,
    list: NodeId,
    items: &[NodeId],
    added: &[Item],
) -> Option<Edit> {
    let (line, indent) = first_line(tree, lines, list, *items.first()?)?;
    let texts = added.iter().map(|item| format!("{indent}{},", item.flow(true)));
    Some(Edit { before: line, rank: Rank::Begin, lines: texts.collect() })
}

/// The line of the first entry, if nothing else stands before it there, and what indents it.
fn first_line<'t>(tree: &Tree, lines: &Lines<'t>, id: NodeId, first: NodeId) -> Option<(usize, &'t str)> {
    let start = tree.node(first)?.bytes.start;
    let (line, indent) = (lines.of(start), lines.before(start));
    let alone = indent.bytes().all(|b| matches!(b, b' ' | b'\t'));
    (alone && lines.of(tree.node(id)?.bytes.start) < line).then_some((line, indent))
}
