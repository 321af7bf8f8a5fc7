//! The observer: started before a command, finished after it.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use argo_attest_core::relpath::RelPath;

use super::baseline::{Baseline, Known};
use super::cancel::Cancel;
use super::closing;
use super::inbox::Inbox;
use super::interests::Interests;
use super::observation::Observation;
use super::pool::Pool;
use super::progress::Progress;
use super::reader::Also;
use super::root::Root;
use super::stats::Stats;
use super::tracker::Tracker;
use super::watch::{HintSink, Watch};
use super::watched::Watched;

/// What to observe, and with how much effort.
#[derive(Debug, Clone)]
pub struct ObserverConfig {
    /// The files and directories to observe. They need not exist yet.
    pub interests: Vec<RelPath>,
    /// Paths that are never part of what is observed: exactly these, each with
    /// what is beneath it if it is a directory.
    pub excluded: Vec<RelPath>,
    /// Names that are never part of it, wherever they are; with what is beneath them.
    pub excluded_names: Vec<&'static str>,
    /// What to do with what is there already.
    pub baseline: Baseline,
}

impl ObserverConfig {
    /// Everything at and beneath these paths.
    pub fn new(interests: Vec<RelPath>) -> Self {
        Self { interests, excluded: Vec::new(), excluded_names: Vec::new(), baseline: Baseline::Include }
    }
}

/// An observer could not start, or could not finish.
#[derive(Debug, thiserror::Error)]
pub enum ObserverError {
    /// The system gave no thread.
    #[error("cannot start a thread to read files")]
    Thread(#[source] io::Error),
    /// It was stopped before it knew what is there already.
    #[error("stopped before everything that is there already was noted")]
    Stopped,
    /// The thread that keeps the books is gone.
    #[error("the observer's thread ended by itself")]
    Lost,
}

/// Digests files while a command writes them.
#[derive(Debug)]
pub struct Observer {
    inbox: Arc<Inbox>,
    stats: Arc<Stats>,
    halt: Cancel,
    thread: Option<JoinHandle<Tracker>>,
}

impl Observer {
    /// Watches and scans. On return no later change goes unseen; reading goes
    /// on in the background. If `watch` cannot watch everything, that is said
    /// once in the log, and scans take its place.
    ///
    /// When `cancel` is called, the scan stops within a fraction of a second: what it
    /// did not come to is then left to [`Self::finish`], unless it is the baseline.
    pub fn start(
        root: Root,
        config: ObserverConfig,
        watch: Box<dyn Watch>,
        pool: &Pool,
        cancel: &Cancel,
    ) -> Result<Self, ObserverError> {
        let interests = Interests::without_names(config.interests, config.excluded, config.excluded_names);
        let mut tracker = tracker(root, interests, pool, cancel.clone());
        let sink = HintSink {
            inbox: Arc::clone(&tracker.inbox),
            interests: Arc::clone(&tracker.interests),
            root: tracker.root.path().into(),
        };
        tracker.watched = Some(Watched::arm(watch, sink, &tracker.stats));
        tracker.begin(match config.baseline {
            Baseline::Include => None,
            Baseline::OnlyNewOrChanged => Some(Known::default()),
        });
        if cancel.is_cancelled() && config.baseline == Baseline::OnlyNewOrChanged {
            return Err(ObserverError::Stopped);
        }
        let halt = Cancel::new();
        tracker.halt = halt.clone();
        let inbox = Arc::clone(&tracker.inbox);
        let stats = Arc::clone(&tracker.stats);
        let thread = thread::Builder::new()
            .name("observer".to_owned())
            .spawn(move || tracker.run())
            .map_err(ObserverError::Thread)?;
        Ok(Self { inbox, stats, halt, thread: Some(thread) })
    }

    /// The command has ended: digests finished from here on count as "after".
    pub fn mark_end(&self) {
        self.stats.mark_end();
    }

    /// The counters, which live on after the observer.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Looks at everything once more and reads what is missing. Whether every
    /// file was read is for the caller to see: a refused one is no error here.
    /// When `cancel` is called, what was not read yet is refused as unfinished,
    /// within a fraction of a second.
    pub fn finish(mut self, progress: &dyn Progress, cancel: &Cancel) -> Result<Observation, ObserverError> {
        self.stop();
        let thread = self.thread.take().ok_or(ObserverError::Lost)?;
        let tracker = thread.join().map_err(|_| ObserverError::Lost)?;
        Ok(closing::close(tracker, progress, cancel))
    }

    /// Whatever is looked at now need not be looked at to its end.
    fn stop(&self) {
        self.halt.cancel();
        self.inbox.stop();
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.stop();
            // Nobody waits for what it would have found.
            let _ = thread.join();
        }
    }
}

/// Digests all that is at and beneath a path now, without watching. All of it
/// counts as read after the end.
pub fn digest_tree(
    root: &Root,
    path: &RelPath,
    workers: NonZeroUsize,
    progress: &dyn Progress,
    cancel: &Cancel,
) -> Result<Observation, ObserverError> {
    let pool = Pool::start(workers, Also::Nothing).map_err(ObserverError::Thread)?;
    let interests = Interests::new(vec![path.clone()], Vec::new());
    let tracker = tracker(root.clone(), interests, &pool, Cancel::new());
    tracker.stats.mark_end();
    Ok(closing::close(tracker, progress, cancel))
}

fn tracker(root: Root, interests: Interests, pool: &Pool, halt: Cancel) -> Tracker {
    let inbox = Arc::new(Inbox::default());
    let stats = Arc::new(Stats::default());
    let pool = pool.share(&root, &inbox, &stats);
    Tracker::new(root, Arc::new(interests), inbox, stats, pool, halt)
}
