//! Text in JSON, as Go writes it and as it may have become.

use std::borrow::Cow;

/// The bytes of the JSON string that `rest` begins with, quotes included, or nothing
/// if it is none.
///
/// What counts is the text that any reader of JSON takes from it; how it is spelt may
/// have changed after Argo wrote it (see [the module](super)). But an escaped half of a
/// surrogate pair is read differently by different readers.
pub(super) fn token(rest: &str) -> Option<&str> {
    let bytes = rest.as_bytes();
    if bytes.first() != Some(&b'"') {
        return None;
    }
    let mut at = 1;
    loop {
        match *bytes.get(at)? {
            b'"' => return rest.get(..=at),
            b'\\' => at += escape(bytes.get(at..)?)?,
            0..0x20 => return None,
            _ => at += 1,
        }
    }
}

/// The length of the escape that the bytes begin with.
fn escape(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(2),
        b'u' => match unit(bytes)? {
            0xDC00..0xE000 => None,
            0xD800..0xDC00 => {
                let low = bytes.get(6..)?;
                let paired = low.starts_with(b"\\u") && (0xDC00..0xE000).contains(&unit(low)?);
                paired.then_some(12)
            }
            _ => Some(6),
        },
        _ => None,
    }
}

/// The number in `\u0000`.
fn unit(bytes: &[u8]) -> Option<u32> {
    bytes.get(2..6)?.iter().try_fold(0, |value, byte| Some(value * 16 + char::from(*byte).to_digit(16)?))
}

/// The text that a [`token`] stands for.
pub(super) fn decoded(token: &str) -> Option<Cow<'_, str>> {
    let inner = token.get(1..token.len().checked_sub(1)?)?;
    if inner.contains('\\') { serde_json::from_str(token).ok() } else { Some(Cow::Borrowed(inner)) }
}

/// Writes `text` as `encoding/json` does.
pub(super) fn write(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // None of them is longer than four digits.
                let digits =
                    [12, 8, 4, 0].map(|bits| char::from_digit(u32::from(character) >> bits & 0xF, 16));
                out.push_str("\\u");
                out.extend(digits.into_iter().flatten());
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// Whether a [`token`] that stands for `text` is the one that Go writes for it, or for
/// bytes that are not UTF-8 and that it writes as `\ufffd`.
pub(super) fn is_written(token: &str, text: &str) -> bool {
    let mut written = String::with_capacity(token.len());
    write(text, &mut written);
    written == token || written.replace('\u{FFFD}', "\\ufffd") == token.replace('\u{FFFD}', "\\ufffd")
}
