//! Digests of bytes, files and directories.

mod dirhash;
mod sha256;

pub use dirhash::{DirHash, DirHasher, OutOfOrder, sum_line};
pub use sha256::{InvalidDigest, Sha256Digest};
