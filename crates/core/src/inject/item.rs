//! What is added, before it is text: mappings, lists and words, and their two notations.

use std::fmt::Write as _;

use super::yaml::value::is_word;

/// A piece of YAML of our own making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// A string, whatever it looks like.
    Text(String),
    /// A number or a boolean.
    Literal(String),
    List(Vec<Self>),
    Map(Vec<(&'static str, Self)>),
}

impl Item {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn literal(value: &impl ToString) -> Self {
        Self::Literal(value.to_string())
    }

    pub(super) fn texts(texts: &[&str]) -> Self {
        Self::List(texts.iter().map(|text| Self::text(*text)).collect())
    }

    /// In one line; as JSON, or shorter, as YAML's flow style.
    pub(super) fn flow(&self, json: bool) -> String {
        let mut out = String::new();
        self.write_flow(json, &mut out);
        out
    }

    fn write_flow(&self, json: bool, out: &mut String) {
        match self {
            Self::Text(text) if json => out.push_str(&quoted(text)),
            Self::Text(text) => out.push_str(&word(text)),
            Self::Literal(value) => out.push_str(value),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { ", " });
                    item.write_flow(json, out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    let sign = if json { "\"" } else { "" };
                    let comma = if at == 0 { "" } else { ", " };
                    // Writing to a string does not fail.
                    let _ = write!(out, "{comma}{sign}{key}{sign}: ");
                    value.write_flow(json, out);
                }
                out.push('}');
            }
        }
    }

    /// Lines of block style; what nobody minds reading in one line is written in one.
    /// `offset` is how far the items of a list stand right of their key.
    fn block(&self, offset: usize) -> Vec<String> {
        match self {
            Self::Map(entries) if self.is_tall() => {
                entries.iter().flat_map(|(key, value)| value.under(key, offset)).collect()
            }
            Self::List(items) if self.is_tall() => {
                items.iter().flat_map(|item| item.dashed(offset)).collect()
            }
            _ => vec![self.flow(false)],
        }
    }

    /// As an item of a list of block style.
    pub(super) fn dashed(&self, offset: usize) -> Vec<String> {
        let lines = self.block(offset);
        lines
            .iter()
            .enumerate()
            .map(|(at, line)| format!("{}{line}", if at == 0 { "- " } else { "  " }))
            .collect()
    }

    /// As the value of a key.
    pub(super) fn under(&self, key: &str, offset: usize) -> Vec<String> {
        if !self.is_tall() {
            return vec![format!("{key}: {}", self.flow(false))];
        }
        let indent = " ".repeat(if matches!(self, Self::List(_)) { offset } else { 2 });
        let inner = self.block(offset).into_iter().map(|line| format!("{indent}{line}"));
        std::iter::once(format!("{key}:")).chain(inner).collect()
    }

    /// Whether there is a list of mappings in it, which nobody reads in one line.
    fn is_tall(&self) -> bool {
        match self {
            Self::Text(_) | Self::Literal(_) => false,
            Self::List(items) => items.iter().any(|item| matches!(item, Self::Map(_))),
            Self::Map(entries) => entries.iter().any(|(_, value)| value.is_tall()),
        }
    }
}

/// A string as a plain word, where that is one for every reader of YAML; else in quotes.
fn word(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { quoted(text) }
}

/// A JSON string, which is a double-quoted scalar of YAML too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_mean_something_else_are_quoted() {
        for word in [
            "true",
            "1e3",
            "null",
            "y",
            "No",
            "a: b",
            "",
            "{{workflow.name}}",
            "0x1",
            "# c",
            "10m",
            "2001-01-01",
        ] {
            assert!(super::word(word).starts_with('"'), "{word}");
        }
        assert_eq!(super::word("argo-attest-key"), "argo-attest-key");
    }

    #[test]
    fn lists_of_mappings_get_lines_of_their_own() {
        let env = Item::List(vec![Item::Map(vec![("name", Item::text("A")), ("value", Item::text("1"))])]);
        let item = Item::Map(vec![("name", Item::text("sidecar")), ("env", env)]);
        assert_eq!(
            Item::List(vec![item.clone()]).under("list", 2).join("\n"),
            "list:\n  - name: sidecar\n    env:\n      - {name: A, value: \"1\"}"
        );
        assert_eq!(item.flow(true), r#"{"name": "sidecar", "env": [{"name": "A", "value": "1"}]}"#);
    }
}
