//! Whether the store holds what was written.
//!
//! What a downloader gets is the object, and what was digested is a file on a
//! volume: somebody else uploads in between. [`check_bytes`] is for an object
//! that is a file byte for byte, [`check_each`] for a directory of which every
//! file is an object, [`check_archive`] for an object that was packed on the way
//! and exists nowhere else. Each gives a [`StoredObject`], the evidence that goes
//! into the provenance as a by-product, or says what differs.
//!
//! A checksum that the store computed itself spares reading the object back. A
//! CRC can be forged by whoever writes to the store; that fools no verifier,
//! since what is signed is the SHA-256 of what was written. It is early warning.
//!
//! Dropping a check ends it: no thread goes on reading. Nothing here waits for
//! an object to appear, lists what else is in the store, or unpacks anything to
//! disk. An object beneath the prefix of a directory that is none of its files
//! is therefore not seen here.

mod archive;
mod bytes;
mod error;
mod object;
mod relay;
mod state;
mod written;

pub use archive::check_archive;
pub use bytes::{AT_ONCE, check_bytes, check_each};
pub use error::StoredError;
pub use object::{Check, StoredObject};
pub use written::Written;
