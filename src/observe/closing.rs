//! The end: what is there now, and is every digest of exactly that?
//!
//! Everything is scanned. Where a digest is missing or is of another state than
//! the one found, the file is read and everything is scanned again, a few
//! times. What will not hold still is refused.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use argo_attest_core::relpath::RelPath;

use super::baseline::Known;
use super::books::Books;
use super::cancel::Cancel;
use super::identity::{Entry, Kind};
use super::interests::Interests;
use super::links::FoundLinks;
use super::observation::{Observation, Presence};
use super::progress::Progress;
use super::refusal::Refusal;
use super::root::Root;
use super::tracker::Tracker;
use super::walk::{Visitor, walk};

/// How often everything is scanned again after reading.
const ROUNDS: u8 = 3;

/// How often a file is read in a row until it holds still.
const ATTEMPTS: u32 = 3;

/// How soon a request to stop is seen, and progress told.
const BEAT: Duration = Duration::from_millis(50);

/// Finishes what a tracker has begun.
pub(super) fn close(mut tracker: Tracker, progress: &dyn Progress, cancel: &Cancel) -> Observation {
    // From here on the scans decide alone.
    tracker.watched = None;
    tracker.books.begin_closing();
    let read = tracker.stats.bytes();
    let mut meter = Meter::new(progress, read);
    meter.plan(tracker.books.unread_bytes(read));
    settle(&mut tracker, &mut meter, cancel);
    loop {
        tracker.books.scan += 1;
        let found = scan(&mut tracker, cancel);
        if !found.reached || cancel.is_cancelled() {
            drain(&mut tracker, &mut meter, cancel);
            return observation(tracker, found);
        }
        if !tracker.books.busy() {
            return observation(tracker, found);
        }
        if tracker.books.scan > ROUNDS {
            tracker.books.give_up(&Refusal::Unstable { attempts: u32::from(ROUNDS) });
            return observation(tracker, found);
        }
        meter.plan(tracker.books.waiting_bytes());
        if !drain(&mut tracker, &mut meter, cancel) {
            return observation(tracker, found);
        }
    }
}

/// What a scan found besides files.
struct Found {
    links: FoundLinks,
    refused: BTreeMap<RelPath, Refusal>,
    rearranged: BTreeMap<RelPath, i64>,
    /// Whether it got everywhere.
    reached: bool,
}

/// Scans all interests.
fn scan(tracker: &mut Tracker, cancel: &Cancel) -> Found {
    let mut auditor = Auditor {
        books: &mut tracker.books,
        root: &tracker.root,
        interests: &tracker.interests,
        known: tracker.known.as_ref(),
        links: FoundLinks::default(),
        refused: BTreeMap::new(),
        rearranged: tracker.interests.asked().map(|path| (path.clone(), i64::MIN)).collect(),
    };
    let mut reached = true;
    for top in tracker.interests.tops() {
        reached &= walk(&tracker.root, top, &mut auditor, cancel).is_ok();
    }
    let Auditor { links, refused, rearranged, .. } = auditor;
    Found { links, refused, rearranged, reached }
}

/// Lets what is being read come to its end: the first scan would find it undigested
/// and have it read once more, a large file at twice its cost.
fn settle(tracker: &mut Tracker, meter: &mut Meter<'_>, cancel: &Cancel) {
    while tracker.books.reading() > 0 && !cancel.is_cancelled() {
        for done in tracker.inbox.wait(Some(Instant::now() + BEAT), tracker.books.reading()).done {
            // Whether it changed meanwhile is for the first scan to see.
            tracker.books.enter(done);
        }
        meter.update(tracker.stats.bytes());
    }
}

/// Has all that waits read; `false` if it was cancelled.
fn drain(tracker: &mut Tracker, meter: &mut Meter<'_>, cancel: &Cancel) -> bool {
    while tracker.books.busy() {
        if cancel.is_cancelled() {
            tracker.pool.cancel();
            tracker.books.give_up(&Refusal::Unfinished);
        }
        tracker.books.feed(&tracker.pool, ATTEMPTS);
        let batch = tracker.inbox.wait(Some(Instant::now() + BEAT), tracker.books.reading());
        for done in batch.done {
            // Whether it changed meanwhile is for the next scan to see.
            tracker.books.enter(done);
        }
        meter.update(tracker.stats.bytes());
    }
    !cancel.is_cancelled()
}

fn observation(tracker: Tracker, found: Found) -> Observation {
    let Found { links, mut refused, rearranged, reached } = found;
    let Tracker { root, interests, stats, mut books, .. } = tracker;
    let (links, mut astray) = links.judged(&root);
    refused.append(&mut astray);
    let current = books.scan;
    if reached {
        books.files.retain(|_, file| file.seen == current);
    } else {
        // An earlier scan of the end vouches for a file as well.
        for (path, _) in books.files.extract_if(.., |_, file| file.seen == 0) {
            refused.insert(path, Refusal::Unfinished);
        }
    }
    refused.append(&mut books.rejected);
    for path in refused.keys() {
        books.files.remove(path);
    }
    let mut presence = BTreeMap::new();
    for path in interests.asked() {
        let found = match root.entry(path) {
            Err(Refusal::Vanished) => Presence::Missing,
            Ok(entry) if entry.kind == Kind::File && !refused.contains_key(path) => Presence::File,
            Ok(entry) if entry.kind == Kind::Directory && !refused.contains_key(path) => Presence::Directory,
            _ => Presence::Refused,
        };
        presence.insert(path.clone(), found);
    }
    Observation {
        complete: reached && !refused.values().any(|r| *r == Refusal::Unfinished),
        files: books.files,
        links,
        refused,
        interests: presence,
        rearranged,
        stats: stats.snapshot(),
    }
}

/// Compares what a scan finds with the books.
struct Auditor<'a> {
    books: &'a mut Books,
    root: &'a Root,
    interests: &'a Interests,
    known: Option<&'a Known>,
    links: FoundLinks,
    refused: BTreeMap<RelPath, Refusal>,
    rearranged: BTreeMap<RelPath, i64>,
}

impl Auditor<'_> {
    fn unchanged(&self, path: &RelPath, entry: &Entry) -> bool {
        self.known.is_some_and(|known| known.contains(path, &entry.identity))
    }
}

impl Visitor for Auditor<'_> {
    fn directory(&mut self, path: &RelPath, entry: &Entry) -> bool {
        if self.interests.excluded(path) {
            return false;
        }
        for above in std::iter::successors(Some(path.clone()), RelPath::parent) {
            if let Some(latest) = self.rearranged.get_mut(&above) {
                *latest = entry.identity.changed().max(*latest);
            }
        }
        true
    }

    fn file(&mut self, path: RelPath, entry: &Entry) {
        if self.interests.excluded(&path) || self.unchanged(&path, entry) {
            return;
        }
        let digested = self.books.is_digested(&path, &entry.identity)
            || entry.links > 1 && self.books.is_digested_elsewhere(&path, &entry.identity);
        if digested {
            let scan = self.books.scan;
            if let Some(file) = self.books.files.get_mut(&path) {
                file.seen = scan;
            }
        } else if let Some(refusal) = self.books.rejected.get(&path) {
            self.refused.insert(path, refusal.clone());
        } else if !self.books.is_fed(&path) {
            self.books.enqueue(path, entry.identity.size());
        }
    }

    fn link(&mut self, path: RelPath, entry: &Entry) {
        if self.interests.excluded(&path) || self.unchanged(&path, entry) {
            return;
        }
        match self.links.read(self.root, self.interests, &path) {
            // What has taken its place is there for the next scan, or for whoever compares.
            Ok(()) | Err(Refusal::Vanished) => {}
            Err(refusal) => drop(self.refused.insert(path, refusal)),
        }
    }

    fn refused(&mut self, path: RelPath, entry: Option<&Entry>, refusal: Refusal) {
        if self.interests.excluded(&path) || entry.is_some_and(|entry| self.unchanged(&path, entry)) {
            return;
        }
        self.refused.insert(path, refusal);
    }
}

/// Tells of progress, never of more than was announced.
struct Meter<'a> {
    progress: &'a dyn Progress,
    base: u64,
    total: u64,
    told: u64,
}

impl<'a> Meter<'a> {
    fn new(progress: &'a dyn Progress, base: u64) -> Self {
        Self { progress, base, total: 0, told: 0 }
    }

    fn plan(&mut self, more: u64) {
        self.total = self.told.saturating_add(more);
        self.progress.total(self.total);
    }

    fn update(&mut self, bytes: u64) {
        let done = bytes.saturating_sub(self.base).min(self.total);
        if done > self.told {
            self.progress.advanced(done - self.told);
            self.told = done;
        }
    }
}
