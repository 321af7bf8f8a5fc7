//! The fenced blocks of a page, and the commands in them.

use std::ops::Range;

/// A fenced block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The line of the opening fence, from 1.
    pub(crate) line: usize,
    pub(crate) language: String,
    /// What stands between the fences, without the fence's own indentation.
    pub(crate) text: String,
    indent: usize,
}

/// A command of a `console` block, and what is shown beneath it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) command: String,
    pub(crate) output: String,
    /// The lines of `output` within the page, from 0.
    pub(crate) lines: Range<usize>,
}

impl Block {
    /// Every block of a page, in its order.
    ///
    /// # Panics
    /// If a fence is not closed.
    pub(crate) fn all(page: &str) -> Vec<Self> {
        let mut blocks = Vec::new();
        let mut open: Option<Self> = None;
        for (at, line) in page.lines().enumerate() {
            let fence = line.trim_start().strip_prefix("```");
            match (&mut open, fence) {
                (None, Some(language)) => {
                    let indent = line.len() - line.trim_start().len();
                    let language = language.trim().to_owned();
                    open = Some(Self { line: at + 1, language, text: String::new(), indent });
                }
                (Some(_), Some("")) => blocks.extend(open.take()),
                (Some(block), _) => {
                    block.text.push_str(line.get(block.indent..).unwrap_or_default());
                    block.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "a block is not closed: {open:?}");
        blocks
    }

    /// Whether it is there to be typed.
    pub(crate) fn is_commands(&self) -> bool {
        matches!(self.language.as_str(), "console" | "sh")
    }

    /// Its first line: by this it is known where it is not run here.
    pub(crate) fn name(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The commands of a `console` block: what follows `$ `, and `> ` where a command goes on.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        let mut all: Vec<Shown> = Vec::new();
        for (at, line) in (self.line..).zip(self.text.lines()) {
            if let Some(command) = line.strip_prefix("$ ") {
                let command = command.to_owned();
                all.push(Shown { command, output: String::new(), lines: at + 1..at + 1 });
                continue;
            }
            let shown = all.last_mut().unwrap_or_else(|| panic!("output before any command: {line}"));
            match line.strip_prefix("> ") {
                Some(more) if shown.output.is_empty() => {
                    shown.command.push('\n');
                    shown.command.push_str(more);
                    shown.lines = at + 1..at + 1;
                }
                _ => {
                    shown.output.push_str(line);
                    shown.output.push('\n');
                    shown.lines.end = at + 1;
                }
            }
        }
        // An empty line before the next command is there for the eye.
        for shown in &mut all {
            while shown.output.ends_with("\n\n") || shown.output == "\n" {
                shown.output.pop();
                shown.lines.end -= 1;
            }
        }
        all
    }

    /// Lines as they stand in the page.
    pub(crate) fn indented(&self, text: &str) -> Vec<String> {
        let line = |line: &str| if line.is_empty() { String::new() } else { " ".repeat(self.indent) + line };
        text.lines().map(line).collect()
    }
}
