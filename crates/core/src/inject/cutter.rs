//! Takes what is ours out of a text: the bytes that were put in, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::flow::Flow;
use super::item::Item;
use super::place::WAS_EMPTY;
use super::refusal::Refusal;
use super::traces::{Items, Trace};
use super::yaml::path::{entry, written};
use super::yaml::{Kind, Lines, Node, NodeId, Path, Tree, Value};

/// One thing that is taken out of a document's meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// Some of the items of a list; what is left may be nothing.
    Items { at: Path, key: &'static str, which: BTreeSet<usize> },
    /// All items of a list that was a key without a value.
    Emptied { at: Path, key: &'static str },
    /// A key.
    Key { at: Path, key: &'static str },
}

/// Takes traces out of one document.
pub(super) struct Cutter<'t> {
    text: &'t str,
    tree: &'t Tree,
    lines: &'t Lines<'t>,
    root: NodeId,
    /// Entries of collections that go.
    entries: BTreeMap<NodeId, BTreeSet<usize>>,
    /// Lines that go beside them, from 0.
    signs: BTreeSet<usize>,
    /// Lists that were looked through, and the lines of them that go.
    seen: BTreeMap<NodeId, Vec<usize>>,
    pub(super) taken: Vec<Taken>,
    /// Nodes that were cut from and which other places use too.
    pub(super) shared: Vec<NodeId>,
}

impl<'t> Cutter<'t> {
    pub(super) fn new(text: &'t str, tree: &'t Tree, lines: &'t Lines<'t>, root: NodeId) -> Self {
        let (entries, signs, seen) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { text, tree, lines, root, entries, signs, seen, taken: Vec::new(), shared: Vec::new() }
    }

    /// Takes one trace out.
    pub(super) fn take(&mut self, trace: &Trace) -> Result<(), Refusal> {
        let walk = trace.at.walk(self.tree, self.root);
        let shared: Vec<_> = walk.nodes.iter().copied().filter(|id| self.is_shared(*id)).collect();
        self.shared.extend(shared);
        let Some(mapping) = walk.end else { return Ok(()) };
        let (mut keys, mut emptied) = (Vec::new(), Vec::new());
        for Items { key, which, all } in &trace.lists {
            let list = entry(self.tree, mapping, key).and_then(|(_, list)| self.tree.target(list));
            let Some((list, node)) = list else { continue };
            self.shared.extend(self.is_shared(list).then_some(list));
            let signs = match self.seen.get(&list) {
                Some(signs) => signs.clone(),
                None if *all && !node.is_flow() => self.signs_in(mapping, key, node),
                None => Vec::new(),
            };
            self.seen.insert(list, signs.clone());
            let was_there = *all && node.is_flow() && self.flow().was_there(list);
            if *all && signs.is_empty() && !was_there {
                keys.push(*key);
                continue;
            }
            self.entries.entry(list).or_default().extend(which);
            let at = trace.at.clone();
            emptied.push(if signs.is_empty() {
                Taken::Items { at, key, which: which.clone() }
            } else {
                Taken::Emptied { at, key }
            });
            self.signs.extend(signs);
        }
        keys.extend((trace.patch && self.is_written_by_us(mapping)).then_some("podSpecPatch"));
        let was_there = self.tree.node(mapping).is_some_and(Node::is_flow) && self.flow().was_there(mapping);
        if trace.may_go == Some(keys.len()) && !was_there {
            return self.defaults(trace, mapping);
        }
        for key in keys {
            let Some((owner, at)) = written(self.tree, mapping, key) else { continue };
            self.entries.entry(owner).or_default().insert(at);
            self.taken.push(Taken::Key { at: trace.at.clone(), key });
        }
        self.taken.append(&mut emptied);
        Ok(())
    }

    /// The defaults as a whole.
    fn defaults(&mut self, trace: &Trace, mapping: NodeId) -> Result<(), Refusal> {
        const KEY: &str = "templateDefaults";
        let Some(at) = trace.at.parent() else { return Ok(()) };
        let spec = at.walk(self.tree, self.root).end;
        let Some((owner, index)) = spec.and_then(|spec| written(self.tree, spec, KEY)) else {
            return Err(self.layout(mapping));
        };
        self.entries.entry(owner).or_default().insert(index);
        self.taken.push(Taken::Key { at, key: KEY });
        Ok(())
    }

    /// The pieces of the text that go, in order and apart from one another.
    pub(super) fn pieces(&self) -> Result<Vec<Range<usize>>, Refusal> {
        let mut pieces: Vec<_> =
            self.signs.iter().map(|line| self.lines.start(*line)..self.lines.start(line + 1)).collect();
        for (id, which) in &self.entries {
            let Some(node) = self.tree.node(*id) else { continue };
            let entries: Vec<Range<usize>> = match &node.kind {
                Kind::Sequence { items, .. } => items.iter().map(|item| self.bytes(*item, *item)).collect(),
                Kind::Mapping { entries, .. } => {
                    entries.iter().map(|(key, value)| self.bytes(*key, *value)).collect()
                }
                _ => continue,
            };
            for run in runs(which) {
                if node.is_flow() {
                    pieces.push(self.flow_run(*id, &entries, &run)?);
                } else {
                    self.block_run(*id, &entries, &run, &mut pieces)?;
                }
            }
        }
        Ok(pieces)
    }

    /// Some entries of flow style, with what parts them from their neighbours.
    fn flow_run(
        &self,
        id: NodeId,
        entries: &[Range<usize>],
        run: &Range<usize>,
    ) -> Result<Range<usize>, Refusal> {
        let unusual = || self.layout(id);
        let (first, last) = entries.get(run.start).zip(entries.get(run.end - 1)).ok_or_else(unusual)?;
        let rest = self.text.get(last.end..).unwrap_or_default();
        let blank = |text: &str| text.len() - text.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if run.end < entries.len() {
            let comma = blank(rest);
            let after = rest.get(comma..).and_then(|rest| rest.strip_prefix(',')).ok_or_else(unusual)?;
            return Ok(first.start..last.end + comma + 1 + blank(after));
        }
        if let Some(before) = run.start.checked_sub(1).and_then(|at| entries.get(at)) {
            return Ok(before.end..last.end);
        }
        // A space before, and one after.
        let start = first.start - usize::from(self.text.get(..first.start).is_some_and(|t| t.ends_with(' ')));
        Ok(start..last.end + usize::from(rest.starts_with(' ')))
    }

    /// Some entries of block style: whole lines, or up to the next entry where the first of
    /// them stands on the dash of an item.
    fn block_run(
        &self,
        id: NodeId,
        entries: &[Range<usize>],
        run: &Range<usize>,
        pieces: &mut Vec<Range<usize>>,
    ) -> Result<(), Refusal> {
        let of = entries.get(run.clone()).unwrap_or_default();
        let is_list = matches!(self.tree.node(id).map(|node| &node.kind), Some(Kind::Sequence { .. }));
        for (at, bytes) in of.iter().enumerate() {
            let before = self.lines.before(bytes.start).trim_start_matches(' ');
            let own_lines = if is_list { is_dash(before) } else { before.is_empty() };
            if own_lines {
                let last = self.lines.of(bytes.end.saturating_sub(1).max(bytes.start));
                let first = self.lines.of(bytes.start);
                pieces.push(self.lines.start(first)..self.lines.start(last + 1));
                continue;
            }
            // Its line begins with something else, which the next entry then stands behind.
            let next = entries.get(run.start + at + 1).ok_or_else(|| self.layout(id))?;
            let between = self.text.get(bytes.end..next.start).unwrap_or_default();
            if is_list || !is_dash(before) || !between.trim().is_empty() || of.len() > 1 {
                return Err(self.layout(id));
            }
            pieces.push(bytes.start..next.start);
        }
        Ok(())
    }

    /// From where an entry begins to where it ends.
    fn bytes(&self, first: NodeId, last: NodeId) -> Range<usize> {
        let of = |id| self.tree.node(id).map_or(0..0, |node| node.bytes.clone());
        let (first, last) = (of(first), of(last));
        first.start..last.end.max(first.end)
    }

    /// The lines that say that the list of a key was empty before ours came.
    fn signs_in(&self, mapping: NodeId, key: &str, list: &Node) -> Vec<usize> {
        let key = entry(self.tree, mapping, key).and_then(|(key, _)| self.tree.node(key));
        let Some(key) = key else { return Vec::new() };
        let end = self.lines.of(list.bytes.end.saturating_sub(1));
        (self.lines.of(key.bytes.start) + 1..end)
            .filter(|line| self.tree.comment(line + 1).is_some() && self.lines.get(*line).trim() == WAS_EMPTY)
            .collect()
    }

    /// Whether a `podSpecPatch` is written as we write it.
    fn is_written_by_us(&self, mapping: NodeId) -> bool {
        let value = entry(self.tree, mapping, "podSpecPatch").and_then(|(_, value)| self.tree.node(value));
        value.is_some_and(|node| match &node.kind {
            Kind::Scalar { text, .. } => {
                self.text.get(node.bytes.clone()) == Some(&Item::text(text.as_str()).flow(true))
            }
            _ => false,
        })
    }

    fn is_shared(&self, id: NodeId) -> bool {
        self.tree.node(id).is_some_and(|node| node.aliased)
    }

    fn flow(&self) -> Flow<'_> {
        Flow { text: self.text, tree: self.tree, lines: self.lines, json: false }
    }

    fn layout(&self, id: NodeId) -> Refusal {
        let line = self.tree.node(id).map_or(0, |node| node.line);
        Refusal::Entangled { line }
    }
}

/// Whether what stands before an item is its dash alone, and its properties.
fn is_dash(before: &str) -> bool {
    before
        .strip_prefix("- ")
        .is_some_and(|rest| rest.split(' ').all(|word| word.is_empty() || word.starts_with(['&', '!'])))
}

/// Numbers that follow on one another.
fn runs(which: &BTreeSet<usize>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in which {
        match runs.last_mut() {
            Some(run) if run.end == *at => run.end += 1,
            _ => runs.push(*at..at + 1),
        }
    }
    runs
}

/// Pieces of a whole text in order, none touching another. Where the last reaches the end of a
/// text whose last line has no end, the line before gets none either.
pub(super) fn in_order(text: &str, mut pieces: Vec<Range<usize>>) -> Vec<Range<usize>> {
    pieces.sort_by_key(|piece| (piece.start, piece.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for piece in pieces {
        match apart.last_mut() {
            Some(known) if piece.start <= known.end => known.end = known.end.max(piece.end),
            _ => apart.push(piece),
        }
    }
    if let Some(last) =
        apart.last_mut().filter(|last| last.end == text.len() && !text.ends_with(['\n', '\r']))
    {
        let before = text.get(..last.start).unwrap_or_default();
        let kept = before.strip_suffix('\n').unwrap_or(before);
        last.start = kept.strip_suffix('\r').unwrap_or(kept).len();
    }
    apart
}

/// Takes things out of a document's meaning. `None` if they are not there.
pub(super) fn without(before: Value, taken: &[Taken]) -> Option<Value> {
    let mut value = before;
    for one in taken {
        match one {
            Taken::Key { at, key } => {
                let mapping = value.at_mut(at)?;
                mapping.get(key)?;
                mapping.unset(key);
            }
            Taken::Emptied { at, key } => value.at_mut(at)?.set(key, Value::nothing())?,
            Taken::Items { at, key, which } => {
                let mapping = value.at_mut(at)?;
                let items = mapping.items(key).iter().enumerate();
                let left = items.filter(|(at, _)| !which.contains(at)).map(|(_, item)| item.clone());
                let left = Value::List(left.collect());
                mapping.set(key, left)?;
            }
        }
    }
    Some(value)
}
