//! The manifest that is written: what it will hold is known, and no more than a part of it is ever there.

use sha2::{Digest as _, Sha256};

use super::Files;
use crate::digest::{Sha256Digest, sum_line};
use crate::relpath::RelPath;

/// Bytes of a part, about: of a million files the whole has a hundred megabytes.
const CHUNK: usize = 64 * 1024;

/// The manifest of these files.
#[derive(Debug, Clone)]
pub struct Manifest {
    files: Files,
    size: u64,
    digest: Sha256Digest,
}

impl Manifest {
    /// Goes through them once. Their order is that of their paths.
    pub fn of(files: &Files) -> Self {
        let (mut hasher, mut size) = (Sha256::new(), 0_u64);
        for (path, digest) in files.iter() {
            let line = sum_line(path, digest);
            hasher.update(&line);
            size = size.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }
        Self { files: files.clone(), size, digest: Sha256Digest::from_hasher(hasher) }
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The digest of its bytes.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// Its bytes, a part at a time, from the beginning.
    pub fn chunks(&self) -> Chunks {
        Chunks { files: self.files.clone(), last: None }
    }
}

/// The bytes of a manifest in parts of whole lines, none of them empty.
#[derive(Debug)]
pub struct Chunks {
    files: Files,
    /// The last file whose line was given.
    last: Option<RelPath>,
}

impl Iterator for Chunks {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut chunk = Vec::new();
        let mut last = None;
        for (path, digest) in self.files.after(self.last.as_ref()) {
            let line = sum_line(path, digest);
            if chunk.is_empty() {
                chunk.reserve(CHUNK.max(line.len()));
            } else if chunk.len() + line.len() > CHUNK {
                break;
            }
            chunk.extend_from_slice(&line);
            last = Some(path);
        }
        self.last = Some(last?.clone());
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn comes_in_parts_of_whole_lines_as_often_as_it_is_asked_for() {
        let name =
            |n: usize| RelPath::from_bytes(format!("{n:06}/{}", "x".repeat(1 + n % 300)).as_bytes()).unwrap();
        let files: BTreeMap<_, _> =
            (0..3000).map(|n| (name(n), Sha256Digest::of(&n.to_le_bytes()))).collect();
        let manifest = Manifest::of(&Files::from(&files));
        for _ in 0..2 {
            let chunks: Vec<_> = manifest.chunks().collect();
            assert!(
                chunks.len() > 5 && chunks.iter().all(|chunk| chunk.len() <= CHUNK && chunk.ends_with(b"\n"))
            );
            let bytes = chunks.concat();
            assert_eq!((manifest.size(), manifest.digest()), (bytes.len() as u64, Sha256Digest::of(&bytes)));
        }
        let nothing = Manifest::of(&Files::from(&BTreeMap::new()));
        assert_eq!((nothing.size(), nothing.chunks().next()), (0, None));
    }
}
