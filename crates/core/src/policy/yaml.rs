//! The YAML that a policy is written in: maps, lists and text, and nothing that could
//! make a reader see more in it than a person does.
//!
//! No anchors, aliases or tags, no second document, no name twice, and no deeper than
//! [`MAX_DEPTH`]; so what is read is never larger than the file. Text is what stands
//! there (`2026`, `true`), except where nothing does (`null`, `~`).

use granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::secret::shown;

/// How deep a policy nests; one that is well formed has five levels.
const MAX_DEPTH: usize = 16;
/// Fields of one object, and items of one list.
const MAX_ITEMS: usize = 1024;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing at all, or `null`.
    Nothing,
    Text(String),
    List(Vec<Node>),
    /// In the order of the file; each name once.
    Map(Vec<(String, Node)>),
}

/// Why a text is not such YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) line: usize,
    pub(super) what: String,
}

/// Reads the one document of a text.
pub(super) fn read(text: &str) -> Result<Node, Unreadable> {
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH
    };
    let mut reading = Reading::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|e| Unreadable { line: e.marker().line(), what: e.info() })?;
        reading.take(event, span)?;
    }
    reading.document.ok_or_else(|| Unreadable { line: 1, what: "there is no document".to_owned() })
}

/// A collection that has not ended, with the name that waits for its value.
struct Open {
    node: Node,
    name: Option<(usize, String)>,
}

#[derive(Default)]
struct Reading {
    open: Vec<Open>,
    document: Option<Node>,
}

impl Reading {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Unreadable> {
        let line = span.start.line();
        let refused = |what: &str| Err(Unreadable { line, what: what.to_owned() });
        match event {
            Event::Alias(_) | Event::UnresolvedAlias(_) | Event::Anchor(..) => {
                refused("anchors and aliases are not read: write out what is meant")
            }
            Event::Scalar(_, _, anchor, _)
            | Event::SequenceStart(_, anchor, _)
            | Event::MappingStart(_, anchor, _)
                if anchor != 0 =>
            {
                refused("anchors and aliases are not read: write out what is meant")
            }
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, _, Some(_))
            | Event::MappingStart(_, _, Some(_)) => refused("tags are not read: leave out the `!`"),
            Event::DocumentStart(..) if self.document.is_some() => refused("there is more than one document"),
            Event::Scalar(text, style, ..) => {
                let value = match text.as_ref() {
                    "" | "~" | "null" | "Null" | "NULL" if style == ScalarStyle::Plain => Value::Nothing,
                    text => Value::Text(text.to_owned()),
                };
                self.add(Node { line, value })
            }
            Event::SequenceStart(..) => self.start(line, Value::List(Vec::new())),
            Event::MappingStart(..) => self.start(line, Value::Map(Vec::new())),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(ended) => self.add(ended.node),
                None => refused("it ends what did not begin"),
            },
            _ => Ok(()),
        }
    }

    fn start(&mut self, line: usize, value: Value) -> Result<(), Unreadable> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Unreadable { line, what: format!("it is nested deeper than {MAX_DEPTH} levels") });
        }
        self.open.push(Open { node: Node { line, value }, name: None });
        Ok(())
    }

    fn add(&mut self, node: Node) -> Result<(), Unreadable> {
        let Some(open) = self.open.last_mut() else {
            self.document = Some(node);
            return Ok(());
        };
        let count = match &open.node.value {
            Value::List(items) => items.len(),
            Value::Map(entries) => entries.len(),
            Value::Nothing | Value::Text(_) => 0,
        };
        if count == MAX_ITEMS {
            let what = format!("there are more than {MAX_ITEMS} of these");
            return Err(Unreadable { line: node.line, what });
        }
        match (&mut open.node.value, open.name.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(entries), Some((line, name))) => {
                if entries.iter().any(|(there, _)| *there == name) {
                    let what = format!("{:?} is there twice", shown(name.as_bytes()));
                    return Err(Unreadable { line, what });
                }
                entries.push((name, node));
            }
            (_, _) => match node {
                Node { value: Value::Text(name), line } => open.name = Some((line, name)),
                Node { line, .. } => {
                    return Err(Unreadable { line, what: "a field has no name".to_owned() });
                }
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_what_stands_there() {
        let node = read("a: [2026, true, 'null', \"\", ~]\nb: |\n  z\n").unwrap();
        let Value::Map(fields) = node.value else { panic!("{node:?}") };
        let Value::List(items) = &fields[0].1.value else { panic!("{fields:?}") };
        let text = |text: &str| Value::Text(text.to_owned());
        let values: Vec<_> = items.iter().map(|node| node.value.clone()).collect();
        assert_eq!(values, [text("2026"), text("true"), text("null"), text(""), Value::Nothing]);
        assert_eq!((fields[1].1.value.clone(), fields[1].1.line), (text("z\n"), 3));
    }

    #[test]
    fn what_readers_could_see_differently_is_refused() {
        for (text, what) in [
            ("a: &x {}\nb: *x", "anchors and aliases"),
            ("a: &x y", "anchors and aliases"),
            ("&x a: y", "anchors and aliases"),
            ("- &x [*x]", "anchors and aliases"),
            ("a: *x", "anchor"),
            ("a: !!null x", "tags"),
            ("a: !!str", "tags"),
            ("a: !include /etc/passwd", "tags"),
            ("!!map {a: b}", "tags"),
            ("a: b\n---\na: c", "more than one document"),
            ("a: b\n...\n---\n", "more than one document"),
            ("%YAML 1.1\n---\na: b", "irective"),
            ("a: b\na: c", "\"a\" is there twice"),
            ("a: b\n\"a\": c", "\"a\" is there twice"),
            ("{a: b, 'a': c}", "\"a\" is there twice"),
            ("? [a]\n: b", "no name"),
            ("? {a: b}\n: c", "no name"),
            ("~: b", "no name"),
            ("", "no document"),
            ("# nothing", "no document"),
            ("a: [", ""),
        ] {
            let Err(Unreadable { what: why, .. }) = read(text) else { panic!("{text:?} is read") };
            assert!(why.contains(what), "{text:?}: {why}");
        }
    }

    /// The worst that a megabyte can hold, for time and for memory.
    #[test]
    fn hostile_text_is_read_in_bounds() {
        let size = super::super::document::MAX_POLICY;
        let fill = |unit: &str| unit.repeat(size / unit.len());
        let deep = fill("[") + "x";
        let lines =
            |count: usize, line: fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>().concat();
        let bomb = lines(size / 40, |n| format!("a{n}: &a{n} [*a{n}, *a{n}, *a{n}, *a{n}]\n"));
        let distinct = lines(size / 12, |n| format!("k{n}: \n"));
        let mut texts = vec![deep, bomb, distinct];
        texts.extend(
            [
                "{", "- ", "[],", "? ", "a: ", "\"", "'", "{a: ", "- [", "&a ", "*a ", "!a ", "#", "\n", "|",
                ">\n ",
            ]
            .map(fill),
        );
        texts.extend(["[", "- "].map(|start| start.to_owned() + &fill("x,")));
        for text in &texts {
            let started = std::time::Instant::now();
            let _ = read(text);
            let head: String = text.chars().take(12).collect();
            // A tenth of that where nothing else runs, unoptimised.
            assert!(started.elapsed().as_secs() < 2, "{head:?} took {:?}", started.elapsed());
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[a:\\-\\[\\]{}&*!|>'\"~#,? \n\t%.x0]{0,60}") {
            let _ = read(&text);
        }
    }
}
