//! One digest for a whole directory: in-toto's `dirHash`, which is Go's
//! `dirhash.Hash1` in hexadecimal ([in-toto digest set][1]): the SHA-256 of
//! the lines that `sha256sum` prints for all files, sorted by path bytes.
//!
//! Go leaves a name that holds a newline undefined. Such a line is written as
//! GNU coreutils writes it: a `\` before the digest, and `\\` and `\n` in the name
//! for what they stand for. Without that a file name could pose as the line of another file.
//!
//! [1]: https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md

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
    /// The hash of a directory with these files, which are given in the order of their paths.
    pub fn of_files<'a>(files: impl IntoIterator<Item = (&'a RelPath, &'a Sha256Digest)>) -> Self {
        let mut hasher = Sha256::new();
        let mut last: Option<&RelPath> = None;
        for (path, digest) in files {
            debug_assert!(last.is_none_or(|last| last < path), "files are not in the order of their paths");
            last = Some(path);
            hasher.update(sum_line(path, digest));
        }
        Self::from_hasher(hasher)
    }

    /// What a hasher that was fed a list's lines computed.
    pub fn from_hasher(hasher: Sha256) -> Self {
        Self(Sha256Digest::from_hasher(hasher))
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
    let mut line = Vec::with_capacity(64 + b"  ".len() + name.len() + b"\n".len());
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn path(bytes: &[u8]) -> RelPath {
        RelPath::from_bytes(bytes).unwrap()
    }

    /// The worked example of in-toto's digest set specification.
    #[test]
    fn agrees_with_the_published_example() {
        let base = b"github.com/marklodato/go-hello-world@v0.0.1/";
        let files = [
            (&b"README.md"[..], "3a137eef6458bfb76bb2c63fc29ffc7166604d2d2e09ed9d8250a534122a8364"),
            (b"go.mod", "28e7c942a036902d981759d0bf5704d2bfc7cb500caf68b84711b234af01c6a5"),
            (b"main.go", "ddc4da627d9a9f45fb29641a1b185d6f53287ecfd921aacbf4fe54b7a86fe8d1"),
        ];
        let files = files.map(|(name, digest)| (path(&[base, name].concat()), digest.parse().unwrap()));
        let published = "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f";
        assert_eq!(DirHash::of_files(&BTreeMap::from(files)).to_string(), published);
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
    fn an_empty_directory_is_the_empty_list() {
        assert_eq!(DirHash::of_files(&BTreeMap::new()), DirHash(Sha256Digest::of(b"")));
    }
}
