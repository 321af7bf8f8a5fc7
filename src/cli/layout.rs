//! How an answer is laid out for people: what counts first, within the width that there is, in
//! colour where that is seen.

use std::io::{IsTerminal as _, stdout};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns where nobody says how many there are.
const USUAL: usize = 80;
/// Columns of text, however wide a terminal is.
const READABLE: usize = 100;
/// Fewer are of no use.
const LEAST: usize = 20;
/// Before what explains a line.
const INDENT: &str = "  ";
/// Columns of the first word of a line, with the gap after it.
const FIRST: usize = 10;

/// What the first word of a line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Doubtful,
    Bad,
}

/// Where text is written, and what can be seen there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    columns: usize,
    /// Whether a name that is too long is shortened: a program that reads it needs all of it.
    shortens: bool,
    colours: bool,
}

impl Layout {
    /// For standard output. Whether there is colour follows `NO_COLOR`, `CLICOLOR` and `TERM`.
    pub(super) fn of_stdout() -> Self {
        let stdout = stdout();
        let colours = AutoStream::choice(&stdout) != ColorChoice::Never;
        if !stdout.is_terminal() {
            let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
            return Self { columns: columns.unwrap_or(USUAL).max(LEAST), shortens: false, colours };
        }
        let size = rustix::termios::tcgetwinsize(&stdout).map(|size| usize::from(size.ws_col));
        let columns = size.ok().filter(|columns| *columns > 0).unwrap_or(USUAL).max(LEAST);
        Self { columns, shortens: true, colours }
    }

    /// A line that begins with a word and is about something by name.
    pub(super) fn line(&self, word: &str, tone: Tone, name: &str) -> String {
        let style = match tone {
            _ if !self.colours => Style::new(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Doubtful => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
        };
        let gap = " ".repeat(FIRST.saturating_sub(word.width()).max(1));
        let left = self.columns.saturating_sub(FIRST.max(word.width() + 1));
        let name = if self.shortens { shortened(name, left) } else { name.to_owned() };
        format!("{style}{word}{style:#}{gap}{name}\n")
    }

    /// Text beneath such a line.
    pub(super) fn beneath(&self, text: &str) -> String {
        let width = if self.shortens { self.columns.min(READABLE) } else { self.columns };
        let width = width.saturating_sub(INDENT.len());
        let mut told = String::new();
        let mut column = 0;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let wide = word.width();
            if column > 0 && column + 1 + wide > width {
                told.push('\n');
                column = 0;
            }
            if column > 0 {
                told.push(' ');
                column += 1;
            } else {
                told.push_str(INDENT);
            }
            if !self.shortens || column + wide <= width {
                told.push_str(word);
                column += wide;
                continue;
            }
            // A terminal would break it anywhere, and the next line would not be indented.
            for c in word.chars() {
                let wide = c.width().unwrap_or_default();
                if column + wide > width {
                    told.push('\n');
                    told.push_str(INDENT);
                    column = 0;
                }
                told.push(c);
                column += wide;
            }
        }
        if !told.is_empty() {
            told.push('\n');
        }
        told
    }
}

/// A name of at most so many columns: one that is longer without its middle.
fn shortened(name: &str, columns: usize) -> String {
    if name.width() <= columns {
        return name.to_owned();
    }
    // What tells two names apart is more often at their ends.
    let end = columns.saturating_sub(1) / 2 + columns.saturating_sub(1) / 4;
    let begin = columns.saturating_sub(1).saturating_sub(end);
    let taken = |chars: &mut dyn Iterator<Item = char>, most: usize| {
        let mut wide = 0;
        chars
            .take_while(|c| {
                wide += c.width().unwrap_or_default();
                wide <= most
            })
            .collect::<Vec<_>>()
    };
    let head = taken(&mut name.chars(), begin);
    let tail = taken(&mut name.chars().rev(), end);
    head.into_iter().chain(['…']).chain(tail.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use argo_attest_core::relpath::printable;
    use proptest::prelude::*;

    use super::*;

    fn terminal(columns: usize, colours: bool) -> Layout {
        Layout { columns, shortens: true, colours }
    }

    #[test]
    fn a_long_name_loses_its_middle() {
        let name = "s3://artifacts/a/very/long/prefix/app.tgz";
        assert_eq!(
            terminal(40, false).line("attested", Tone::Good, name),
            "attested  s3://art…y/long/prefix/app.tgz\n"
        );
        assert_eq!(terminal(80, false).line("attested", Tone::Good, name), format!("attested  {name}\n"));
        let pipe = Layout { columns: 20, shortens: false, colours: false };
        assert_eq!(pipe.line("refused", Tone::Bad, name), format!("refused   {name}\n"), "whole, in a pipe");
    }

    #[test]
    fn text_goes_on_beneath() {
        let narrow = terminal(20, false);
        assert_eq!(narrow.beneath("one two three four five"), "  one two three four\n  five\n");
        assert_eq!(narrow.beneath(&"x".repeat(20)), format!("  {}\n  xx\n", "x".repeat(18)));
        assert_eq!(narrow.beneath(""), "");
        let pipe = Layout { columns: 20, shortens: false, colours: false };
        assert_eq!(pipe.beneath(&format!("at {}", "x".repeat(20))), format!("  at\n  {}\n", "x".repeat(20)));
    }

    #[test]
    fn colour_is_the_words_alone() {
        let line = terminal(80, true).line("refused", Tone::Bad, "x");
        assert!(line.starts_with("\u{1b}[") && line.ends_with("   x\n"), "{line:?}");
        assert_eq!(anstream::adapter::strip_str(&line).to_string(), "refused   x\n");
    }

    proptest! {
        /// Whatever it is called: the line stays one, and is no wider than the terminal.
        #[test]
        fn everything_fits(name in proptest::collection::vec(any::<char>(), 0..200), columns in 20_usize..120) {
            let name: String = name.into_iter().collect();
            let name = printable(name.as_bytes());
            let layout = terminal(columns, false);
            let line = layout.line("unattested", Tone::Bad, &name);
            prop_assert_eq!(line.matches('\n').count(), 1);
            for line in line.lines().chain(layout.beneath(&name).lines()) {
                prop_assert!(line.width() <= columns, "{} of {columns}: {line:?}", line.width());
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
