//! Takes out what was put in.

use std::collections::BTreeSet;
use std::ops::Range;

use super::change::Change;
use super::cutter::{Cutter, in_order, without};
use super::refusal::Refusal;
use super::yaml::mask::is_chart;
use super::yaml::value::Meaningless;
use super::yaml::{Lines, Path, Tree, Value, Values};
use super::{check_size, document, edit, line_of, proof, read, traces, workflow};

/// A file without what was put into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The whole text.
    pub text: String,
    /// The templates that had something.
    pub changes: Vec<Change>,
    /// How many workflows the file has, of whatever kind.
    pub workflows: usize,
    /// The templates among those that were named that are there.
    pub named: BTreeSet<String>,
}

/// A removal, and where in the text what is gone has been.
pub(super) struct Removal {
    pub(super) removed: Removed,
    pieces: Vec<Range<usize>>,
}

impl Removal {
    /// Says of a line, from 1, of what is left on which it was in `text`, the one that was read.
    pub(super) fn lines_before(&self, text: &str) -> impl Fn(usize) -> usize {
        let (before, after) = (Lines::new(text), Lines::new(&self.removed.text));
        move |line| {
            let mut at = after.start(line.saturating_sub(1));
            for piece in &self.pieces {
                if piece.start <= at {
                    at += piece.len();
                }
            }
            before.of(at) + 1
        }
    }
}

/// Removes from a text what is ours, of the templates of these names or, if there are none, of all.
pub(super) fn remove(text: &str, only: &[String]) -> Result<Removal, Refusal> {
    check_size(text)?;
    let (tree, masked) = read(text, is_chart(text), Tree::grown)?;
    let lines = Lines::new(text);
    let unreadable = |e: Meaningless| Refusal::Unreadable { what: e.to_string() };
    let (mut pieces, mut expected, mut shared) = (Vec::new(), Vec::new(), Vec::new());
    let (mut changes, mut workflows, mut named) = (Vec::new(), 0, BTreeSet::new());
    for root in tree.documents() {
        let mut value = Values::grown(&tree).of(*root).map_err(unreadable)?;
        let line = |path: &Path| line_of(&tree, path, *root);
        let mut found = objects(&value, &line)?;
        found.retain(|object| workflow::spec(object).is_some());
        if found.is_empty() {
            expected.push(Some(value));
            continue;
        }
        drop(found);
        value = Values::grown(&tree).once().of(*root).map_err(unreadable)?;
        let mut cutter = Cutter::new(text, &tree, &lines, *root);
        for spec in objects(&value, &line)?.iter().filter_map(workflow::spec) {
            workflows += 1;
            named.extend(spec.named(only));
            let (traces, mut these) = traces::traces(&spec, only, &line)?;
            changes.append(&mut these);
            for trace in &traces {
                cutter.take(trace)?;
            }
        }
        pieces.append(&mut cutter.pieces()?);
        shared.append(&mut cutter.shared);
        expected.push(without(value, &cutter.taken));
    }
    let pieces = in_order(text, pieces);
    let left = edit::cut(text, &pieces);
    let shared = shared.first().and_then(|id| tree.node(*id));
    let shared = shared.map(|node| (node.line, node.anchor.as_deref().unwrap_or_default().to_owned()));
    let first = pieces.first().map_or(0, |piece| lines.of(piece.start) + 1);
    let aliases = tree.has_aliases();
    drop((tree, lines));
    if !pieces.is_empty() {
        proof::prove(&left, masked, shared.as_ref(), expected).map_err(|refusal| match refusal {
            // A key that is gone may let another through, which a merge key brings.
            Refusal::Unproven { .. } if aliases => Refusal::Entangled { line: first },
            refusal => refusal,
        })?;
    }
    Ok(Removal { removed: Removed { text: left, changes, workflows, named }, pieces })
}

fn objects<'v>(
    document: &'v Value,
    line: &dyn Fn(&Path) -> usize,
) -> Result<Vec<document::Object<'v>>, Refusal> {
    document::objects(document).map_err(|(path, why)| Refusal::Ambiguous { line: line(&path), why })
}
