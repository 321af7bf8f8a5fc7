//! One digest for a whole directory: in-toto's `dirHash`, which is Go's
//! `dirhash.Hash1` in hexadecimal ([in-toto digest set][1]): the SHA-256 of
//! the lines that `sha256sum` prints for all files, sorted by path bytes.
//!
//! Go leaves a name that holds a newline undefined. Such a line is written as
//! GNU coreutils writes it: a `\` before the digest, and `\\`, `\n` and `\r` in
//! the name. Without that a file name could pose as the line of another file.
//!
//! [1]: https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::sha256::{InvalidDigest, Sha256Digest};
use crate::relpath::RelPath;

/// The digest of a directory's files, names and contents. Not the SHA-256 of
/// any file but that of a list, hence a type of its own. Written as 64
/// lower-case hexadecimal digits, without Go's `h1:` prefix.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirHash(Sha256Digest);

impl DirHash {
    /// The hash of a directory with these files.
    pub fn of_files(files: &BTreeMap<RelPath, Sha256Digest>) -> Self {
        let mut hasher = Sha256::new();
        for (path, digest) in files {
            hasher.update(sum_line(path, digest));
        }
        Self::from_hasher(hasher)
    }

    /// What a hasher that was fed a list's lines computed.
    pub fn from_hasher(hasher: Sha256) -> Self {
        Self(Sha256Digest::from_hasher(hasher))
    }

    /// The digest of the list, which is the SHA-256 that a file with these
    /// lines would have.
    pub fn list_digest(&self) -> Sha256Digest {
        self.0
    }
}

impl FromStr for DirHash {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        text.parse().map(Self)
    }
}

impl fmt::Display for DirHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for DirHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dirHash:{self}")
    }
}

impl Serialize for DirHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DirHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Sha256Digest::deserialize(deserializer).map(Self)
    }
}

/// The line of one file, with its newline: the digest, two spaces, the path.
///
/// Only a newline forces the escaped form, since Go defines all other names
/// and writes them raw.
pub fn sum_line(path: &RelPath, digest: &Sha256Digest) -> Vec<u8> {
    let name = path.as_bytes();
    let mut line = Vec::with_capacity(name.len() + 68);
    let escape = name.contains(&b'\n');
    if escape {
        line.push(b'\\');
    }
    line.extend_from_slice(digest.to_string().as_bytes());
    line.extend_from_slice(b"  ");
    for b in name {
        match b {
            b'\\' if escape => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            _ => line.push(*b),
        }
    }
    line.push(b'\n');
    line
}

/// A path was not after the one before it, so the list would not be sorted or
/// would name a file twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` does not come after `{previous}` in the order of their bytes")]
pub struct OutOfOrder {
    /// The path that was refused.
    pub path: RelPath,
    /// The path before it.
    pub previous: RelPath,
}

/// Computes a [`DirHash`] from files given in the order of their paths, in
/// memory that does not grow with their number.
#[derive(Clone, Default)]
pub struct DirHasher {
    hasher: Sha256,
    previous: Option<RelPath>,
}

impl DirHasher {
    /// An empty directory, so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file. Refuses a path that is not greater than the one before;
    /// the state is then as it was.
    pub fn add(&mut self, path: &RelPath, digest: &Sha256Digest) -> Result<(), OutOfOrder> {
        if let Some(previous) = &self.previous
            && path <= previous
        {
            return Err(OutOfOrder { path: path.clone(), previous: previous.clone() });
        }
        self.hasher.update(sum_line(path, digest));
        self.previous = Some(path.clone());
        Ok(())
    }

    /// The digest of all files that were added.
    pub fn finish(self) -> DirHash {
        DirHash(Sha256Digest::from_hasher(self.hasher))
    }
}

impl fmt::Debug for DirHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirHasher").field("previous", &self.previous).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(bytes: &[u8]) -> RelPath {
        RelPath::from_bytes(bytes).unwrap()
    }

    /// The worked example of in-toto's digest set specification.
    #[test]
    fn agrees_with_the_published_example() {
        let base = b"github.com/marklodato/go-hello-world@v0.0.1/";
        let mut hasher = DirHasher::new();
        for (name, digest) in [
            (&b"README.md"[..], "3a137eef6458bfb76bb2c63fc29ffc7166604d2d2e09ed9d8250a534122a8364"),
            (b"go.mod", "28e7c942a036902d981759d0bf5704d2bfc7cb500caf68b84711b234af01c6a5"),
            (b"main.go", "ddc4da627d9a9f45fb29641a1b185d6f53287ecfd921aacbf4fe54b7a86fe8d1"),
        ] {
            hasher.add(&path(&[base, name].concat()), &digest.parse().unwrap()).unwrap();
        }
        let published = "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f";
        assert_eq!(hasher.finish().to_string(), published);
        assert_eq!(published.parse::<DirHash>().unwrap().to_string(), published);
    }

    #[test]
    fn no_name_can_pose_as_another_line() {
        let d = Sha256Digest::of(b"");
        let evil = path(format!("a\n{d}  b").as_bytes());
        let mut two = sum_line(&path(b"a"), &d);
        two.extend(sum_line(&path(b"b"), &d));
        let one = sum_line(&evil, &d);
        assert_ne!(one, two);
        assert_eq!(one.iter().position(|b| *b == b'\n'), Some(one.len() - 1));
        assert_eq!(
            String::from_utf8(sum_line(&path(b"x\\y\nz"), &d)).unwrap(),
            format!("\\{d}  x\\\\y\\nz\n"),
            "as coreutils escapes it"
        );
        assert_eq!(
            sum_line(&path(b"x\\y\r\xff"), &d),
            [d.to_string().as_bytes(), b"  x\\y\r\xff\n"].concat(),
            "as Go writes it"
        );
    }

    #[test]
    fn refuses_what_is_not_sorted() {
        let d = Sha256Digest::of(b"");
        let mut hasher = DirHasher::new();
        hasher.add(&path(b"b"), &d).unwrap();
        for late in [&b"a"[..], b"b"] {
            let error = hasher.add(&path(late), &d).unwrap_err();
            assert_eq!(error, OutOfOrder { path: path(late), previous: path(b"b") });
        }
        hasher.add(&path(b"b.x"), &d).unwrap();
        hasher.add(&path(b"b/x"), &d).unwrap();
    }

    #[test]
    fn an_empty_directory_is_the_empty_list() {
        assert_eq!(DirHasher::new().finish().list_digest(), Sha256Digest::of(b""));
    }
}
