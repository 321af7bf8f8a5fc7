//! What a store says of an object, and how a write is to be made.

use std::fmt;

use argo_attest_core::digest::Sha256Digest;
use bytes::Bytes;

/// Which state of an object was seen. Only the store that gave it knows what
/// is in it; two equal ones mean the same bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revision(Box<str>);

impl Revision {
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The store's own text for it: S3's `ETag` with its quotes, or the digest
    /// in hexadecimal. For evidence in a statement; it proves nothing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({})", argo_attest_core::relpath::printable(self.0.as_bytes()))
    }
}

/// Checksums over the full object that the store computed or checked itself.
///
/// A composite checksum (of a multipart upload's parts) is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksums {
    /// SHA-256 of all bytes.
    pub sha256: Option<Sha256Digest>,
    /// CRC-64/NVME of all bytes, as a number.
    pub crc64nvme: Option<u64>,
}

/// What a store knows of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Length in bytes.
    pub size: u64,
    /// The state this is about, to be named in [`PutMode::Replace`].
    pub revision: Revision,
    /// The version's id, where the store keeps versions.
    pub version_id: Option<String>,
    /// Full-object checksums, where the store has them.
    pub checksums: Checksums,
}

/// A whole object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// All of its bytes.
    pub bytes: Bytes,
    /// What the store says of them.
    pub info: ObjectInfo,
}

/// Under which condition a write may happen (RFC 9110 section 13.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutMode {
    /// Nothing is there yet. Else [`PutOutcome::AlreadyThere`] for the same
    /// bytes and `StoreError::Conflict` for others.
    Create,
    /// What is there is still this. Else [`PutOutcome::AlreadyThere`] if it has
    /// become the bytes to be written, `StoreError::Conflict` if others, and
    /// `StoreError::NotFound` if it is gone.
    Replace(Revision),
}

/// How a write ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutOutcome {
    /// This call wrote the bytes.
    Written(ObjectInfo),
    /// The same bytes were there: from a racing writer, an earlier run, or an
    /// attempt of this call whose reply was lost.
    AlreadyThere(ObjectInfo),
}

impl PutOutcome {
    /// The object as it is now.
    pub fn info(&self) -> &ObjectInfo {
        match self {
            Self::Written(info) | Self::AlreadyThere(info) => info,
        }
    }
}
