//! Digests of bytes, files and directories.
//!
//! Only this module turns bytes into a digest type, so a value of one of these
//! types is either computed here or was parsed from its one accepted form.

mod dirhash;
mod longer;
mod sha256;

pub use dirhash::{DirHash, sum_line};
pub use longer::{FileDigests, FileHasher};
pub use sha256::{InvalidDigest, Sha256Digest};
