//! The one place that writes HTML: elements and attributes have names of ours, and whatever else is
//! in them is escaped.
//!
//! Nothing here takes text of others for markup, for a link or for a style: a link leads to an
//! anchor of the same page, which has a number for a name, and there is no way to write another.

use std::fmt::Write as _;

use argo_attest_core::text::brief;

/// Bytes of one text of others that are shown.
const SHOWN: usize = 600;

/// A place in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor(pub(super) char, pub(super) usize);

/// What an attribute says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    /// Words of ours.
    Own(&'static str),
    /// Words of others.
    Text(&'a str),
    /// A number.
    Number(usize),
    /// The name of this very element.
    Id(Anchor),
    /// A link to that one.
    To(Anchor),
    /// Numbers, as SVG has its lines.
    Path(&'a Line),
}

/// A line in a picture, in whole units.
#[derive(Debug, Default)]
pub(super) struct Line(String);

/// A page, as far as it is written.
#[derive(Debug, Default)]
pub(super) struct Markup(String);

impl Line {
    /// Begins there.
    pub(super) fn at((x, y): (usize, usize)) -> Self {
        Self(format!("M{x} {y}"))
    }

    /// Goes on, and comes and leaves level.
    pub(super) fn to(&mut self, (from_x, from_y): (usize, usize), (x, y): (usize, usize)) {
        let middle = usize::midpoint(from_x, x);
        // Writing to a `String` cannot fail.
        let _ = write!(self.0, "C{middle} {from_y} {middle} {y} {x} {y}");
    }
}

impl Markup {
    /// An element that may have others in it.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, Value<'_>)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.single(name, attributes);
        inside(self);
        let _ = write!(self.0, "</{name}>");
    }

    /// An element that has no end.
    pub(super) fn single(&mut self, name: &'static str, attributes: &[(&'static str, Value<'_>)]) {
        let _ = write!(self.0, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.0, " {attribute}=\"");
            match value {
                Value::Own(text) => self.escaped(text),
                Value::Text(text) => self.text(text),
                Value::Number(number) => drop(write!(self.0, "{number}")),
                Value::Id(Anchor(kind, number)) => drop(write!(self.0, "{kind}{number}")),
                Value::To(Anchor(kind, number)) => drop(write!(self.0, "#{kind}{number}")),
                Value::Path(Line(line)) => self.escaped(line),
            }
            self.0.push('"');
        }
        self.0.push('>');
    }

    /// Words of ours.
    pub(super) fn say(&mut self, text: &'static str) {
        self.escaped(text);
    }

    /// A number.
    pub(super) fn number(&mut self, number: usize) {
        let _ = write!(self.0, "{number}");
    }

    /// Words of others: on one line, without what moves or hides text, and without what may be a key.
    pub(super) fn text(&mut self, text: &str) {
        self.escaped(&brief(text, SHOWN));
    }

    /// A text of others in which another direction of writing ends where it ends.
    pub(super) fn name(&mut self, text: &str) {
        self.element("bdi", &[], |to| to.text(text));
    }

    /// An element with words of ours, and that is all.
    pub(super) fn words(&mut self, name: &'static str, text: &'static str) {
        self.element(name, &[], |to| to.say(text));
    }

    /// The style sheet: ours, which has nothing in it that could end it.
    pub(super) fn style(&mut self, sheet: &'static str) {
        self.0.push_str("<style>");
        self.0.push_str(sheet);
        self.0.push_str("</style>");
    }

    /// What the page begins with.
    pub(super) fn declare(&mut self) {
        self.0.push_str("<!doctype html>\n");
    }

    /// The end of a line, for whoever reads the text.
    pub(super) fn line(&mut self) {
        self.0.push('\n');
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '`' => self.0.push_str("&#96;"),
                _ => self.0.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use argo_attest_core::relpath::is_printable;
    use proptest::prelude::*;

    use super::*;

    fn page(text: &str) -> String {
        let mut page = Markup::default();
        page.element("p", &[("title", Value::Text(text))], |to| to.name(text));
        page.finish()
    }

    #[test]
    fn anchors_and_lines_are_numbers() {
        let mut page = Markup::default();
        let mut line = Line::at((1, 2));
        line.to((1, 2), (11, 4));
        page.element("a", &[("href", Value::To(Anchor('f', 7))), ("id", Value::Id(Anchor('s', 3)))], |to| {
            to.single("path", &[("d", Value::Path(&line)), ("width", Value::Number(5))]);
            to.words("b", "a & b");
        });
        assert_eq!(
            page.finish(),
            r##"<a href="#f7" id="s3"><path d="M1 2C6 2 6 4 11 4" width="5"><b>a &amp; b</b></a>"##
        );
    }

    #[test]
    fn what_others_wrote_is_no_markup() {
        for hostile in [
            "</script><script>alert(1)</script>",
            "\" onload=\"alert(1)",
            "' autofocus onfocus=alert(1) x='",
            "]]><img src=x onerror=alert(1)>",
            "<!-- --><svg/onload=alert(1)>",
            "`${alert(1)}`",
            "a\u{202e}txt.exe\u{0}\u{7}\u{1b}[2J",
        ] {
            let made = page(hostile);
            let inside = made.strip_prefix("<p title=\"").and_then(|rest| rest.strip_suffix("</bdi></p>"));
            let (title, text) = inside.unwrap().split_once("\"><bdi>").unwrap();
            assert_eq!(title, text);
            assert!(!text.contains(['<', '>', '"', '\'', '`']), "{text}");
            assert!(text.chars().all(is_printable), "{text:?}");
        }
        assert!(page(&"x".repeat(10_000)).len() < 3 * SHOWN);
    }

    proptest! {
        /// No text ends its element or its attribute, and none is longer than its limit, escaped.
        #[test]
        fn no_text_breaks_out(text in "[\\PC<>&\"'`/=\u{0}\u{b}\u{202e}\u{2028}\u{fffe}\\]-]{0,60}") {
            let made = page(&text);
            prop_assert_eq!(made.matches('<').count(), 4, "{}", made);
            prop_assert_eq!(made.matches('"').count(), 2, "{}", made);
            prop_assert!(made.chars().all(is_printable));
            let entities = ["amp;", "lt;", "gt;", "quot;", "#39;", "#96;"];
            for (at, _) in made.match_indices('&') {
                prop_assert!(entities.iter().any(|of| made[at + 1..].starts_with(of)), "{}", made);
            }
        }
    }
}
