//! Reading a manifest that somebody else may have written, as a stream.

use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use crate::digest::{DirHash, Sha256Digest};
use crate::relpath::RelPath;

/// Digits, two blanks, a path of `PATH_MAX` bytes each of which may be escaped,
/// the mark of an escaped line and its end.
const MAX_LINE: u64 = 1 + 64 + 2 + 2 * 4096 + 1;

/// Bytes that are read of a manifest: a million files whose paths have 60 bytes.
pub const MAX_MANIFEST: u64 = 128 * 1024 * 1024;

/// Entries of a manifest, in bounded memory whatever its size.
///
/// They mean nothing until [`Reader::finish`] gave the hash that a verified
/// statement has.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    hasher: Sha256,
    line: Vec<u8>,
    number: u64,
    left: u64,
    last: Option<RelPath>,
}

/// Why bytes are not a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read to its end.
    #[error("the manifest cannot be read")]
    Io(#[from] io::Error),
    /// More than is read.
    #[error("the manifest has more than {MAX_MANIFEST} bytes")]
    TooLarge,
    /// Not `<digest>  <path>`, or longer than a path can be.
    #[error("line {0} of the manifest is malformed")]
    Line(u64),
    /// Sorting by path is part of the format: one directory has one manifest.
    #[error("line {0} of the manifest is out of order")]
    Order(u64),
}

impl<R: BufRead> Reader<R> {
    /// Reads from the beginning of a manifest.
    pub fn new(input: R) -> Self {
        Self { input, hasher: Sha256::new(), line: Vec::new(), number: 0, left: MAX_MANIFEST, last: None }
    }

    /// The next file and its digest; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<(RelPath, Sha256Digest)>, ManifestError> {
        self.line.clear();
        self.input.by_ref().take(MAX_LINE).read_until(b'\n', &mut self.line)?;
        if self.line.is_empty() {
            return Ok(None);
        }
        self.number += 1;
        let read = u64::try_from(self.line.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(read).ok_or(ManifestError::TooLarge)?;
        self.hasher.update(&self.line);
        let (path, digest) = parse(&self.line).ok_or(ManifestError::Line(self.number))?;
        if self.last.as_ref().is_some_and(|last| *last >= path) {
            return Err(ManifestError::Order(self.number));
        }
        self.last = Some(path.clone());
        Ok(Some((path, digest)))
    }

    /// Reads what is left; the hash of the whole, which is the directory's.
    pub fn finish(mut self) -> Result<DirHash, ManifestError> {
        while self.next_entry()?.is_some() {}
        Ok(DirHash::from_hasher(self.hasher))
    }
}

fn parse(line: &[u8]) -> Option<(RelPath, Sha256Digest)> {
    let line = line.strip_suffix(b"\n")?;
    let (escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let (digest, path) = line.split_at_checked(64)?;
    let digest = std::str::from_utf8(digest).ok()?.parse().ok()?;
    let path = path.strip_prefix(b"  ")?;
    let path = if escaped { RelPath::from_bytes(&unescape(path)?) } else { RelPath::from_bytes(path) };
    path.ok().filter(|p| !p.is_root()).map(|p| (p, digest))
}

/// coreutils' escapes. Only a name with a newline is escaped, so that every
/// name has one spelling.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'\\' => b'\\',
                _ => return None,
            },
            other => *other,
        });
    }
    bytes.contains(&b'\n').then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn reads_what_sha256sum_writes() {
        let text = format!("{DIGEST}  a/b c\n\\{DIGEST}  new\\nline\\\\\n{DIGEST}  z\\n\n");
        let mut reader = Reader::new(text.as_bytes());
        let mut paths = Vec::new();
        while let Some((path, digest)) = reader.next_entry().unwrap() {
            assert_eq!(digest, Sha256Digest::of(b"abc"));
            paths.push(path.as_bytes().to_vec());
        }
        assert_eq!(paths, [&b"a/b c"[..], b"new\nline\\", b"z\\n"]);
    }

    #[test]
    fn is_read_as_far_as_its_limit() {
        let name = "a".repeat(4000);
        let line = |number: u64| format!("{DIGEST}  {name}{number:09}\n").into_bytes();
        let length = line(0).len() as u64;
        let lines = |count: u64| std::io::BufReader::new(Lines { line, next: 0, count, rest: Vec::new() });
        Reader::new(lines(MAX_MANIFEST / length)).finish().unwrap();
        let error = Reader::new(lines(u64::MAX)).finish().unwrap_err();
        assert!(matches!(error, ManifestError::TooLarge), "{error}");
    }

    /// Lines that are made as they are read.
    struct Lines<F> {
        line: F,
        next: u64,
        count: u64,
        rest: Vec<u8>,
    }

    impl<F: Fn(u64) -> Vec<u8>> io::Read for Lines<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.rest.is_empty() && self.next < self.count {
                self.rest = (self.line)(self.next);
                self.next += 1;
            }
            let length = self.rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&self.rest[..length]);
            self.rest.drain(..length);
            Ok(length)
        }
    }

    #[test]
    fn refuses_lines_that_could_be_read_in_two_ways() {
        for line in [
            format!("{DIGEST} *a\n"),
            format!("{DIGEST}  a"),
            format!("{DIGEST}  \n"),
            format!("{DIGEST}  ../a\n"),
            format!("{DIGEST}  /a\n"),
            format!("\\{DIGEST}  a\\\\b\n"),
            format!("\\{DIGEST}  a\\x\n"),
            format!("{}  a\n", DIGEST.to_uppercase()),
            format!("{DIGEST}  {}\n", "a".repeat(9000)),
            "\n".to_owned(),
        ] {
            let error = Reader::new(line.as_bytes()).next_entry().unwrap_err();
            assert!(matches!(error, ManifestError::Line(1)), "{line}: {error}");
        }
        for twice in ["a", "0"] {
            let text = format!("{DIGEST}  a\n{DIGEST}  {twice}\n");
            assert!(matches!(Reader::new(text.as_bytes()).finish(), Err(ManifestError::Order(2))));
        }
    }
}
