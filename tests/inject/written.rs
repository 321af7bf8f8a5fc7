//! Writes generated workflows down in one of the many ways in which people and programs do.

use std::fmt::Write as _;

/// A piece of a workflow.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Map(Vec<(&'static str, Self)>),
    Seq(Vec<Self>),
    /// A string.
    Text(String),
    /// A number or a boolean.
    Bare(&'static str),
    /// A key without a value.
    Nothing,
}

pub(crate) fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

/// How it is written.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own")]
pub(crate) struct Manner {
    pub(crate) crlf: bool,
    pub(crate) bom: bool,
    pub(crate) final_newline: bool,
    pub(crate) json: bool,
    /// How far items stand right of their key.
    pub(crate) offset: usize,
    /// Decides all that is left open, one number after the other.
    pub(crate) dice: Vec<u8>,
}

pub(crate) fn written(node: &Node, manner: &Manner) -> String {
    let mut pen = Pen { manner, thrown: 0, out: String::new(), after_scalar: false };
    if manner.json {
        pen.json(node, 0);
    } else {
        if pen.throw(3) == 0 {
            pen.out.push_str("# a workflow\n---\n");
        }
        pen.block(node, 0);
        if pen.throw(4) == 0 {
            pen.out.push_str("# the end\n");
        }
    }
    let mut text = pen.out;
    if !manner.final_newline {
        text.truncate(text.trim_end_matches('\n').len());
    }
    if manner.crlf {
        text = text.replace('\n', "\r\n");
    }
    if manner.bom && !manner.json { format!("\u{feff}{text}") } else { text }
}

struct Pen<'m> {
    manner: &'m Manner,
    thrown: usize,
    out: String,
    /// Whether a block scalar has just ended.
    after_scalar: bool,
}

impl Pen<'_> {
    /// A number below `sides`.
    fn throw(&mut self, sides: u8) -> u8 {
        self.thrown += 1;
        let dice = &self.manner.dice;
        dice[self.thrown % dice.len()].wrapping_add(u8::try_from(self.thrown % 7).unwrap()) % sides
    }

    fn block(&mut self, node: &Node, indent: usize) {
        match node {
            Node::Map(entries) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 || !self.out.ends_with("- ") {
                        self.above(indent);
                        let _ = write!(self.out, "{:indent$}", "");
                    }
                    let quote = if self.throw(9) == 0 { "\"" } else { "" };
                    let _ = write!(self.out, "{quote}{key}{quote}:");
                    self.value(value, indent);
                }
            }
            Node::Seq(items) => {
                for item in items {
                    self.above(indent);
                    let _ = write!(self.out, "{:indent$}- ", "");
                    match item {
                        Node::Map(entries) if !entries.is_empty() && !self.in_line(item) => {
                            self.block(item, indent + 2);
                        }
                        item => {
                            self.flow(item);
                            self.end();
                        }
                    }
                }
            }
            _ => unreachable!("a document is a mapping"),
        }
    }

    fn value(&mut self, value: &Node, indent: usize) {
        match value {
            Node::Map(entries) if !entries.is_empty() && !self.in_line(value) => {
                self.end();
                self.block(value, indent + 2);
            }
            Node::Seq(items) if !items.is_empty() && !self.in_line(value) => {
                self.end();
                self.block(value, indent + self.manner.offset);
            }
            Node::Text(text) if text.contains('\n') || self.throw(12) == 0 => self.scalar(text, indent),
            Node::Nothing => self.end(),
            value => {
                self.out.push(' ');
                self.flow(value);
                self.end();
            }
        }
    }

    /// Small things in one line, sometimes.
    fn in_line(&mut self, node: &Node) -> bool {
        fn size(node: &Node) -> usize {
            match node {
                Node::Map(entries) => 1 + entries.iter().map(|(_, value)| size(value)).sum::<usize>(),
                Node::Seq(items) => 1 + items.iter().map(size).sum::<usize>(),
                Node::Text(text) if text.contains('\n') => 99,
                _ => 1,
            }
        }
        size(node) < 6 && self.throw(3) > 0
    }

    fn scalar(&mut self, text: &str, indent: usize) {
        let sign = if text.ends_with('\n') { ["|", "|+"][usize::from(self.throw(2))] } else { "|-" };
        let _ = writeln!(self.out, " {sign}");
        for line in text.lines() {
            let _ = writeln!(self.out, "{:width$}{line}", "", width = indent + 2);
        }
        self.after_scalar = true;
    }

    fn flow(&mut self, node: &Node) {
        match node {
            Node::Map(entries) => {
                self.out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    let _ = write!(self.out, "{}{key}: ", if at > 0 { ", " } else { "" });
                    self.flow(value);
                }
                self.out.push('}');
            }
            Node::Seq(items) => {
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.out.push_str(if at > 0 { ", " } else { "" });
                    self.flow(item);
                }
                self.out.push(']');
            }
            Node::Text(text) => {
                let safe = !text.is_empty()
                    && text.bytes().all(|b| b.is_ascii_alphabetic() || b"-/.".contains(&b))
                    && text != "true"
                    && text != "false";
                match self.throw(3) {
                    0 if !text.contains('\n') => {
                        let _ = write!(self.out, "'{}'", text.replace('\'', "''"));
                    }
                    1 if safe && !text.starts_with('-') => self.out.push_str(text),
                    _ => self.out.push_str(&serde_json::to_string(text).unwrap()),
                }
            }
            Node::Bare(word) => self.out.push_str(word),
            Node::Nothing => self.out.push('~'),
        }
    }

    /// Ends a line, perhaps with a comment.
    fn end(&mut self) {
        let comment = if self.throw(8) == 0 { "  # said: why" } else { "" };
        let _ = writeln!(self.out, "{comment}");
    }

    /// Comments and empty lines above an entry.
    fn above(&mut self, indent: usize) {
        // There, it could be part of the scalar.
        if std::mem::take(&mut self.after_scalar) {
            return;
        }
        match self.throw(12) {
            0 => self.out.push('\n'),
            1 => {
                let _ = writeln!(self.out, "{:indent$}# {{{{x}}}} above: [", "");
            }
            2 => self.out.push_str("# left: {\n"),
            3 => {
                let _ = writeln!(self.out, "{:width$}# deeper", "", width = indent + 3);
            }
            _ => {}
        }
    }

    fn json(&mut self, node: &Node, indent: usize) {
        let (open, close, size) = match node {
            Node::Map(entries) => ('{', '}', entries.len()),
            Node::Seq(items) => ('[', ']', items.len()),
            Node::Text(text) => return self.out.push_str(&serde_json::to_string(text).unwrap()),
            Node::Bare(word) => return self.out.push_str(word),
            Node::Nothing => return self.out.push_str("null"),
        };
        self.out.push(open);
        for at in 0..size {
            let _ = write!(self.out, "{}\n{:width$}", if at > 0 { "," } else { "" }, "", width = indent + 2);
            match node {
                Node::Map(entries) => {
                    let _ = write!(self.out, "\"{}\": ", entries[at].0);
                    self.json(&entries[at].1, indent + 2);
                }
                Node::Seq(items) => self.json(&items[at], indent + 2),
                _ => {}
            }
        }
        if size > 0 {
            let _ = write!(self.out, "\n{:indent$}", "");
        }
        self.out.push(close);
        if indent == 0 {
            self.out.push('\n');
        }
    }
}
