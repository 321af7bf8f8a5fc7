//! Threads that read and hash, and sleep when there is nothing to read.

use std::collections::BinaryHeap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::{io, thread};

use argo_attest_core::relpath::RelPath;

use super::cancel::Cancel;
use super::inbox::Inbox;
use super::reader::{self, BUFFER, Digested};
use super::refusal::Refusal;
use super::root::Root;
use super::stats::Stats;

/// A file to be read; the biggest are read first, so that none of them is left
/// to one core at the end.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Job {
    pub(super) size: u64,
    pub(super) attempts: u32,
    pub(super) path: RelPath,
}

/// What became of a job.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) path: RelPath,
    pub(super) outcome: Result<Finished, Refusal>,
}

/// A digest and when it was finished.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) digested: Digested,
    pub(super) at: jiff::Timestamp,
    pub(super) before_end: bool,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: BinaryHeap<Job>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    news: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic elsewhere leaves whole jobs behind.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop() {
                return Some(job);
            }
            queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    shared: Arc<Shared>,
    cancel: Cancel,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    pub(super) fn start(
        workers: NonZeroUsize,
        root: &Root,
        inbox: &Arc<Inbox>,
        stats: &Arc<Stats>,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut pool = Self { shared, cancel: Cancel::new(), threads: Vec::new() };
        for n in 0..workers.get() {
            let worker = Worker {
                shared: Arc::clone(&pool.shared),
                root: root.clone(),
                inbox: Arc::clone(inbox),
                stats: Arc::clone(stats),
                cancel: pool.cancel.clone(),
            };
            match thread::Builder::new().name(format!("digest-{n}")).spawn(move || worker.run()) {
                Ok(thread) => pool.threads.push(thread),
                // A limit of processes: go on with the threads there are.
                Err(e) if n > 0 => tracing::debug!(error = %e, threads = n, "fewer threads than wished for"),
                Err(e) => return Err(e),
            }
        }
        Ok(pool)
    }

    pub(super) fn push(&self, job: Job) {
        self.shared.lock().jobs.push(job);
        self.shared.news.notify_one();
    }

    /// Makes every job, running or waiting, end as unfinished, soon.
    pub(super) fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.cancel.cancel();
        self.shared.lock().closed = true;
        self.shared.news.notify_all();
        for thread in self.threads.drain(..) {
            // A panic in it has been printed; its file counts as not digested.
            let _ = thread.join();
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    root: Root,
    inbox: Arc<Inbox>,
    stats: Arc<Stats>,
    cancel: Cancel,
}

impl Worker {
    fn run(&self) {
        let mut buffer = vec![0; BUFFER];
        while let Some(Job { path, attempts, .. }) = self.shared.next() {
            let outcome =
                reader::digest(&self.root, &path, attempts, &mut buffer, &self.cancel, &mut |bytes| {
                    self.stats.read(bytes);
                });
            let outcome = outcome.map(|digested| Finished {
                digested,
                before_end: self.stats.digested(),
                at: jiff::Timestamp::now(),
            });
            self.inbox.done(Done { path, outcome });
        }
    }
}
