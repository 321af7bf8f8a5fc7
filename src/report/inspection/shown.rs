//! Rows and lists of text from elsewhere, each bounded.

use std::fmt;

use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::text::cut;
use serde_json::{Map, Value};

/// Subjects that are shown; --json has all.
const SHOWN: usize = 20;
/// Bytes of one text that are shown; --json has all.
const SHOWN_TEXT: usize = 1000;

/// A labelled value; of what is not said there is no row.
pub(in crate::report) fn row(out: &mut impl fmt::Write, label: &str, value: &str) -> fmt::Result {
    if value.trim().is_empty() {
        return Ok(());
    }
    writeln!(out, "{label:<12} {}", shown(value))
}

/// A text from elsewhere on one line.
fn shown(text: &str) -> String {
    cut(text, SHOWN_TEXT)
}

/// The beginning of a value's JSON, no more than is shown of it.
fn head(value: &Value) -> String {
    let mut text = vec![0; SHOWN_TEXT + 1];
    let mut room = text.as_mut_slice();
    // What does not fit is not written.
    let _ = serde_json::to_writer(&mut room, value);
    let length = SHOWN_TEXT + 1 - room.len();
    text.truncate(length);
    String::from_utf8_lossy(&text).into_owned()
}

/// Objects indented, everything else on a line of its own.
fn show_value(out: &mut impl fmt::Write, depth: usize, name: &str, value: &Value) -> fmt::Result {
    let indent = "  ".repeat(depth);
    let name = shown(name);
    match value {
        Value::Object(fields) if depth < 16 && !fields.is_empty() => {
            writeln!(out, "{indent}{name}")?;
            fields.iter().try_for_each(|(name, value)| show_value(out, depth + 1, name, value))
        }
        Value::String(text) if !text.trim().is_empty() => writeln!(out, "{indent}{name}: {}", shown(text)),
        other => writeln!(out, "{indent}{name}: {}", shown(&head(other))),
    }
}

pub(super) fn parameters(out: &mut impl fmt::Write, title: &str, all: &Map<String, Value>) -> fmt::Result {
    if !all.is_empty() {
        writeln!(out, "{title} parameters")?;
    }
    all.iter().try_for_each(|(name, value)| show_value(out, 1, name, value))
}

pub(super) fn descriptors(
    out: &mut impl fmt::Write,
    title: &str,
    descriptors: &[ResourceDescriptor],
) -> fmt::Result {
    if descriptors.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title} ({})", descriptors.len())?;
    for descriptor in descriptors.iter().take(SHOWN) {
        let name = if descriptor.name.is_empty() { &descriptor.uri } else { &descriptor.name };
        let mut digests = descriptor.digest.iter();
        let first = digests.next().map(|(a, d)| format!("{a}:{d}")).unwrap_or_default();
        let line = format!("  {}  {}", shown(&first), shown(name));
        if !line.trim().is_empty() {
            writeln!(out, "{}", line.trim_end())?;
        }
        for (algorithm, digest) in digests {
            writeln!(out, "  {}", shown(&format!("{algorithm}:{digest}")))?;
        }
        if !descriptor.name.is_empty() && !descriptor.uri.is_empty() {
            writeln!(out, "    {}", shown(&descriptor.uri))?;
        }
        for (name, value) in &descriptor.annotations {
            show_value(out, 2, name, value)?;
        }
    }
    match descriptors.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more (--json has all)"),
    }
}
