//! JSON on a terminal: the same JSON, without a character that drives one.

use std::io::{self, Write};

use crate::relpath::is_printable;

/// Writes text on, each character that must not reach a terminal as JSON's `\uXXXX`.
/// Those that JSON allows between its values, line ends and tabs, stay.
pub(super) struct JsonText<W>(W);

impl<W: Write> JsonText<W> {
    pub(super) fn new(out: W) -> Self {
        Self(out)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(text: &str) -> String {
        let mut out = Vec::new();
        JsonText::new(&mut out).write_all(text.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_drives_a_terminal_is_escaped_as_json_has_it() {
        assert_eq!(printed("{\"a\": \"x\u{202e}y\u{9b}z\"}"), "{\"a\": \"x\\u202ey\\u009bz\"}");
        assert_eq!(printed("{\"\u{e0001}\":\r\n\t1}"), "{\"\\udb40\\udc01\": \n\t1}");
        assert_eq!(printed("\u{7f}"), "\\u007f");
    }

    proptest! {
        #[test]
        fn it_is_the_same_json(text: String) {
            let json = serde_json::to_string(&text).unwrap();
            let shown = printed(&json);
            prop_assert!(shown.chars().all(is_printable));
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }
}
