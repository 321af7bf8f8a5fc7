//! An error with its causes.

use std::error::Error;
use std::fmt::Write as _;

use crate::relpath::printable;
use crate::secret::redacted;

/// An error and what caused it, on one line and printable, whoever's words it repeats. A
/// parser's error may quote what it read: one that holds a private key is not shown.
pub fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.ends_with(&cause_text) {
            // Writing to a `String` cannot fail.
            let _ = write!(text, ": {cause_text}");
        }
        source = cause.source();
    }
    printable(redacted(&text).as_bytes())
}
