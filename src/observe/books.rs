//! The books: which files are digested, which wait, which are being read.
//!
//! A path is in `waiting` or in `fed`, never in both; only a window of the
//! waiting ones is handed to the pool, so that a million waiting files are kept
//! once.

use std::collections::{BTreeMap, HashMap};

use argo_attest_core::relpath::RelPath;

use super::identity::Identity;
use super::observation::ObservedFile;
use super::pool::{Done, Job, Share};
use super::refusal::Refusal;
use super::subtree;

/// How many small files are handed to the pool at a time.
const WINDOW: usize = 1024;

/// A file of this size, in bytes, goes to the pool at once, lest it be the last
/// to be started.
const LARGE: u64 = 8 << 20;

/// After so many digests of one file while the command runs, the next one waits
/// until the file has doubled, or for the end: a log that is closed after every
/// line must not cost the square of its length.
const EAGER_READS: u16 = 4;

#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) files: BTreeMap<RelPath, Box<ObservedFile>>,
    /// What the reader refused.
    pub(super) rejected: BTreeMap<RelPath, Refusal>,
    waiting: BTreeMap<RelPath, u64>,
    /// Whether something happened to the file since it was handed out.
    fed: HashMap<RelPath, bool>,
    /// The sizes, in bytes, of all that was handed out since nothing was being read.
    handed_out: u64,
    /// How many bytes of anything had been read then.
    read_before: u64,
    /// One name of each digested file that has several.
    linked: HashMap<(u64, u64), RelPath>,
    /// The number of the final scan; 0 before the first.
    pub(super) scan: u8,
}

impl Books {
    /// Whether the file's digest is of this very state.
    pub(super) fn is_digested(&self, path: &RelPath, identity: &Identity) -> bool {
        self.files.get(path).is_some_and(|file| file.state == identity.fingerprint())
    }

    /// Takes over the digest that was made of this very state through another
    /// hard link. A new link changes the state of the file, and nobody tells
    /// the watches of its other names.
    pub(super) fn is_digested_elsewhere(&mut self, path: &RelPath, identity: &Identity) -> bool {
        let other = self.linked.get(&identity.inode()).and_then(|other| self.files.get(other));
        let Some(file) = other.filter(|other| other.state == identity.fingerprint()) else { return false };
        let file = file.clone();
        self.rejected.remove(path);
        self.waiting.remove(path);
        self.files.insert(path.clone(), file);
        true
    }

    /// Whether to digest the file now rather than at the end.
    pub(super) fn worth_reading(&self, path: &RelPath, identity: &Identity) -> bool {
        self.files.get(path).is_none_or(|file| {
            file.state != identity.fingerprint()
                && (file.reads < EAGER_READS || identity.size() / 2 >= file.size)
        })
    }

    pub(super) fn is_fed(&self, path: &RelPath) -> bool {
        self.fed.contains_key(path)
    }

    pub(super) fn enqueue(&mut self, path: RelPath, size: u64) {
        if let Some(again) = self.fed.get_mut(&path) {
            *again = true;
        } else {
            self.waiting.insert(path, size);
        }
    }

    pub(super) fn busy(&self) -> bool {
        !self.waiting.is_empty() || !self.fed.is_empty()
    }

    /// How many files are being read.
    pub(super) fn reading(&self) -> usize {
        self.fed.len()
    }

    /// The bytes that wait to be read.
    pub(super) fn waiting_bytes(&self) -> u64 {
        self.waiting.values().fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// The bytes that are still to be read of what was handed out, when so many were read of everything.
    pub(super) fn unread_bytes(&self, read: u64) -> u64 {
        if self.fed.is_empty() {
            return 0;
        }
        self.handed_out.saturating_sub(read.saturating_sub(self.read_before))
    }

    /// Hands files to the pool.
    pub(super) fn feed(&mut self, pool: &Share, attempts: u32) {
        while self.fed.len() < WINDOW
            && let Some((path, size)) = self.waiting.pop_first()
        {
            self.hand_out(pool, path, size, attempts);
        }
    }

    /// Hands one file to the pool at once, if it is large and not there yet.
    pub(super) fn enqueue_with(&mut self, path: RelPath, size: u64, pool: &Share, attempts: u32) {
        if size >= LARGE && !self.is_fed(&path) {
            self.waiting.remove(&path);
            self.hand_out(pool, path, size, attempts);
        } else {
            self.enqueue(path, size);
        }
    }

    fn hand_out(&mut self, pool: &Share, path: RelPath, size: u64, attempts: u32) {
        if self.fed.is_empty() {
            (self.handed_out, self.read_before) = (0, pool.bytes_read());
        }
        self.handed_out = self.handed_out.saturating_add(size);
        self.fed.insert(path.clone(), false);
        pool.push(Job { size, attempts, path });
    }

    /// Books a result. Gives the path back if something has happened to the
    /// file meanwhile.
    pub(super) fn enter(&mut self, done: Done) -> Option<RelPath> {
        let Done { path, outcome } = done;
        let again = self.fed.remove(&path).unwrap_or_default();
        match outcome {
            Ok(finished) => {
                let inode = finished.digested.identity.inode();
                let earlier = self.files.get(&path).map_or(0, |file| file.reads);
                let file = Box::new(ObservedFile {
                    digest: finished.digested.sha256,
                    crc64nvme: finished.digested.crc64nvme,
                    size: finished.digested.identity.size(),
                    digested: i64::try_from(finished.at.as_nanosecond()).unwrap_or(i64::MAX),
                    before_end: finished.before_end,
                    reads: earlier
                        .saturating_add(u16::try_from(finished.digested.attempts).unwrap_or(u16::MAX)),
                    links: finished.digested.links,
                    seen: self.scan,
                    changed: finished.digested.identity.changed(),
                    state: finished.digested.identity.fingerprint(),
                });
                self.rejected.remove(&path);
                if file.links > 1 {
                    self.linked.insert(inode, path.clone());
                }
                if again {
                    self.files.insert(path.clone(), file);
                    return Some(path);
                }
                self.files.insert(path, file);
                None
            }
            Err(refusal) => {
                // A change seen by a single try is no verdict: the writer will
                // close the file, and else the final scan finds it.
                let verdict = !matches!(refusal, Refusal::Vanished | Refusal::Unstable { attempts: ..=1 });
                if verdict {
                    self.files.remove(&path);
                    self.rejected.insert(path.clone(), refusal);
                }
                again.then_some(path)
            }
        }
    }

    /// The path, and all beneath it, is not there any more.
    pub(super) fn forget(&mut self, path: &RelPath) {
        subtree::remove(&mut self.files, path);
        subtree::remove(&mut self.waiting, path);
        subtree::remove(&mut self.rejected, path);
    }

    /// Drops what waits and what was refused: the final scan decides anew.
    pub(super) fn begin_closing(&mut self) {
        self.waiting.clear();
        self.rejected.clear();
    }

    /// Refuses all that waits.
    pub(super) fn give_up(&mut self, refusal: &Refusal) {
        for path in std::mem::take(&mut self.waiting).into_keys() {
            self.files.remove(&path);
            self.rejected.insert(path, refusal.clone());
        }
    }
}
