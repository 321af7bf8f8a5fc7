//! An archive entry by entry against what was digested.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;

use super::above::Above;
use super::expected::{Expected, ExpectedFile, ExpectedFiles, Naming, Passed};
use super::object::{ObjectDigest, ReadError};
use super::walk::{Broken, Entry, EntryKind, Format, Limits, Sink, walk};
use crate::relpath::{RelPath, printable};

/// How many findings of one sort are named; the rest is counted.
pub const CAP: usize = 32;

/// The first [`CAP`] findings of one sort, and how many there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capped<T> {
    /// The first ones.
    pub first: Vec<T>,
    /// How many there were.
    pub count: u64,
}

impl<T> Default for Capped<T> {
    fn default() -> Self {
        Self { first: Vec::new(), count: 0 }
    }
}

impl<T> Capped<T> {
    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, finding: T) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < CAP {
            self.first.push(finding);
        }
    }
}

/// What came of comparing an object with what was digested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Digest and size of the object itself, if it is a sound archive; else why
    /// reading ended. Then nothing is said of entries that were not reached:
    /// `missing` is empty.
    pub object: Result<ObjectDigest, Broken>,
    /// How many entries were read.
    pub entries: u64,
    /// What the archive calls the artifact itself, in printable form.
    pub artifact: String,
    /// Files with other content.
    pub differs: Capped<Difference>,
    /// Files that nobody digested.
    pub extra: Capped<Extra>,
    /// Digested files, and links, that are not in the archive.
    pub missing: Capped<RelPath>,
    /// Entries that no honest archive of these files has.
    pub odd: Capped<Odd>,
    /// Entries without content under names that the scan refused: no mismatch.
    pub refused: Capped<RefusedEntry>,
}

/// A file with other content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file, beneath the artifact.
    pub path: RelPath,
    /// What was digested on disk.
    pub expected: ExpectedFile,
    /// What the archive holds.
    pub found: ExpectedFile,
}

/// A file that nobody digested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// The file, beneath the artifact.
    pub path: RelPath,
    /// What the archive holds.
    pub found: ExpectedFile,
}

/// An entry that no honest archive of these files has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// The entry's name in printable form, shortened if it is very long.
    pub name: String,
    /// What is wrong with it.
    pub oddity: Oddity,
}

/// An entry without content under a name that the scan refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    /// Its path beneath the artifact.
    pub path: RelPath,
    /// What it is in the archive; an empty file for what a zip cannot hold.
    pub kind: EntryKind,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Oddity {
    /// Absolute, with `..`, with an empty component or a NUL.
    #[error("its name could leave the directory it is unpacked into")]
    UnsafeName,
    /// Not beneath the name that all entries should have.
    #[error("its name is not at or beneath the artifact's")]
    OutsideBase,
    /// It occurred before.
    #[error("it occurs twice")]
    Duplicate,
    /// Not a regular file, and the scan saw no such thing there.
    #[error("it is {0}")]
    Kind(EntryKind),
    /// Something else under the name of a digested file.
    #[error("it is {0} where a regular file was digested")]
    NotAFile(EntryKind),
    /// Content under a name that the scan refused.
    #[error("the scan refused it, and it has content here that nobody digested")]
    Undigested,
    /// Something else under the name of a link.
    #[error("it is {0} where there was a symbolic link")]
    NotALink(EntryKind),
    /// A link that leads elsewhere than the one on disk.
    #[error("it is a symbolic link that leads elsewhere than it did")]
    OtherTarget,
    /// Beneath the name of a link: unpacked in order, it would be written through it.
    #[error("it is beneath a symbolic link")]
    BeneathLink,
    /// Beneath a name that the scan refused, such as a symbolic link.
    #[error("it is beneath a name that the scan refused")]
    BeneathRefused,
    /// Its attributes in a zip's central directory are not a plain file's.
    #[error("its attributes are not those of a plain file")]
    Disguised,
}

impl Comparison {
    /// Whether the object holds exactly what was digested.
    pub fn is_match(&self) -> bool {
        self.object.is_ok()
            && self.differs.is_empty()
            && self.extra.is_empty()
            && self.missing.is_empty()
            && self.odd.is_empty()
    }

    /// The first reason why it is no match, with how many more there are.
    pub fn mismatch(&self) -> Option<String> {
        let first = self
            .object
            .as_ref()
            .err()
            .map(ToString::to_string)
            .or_else(|| self.odd.first.first().map(ToString::to_string))
            .or_else(|| self.differs.first.first().map(|difference| self.describe(difference)))
            .or_else(|| {
                let extra = self.extra.first.first()?;
                Some(format!("`{}` was not digested", self.called(&extra.path)))
            })
            .or_else(|| {
                let path = self.missing.first.first()?;
                Some(format!("`{}` is not in the archive", self.called(path)))
            })?;
        let findings = [self.odd.count, self.differs.count, self.extra.count, self.missing.count];
        let all =
            findings.iter().fold(u64::from(self.object.is_err()), |sum, count| sum.saturating_add(*count));
        Some(if all > 1 { format!("{first} (and {} more)", all - 1) } else { first })
    }

    fn describe(&self, difference: &Difference) -> String {
        let Difference { path, expected, found } = difference;
        format!(
            "`{}` has {} bytes with SHA-256 {}, and had {} with {} when it was digested",
            self.called(path),
            found.size,
            found.digest,
            expected.size,
            expected.digest
        )
    }

    /// A name that people know: of a single file, `.` would say nothing.
    fn called(&self, path: &RelPath) -> String {
        if path.is_root() { self.artifact.clone() } else { path.to_string() }
    }
}

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.name, self.oddity)
    }
}

/// Reads `object` to its end, or to where it stops being a sound archive, and
/// compares every entry with what is expected. An error means that the object
/// could not be read, which is no verdict on it.
pub fn compare<F: ExpectedFiles + Sync>(
    format: Format,
    object: impl Read,
    expected: &Expected<F>,
) -> Result<Comparison, ReadError> {
    let mut comparer = Comparer::new(expected);
    let walked = walk(format, object, Limits::for_expected(expected), &mut comparer)?;
    let mut comparison = comparer.found;
    if walked.object.is_ok() {
        for (path, seen) in comparer.files.iter().zip(&comparer.seen) {
            if !seen {
                comparison.missing.push((*path).clone());
            }
        }
        for (path, _) in expected.links.iter() {
            if !comparer.links_seen.contains(path) {
                comparison.missing.push(path.clone());
            }
        }
    }
    comparison.object = walked.object;
    comparison.entries = walked.entries;
    Ok(comparison)
}

struct Comparer<'a, F> {
    expected: &'a Expected<F>,
    /// In their order.
    files: Vec<&'a RelPath>,
    seen: Vec<bool>,
    refused_seen: BTreeSet<&'a RelPath>,
    links_seen: BTreeSet<RelPath>,
    above: Above,
    found: Comparison,
}

impl<'a, F: ExpectedFiles> Comparer<'a, F> {
    fn new(expected: &'a Expected<F>) -> Self {
        let files: Vec<_> = expected.files.iter().map(|(path, _)| path).collect();
        let (Naming::Single(name) | Naming::Beneath(name)) = &expected.naming;
        let found = Comparison {
            artifact: shown(name),
            object: Err(Broken::Truncated),
            entries: 0,
            differs: Capped::default(),
            extra: Capped::default(),
            missing: Capped::default(),
            odd: Capped::default(),
            refused: Capped::default(),
        };
        Self {
            expected,
            seen: vec![false; files.len()],
            files,
            refused_seen: BTreeSet::new(),
            links_seen: BTreeSet::new(),
            above: Above::default(),
            found,
        }
    }

    fn judge(&mut self, entry: &Entry<'_>) -> Result<(), Oddity> {
        let name = match entry.kind {
            EntryKind::Directory => entry.name.strip_suffix(b"/").unwrap_or(entry.name),
            _ => entry.name,
        };
        let path = self.expected.naming.resolve(name)?;
        if entry.disguised {
            return Err(Oddity::Disguised);
        }
        // Unpacked in order, what follows a link of that name would be written
        // through it.
        if let Some(oddity) = self.beneath(&path) {
            return Err(oddity);
        }
        if let Some(target) = self.expected.links.get(&path) {
            return match entry.kind {
                EntryKind::Symlink if self.links_seen.contains(&path) => Err(Oddity::Duplicate),
                EntryKind::Symlink if entry.target != target.as_bytes() => Err(Oddity::OtherTarget),
                EntryKind::Symlink => {
                    self.links_seen.insert(path);
                    Ok(())
                }
                kind => Err(Oddity::NotALink(kind)),
            };
        }
        if let Some((refused, passed)) = self.expected.refused.get_key_value(&path) {
            if !self.refused_seen.insert(refused) {
                return Err(Oddity::Duplicate);
            }
            let without_content = match (passed, entry.kind) {
                (Passed::Special, EntryKind::File) => entry.size == 0,
                (Passed::Special, EntryKind::Symlink | EntryKind::Device | EntryKind::Fifo)
                | (Passed::Unread, EntryKind::Directory) => true,
                _ => false,
            };
            if !without_content {
                return Err(Oddity::Undigested);
            }
            self.found.refused.push(RefusedEntry { path, kind: entry.kind });
            return Ok(());
        }
        let index = self.files.binary_search(&&path).ok();
        let seen = index.and_then(|index| self.seen.get_mut(index));
        match (seen.and_then(|seen| Some((self.expected.files.get(&path)?, seen))), entry.kind) {
            (Some(_), kind) if kind != EntryKind::File => Err(Oddity::NotAFile(kind)),
            (None, EntryKind::Directory) => Ok(()),
            (None, EntryKind::File) => {
                self.found.extra.push(Extra { path, found: found(entry) });
                Ok(())
            }
            (None, kind) => Err(Oddity::Kind(kind)),
            (Some((_, seen)), _) if *seen => Err(Oddity::Duplicate),
            (Some((expected, seen)), _) => {
                *seen = true;
                if expected != found(entry) {
                    self.found.differs.push(Difference { path, expected, found: found(entry) });
                }
                Ok(())
            }
        }
    }

    /// What is wrong with an entry beneath what is no directory.
    fn beneath(&mut self, path: &RelPath) -> Option<Oddity> {
        let Expected { refused, links, .. } = self.expected;
        if refused.is_empty() && links.is_empty() {
            return None;
        }
        let found = self.above.new_ones(path).find_map(|above| {
            let refused = refused.contains_key(&above).then_some(Oddity::BeneathRefused);
            refused.or_else(|| links.get(&above).map(|_| Oddity::BeneathLink))
        });
        if found.is_some() {
            // So is the next one, if it is in the same directory.
            self.above = Above::default();
        }
        found
    }
}

impl<F: ExpectedFiles + Sync> Sink for Comparer<'_, F> {
    fn entry(&mut self, entry: Entry<'_>) {
        if let Err(oddity) = self.judge(&entry) {
            self.found.odd.push(Odd { name: shown(entry.name), oddity });
        }
    }
}

fn found(entry: &Entry<'_>) -> ExpectedFile {
    ExpectedFile { digest: entry.digest, size: entry.size }
}

/// A name for a report. The kernel has none longer than 4 KiB, an archive may.
pub(super) fn shown(name: &[u8]) -> String {
    match name.get(..4096) {
        Some(start) if name.len() > 4096 => format!("{}…", printable(start)),
        _ => printable(name),
    }
}
