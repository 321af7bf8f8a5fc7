//! The outputs under watch: the watches, the first look and the last. All of it on
//! threads of their own, which can be stopped: a volume may hold a million files, and a
//! file system may not answer.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::thread::{self, available_parallelism};

use argo_attest_core::text::causes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::earlier::Before;
use super::failed::{NotReady, not_ready};
use super::grace::{Deadline, TimeUp};
use super::planned::Planned;
use crate::observe::{Also, Baseline, CancelOnDrop, Inotify, NoProgress, ObservationStats};
use crate::observe::{SealedArtifact, Session, SessionError, Watching};

/// The outputs' place in the template, and their session.
pub(super) struct Observing {
    /// Of each of the session's artifacts, in its order.
    places: Vec<usize>,
    session: Offloaded,
}

/// A session that nobody waits for. To end one joins its threads, and a file system that does
/// not answer holds them: the thread that hears SIGTERM must never wait for that.
struct Offloaded(Option<Session>);

impl Offloaded {
    fn get(&self) -> Option<&Session> {
        self.0.as_ref()
    }

    fn take(mut self) -> Option<Session> {
        self.0.take()
    }
}

impl Drop for Offloaded {
    fn drop(&mut self) {
        if let Some(session) = self.0.take() {
            let thread = thread::Builder::new().name("forget".into());
            // Where there is no thread to be had, it is ended here.
            drop(thread.spawn(move || drop(session)));
        }
    }
}

/// What is watched, and what lay in the stores before.
pub(super) struct Watched {
    pub(super) observing: Observing,
    /// By the outputs' places.
    pub(super) before: BTreeMap<usize, Before>,
}

/// What was there in the end.
pub(super) struct Observed {
    pub(super) stats: ObservationStats,
    /// By the outputs' places.
    pub(super) artifacts: BTreeMap<usize, SealedArtifact>,
}

/// Why it is not known what was there.
pub(super) enum Unobserved {
    /// There was no time to look at everything.
    TimeUp,
    /// It could not be looked at.
    Failed(String),
}

/// Watches that are being armed.
pub(super) struct Arming {
    places: Vec<usize>,
    stop: CancelOnDrop,
    session: JoinHandle<Result<Offloaded, SessionError>>,
}

impl Arming {
    /// Begins at once, whoever awaits it.
    pub(super) fn begin(outputs: &[Planned]) -> Self {
        let ways = outputs.iter().filter_map(|output| output.way.as_ref().ok());
        let (places, artifacts) = ways.map(|way| (way.at, way.artifact.clone())).unzip();
        let watching = Watching {
            baseline: Baseline::Include,
            excluded: Vec::new(),
            excluded_names: Vec::new(),
            workers: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            // Stores compute it of what Argo uploads.
            also: Also::Crc64Nvme,
            watch: || Box::new(Inotify::new()),
        };
        let stop = CancelOnDrop::new();
        let cancel = stop.cancel();
        let session = spawn_blocking(move || {
            // Also where nobody takes it any more.
            Session::start(artifacts, &watching, &cancel).map(|session| Offloaded(Some(session)))
        });
        Self { places, stop, session }
    }

    /// Waits for it. When `ended` comes before, the first look is cut short: the last one
    /// is due, and looks at everything anyway.
    pub(super) async fn armed(self, ended: impl Future<Output = ()>) -> Result<Observing, NotReady> {
        let Self { places, stop, mut session } = self;
        let started = tokio::select! {
            started = &mut session => started,
            () = ended => {
                stop.cancel().cancel();
                session.await
            }
        };
        let remedy = "mount main's volumes into this container (mirrorVolumeMounts: true)";
        let session = started.map_err(|e| not_ready(&e, "see the log"))?;
        Ok(Observing { places, session: session.map_err(|e| not_ready(&e, remedy))? })
    }
}

impl Observing {
    /// What was digested so far.
    pub(super) fn stats(&self) -> ObservationStats {
        self.session.get().map(Session::stats).unwrap_or_default()
    }

    /// Main has ended.
    pub(super) fn mark_end(&self) {
        if let Some(session) = self.session.get() {
            session.mark_end();
        }
    }

    /// Looks at everything for the last time, and digests what is missing.
    pub(super) async fn seal(self, deadline: Deadline) -> Result<Observed, Unobserved> {
        let stop = CancelOnDrop::new();
        let cancel = stop.cancel();
        // To take apart what was found of very many files takes its time, too.
        let Self { places, session } = self;
        let Some(session) = session.take() else { return Err(Unobserved::TimeUp) };
        let sealing = spawn_blocking(move || {
            let sealed = session.finish(&NoProgress, &cancel)?;
            let stats = sealed.stats();
            let artifacts = places.into_iter().zip(sealed.into_artifacts()).collect();
            Ok::<_, SessionError>(Observed { stats, artifacts })
        });
        match deadline.within(sealing).await {
            Ok(Ok(Ok(observed))) => Ok(observed),
            Ok(Ok(Err(error))) => Err(Unobserved::Failed(causes(&error))),
            Ok(Err(error)) => Err(Unobserved::Failed(error.to_string())),
            Err(TimeUp) => Err(Unobserved::TimeUp),
        }
    }
}
