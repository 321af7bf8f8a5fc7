//! JSON lines of envelopes, `.intoto.jsonl`
//! (<https://github.com/in-toto/attestation/blob/main/spec/v1/bundle.md>).
//!
//! One envelope a line, the oldest first, every line ended by a newline. Other forms
//! that in-toto's bundles may hold are refused, with the number of the line.

use std::num::NonZeroUsize;

use crate::dsse::{Envelope, EnvelopeError};

/// Bytes that are read or written of such a file.
pub const MAX_LINES_FILE: usize = 16 * 1024 * 1024;
/// Envelopes in one file.
pub const MAX_LINES: usize = 1024;

/// Why bytes are not lines of envelopes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError {
    /// More than is read of such a file.
    #[error("the attestations have {size} bytes, and at most {MAX_LINES_FILE} are allowed")]
    TooLarge {
        /// Bytes there are.
        size: usize,
    },
    /// More attestations than one file may hold.
    #[error("there are more than {MAX_LINES} attestations")]
    TooMany,
    /// No line that is not blank.
    #[error("there is no attestation in it")]
    Empty,
    /// White space around an envelope, or in an otherwise blank line.
    #[error("line {number} begins or ends with white space")]
    Blank {
        /// Which line, counted from 1.
        number: usize,
    },
    /// A line is no envelope.
    #[error("line {number} is not usable")]
    Line {
        /// Which line, counted from 1, blank ones too.
        number: usize,
        /// What is wrong with it.
        source: EnvelopeError,
    },
}

/// The envelopes, in the order of their lines; at least one. Blank lines are skipped.
pub fn parse(bytes: &[u8]) -> Result<Vec<Envelope>, LinesError> {
    let mut envelopes = Vec::new();
    for line in lines(bytes)? {
        envelopes.push(line?.1);
    }
    if envelopes.is_empty() { Err(LinesError::Empty) } else { Ok(envelopes) }
}

/// The file with one envelope more, and of the lines that were there the newest: at most
/// `keep` are left, and no more than [`MAX_LINES_FILE`] bytes. If the very same line is there already, the file is
/// returned as it is. Lines that stay keep their bytes. `existing` may be empty; if it
/// is damaged that is an error, since to replace it could destroy evidence.
pub fn append(existing: &[u8], envelope: &Envelope, keep: NonZeroUsize) -> Result<Vec<u8>, LinesError> {
    let new = envelope.to_json();
    let mut kept = Vec::new();
    for line in lines(existing)? {
        kept.push(line?.0);
    }
    if kept.contains(&new.as_slice()) {
        return Ok(existing.to_vec());
    }
    kept.push(&new);
    let keep = keep.get().min(MAX_LINES);
    let mut newest = kept.get(kept.len().saturating_sub(keep)..).unwrap_or_default();
    let mut size: usize = newest.iter().map(|line| line.len() + 1).sum();
    while let [oldest, rest @ ..] = newest
        && size > MAX_LINES_FILE
    {
        size -= oldest.len() + 1;
        newest = rest;
    }
    let mut out = Vec::with_capacity(size);
    for line in newest {
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    Ok(out)
}

type Line<'a> = Result<(&'a [u8], Envelope), LinesError>;

/// Each line that is not blank, without its end, with the envelope in it. White space
/// around an envelope is refused: nobody writes it.
fn lines(bytes: &[u8]) -> Result<impl Iterator<Item = Line<'_>>, LinesError> {
    let size = bytes.len();
    if size > MAX_LINES_FILE {
        return Err(LinesError::TooLarge { size });
    }
    let ended = bytes.split_inclusive(|b| *b == b'\n').map(without_end).enumerate();
    let written = ended.filter(|(_, line)| !line.is_empty()).enumerate();
    Ok(written.map(|(count, (index, line))| {
        if count == MAX_LINES {
            return Err(LinesError::TooMany);
        }
        if line.trim_ascii() != line {
            return Err(LinesError::Blank { number: index + 1 });
        }
        match Envelope::from_json(line) {
            Ok(envelope) => Ok((line, envelope)),
            Err(source) => Err(LinesError::Line { number: index + 1, source }),
        }
    }))
}

fn without_end(line: &[u8]) -> &[u8] {
    let unix = line.strip_suffix(b"\n");
    unix.map_or(line, |rest| rest.strip_suffix(b"\r").unwrap_or(rest))
}
