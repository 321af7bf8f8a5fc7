//! Threads that read and hash, and sleep when there is nothing to read. There is one pool
//! for everything that is observed at a time: two threads for two cores, however many
//! volumes a step has. Where more files wait than there are threads, each thread reads two
//! of them in turns, and hashes their blocks together.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::{io, thread};

use argo_attest_core::relpath::RelPath;
use argo_attest_sha256::{LANES, update_together};

use super::cancel::Cancel;
use super::inbox::Inbox;
use super::reader::{Also, BUFFER, Digested, Reader, Task};
use super::refusal::Refusal;
use super::root::Root;
use super::stats::Stats;

/// A file to be read.
#[derive(Debug)]
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

/// The threads. Clones share them; they end with the last one.
#[derive(Debug, Clone)]
pub struct Pool(Arc<Threads>);

impl Pool {
    /// Starts so many threads, or as many as the system gives.
    pub fn start(workers: NonZeroUsize, also: Also) -> io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), news: Condvar::new(), also });
        let mut threads = Threads { shared, handles: Vec::with_capacity(workers.get()) };
        for n in 0..workers.get() {
            let shared = Arc::clone(&threads.shared);
            match thread::Builder::new().name(format!("digest-{n}")).spawn(move || shared.work()) {
                Ok(thread) => threads.handles.push(thread),
                // A limit of processes: go on with the threads there are.
                Err(e) if n > 0 => tracing::debug!(error = %e, threads = n, "fewer threads than wished for"),
                Err(e) => return Err(e),
            }
        }
        Ok(Self(Arc::new(threads)))
    }

    /// A share in the threads, for what is beneath one root.
    pub(super) fn share(&self, root: &Root, inbox: &Arc<Inbox>, stats: &Arc<Stats>) -> Share {
        let (root, inbox, stats) = (root.clone(), Arc::clone(inbox), Arc::clone(stats));
        let customer = Arc::new(Customer { root, inbox, stats, cancel: Cancel::new() });
        Share { pool: self.clone(), customer }
    }
}

/// One observer's share in the pool. Dropped, it leaves nothing for the threads to do.
#[derive(Debug)]
pub(super) struct Share {
    pool: Pool,
    customer: Arc<Customer>,
}

impl Share {
    pub(super) fn push(&self, job: Job) {
        let shared = &self.pool.0.shared;
        let mut queue = shared.lock();
        queue.jobs.push(Ordered { job, of: Arc::clone(&self.customer) });
        if queue.idle > 0 {
            shared.news.notify_one();
        }
    }

    /// How many bytes were read for this share, of anything.
    pub(super) fn bytes_read(&self) -> u64 {
        self.customer.stats.bytes()
    }

    /// Makes every job of this share, running or waiting, end as unfinished, soon.
    pub(super) fn cancel(&self) {
        self.customer.cancel.cancel();
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// For whom a file is read.
#[derive(Debug)]
struct Customer {
    root: Root,
    inbox: Arc<Inbox>,
    stats: Arc<Stats>,
    cancel: Cancel,
}

/// A job in the queue. The biggest are read first, so that none of them is left
/// to one core at the end.
#[derive(Debug)]
struct Ordered {
    job: Job,
    of: Arc<Customer>,
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.job.size.cmp(&other.job.size)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ordered {}

#[derive(Debug, Default)]
struct Queue {
    jobs: BinaryHeap<Ordered>,
    /// Threads that have nothing to read.
    idle: usize,
    closed: bool,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    news: Condvar,
    also: Also,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic elsewhere leaves whole jobs behind.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job for a thread that has nothing else to do; `None` when there will be none.
    fn wait(&self) -> Option<Ordered> {
        let mut queue = self.lock();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop() {
                return Some(job);
            }
            queue.idle += 1;
            queue = self.news.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// One more job for a thread that has some: none that a thread without any is about to take.
    fn more(&self) -> Option<Ordered> {
        let mut queue = self.lock();
        if queue.closed || queue.jobs.len() <= queue.idle { None } else { queue.jobs.pop() }
    }

    /// What each of the threads does.
    fn work(&self) {
        let mut lanes: Vec<Lane> = Vec::with_capacity(LANES);
        loop {
            // One at a time, so that the other threads get their share.
            let next = match lanes.len() {
                0 => match self.wait() {
                    Some(job) => Some(job),
                    None => return,
                },
                1..LANES => self.more(),
                _ => None,
            };
            lanes.extend(next.map(|job| Lane { job, reader: Reader::new(BUFFER) }));
            lanes.retain_mut(|lane| {
                while lane.advance(self.also) {
                    match self.more() {
                        Some(job) => lane.take(job),
                        None => return false,
                    }
                }
                true
            });
            let mut blocks: Vec<_> = lanes.iter_mut().filter_map(|lane| lane.reader.blocks()).collect();
            update_together(&mut blocks);
        }
    }
}

/// A file that a thread reads beside others.
struct Lane {
    job: Ordered,
    reader: Reader,
}

impl Lane {
    fn take(&mut self, job: Ordered) {
        self.job = job;
        self.reader.rewind();
    }

    /// Reads on; whether that was the end of it, which has then been told.
    fn advance(&mut self, also: Also) -> bool {
        let Ordered { job: Job { path, attempts, .. }, of } = &mut self.job;
        let read = |bytes| of.stats.read(bytes);
        let task = Task { root: &of.root, path, attempts: *attempts, also, cancel: &of.cancel, read: &read };
        let Some(outcome) = self.reader.advance(&task) else { return false };
        let outcome = outcome.map(|digested| Finished {
            digested,
            before_end: of.stats.digested(),
            at: jiff::Timestamp::now(),
        });
        of.inbox.done(Done { path: std::mem::take(path), outcome });
        true
    }
}

#[derive(Debug)]
struct Threads {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.news.notify_all();
        for thread in self.handles.drain(..) {
            // A panic in it has been printed; its file counts as not digested.
            let _ = thread.join();
        }
    }
}
