//! The readers on archives that Argo's own code made (see
//! `tests/fixtures/argo/generate`) and on hostile ones.

mod argo_made;
mod hostile_tar;
mod hostile_zip;
mod round_trip;
mod tarball;
mod threads;
mod zipball;

use std::collections::BTreeMap;

use super::*;
use crate::digest::Sha256Digest;
use crate::links::{LinkTarget, Links};
use crate::relpath::RelPath;

fn path(bytes: &[u8]) -> RelPath {
    RelPath::from_bytes(bytes).unwrap()
}

fn file(content: &[u8]) -> ExpectedFile {
    ExpectedFile { digest: Sha256Digest::of(content), size: content.len() as u64 }
}

/// A directory `out` with these files.
fn expected(files: &[(&[u8], &[u8])], refused: &[(&[u8], Passed)]) -> Expected {
    Expected {
        naming: Naming::Beneath(b"out".to_vec()),
        files: files.iter().map(|(name, content)| (path(name), file(content))).collect(),
        links: Links::default(),
        refused: refused.iter().map(|(name, passed)| (path(name), *passed)).collect(),
        directories: 0,
    }
}

fn links(all: &[(&[u8], &[u8])]) -> Links {
    all.iter().map(|(at, to)| (path(at), LinkTarget::from_bytes(to).unwrap())).collect()
}

fn compared(format: Format, archive: &[u8], expected: &Expected) -> Comparison {
    compare(format, archive, expected).unwrap()
}

#[track_caller]
fn assert_match(comparison: &Comparison) {
    assert_eq!(comparison.mismatch(), None);
    assert!(comparison.is_match());
}

#[track_caller]
fn assert_odd(comparison: &Comparison, name: &str, oddity: Oddity) {
    assert!(!comparison.is_match());
    assert_eq!(comparison.odd.first, [Odd { name: name.to_owned(), oddity }]);
}

#[track_caller]
fn assert_broken(comparison: &Comparison, broken: &Broken) {
    assert!(!comparison.is_match());
    assert_eq!(comparison.object.as_ref().unwrap_err(), broken);
}

fn no_files() -> BTreeMap<RelPath, ExpectedFile> {
    BTreeMap::new()
}
