//! Ways to a node: from a document's root, by keys and indices.

use std::fmt;

use super::tree::{Kind, NodeId, Style, Tree};

/// One step of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::inject) enum Place {
    Key(String),
    Index(usize),
}

/// A way to a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::inject) struct Path(Vec<Place>);

impl Path {
    pub(in crate::inject) fn key(&self, key: &str) -> Self {
        self.then(Place::Key(key.to_owned()))
    }

    pub(in crate::inject) fn index(&self, index: usize) -> Self {
        self.then(Place::Index(index))
    }

    fn then(&self, place: Place) -> Self {
        Self(self.0.iter().cloned().chain([place]).collect())
    }

    /// The way without its last step.
    pub(in crate::inject) fn parent(&self) -> Option<Self> {
        self.0.split_last().map(|(_, before)| Self(before.to_vec()))
    }

    pub(in crate::inject) fn places(&self) -> &[Place] {
        &self.0
    }

    /// The nodes on the way, the root and the end among them: each as it is met, so an alias
    /// where there is one, followed by what it stands for. As far as there is a way.
    pub(in crate::inject) fn walk(&self, tree: &Tree, root: NodeId) -> Walk {
        let mut nodes = vec![root];
        let mut at = tree.target(root).map(|(id, _)| id);
        nodes.extend(at);
        for place in &self.0 {
            at = at.and_then(|id| match place {
                Place::Key(key) => entry(tree, id, key).map(|(_, value)| value),
                Place::Index(index) => match &tree.target(id)?.1.kind {
                    Kind::Sequence { items, .. } => items.get(*index).copied(),
                    _ => None,
                },
            });
            nodes.extend(at);
            at = at.and_then(|id| Some(tree.target(id)?.0));
            nodes.extend(at);
        }
        Walk { end: at, nodes }
    }
}

/// Where a way led.
#[derive(Debug)]
pub(in crate::inject) struct Walk {
    /// The node at its end, no alias.
    pub(in crate::inject) end: Option<NodeId>,
    /// All nodes that it passed.
    pub(in crate::inject) nodes: Vec<NodeId>,
}

/// A key of a mapping and its value: its own or, failing that, one that a merge key brings.
pub(in crate::inject) fn entry(tree: &Tree, mapping: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
    let (owner, at) = written(tree, mapping, key)?;
    match &tree.node(owner)?.kind {
        Kind::Mapping { entries, .. } => entries.get(at).copied(),
        _ => None,
    }
}

/// The mapping that a key is written in, the same or one that a merge key brings, and the
/// number of its entry there.
pub(in crate::inject) fn written(tree: &Tree, mapping: NodeId, key: &str) -> Option<(NodeId, usize)> {
    // Merge keys may bring mappings that have merge keys. None leads into itself, but
    // each may lead to many others.
    let mut ahead = vec![mapping];
    let mut left = MOST_MERGED;
    for _ in 0..MOST_MERGES {
        let (id, node) = tree.target(ahead.pop()?)?;
        let Kind::Mapping { entries, .. } = &node.kind else { continue };
        left = left.checked_sub(entries.len())?;
        if let Some(at) = entries.iter().position(|(k, _)| tree.scalar(*k) == Some(key)) {
            return Some((id, at));
        }
        for (_, merged) in entries.iter().filter(|(k, _)| is_merge(tree, *k)) {
            match &tree.target(*merged)?.1.kind {
                Kind::Sequence { items, .. } => ahead.extend(items.iter().rev()),
                _ => ahead.push(*merged),
            }
        }
    }
    None
}

/// How many merged mappings are searched for one key.
const MOST_MERGES: usize = 1000;
/// How many of their entries.
const MOST_MERGED: usize = 200_000;

/// Whether a key is the merge key `<<`.
pub(in crate::inject) fn is_merge(tree: &Tree, key: NodeId) -> bool {
    tree.node(key).is_some_and(|node| {
        matches!(&node.kind, Kind::Scalar { text, style: Style::Plain } if text == "<<")
            && node.tag.as_deref().is_none_or(|tag| tag == "!!merge")
    })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, place) in self.0.iter().enumerate() {
            match place {
                Place::Key(key) if at == 0 => write!(f, "{key}")?,
                Place::Key(key) => write!(f, ".{key}")?,
                Place::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
