//! A YAML text as nodes that know where in the text they stand.
//!
//! Made from the events of a YAML 1.2 parser. Aliases stay aliases, comments are kept by
//! their lines; nothing is resolved here ([`super::value`] does that), nothing is changed.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};

use super::mask::Mask;

/// A node's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::inject) struct NodeId(usize);

/// A node and where it stands.
#[derive(Debug)]
pub(in crate::inject) struct Node {
    pub(in crate::inject) kind: Kind,
    /// Bytes from its first token to the end of its last; empty for a value that is not there.
    pub(in crate::inject) bytes: Range<usize>,
    /// Line of its first token, from 1.
    pub(in crate::inject) line: usize,
    pub(in crate::inject) tag: Option<Box<str>>,
    /// The name of its anchor.
    pub(in crate::inject) anchor: Option<Box<str>>,
    /// Whether an alias refers to it.
    pub(in crate::inject) aliased: bool,
}

#[derive(Debug)]
pub(in crate::inject) enum Kind {
    Scalar { text: String, style: Style },
    Sequence { items: Vec<NodeId>, flow: bool },
    Mapping { entries: Vec<(NodeId, NodeId)>, flow: bool },
    Alias(NodeId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inject) enum Style {
    Plain,
    Quoted,
    Block,
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::inject) enum Unreadable {
    #[error("line {line}, column {column}: {what}")]
    Yaml { line: usize, column: usize, what: String },
    #[error("line {line}: an alias inside what it stands for")]
    Cycle { line: usize },
    #[error("line {line}: more than {most} nodes (keys, values, lists and mappings)")]
    TooMany { line: usize, most: usize },
    #[error("line {line}: more than {DEEPEST} levels deep")]
    TooDeep { line: usize },
}

/// Nodes of a file: twice those of the largest object that Kubernetes takes.
const MOST: usize = 100_000;

/// Nodes of a file with what was added to it.
const MOST_GROWN: usize = 2 * MOST;

/// Levels of a file, as of what its aliases stand for.
const DEEPEST: usize = 200;

/// All documents of a text.
#[derive(Debug, Default)]
pub(in crate::inject) struct Tree {
    nodes: Vec<Node>,
    documents: Vec<NodeId>,
    /// Lines, from 1, that hold nothing but a comment, and the column of its `#`.
    comments: BTreeMap<usize, usize>,
    /// The block scalar that the text ends in, if no line's end follows.
    unended: Option<NodeId>,
}

impl Tree {
    /// Reads a text. What `mask` covers is read as if it were one word.
    pub(in crate::inject) fn parse(text: &str, mask: &Mask) -> Result<Self, Unreadable> {
        Self::of_at_most(MOST, text, mask)
    }

    /// The same for a text that was read before, and has grown since.
    pub(in crate::inject) fn grown(text: &str, mask: &Mask) -> Result<Self, Unreadable> {
        Self::of_at_most(MOST_GROWN, text, mask)
    }

    fn of_at_most(most: usize, text: &str, mask: &Mask) -> Result<Self, Unreadable> {
        // As libyaml has it, and so all that Argo and kubectl read with.
        let options = granit_parser::options! {
            emit_anchor_events: true,
            block_scalar_eof_without_line_feed: true
        };
        let masked = mask.apply(text);
        let mut building = Building::default();
        for event in Parser::new_from_str_with_options(&masked, options) {
            let (event, span) = event.map_err(|e| Unreadable::Yaml {
                line: e.marker().line(),
                column: e.marker().col() + 1,
                what: e.info(),
            })?;
            let line = span.start.line();
            building.take(event, &span, text, mask)?;
            if building.tree.nodes.len() > most {
                return Err(Unreadable::TooMany { line, most });
            }
            if building.open.len() > DEEPEST {
                return Err(Unreadable::TooDeep { line });
            }
        }
        Ok(building.tree)
    }

    pub(in crate::inject) fn documents(&self) -> &[NodeId] {
        &self.documents
    }

    /// A node; `None` only for a number of another tree.
    pub(in crate::inject) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0)
    }

    /// Whether anything stands for something else.
    pub(in crate::inject) fn has_aliases(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.kind, Kind::Alias(_)))
    }

    /// What a node is or, as an alias, stands for.
    pub(in crate::inject) fn target(&self, id: NodeId) -> Option<(NodeId, &Node)> {
        match self.node(id)? {
            Node { kind: Kind::Alias(target), .. } => Some((*target, self.node(*target)?)),
            node => Some((id, node)),
        }
    }

    /// The text of a scalar, or of the one that it is an alias of.
    pub(in crate::inject) fn scalar(&self, id: NodeId) -> Option<&str> {
        match &self.target(id)?.1.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The block scalar that the text ends in, if its last line has no end.
    pub(in crate::inject) fn unended(&self) -> Option<NodeId> {
        self.unended
    }

    /// The column, from 0, of the comment that is all there is on a line.
    pub(in crate::inject) fn comment(&self, line: usize) -> Option<usize> {
        self.comments.get(&line).copied()
    }
}

/// A collection that has not ended: its node, its children so far.
type Open = (NodeId, Vec<NodeId>);

#[derive(Default)]
struct Building {
    tree: Tree,
    open: Vec<Open>,
    anchors: BTreeMap<usize, NodeId>,
    last: Option<NodeId>,
}

impl Building {
    fn take(&mut self, event: Event<'_>, span: &Span, text: &str, mask: &Mask) -> Result<(), Unreadable> {
        let bytes = span.byte_range().unwrap_or_default();
        let line = span.start.line();
        let flow = |style| style == StructureStyle::Flow;
        match event {
            Event::Scalar(read, style, anchor, tag) => {
                // What is masked is text that we changed: its own is what it says.
                let bytes = if style_is_block(style) { trimmed(bytes, &read, text) } else { bytes };
                let said = if mask.touches(&bytes) { text.get(bytes.clone()) } else { None };
                let kind = Kind::Scalar {
                    text: said.map_or_else(|| read.into_owned(), str::to_owned),
                    style: match style {
                        ScalarStyle::Plain => Style::Plain,
                        _ if style_is_block(style) => Style::Block,
                        _ => Style::Quoted,
                    },
                };
                let unended = style_is_block(style) && span.end.byte_offset() == Some(text.len());
                let id = self.node(kind, bytes, line, tag.map(|tag| tag.original()), anchor);
                if unended && !text.ends_with(['\n', '\r']) {
                    self.tree.unended = Some(id);
                }
                self.add(id);
            }
            Event::SequenceStart(style, anchor, tag) => {
                let kind = Kind::Sequence { items: Vec::new(), flow: flow(style) };
                self.start(kind, bytes, line, tag.map(|tag| tag.original()), anchor);
            }
            Event::MappingStart(style, anchor, tag) => {
                let kind = Kind::Mapping { entries: Vec::new(), flow: flow(style) };
                self.start(kind, bytes, line, tag.map(|tag| tag.original()), anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(bytes.end),
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).copied();
                let inside = self.open.iter().any(|(id, _)| Some(*id) == target);
                let Some(target) = target.filter(|_| !inside) else {
                    return Err(Unreadable::Cycle { line });
                };
                if let Some(node) = self.tree.nodes.get_mut(target.0) {
                    node.aliased = true;
                }
                let id = self.node(Kind::Alias(target), bytes, line, None, 0);
                self.add(id);
            }
            Event::Anchor(_, name) => {
                if let Some(node) = self.last.and_then(|id| self.tree.nodes.get_mut(id.0)) {
                    node.anchor = Some(name.as_ref().into());
                }
            }
            Event::Comment(..) => {
                let alone = text
                    .get(..bytes.start)
                    .and_then(|before| before.rsplit(['\n', '\r']).next())
                    .is_some_and(|before| before.chars().all(|c| matches!(c, ' ' | '\t' | '\u{feff}')));
                if alone {
                    self.tree.comments.insert(line, span.start.col());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn node(
        &mut self,
        kind: Kind,
        bytes: Range<usize>,
        line: usize,
        tag: Option<String>,
        anchor: usize,
    ) -> NodeId {
        let id = NodeId(self.tree.nodes.len());
        self.tree.nodes.push(Node {
            kind,
            bytes,
            line,
            tag: tag.map(Into::into),
            anchor: None,
            aliased: false,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        self.last = Some(id);
        id
    }

    fn start(&mut self, kind: Kind, bytes: Range<usize>, line: usize, tag: Option<String>, anchor: usize) {
        let id = self.node(kind, bytes, line, tag, anchor);
        self.open.push((id, Vec::new()));
    }

    fn end(&mut self, end: usize) {
        let Some((id, children)) = self.open.pop() else { return };
        // A block collection has no token of its own at its end, which is reported where the
        // next one begins.
        let last =
            children.iter().filter_map(|child| self.tree.node(*child)).map(|node| node.bytes.end).max();
        if let Some(node) = self.tree.nodes.get_mut(id.0) {
            let (is_flow, empty) = (node.is_flow(), node.bytes.start);
            node.bytes.end = if is_flow { end } else { last.unwrap_or(empty) };
            match &mut node.kind {
                Kind::Sequence { items, .. } => *items = children,
                Kind::Mapping { entries, .. } => {
                    let keys = children.iter().copied().step_by(2);
                    *entries = keys.zip(children.iter().copied().skip(1).step_by(2)).collect();
                }
                _ => {}
            }
        }
        self.add(id);
    }

    fn add(&mut self, id: NodeId) {
        match self.open.last_mut() {
            Some((_, children)) => children.push(id),
            None => self.tree.documents.push(id),
        }
    }
}

fn style_is_block(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
}

/// A block scalar without the empty lines after it, unless they are part of what it says.
fn trimmed(bytes: Range<usize>, read: &str, text: &str) -> Range<usize> {
    let last = read.strip_suffix('\n').unwrap_or(read);
    let raw = text.get(bytes.clone()).unwrap_or_default();
    let kept = if last.is_empty() || last.ends_with(char::is_whitespace) {
        // The parser may count the indentation of what follows.
        let lines = raw.trim_end_matches([' ', '\t']);
        if lines.ends_with(['\n', '\r']) { lines } else { raw }
    } else {
        raw.trim_end()
    };
    bytes.start..bytes.start + kept.len()
}

impl Node {
    /// Whether it is a collection written with brackets.
    pub(in crate::inject) fn is_flow(&self) -> bool {
        matches!(self.kind, Kind::Sequence { flow: true, .. } | Kind::Mapping { flow: true, .. })
    }
}
