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

/// Results rest for a moment, too, where more are awaited: to be woken for each of many small files
/// costs a tenth of what hashing them does.
const NAP: Duration = Duration::from_millis(2);

/// So many results are taken at once. Fewer than the threads have at hand, so that none runs dry.
const MANY: usize = 64;

/// More hints than this cost more than a scan, and memory.
const HINT_LIMIT: usize = 1 << 15;

#[derive(Debug, Default)]
struct Mail {
    hints: HashMap<RelPath, Hint>,
    oldest: Option<Instant>,
    rescan: bool,
    done: Vec<Done>,
    /// When the first of these came.
    first_done: Option<Instant>,
    /// How many of them are enough to be told at once.
    enough: usize,
    stop: bool,
}

impl Mail {
    fn take_done(&mut self) -> Vec<Done> {
        self.first_done = None;
        std::mem::take(&mut self.done)
    }
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
        mail.first_done.get_or_insert_with(Instant::now);
        // Whoever waits was told of the first, and takes all of them.
        let so_many = mail.done.len();
        if so_many == 1 || so_many == mail.enough {
            self.news.notify_all();
        }
    }

    /// The results so far, without waiting.
    pub(super) fn results(&self) -> Vec<Done> {
        self.lock().take_done()
    }

    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.news.notify_all();
    }

    /// Waits for results, for hints that have rested, for a request to scan or
    /// to stop, or for a moment, whichever comes first. Each is told once: whoever
    /// waits again after a request to stop does wait.
    ///
    /// `awaited` is how many results are still to come: the last one is told at once, others
    /// a moment after the first.
    pub(super) fn wait(&self, until: Option<Instant>, awaited: usize) -> Batch {
        let mut mail = self.lock();
        mail.enough = awaited.clamp(1, MANY);
        loop {
            let now = Instant::now();
            let rested = mail.oldest.map(|oldest| oldest + REST);
            let ripe = rested.is_some_and(|rested| rested <= now);
            let told = if mail.done.len() >= mail.enough {
                Some(now)
            } else {
                mail.first_done.map(|first| first + NAP)
            };
            let is_due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
            if mail.stop || mail.rescan || ripe || is_due(told) || is_due(until) {
                let hints = if ripe || mail.rescan {
                    mail.oldest = None;
                    std::mem::take(&mut mail.hints)
                } else {
                    HashMap::new()
                };
                return Batch {
                    hints,
                    rescan: std::mem::take(&mut mail.rescan),
                    done: mail.take_done(),
                    stop: std::mem::take(&mut mail.stop),
                };
            }
            mail = match [rested, told, until].into_iter().flatten().min() {
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
    use super::super::refusal::Refusal;
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
        let batch = inbox.wait(None, 1);
        assert_eq!(batch.hints, HashMap::from([(path("a"), Hint::Ready), (path("b"), Hint::Gone)]));
        assert!(!batch.rescan && !batch.stop);
    }

    #[test]
    fn a_flood_becomes_a_scan() {
        let inbox = Inbox::default();
        for n in 0..=HINT_LIMIT {
            inbox.hint(path(&n.to_string()), Hint::Made);
        }
        let batch = inbox.wait(None, 1);
        assert!(batch.rescan);
        assert_eq!(batch.hints.len(), 1);
    }

    #[test]
    fn after_a_request_to_stop_there_is_waiting_again() {
        let inbox = Inbox::default();
        inbox.stop();
        assert!(inbox.wait(None, 1).stop);
        let until = Instant::now() + Duration::from_millis(20);
        assert!(!inbox.wait(Some(until), 1).stop);
        assert!(Instant::now() >= until, "the end must not keep a core busy until all is read");
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let batch = Inbox::default().wait(Some(Instant::now()), 1);
        assert!(batch.hints.is_empty() && batch.done.is_empty() && !batch.rescan && !batch.stop);
    }

    #[test]
    fn a_result_is_told_with_the_last_or_a_moment_later() {
        let gone = |name: &str| Done { path: path(name), outcome: Err(Refusal::Vanished) };
        let inbox = Inbox::default();
        let far = || Some(Instant::now() + Duration::from_mins(1));
        inbox.done(gone("a"));
        assert_eq!(inbox.wait(far(), 1).done.len(), 1);

        let first = Instant::now();
        inbox.done(gone("a"));
        assert_eq!(inbox.wait(far(), 3).done.len(), 1);
        assert!(first.elapsed() >= NAP, "whoever waits is woken for each of many");

        std::thread::scope(|scope| {
            scope.spawn(|| (0..MANY).for_each(|n| inbox.done(gone(&n.to_string()))));
            let mut told = 0;
            while told < MANY {
                told += inbox.wait(far(), MANY - told).done.len();
            }
            assert_eq!(told, MANY);
        });
    }
}
