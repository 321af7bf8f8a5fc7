//! The longer digests of SHA-2 (FIPS 180-4) that others name files by; we write neither.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::Sha256Digest;

/// How much is read at once, in bytes.
const BUFFER: usize = 256 * 1024;

/// All digests of one file's bytes by which a subject may name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigests {
    sha256: Sha256Digest,
    sha384: [u8; 48],
    sha512: [u8; 64],
}

/// Computes them in one pass.
#[derive(Debug, Clone, Default)]
pub struct FileHasher {
    sha256: Sha256,
    sha384: Sha384,
    sha512: Sha512,
}

impl FileHasher {
    /// More of the file.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.sha384.update(bytes);
        self.sha512.update(bytes);
    }

    /// That was all.
    pub fn finish(self) -> FileDigests {
        FileDigests {
            sha256: Sha256Digest::from_hasher(self.sha256),
            sha384: self.sha384.finalize().into(),
            sha512: self.sha512.finalize().into(),
        }
    }
}

impl FileDigests {
    /// Of all that a reader has, which is not bounded here: none of it is kept.
    pub fn read(mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = FileHasher::default();
        let mut buffer = vec![0; BUFFER];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(hasher.finish()),
                Ok(read) => hasher.update(buffer.get(..read).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The SHA-256.
    pub fn sha256(&self) -> Sha256Digest {
        self.sha256
    }

    /// Whether a digest that has a known algorithm's length is one of the longer ones.
    pub(crate) fn is_longer(&self, digest: &[u8]) -> bool {
        digest == self.sha384 || digest == self.sha512
    }
}
