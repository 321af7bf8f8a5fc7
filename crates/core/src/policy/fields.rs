//! Reading a policy's fields one by one, so that none is passed over: a field that is
//! there says something, or it is an error that names it.

use super::document::InvalidPolicy;
use super::yaml::{Node, Value};
use crate::secret::shown;
use crate::text::brief;

/// Bytes of one text; a path may have 4096.
const MAX_TEXT: usize = 4096;

/// A value with its name in the file, such as `expect.workflow.name` or `keys[0].file`.
#[derive(Debug)]
pub(super) struct Field {
    path: String,
    node: Node,
}

/// The fields of one object, each of which has to be asked for.
#[derive(Debug)]
pub(super) struct Fields {
    path: String,
    line: usize,
    rest: Vec<(String, Node)>,
}

impl Field {
    /// The whole file.
    pub(super) fn document(node: Node) -> Self {
        Self { path: String::new(), node }
    }

    /// What is wrong with it.
    pub(super) fn wrong(&self, what: impl Into<String>) -> InvalidPolicy {
        wrong(&self.path, self.node.line, what)
    }

    /// Whether fields of its own are in it.
    pub(super) fn is_object(&self) -> bool {
        matches!(self.node.value, Value::Map(_))
    }

    /// Text that is not empty.
    pub(super) fn text(self) -> Result<String, InvalidPolicy> {
        let is_empty = matches!(&self.node.value, Value::Text(text) if text.trim().is_empty());
        match self.node.value {
            Value::Text(_) if is_empty => Err(wrong(&self.path, self.node.line, EMPTY)),
            Value::Text(text) if text.len() > MAX_TEXT => {
                Err(wrong(&self.path, self.node.line, format!("is longer than {MAX_TEXT} bytes")))
            }
            Value::Text(text) => Ok(text),
            Value::Nothing => Err(wrong(&self.path, self.node.line, EMPTY)),
            Value::List(_) | Value::Map(_) => Err(wrong(&self.path, self.node.line, "is not text")),
        }
    }

    /// Text that `parse` takes; `what` says what that is.
    pub(super) fn parsed<T>(
        self,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, InvalidPolicy> {
        let (path, line) = (self.path.clone(), self.node.line);
        let text = self.text()?;
        parse(&text).ok_or_else(|| wrong(&path, line, format!("is {:?}, not {what}", told(&text, 200))))
    }

    /// A list that is not empty, item by item.
    pub(super) fn list(self) -> Result<Vec<Self>, InvalidPolicy> {
        match self.node.value {
            Value::List(items) if !items.is_empty() => {
                let item = |(n, node)| Self { path: format!("{}[{n}]", self.path), node };
                Ok(items.into_iter().enumerate().map(item).collect())
            }
            Value::List(_) | Value::Nothing => Err(wrong(&self.path, self.node.line, EMPTY)),
            Value::Text(text) if text.trim().is_empty() => Err(wrong(&self.path, self.node.line, EMPTY)),
            Value::Text(_) | Value::Map(_) => Err(wrong(&self.path, self.node.line, "is not a list")),
        }
    }

    /// A list of different things: of two that are the same, `same` tells.
    pub(super) fn distinct<T>(
        self,
        read: impl Fn(Self) -> Result<T, InvalidPolicy>,
        same: impl Fn(&T, &T) -> bool,
    ) -> Result<Vec<T>, InvalidPolicy> {
        let mut all: Vec<T> = Vec::new();
        for item in self.list()? {
            let (path, line) = (item.path.clone(), item.node.line);
            let value = read(item)?;
            if all.iter().any(|earlier| same(earlier, &value)) {
                return Err(wrong(&path, line, "is there twice"));
            }
            all.push(value);
        }
        Ok(all)
    }

    /// An object that is not empty.
    pub(super) fn fields(self) -> Result<Fields, InvalidPolicy> {
        match self.node.value {
            Value::Map(rest) if !rest.is_empty() => {
                Ok(Fields { path: self.path, line: self.node.line, rest })
            }
            Value::Map(_) | Value::Nothing => Err(wrong(&self.path, self.node.line, EMPTY)),
            Value::Text(text) if text.trim().is_empty() => Err(wrong(&self.path, self.node.line, EMPTY)),
            Value::Text(_) | Value::List(_) => {
                Err(wrong(&self.path, self.node.line, "is not an object of fields"))
            }
        }
    }
}

impl Fields {
    /// A field that may be left out; that is the only way to say nothing.
    pub(super) fn optional(&mut self, name: &str) -> Option<Field> {
        let at = self.rest.iter().position(|(there, _)| there == name)?;
        let (_, node) = self.rest.remove(at);
        Some(Field { path: join(&self.path, name), node })
    }

    /// A field that has to be there.
    pub(super) fn required(&mut self, name: &str) -> Result<Field, InvalidPolicy> {
        let missing = || wrong(&join(&self.path, name), self.line, "is missing");
        let missing = missing();
        self.optional(name).ok_or(missing)
    }

    /// That nothing but these is there: a field that is misspelt is told before one that is missing
    /// for that.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, InvalidPolicy> {
        match self.rest.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(self),
            Some(unknown) => Err(self.unknown(unknown)),
        }
    }

    /// That nothing else is there.
    pub(super) fn finish(self) -> Result<(), InvalidPolicy> {
        match self.rest.first() {
            None => Ok(()),
            Some(unknown) => Err(self.unknown(unknown)),
        }
    }

    fn unknown(&self, (name, node): &(String, Node)) -> InvalidPolicy {
        InvalidPolicy::Unknown { field: told(&join(&self.path, &told(name, 200)), 300), line: node.line }
    }
}

/// What a policy says may be a key that was given in place of it.
pub(super) fn told(text: &str, most: usize) -> String {
    brief(&shown(text.as_bytes()), most)
}

const EMPTY: &str = "is empty: give it a value, or leave it out if it may be left out";

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn wrong(path: &str, line: usize, what: impl Into<String>) -> InvalidPolicy {
    let field = if path.is_empty() { "the policy".to_owned() } else { brief(path, 300) };
    InvalidPolicy::Field { field, line, what: what.into() }
}
