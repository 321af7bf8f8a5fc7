//! Where hints and results wait for the one thread that keeps the books.
//!
//! Hints are kept once for each path, so their memory is bounded by the number
//! of paths; beyond a limit they are dropped for a scan of everything.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argo_attest_core::relpath::RelPath;

use super::pool::Done;
use super::watch::Hint;

/// Hints rest this long, so that a burst about one path is one look at it.
const REST: Duration = Duration::from_millis(20);

/// More hints than this cost more than a scan, and memory.
const HINT_LIMIT: usize = 1 << 15;

#[derive(Debug, Default)]
struct Mail {
    hints: HashMap<RelPath, Hint>,
    oldest: Option<Instant>,
    rescan: bool,
    done: Vec<Done>,
    stop: bool,
}

/// What has come in.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) hints: HashMap<RelPath, Hint>,
    pub(super) rescan: bool,
    pub(super) done: Vec<Done>,
    pub(super) stop: bool,
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    mail: Mutex<Mail>,
    news: Condvar,
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Mail> {
        // A panic elsewhere leaves whole values behind; to go on loses nothing.
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps every sender waiting for as long as the value lives.
    #[cfg(test)]
    pub(super) fn hold(&self) -> impl Drop {
        self.lock()
    }

    pub(super) fn hint(&self, path: RelPath, hint: Hint) {
        let mut mail = self.lock();
        if mail.hints.len() >= HINT_LIMIT {
            mail.hints = HashMap::new();
            mail.rescan = true;
        }
        let known = mail.hints.entry(path).or_insert(hint);
        *known = hint.max(*known);
        if mail.oldest.is_none() {
            mail.oldest = Some(Instant::now());
            self.news.notify_all();
        }
    }

    pub(super) fn rescan(&self) {
        self.lock().rescan = true;
        self.news.notify_all();
    }

    pub(super) fn done(&self, done: Done) {
        let mut mail = self.lock();
        mail.done.push(done);
        // Whoever waits was told of the first, and takes all of them.
        if mail.done.len() == 1 {
            self.news.notify_all();
        }
    }

    /// The results so far, without waiting.
    pub(super) fn results(&self) -> Vec<Done> {
        std::mem::take(&mut self.lock().done)
    }

    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.news.notify_all();
    }

    /// Waits for results, for hints that have rested, for a request to scan or
    /// to stop, or for a moment, whichever comes first. Each is told once: whoever
    /// waits again after a request to stop does wait.
    pub(super) fn wait(&self, until: Option<Instant>) -> Batch {
        let mut mail = self.lock();
        loop {
            let now = Instant::now();
            let rested = mail.oldest.map(|oldest| oldest + REST);
            let ripe = rested.is_some_and(|rested| rested <= now);
            if mail.stop || mail.rescan || ripe || !mail.done.is_empty() || until.is_some_and(|u| u <= now) {
                let hints = if ripe || mail.rescan {
                    mail.oldest = None;
                    std::mem::take(&mut mail.hints)
                } else {
                    HashMap::new()
                };
                return Batch {
                    hints,
                    rescan: std::mem::take(&mut mail.rescan),
                    done: std::mem::take(&mut mail.done),
                    stop: std::mem::take(&mut mail.stop),
                };
            }
            let deadline = match (rested, until) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            mail = match deadline {
                Some(deadline) => {
                    self.news.wait_timeout(mail, deadline - now).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.news.wait(mail).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::from_bytes(text.as_bytes()).unwrap()
    }

    #[test]
    fn keeps_the_greatest_hint_of_a_path() {
        let inbox = Inbox::default();
        for hint in [Hint::Made, Hint::Ready, Hint::Gone, Hint::Changed] {
            inbox.hint(path("a"), hint);
        }
        inbox.hint(path("b"), Hint::Gone);
        let batch = inbox.wait(None);
        assert_eq!(batch.hints, HashMap::from([(path("a"), Hint::Ready), (path("b"), Hint::Gone)]));
        assert!(!batch.rescan && !batch.stop);
    }

    #[test]
    fn a_flood_becomes_a_scan() {
        let inbox = Inbox::default();
        for n in 0..=HINT_LIMIT {
            inbox.hint(path(&n.to_string()), Hint::Made);
        }
        let batch = inbox.wait(None);
        assert!(batch.rescan);
        assert_eq!(batch.hints.len(), 1);
    }

    #[test]
    fn after_a_request_to_stop_there_is_waiting_again() {
        let inbox = Inbox::default();
        inbox.stop();
        assert!(inbox.wait(None).stop);
        let until = Instant::now() + Duration::from_millis(20);
        assert!(!inbox.wait(Some(until)).stop);
        assert!(Instant::now() >= until, "the end must not keep a core busy until all is read");
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let batch = Inbox::default().wait(Some(Instant::now()));
        assert!(batch.hints.is_empty() && batch.done.is_empty() && !batch.rescan && !batch.stop);
    }
}
