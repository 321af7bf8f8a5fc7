//! Follows a volume while a command writes to it: from hints and scans to
//! files that are worth reading now.
//!
//! Nothing decided here is final. A hint that is missed, or a file left alone
//! too long, costs only time at the end, where [`super::closing`] looks at
//! everything.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use argo_attest_core::relpath::RelPath;

use super::baseline::Known;
use super::books::Books;
use super::cancel::Cancel;
use super::identity::{Entry, Identity, Kind};
use super::inbox::Inbox;
use super::interests::Interests;
use super::pool::{Done, Share};
use super::refusal::Refusal;
use super::root::Root;
use super::stats::Stats;
use super::walk::{Visitor, walk};
use super::watch::Hint;
use super::watched::Watched;

/// A file found without word that it was closed is read only if it is the same
/// after this long.
const SECOND_LOOK: Duration = Duration::from_millis(100);

/// A file untouched for this long needs no second look.
const OLD: Duration = Duration::from_secs(1);

/// How many files wait for a second look. Where more are new at once, a scan that follows looks
/// at the rest.
const SECOND_LOOKS: usize = 1 << 14;

/// Scans in place of watches take at most a twentieth of one core, and wait at
/// least and at most this long for the next.
const SCAN_SHARE: u32 = 20;
const SCAN_SOONEST: Duration = Duration::from_secs(1);
const SCAN_LATEST: Duration = Duration::from_mins(1);

/// While the command runs, a file that changes under the reader is left to its
/// writer.
const ATTEMPTS: u32 = 1;

/// How many files are looked at between two meals of the pool.
const FEED_EVERY: u64 = 256;

pub(super) struct Tracker {
    pub(super) root: Root,
    pub(super) interests: Arc<Interests>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) stats: Arc<Stats>,
    pub(super) pool: Share,
    /// Stops what only hurries on: the end looks at everything anyway.
    pub(super) halt: Cancel,
    pub(super) books: Books,
    pub(super) known: Option<Known>,
    pub(super) watched: Option<Watched>,
    later: VecDeque<(Instant, RelPath, Identity)>,
    /// Whether there were more than these.
    more: bool,
    looked: u64,
    next_scan: Option<Instant>,
    last_scan: Option<(Instant, Duration)>,
}

impl Tracker {
    pub(super) fn new(
        root: Root,
        interests: Arc<Interests>,
        inbox: Arc<Inbox>,
        stats: Arc<Stats>,
        pool: Share,
        halt: Cancel,
    ) -> Self {
        Self {
            root,
            interests,
            inbox,
            stats,
            pool,
            halt,
            books: Books::default(),
            known: None,
            watched: None,
            later: VecDeque::new(),
            more: false,
            looked: 0,
            next_scan: None,
            last_scan: None,
        }
    }

    /// Looks at everything for the first time. With `known`, takes note of what
    /// is there; else has it digested.
    pub(super) fn begin(&mut self, mut known: Option<Known>) {
        let root = self.root.clone();
        let mut scout = Scout { tracker: self, taking: known.as_mut(), all: true };
        scout.approach_all(&root);
        self.known = known;
        self.scanned(Instant::now(), Duration::ZERO);
        self.books.feed(&self.pool, ATTEMPTS);
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self) -> Self {
        loop {
            let until = [self.next_scan, self.later.front().map(|(due, ..)| *due)];
            let batch = self.inbox.wait(until.into_iter().flatten().min(), self.books.reading());
            if batch.stop {
                for done in batch.done {
                    self.books.enter(done);
                }
                return self;
            }
            self.enter(batch.done);
            for (path, hint) in batch.hints {
                if self.halt.is_cancelled() {
                    break;
                }
                self.look(&path, hint);
                self.keep_pool_busy();
            }
            if batch.rescan {
                self.lost();
            }
            self.look_again();
            self.plan_scan();
            if self.next_scan.is_some_and(|due| due <= Instant::now()) {
                self.scan();
            }
            self.books.feed(&self.pool, ATTEMPTS);
        }
    }

    fn enter(&mut self, results: Vec<Done>) {
        for done in results {
            if let Some(path) = self.books.enter(done) {
                self.inbox.hint(path, Hint::Ready);
            }
        }
    }

    /// To be called once for each file in what may be a long run of them, lest
    /// the pool go idle until its end.
    fn keep_pool_busy(&mut self) {
        self.looked += 1;
        if self.looked.is_multiple_of(FEED_EVERY) {
            let results = self.inbox.results();
            self.enter(results);
            self.books.feed(&self.pool, ATTEMPTS);
        }
    }

    /// Looks at what a hint is about.
    fn look(&mut self, path: &RelPath, hint: Hint) {
        let root = self.root.clone();
        if self.interests.lead_through(path) {
            let mut scout = Scout { tracker: self, taking: None, all: false };
            return scout.approach(&root, path);
        }
        if !self.interests.hold(path) {
            return;
        }
        match root.entry(path) {
            Ok(entry) if entry.kind == Kind::File => self.consider(path.clone(), &entry, hint),
            Ok(entry) if entry.kind == Kind::Directory => {
                let watched = self.watched.as_mut();
                if hint > Hint::Changed
                    && let Some(watched) = watched
                {
                    // The path may lead to another directory than before, and
                    // the backend may have dropped the watch of the former.
                    watched.forget(path);
                }
                let mut scout = Scout { tracker: self, taking: None, all: false };
                let halt = scout.tracker.halt.clone();
                // Stopped, it leaves the rest to the end.
                let _ = walk(&root, path, &mut scout, &halt);
            }
            Err(Refusal::Vanished) => {
                self.books.forget(path);
                if let Some(watched) = &mut self.watched {
                    watched.forget(path);
                }
            }
            Ok(_) | Err(_) => self.books.forget(path),
        }
    }

    /// Decides when a file is read: now, after a second look, or at the end.
    fn consider(&mut self, path: RelPath, entry: &Entry, hint: Hint) {
        let identity = entry.identity;
        let unchanged = self.known.as_ref().is_some_and(|known| known.contains(&path, &identity));
        if unchanged
            || !self.books.worth_reading(&path, &identity)
            || entry.links > 1 && self.books.is_digested_elsewhere(&path, &identity)
        {
            return;
        }
        let old = identity.age(SystemTime::now()).is_some_and(|age| age >= OLD);
        if hint == Hint::Ready || old {
            self.books.enqueue_with(path, identity.size(), &self.pool, ATTEMPTS);
        } else if self.later.len() < SECOND_LOOKS {
            self.later.push_back((Instant::now() + SECOND_LOOK, path, identity));
        } else {
            self.more = true;
        }
    }

    fn look_again(&mut self) {
        let now = Instant::now();
        while let Some((due, ..)) = self.later.front()
            && *due <= now
            && !self.halt.is_cancelled()
            && let Some((_, path, identity)) = self.later.pop_front()
        {
            // One that has changed since is being written: closing it gives a hint.
            self.keep_pool_busy();
            if let Ok(entry) = self.root.entry(&path)
                && entry.kind == Kind::File
                && entry.identity == identity
                && self.books.worth_reading(&path, &identity)
            {
                self.books.enqueue_with(path, identity.size(), &self.pool, ATTEMPTS);
            }
        }
        if self.later.is_empty() {
            self.later.shrink_to(64);
        }
    }

    /// Events were lost: a scan is due, though not right after another one.
    fn lost(&mut self) {
        if let Some(watched) = &mut self.watched {
            watched.lost();
        }
        let now = Instant::now();
        let due = self.last_scan.map_or(now, |(end, took)| now.max(end + took * 4));
        self.next_scan = Some(self.next_scan.map_or(due, |other| other.min(due)));
    }

    fn scan(&mut self) {
        let start = Instant::now();
        let root = self.root.clone();
        self.more = false;
        Scout { tracker: self, taking: None, all: true }.approach_all(&root);
        self.stats.rescanned();
        self.scanned(Instant::now(), start.elapsed());
    }

    fn scanned(&mut self, end: Instant, took: Duration) {
        self.last_scan = Some((end, took));
        self.next_scan = None;
        self.plan_scan();
    }

    /// Watching may fail at any directory; from then on there is a next scan. So there is where
    /// not all that is new is remembered.
    fn plan_scan(&mut self) {
        let scanning = self.more || self.watched.as_ref().is_some_and(Watched::scanning);
        if let (true, None, Some((end, took))) = (scanning, self.next_scan, self.last_scan) {
            self.next_scan = Some(end + (took * SCAN_SHARE).clamp(SCAN_SOONEST, SCAN_LATEST));
        }
    }
}

/// Goes through directories for the tracker: watches each, then lists it.
struct Scout<'a> {
    tracker: &'a mut Tracker,
    /// Where to note what is there instead of having it digested.
    taking: Option<&'a mut Known>,
    /// Whether directories that are watched already are listed nonetheless.
    all: bool,
}

impl Scout<'_> {
    fn approach_all(&mut self, root: &Root) {
        self.approach(root, &RelPath::root());
    }

    /// Goes from `from`, an interest's ancestor, down to all interests beneath
    /// it, as far as there is something.
    fn approach(&mut self, root: &Root, from: &RelPath) {
        let interests = Arc::clone(&self.tracker.interests);
        for top in interests.tops().iter().filter(|top| top.starts_with(from)) {
            let mut way = vec![];
            let mut at = top.parent();
            while let Some(path) = at {
                at = path.parent();
                way.push(path);
            }
            let mut open = true;
            for path in way.iter().rev() {
                match root.entry(path) {
                    Ok(entry) if entry.kind == Kind::Directory => {
                        let again = self.all || path.starts_with(from);
                        self.watch(root, path, &entry, again);
                    }
                    _ => {
                        open = false;
                        self.tracker.books.forget(path);
                        break;
                    }
                }
            }
            if open {
                let halt = self.tracker.halt.clone();
                // Stopped, it leaves the rest to the end.
                let _ = walk(root, top, self, &halt);
            }
        }
    }

    /// Whether the directory was not watched before.
    fn watch(&mut self, root: &Root, path: &RelPath, entry: &Entry, again: bool) -> bool {
        let Some(watched) = &mut self.tracker.watched else { return true };
        let new = !watched.has(path, &entry.identity);
        if new || again {
            watched.add(root, path, &entry.identity, &self.tracker.stats);
        }
        new
    }
}

impl Visitor for Scout<'_> {
    fn directory(&mut self, path: &RelPath, entry: &Entry) -> bool {
        if self.tracker.interests.excluded(path) {
            return false;
        }
        let root = self.tracker.root.clone();
        self.watch(&root, path, entry, self.all) || self.all
    }

    fn file(&mut self, path: RelPath, entry: &Entry) {
        if self.tracker.interests.excluded(&path) {
            return;
        }
        if let Some(known) = &mut self.taking {
            known.insert(&path, &entry.identity);
        } else {
            self.tracker.consider(path, entry, Hint::Made);
            self.tracker.keep_pool_busy();
        }
    }

    fn refused(&mut self, path: RelPath, entry: Option<&Entry>, _refusal: Refusal) {
        if let (Some(known), Some(entry)) = (&mut self.taking, entry) {
            known.insert(&path, &entry.identity);
        }
    }
}
