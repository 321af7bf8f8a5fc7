//! Finds, for each addition, a place between two lines where it means what it should.
//!
//! Nothing that is there is touched: an addition is whole lines, put before an existing one
//! or after the last, or a piece between the brackets of flow style. [`super::proof`] then
//! shows that they mean what was planned.

use std::cmp::Reverse;

use super::edit::{Edit, Rank, Spot};
use super::flow::Flow;
use super::item::Item;
use super::plan::Addition;
use super::refusal::Refusal;
use super::yaml::path::entry;
use super::yaml::{Kind, Lines, Node, NodeId, Path, Tree};

/// Places additions in one document.
pub(super) struct Placer<'t> {
    pub(super) text: &'t str,
    pub(super) tree: &'t Tree,
    pub(super) lines: &'t Lines<'t>,
    pub(super) root: NodeId,
    /// How far the items of a list stand right of their key.
    pub(super) offset: usize,
    pub(super) edits: Vec<Edit>,
    /// Nodes whose lines were added to and which other places use too.
    pub(super) shared: Vec<NodeId>,
}

/// Above our items in a list that was a key without a value: by it, the key is told from one
/// that we wrote.
pub(super) const WAS_EMPTY: &str = "# argo-attest: there was nothing in this list";

/// Before which of a mapping's keys ours go, if it has them.
const NEIGHBOURS: [&str; 4] = ["templates", "container", "script", "containerSet"];

impl Placer<'_> {
    /// Places one addition. In flow style all items go to the front of a list; the addition
    /// is changed to say so.
    pub(super) fn place(&mut self, addition: &mut Addition) -> Result<(), Refusal> {
        let (at, key) = match addition {
            Addition::Extend { at, key, .. } | Addition::Set { at, key, .. } => (at.clone(), *key),
        };
        let walk = at.walk(self.tree, self.root);
        let shared: Vec<_> = walk.nodes.iter().copied().filter(|id| self.is_shared(*id)).collect();
        self.shared.extend(shared);
        let mapping = walk.end.ok_or_else(|| self.layout(self.root, &at.to_string(), "not there"))?;
        match addition {
            Addition::Set { value, .. } => match entry(self.tree, mapping, key) {
                Some((key_node, _)) => {
                    Err(self.layout(key_node, &at.key(key).to_string(), "there, and empty"))
                }
                None => self.set(mapping, &at, key, value),
            },
            Addition::Extend { front, back, .. } => {
                let Some((key_node, list)) = entry(self.tree, mapping, key) else {
                    let items = front.iter().chain(back.iter()).cloned().collect();
                    return self.set(mapping, &at, key, &Item::List(items));
                };
                if let Some((list, node)) = self.tree.target(list) {
                    let shared = self.is_shared(list).then_some(list);
                    self.shared.extend(shared);
                    if node.is_flow() {
                        front.append(back);
                    }
                }
                self.extend(key_node, list, &at.key(key), front, back)
            }
        }
    }

    fn is_shared(&self, id: NodeId) -> bool {
        self.tree.node(id).is_some_and(|node| node.aliased)
    }

    /// Adds a key to a mapping.
    fn set(&mut self, mapping: NodeId, at: &Path, key: &str, value: &Item) -> Result<(), Refusal> {
        let entries = match self.tree.node(mapping).map(|node| &node.kind) {
            Some(Kind::Mapping { entries, flow: false }) => entries,
            Some(Kind::Mapping { entries, flow: true }) => {
                let edit = self.flow().set(mapping, entries, key, value);
                let edit =
                    edit.ok_or_else(|| self.layout(mapping, &at.to_string(), "written in flow style"))?;
                if entries.is_empty() {
                    self.fill(edit);
                } else {
                    self.edits.push(edit);
                }
                return Ok(());
            }
            _ => return Err(self.layout(mapping, &at.to_string(), "no mapping")),
        };
        let own_line = |id: &NodeId| {
            let start = self.tree.node(*id)?.bytes.start;
            let indent = self.lines.before(start);
            indent.bytes().all(|b| b == b' ').then_some((self.lines.of(start), indent.len()))
        };
        let named = |id: &NodeId| self.tree.scalar(*id).is_some_and(|key| NEIGHBOURS.contains(&key));
        let keys = entries.iter().map(|(key, _)| key);
        let neighbour = keys.clone().filter(|key| named(key)).find_map(own_line);
        let neighbour = neighbour.or_else(|| keys.clone().skip(1).find_map(own_line));
        let neighbour = neighbour.or_else(|| keys.clone().find_map(own_line));
        let (before, indent, rank) = if let Some((line, indent)) = neighbour {
            (self.above_comments(line, indent), indent, Rank::Begin)
        } else {
            let first = entries.first().and_then(|(key, _)| self.tree.node(*key));
            let first = first.ok_or_else(|| self.layout(mapping, &at.to_string(), "empty"))?;
            let indent = self.lines.before(first.bytes.start).chars().count();
            self.check_end(mapping, at)?;
            (self.after(mapping, indent), indent, Rank::End { indent: Reverse(indent) })
        };
        let lines = value.under(key, self.offset);
        self.edits.push(Edit { place: Spot::Before(before), rank, lines: indented(&lines, indent) });
        Ok(())
    }

    /// Puts an entry into an empty mapping, which may be getting another already.
    fn fill(&mut self, edit: Edit) {
        let Some(known) = self.edits.iter_mut().find(|known| known.place == edit.place) else {
            self.edits.push(edit);
            return;
        };
        for (known, piece) in known.lines.iter_mut().zip(&edit.lines) {
            // Another way to the same mapping asks for the same.
            if !known.contains(piece.trim()) {
                *known = format!("{},{piece}", known.trim_end());
            }
        }
    }

    fn flow(&self) -> Flow<'_> {
        let json = self.tree.node(self.root).is_some_and(Node::is_flow);
        Flow { text: self.text, tree: self.tree, lines: self.lines, json }
    }

    /// Adds items to a list that is there.
    fn extend(
        &mut self,
        key: NodeId,
        list: NodeId,
        at: &Path,
        front: &[Item],
        back: &[Item],
    ) -> Result<(), Refusal> {
        let refuse = |how| Err(self.layout(key, &at.to_string(), how));
        let Some((list, node)) = self.tree.target(list) else { return refuse("no list") };
        match &node.kind {
            Kind::Scalar { .. } if node.bytes.is_empty() && node.tag.is_none() && node.anchor.is_none() => {
                let Some(start) = self.tree.node(key).map(|key| key.bytes.start) else {
                    return refuse("no list");
                };
                let before = self.lines.before(start);
                if !before.bytes().all(|b| matches!(b, b' ' | b'-')) {
                    return refuse("empty");
                }
                let indent = before.len() + self.offset;
                let line = self.lines.of(start) + 1;
                let rank = Rank::End { indent: Reverse(indent) };
                let sign = vec![format!("{:indent$}{WAS_EMPTY}", "")];
                self.edits.push(Edit { place: Spot::Before(line), rank, lines: sign });
                self.items(line, indent, rank, front);
                self.items(line, indent, rank, back);
            }
            Kind::Scalar { .. } | Kind::Alias(_) => return refuse("no list"),
            Kind::Mapping { .. } => return refuse("a mapping"),
            Kind::Sequence { items, flow: true } => {
                let edit = self.flow().extend(list, items, front);
                let Some(edit) = edit else { return refuse("written in flow style") };
                self.edits.push(edit);
            }
            Kind::Sequence { items, flow: false } => {
                let Some(first) = items.first().and_then(|id| self.tree.node(*id)) else {
                    return refuse("empty");
                };
                let before = self.lines.before(first.bytes.start);
                let indent = before.len() - before.trim_start_matches(' ').len();
                let dash = before.get(indent..).unwrap_or_default();
                // Between the dash and the item there may be its anchor and its tag.
                let properties = dash
                    .strip_prefix("- ")
                    .map(|rest| rest.split(' ').all(|word| word.is_empty() || word.starts_with(['&', '!'])));
                if properties != Some(true) {
                    return refuse("laid out in an unusual way");
                }
                let line = self.above_comments(self.lines.of(first.bytes.start), indent);
                self.items(line, indent, Rank::Begin, front);
                if !back.is_empty() {
                    self.check_end(list, at)?;
                    let line = self.after(list, indent + 1);
                    self.items(line, indent, Rank::End { indent: Reverse(indent) }, back);
                }
            }
        }
        Ok(())
    }

    fn items(&mut self, before: usize, indent: usize, rank: Rank, items: &[Item]) {
        for item in items {
            let lines = item.dashed(self.offset);
            self.edits.push(Edit { place: Spot::Before(before), rank, lines: indented(&lines, indent) });
        }
    }

    /// A comment right above a line, and as far right, belongs to it.
    fn above_comments(&self, line: usize, indent: usize) -> usize {
        (0..line)
            .rev()
            .take_while(|above| self.tree.comment(above + 1) == Some(indent))
            .last()
            .unwrap_or(line)
    }

    /// The line after a node's last; comments that stand at least as far right as `indent`
    /// belong to it.
    fn after(&self, id: NodeId, indent: usize) -> usize {
        let Some(node) = self.tree.node(id) else { return 0 };
        let mut line = self.lines.of(node.bytes.end.saturating_sub(1).max(node.bytes.start)) + 1;
        while self.tree.comment(line + 1).is_some_and(|column| column >= indent) {
            line += 1;
        }
        line
    }

    /// A block scalar that the text ends in, without a line's end, would get one.
    fn check_end(&self, id: NodeId, at: &Path) -> Result<(), Refusal> {
        let end = |id| self.tree.node(id).map(|node| node.bytes.end);
        let block = self.tree.unended().is_some_and(|scalar| end(scalar) == end(id));
        if block {
            return Err(self.layout(
                id,
                &at.to_string(),
                "at the end of a block scalar without a last line's end",
            ));
        }
        Ok(())
    }

    fn layout(&self, id: NodeId, what: &str, how: &'static str) -> Refusal {
        let line = self.tree.node(id).map_or(0, |node| node.line);
        Refusal::Layout { line, what: what.to_owned(), how }
    }
}

fn indented(lines: &[String], indent: usize) -> Vec<String> {
    lines.iter().map(|line| format!("{:indent$}{line}", "")).collect()
}
