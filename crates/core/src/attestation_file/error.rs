//! Why nothing can be made of a file, or of a part of it.

use std::fmt;

use super::{MAX_ITEMS, classic};
use crate::json::JsonError;

/// Why there is no attestation to be had from a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// More than is read.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// Bytes that are read.
        limit: usize,
    },
    /// Packed, and more than is read once it is not.
    #[error("the file is gzipped, and has more than {limit} bytes unpacked")]
    Inflated {
        /// Bytes that are read.
        limit: usize,
    },
    /// Packed, and the packing is broken.
    #[error("the file is gzipped, and damaged")]
    Gzip,
    /// In an encoding that JSON is not written in, or no text at all.
    #[error("{0}")]
    NotText(&'static str),
    /// Not JSON, neither as a whole nor line by line.
    #[error("the file is not JSON")]
    Json(#[source] JsonError),
    /// More attestations than are read of one file.
    #[error("the file has more than {MAX_ITEMS} attestations")]
    TooMany,
    /// JSON, and nothing in it that is an attestation of any kind.
    #[error("there is no attestation in the file")]
    Nothing,
    /// What is there is broken, or of no kind that is known.
    #[error("{0}")]
    Unusable(Unusable),
}

/// A part of a file that nothing can be done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Where in the file, in words; empty if it is the whole of it.
    pub at: String,
    /// Why, printable.
    pub why: String,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => f.write_str(&self.why),
            at => write!(f, "{at}: {}", self.why),
        }
    }
}

impl From<classic::NotClassic> for String {
    fn from(error: classic::NotClassic) -> Self {
        crate::text::causes(&error)
    }
}
