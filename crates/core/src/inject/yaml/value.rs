//! What YAML means: aliases followed, merge keys carried out, notation forgotten.
//!
//! Two texts that mean the same have equal values. Types of plain scalars are not told
//! apart: `1` stays the text that it is, but is not equal to `"1"` (as a key, it is).

use std::collections::BTreeSet;

use super::path::{Path, Place, is_merge};
use super::tree::{Kind, NodeId, Style, Tree};

/// A node's meaning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::inject) enum Value {
    Scalar {
        text: String,
        /// Written without quotes, and not certain to be a string.
        plain: bool,
        tag: Option<String>,
    },
    List(Vec<Self>),
    /// Sorted by key; equal keys stay beside each other.
    Map(Vec<(Self, Self)>),
}

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::inject) enum Meaningless {
    #[error("line {line}: the key \"{key}\" is there twice")]
    Twice { line: usize, key: String },
    #[error("line {line}: a merge key that merges no mapping")]
    Merge { line: usize },
    #[error("its aliases stand for more than {MOST} bytes")]
    TooLarge,
    #[error("line {line}: more than {DEEPEST} levels deep, aliases followed")]
    TooDeep { line: usize },
}

/// How many bytes a document may have once its aliases are followed, [`NODE`] more for
/// each node: more than an object that Kubernetes takes, and few enough to hold.
const MOST: usize = 16 << 20;

/// What a node takes beside its text.
const NODE: usize = 96;

/// How deep a document may be, its aliases followed: several times what any workflow is, and
/// no more than the stack of a thread holds.
const DEEPEST: usize = 200;

/// Works out values, within bounds.
pub(in crate::inject) struct Values<'t> {
    tree: &'t Tree,
    left: usize,
    depth: usize,
    /// Whether a key that is there twice is an error.
    strict: bool,
}

impl<'t> Values<'t> {
    /// For documents that are ours to change: a key must be there only once.
    pub(in crate::inject) fn strict(tree: &'t Tree) -> Self {
        Self { tree, left: MOST, depth: 0, strict: true }
    }

    /// For documents that are only looked at.
    pub(in crate::inject) fn lenient(tree: &'t Tree) -> Self {
        Self { tree, left: MOST, depth: 0, strict: false }
    }

    /// For documents that are only compared: what was added to one makes it larger.
    pub(in crate::inject) fn grown(tree: &'t Tree) -> Self {
        Self { tree, left: 2 * MOST, depth: 0, strict: false }
    }

    /// The same where a key must be there only once.
    pub(in crate::inject) fn once(self) -> Self {
        Self { strict: true, ..self }
    }

    /// The value of a node.
    pub(in crate::inject) fn of(&mut self, id: NodeId) -> Result<Value, Meaningless> {
        let tree = self.tree;
        let Some((_, node)) = tree.target(id) else { return Err(Meaningless::TooLarge) };
        let text = match &node.kind {
            Kind::Scalar { text, .. } => text.len(),
            _ => 0,
        };
        let tag = node.tag.as_deref().map_or(0, str::len);
        self.left = self.left.checked_sub(NODE + text + tag).ok_or(Meaningless::TooLarge)?;
        if self.depth == DEEPEST {
            return Err(Meaningless::TooDeep { line: node.line });
        }
        self.depth += 1;
        let value = match &node.kind {
            Kind::Scalar { text, style } => {
                let plain = *style == Style::Plain && !is_word(text);
                Value::Scalar { text: text.clone(), plain, tag: node.tag.as_deref().map(str::to_owned) }
            }
            Kind::Sequence { items, .. } => {
                Value::List(items.iter().map(|item| self.of(*item)).collect::<Result<_, _>>()?)
            }
            Kind::Mapping { entries, .. } => Value::Map(self.map(entries)?),
            // What an alias stands for is no alias.
            Kind::Alias(_) => return Err(Meaningless::TooLarge),
        };
        self.depth -= 1;
        Ok(value)
    }

    fn map(&mut self, entries: &[(NodeId, NodeId)]) -> Result<Vec<(Value, Value)>, Meaningless> {
        let (mut own, mut merged) = (Vec::with_capacity(entries.len()), Vec::new());
        for (key, value) in entries {
            let line = self.tree.node(*key).map_or(0, |node| node.line);
            if is_merge(self.tree, *key) {
                let value = self.of(*value)?;
                merge(value, &mut merged).ok_or(Meaningless::Merge { line })?;
                continue;
            }
            // JSON has keys of text only: `1` and "1" are one.
            let key = match self.of(*key)? {
                Value::Scalar { text, .. } => Value::key(&text),
                other => other,
            };
            own.push((key, self.of(*value)?, line));
        }
        own.sort_by(|a, b| a.0.cmp(&b.0));
        let twice = own.iter().zip(own.iter().skip(1)).find(|(a, b)| a.0 == b.0);
        if let Some((_, (key, _, line))) = twice.filter(|_| self.strict) {
            return Err(Meaningless::Twice { line: *line, key: key.text().unwrap_or_default().to_owned() });
        }
        let mut map: Vec<_> = own.into_iter().map(|(key, value, _)| (key, value)).collect();
        if !merged.is_empty() {
            let own: BTreeSet<Value> = map.iter().map(|(key, _)| key.clone()).collect();
            // The sort keeps the order of equal keys: the first that was merged stays.
            merged.retain(|(key, _)| !own.contains(key));
            merged.sort_by(|a, b| a.0.cmp(&b.0));
            merged.dedup_by(|a, b| a.0 == b.0);
            map.append(&mut merged);
            map.sort_by(|a, b| a.0.cmp(&b.0));
        }
        Ok(map)
    }
}

/// Whether a plain scalar is a string for every reader of YAML, of whichever version.
pub(in crate::inject) fn is_word(text: &str) -> bool {
    // What begins with a letter, a slash or two dashes is no number.
    let start = text.strip_prefix("--").unwrap_or(text);
    start.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
        && !is_boolean(text)
        && !text.eq_ignore_ascii_case("null")
}

/// What readers of YAML 1.1, Argo and kubectl among them, take for a boolean.
pub(in crate::inject) fn is_boolean(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off", "true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// What a merge key brings; of mappings in a list, the first that has a key.
fn merge(value: Value, into: &mut Vec<(Value, Value)>) -> Option<()> {
    match value {
        Value::Map(entries) => into.extend(entries),
        Value::List(items) => {
            for item in items {
                let Value::Map(entries) = item else { return None };
                into.extend(entries);
            }
        }
        Value::Scalar { .. } => return None,
    }
    Some(())
}

impl Value {
    /// The text of a scalar.
    pub(in crate::inject) fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// A key of text.
    fn key(text: &str) -> Self {
        Self::Scalar { text: text.to_owned(), plain: true, tag: None }
    }

    /// What a mapping has under a key.
    pub(in crate::inject) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What a mapping has; nothing of anything else.
    pub(in crate::inject) fn entries(&self) -> &[(Self, Self)] {
        match self {
            Self::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What is there under several keys, one in the other.
    pub(in crate::inject) fn find(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The text under several keys.
    pub(in crate::inject) fn text_at(&self, keys: &[&str]) -> Option<&str> {
        self.find(keys)?.text()
    }

    /// The items of the list under a key; none if there is no list.
    pub(in crate::inject) fn items(&self, key: &str) -> &[Self] {
        match self.get(key) {
            Some(Self::List(items)) => items,
            _ => &[],
        }
    }

    /// Whether this is nothing: `~`, `null` or no value at all.
    pub(in crate::inject) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar { text, plain: true, .. } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// The value at the end of a way, to be changed.
    pub(in crate::inject) fn at_mut(&mut self, path: &Path) -> Option<&mut Self> {
        path.places().iter().try_fold(self, |value, place| match (value, place) {
            (Self::Map(entries), Place::Key(key)) => {
                entries.iter_mut().find(|(k, _)| k.text() == Some(key)).map(|(_, value)| value)
            }
            (Self::List(items), Place::Index(index)) => items.get_mut(*index),
            _ => None,
        })
    }

    /// What a key without a value has, as the parser has it.
    pub(in crate::inject) fn nothing() -> Self {
        Self::Scalar { text: "~".into(), plain: true, tag: None }
    }

    /// Takes a key of text out of a mapping.
    pub(in crate::inject) fn unset(&mut self, key: &str) {
        if let Self::Map(entries) = self {
            entries.retain(|(k, _)| k.text() != Some(key));
        }
    }

    /// Whether two values are the same to whoever does not mind how words are quoted.
    pub(in crate::inject) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar { text: a, .. }, Self::Scalar { text: b, .. }) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is_like(b))
            }
            (Self::Map(a), Self::Map(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|(a, b)| a.0.text() == b.0.text() && a.1.is_like(&b.1))
            }
            _ => false,
        }
    }

    /// Sets what a mapping has under a key of text.
    pub(in crate::inject) fn set(&mut self, key: &str, value: Self) -> Option<()> {
        let Self::Map(entries) = self else { return None };
        entries.retain(|(k, _)| k.text() != Some(key));
        entries.push((Self::key(key), value));
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mask;
    use super::*;

    fn value(text: &str) -> Result<Value, Meaningless> {
        let tree = Tree::parse(text, &Mask::default()).unwrap();
        Values::strict(&tree).of(tree.documents()[0])
    }

    #[test]
    fn notation_does_not_matter() {
        let block = value("a: &x\n  - b # c\n  - 'd e'\n\"f\": *x\n").unwrap();
        assert_eq!(block, value("{\"f\": [\"b\", \"d e\"], \"a\": [\"b\", \"d e\"]}").unwrap());
        assert_ne!(value("a: 1").unwrap(), value("a: '1'").unwrap());
        assert_ne!(value("a: yes").unwrap(), value("a: 'yes'").unwrap());
        assert_eq!(value("1: a").unwrap(), value("'1': a").unwrap());
    }

    #[test]
    fn merge_keys_bring_what_is_not_there() {
        let merged = value("m: &m {a: x, b: x}\nn: &n {b: y, c: y}\no: {<<: [*m, *n], a: z}").unwrap();
        assert_eq!(merged.get("o"), value("{a: z, b: x, c: y}").ok().as_ref());
        // In quotes it is a key like any other.
        assert_eq!(value("'<<': {a: x}").unwrap().text_at(&["<<", "a"]), Some("x"));
        assert_eq!(value("a: {<<: x}").unwrap_err(), Meaningless::Merge { line: 1 });
    }

    #[test]
    fn keys_are_there_once() {
        let twice = Meaningless::Twice { line: 3, key: "a".into() };
        assert_eq!(value("a: 1\nb: 2\n'a': 3\n").unwrap_err(), twice);
    }
}
