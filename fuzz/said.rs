//! What an error may say of a file that may hold a key.

use std::fmt::{Debug, Display};

/// Characters that no word of an error has in a row, and any line of a key has.
const RUN: usize = 40;

/// That nothing in what the error says can be a part of a key. The input is not looked for in it: a
/// fuzzer sees with what its input is compared, and then writes the error's own words into it.
pub fn nothing_of_a_key(error: &(impl Display + Debug)) {
    let said = format!("{error} {error:?}");
    let is_base64 = |b: &u8| b.is_ascii_alphanumeric() || b"+/=_-".contains(b);
    assert!(said.as_bytes().split(|b| !is_base64(b)).all(|run| run.len() < RUN), "{said}");
}
