//! What is written where a terminal may show it: never a character that drives one.
//!
//! Text is made printable where it is put into a message ([`crate::relpath::printable`]);
//! this is for what is written as a whole, and so holds whatever was forgotten.

use std::io::{self, Write};

use crate::relpath::{is_printable, printable};
use crate::secret::redacted;

/// Writes text on, each character that must not reach a terminal as JSON's `\uXXXX`.
/// Those that JSON allows between its values, line ends and tabs, stay.
pub struct JsonText<W>(W);

impl<W: Write> JsonText<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self(out)
    }

    /// Where it writes to.
    pub fn into_inner(self) -> W {
        self.0
    }
}

impl<W: Write> Write for JsonText<W> {
    /// Takes whole characters only, which is what `serde_json` and `write!` give.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut written = 0;
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let mut rest = text;
            while let Some(at) = rest.find(|c| !is_printable(c) && c != '\n' && c != '\t') {
                let (plain, tail) = rest.split_at(at);
                self.0.write_all(plain.as_bytes())?;
                let mut tail = tail.chars();
                match tail.next() {
                    // White space in JSON, and nothing else: within a string it is escaped already.
                    Some('\r') => self.0.write_all(b" ")?,
                    Some(hidden) => {
                        for unit in hidden.encode_utf16(&mut [0; 2]) {
                            write!(self.0, "\\u{unit:04x}")?;
                        }
                    }
                    None => {}
                }
                rest = tail.as_str();
            }
            self.0.write_all(rest.as_bytes())?;
            written += text.len();
            if !chunk.invalid().is_empty() {
                // The beginning of a character whose end is yet to come.
                break;
            }
        }
        if written == 0 && !bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "text is cut within a character"));
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The JSON as [`JsonText`] writes it.
pub fn terminal_json(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    // Memory takes all that is written to it, and whole characters were given.
    let _ = JsonText::new(&mut out).write_all(text.as_bytes());
    String::from_utf8(out).unwrap_or_default()
}

/// Lines of a log, each written as a whole: only its end is one, and no key is in it.
pub struct Lines<W>(pub W);

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let end = bytes.get(line.len()..).unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        self.0.write_all(&[printable(redacted(&line).as_bytes()).as_bytes(), end].concat())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_drives_a_terminal_is_escaped_as_json_has_it() {
        assert_eq!(terminal_json("{\"a\": \"x\u{202e}y\u{9b}z\"}"), "{\"a\": \"x\\u202ey\\u009bz\"}");
        assert_eq!(terminal_json("{\"\u{e0001}\":\r\n\t1}"), "{\"\\udb40\\udc01\": \n\t1}");
        assert_eq!(terminal_json("\u{7f}"), "\\u007f");
    }

    #[test]
    fn a_line_of_a_log_stays_one() {
        let mut out = Vec::new();
        Lines(&mut out).write_all("a\nINFO forged \u{1b}[2J\u{202e}\n".as_bytes()).unwrap();
        assert_eq!(out, b"a%0AINFO forged %1B[2J%E2%80%AE\n");
    }

    proptest! {
        #[test]
        fn it_is_the_same_json(text: String) {
            let written = serde_json::to_string(&text).unwrap();
            let shown = terminal_json(&written);
            prop_assert!(shown.chars().all(is_printable));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
