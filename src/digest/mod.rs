//! Digests of bytes, files and directories.

mod sha256;

pub use sha256::{InvalidDigest, Sha256Digest};
