//! JSON lines of envelopes, `.intoto.jsonl`
//! (<https://github.com/in-toto/attestation/blob/main/spec/v1/bundle.md>).
//!
//! One envelope a line, the oldest first, every line ended by a newline. Other forms that in-toto's
//! bundles may hold are refused where envelopes are read here, with the number of the line, and are
//! kept where one is added.

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

/// The file with one envelope more, and of the envelopes that were there the newest: at most
/// `keep` are left, and no more than [`MAX_LINES_FILE`] bytes. Lines that others wrote, which no
/// reader has to know (bundle.md: "Consumers MUST ignore unrecognized lines"), all stay. What stays
/// keeps its bytes and its place. If the very same line is there already, the file is returned as it is.
///
/// `existing` may be empty. If there is something in it, and no envelope, that is an error: it is
/// no such file, or is damaged, and to write into it could destroy evidence.
pub fn append(existing: &[u8], envelope: &Envelope, keep: NonZeroUsize) -> Result<Vec<u8>, LinesError> {
    let new = envelope.to_json();
    let mut kept = all(existing)?;
    if kept.iter().any(|line| line.is_envelope && without_end(line.bytes) == new) {
        return Ok(existing.to_vec());
    }
    let mut envelopes = kept.iter().filter(|line| line.is_envelope).count() + 1;
    let size = |kept: &[Kept<'_>]| -> usize {
        kept.iter().map(|line| line.bytes.len() + 1).sum::<usize>() + new.len() + 1
    };
    let mut left = size(&kept);
    let keep = keep.get().min(MAX_LINES);
    while envelopes > keep || left > MAX_LINES_FILE {
        let Some(oldest) = kept.iter().position(|line| line.is_envelope) else { break };
        left -= kept.remove(oldest).bytes.len() + 1;
        envelopes -= 1;
    }
    if left > MAX_LINES_FILE {
        return Err(LinesError::TooLarge { size: left });
    }
    let mut out = Vec::with_capacity(left);
    for line in kept {
        out.extend_from_slice(line.bytes);
        if !line.bytes.ends_with(b"\n") {
            out.push(b'\n');
        }
    }
    out.extend_from_slice(&new);
    out.push(b'\n');
    Ok(out)
}

/// Whether an envelope may be added to it ([`append`]).
pub fn takes(existing: &[u8]) -> bool {
    all(existing).is_ok()
}

/// A line with its end.
struct Kept<'a> {
    bytes: &'a [u8],
    is_envelope: bool,
}

/// Every line as it is; one of them is an envelope, or all are blank.
fn all(existing: &[u8]) -> Result<Vec<Kept<'_>>, LinesError> {
    let size = existing.len();
    if size > MAX_LINES_FILE {
        return Err(LinesError::TooLarge { size });
    }
    let mut foreign = None;
    let mut kept = Vec::new();
    for (index, bytes) in existing.split_inclusive(|b| *b == b'\n').enumerate() {
        let line = without_end(bytes);
        if line.is_empty() {
            continue;
        }
        if kept.len() == MAX_LINES {
            return Err(LinesError::TooMany);
        }
        let is_envelope = match Envelope::from_json(line) {
            Ok(_) => true,
            Err(source) => {
                foreign.get_or_insert(LinesError::Line { number: index + 1, source });
                false
            }
        };
        kept.push(Kept { bytes, is_envelope });
    }
    match foreign {
        Some(error) if !kept.iter().any(|line| line.is_envelope) => Err(error),
        _ => Ok(kept),
    }
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
