//! The span in which something is done. It goes with the task, so that what is deep inside need not be told.

use std::error::Error;
use std::sync::Arc;

use argo_attest_core::text::{brief, causes};

use super::recorder::{LONGEST, Recorder};
use super::{Said, Span};

tokio::task_local! {
    static CURRENT: At;
}

/// Why a piece of work has no result: whoever waited for it waits no more.
const UNFINISHED: &str = "it was not finished in time";

/// One of the spans that are kept.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) recorder: Arc<Recorder>,
    pub(super) at: usize,
}

impl At {
    pub(super) fn begin(&self, name: &'static str) -> Option<Self> {
        let at = self.recorder.begin(name, Some(self.at))?;
        Some(Self { recorder: Arc::clone(&self.recorder), at })
    }

    pub(super) fn say(&self, name: &'static str, said: Said) {
        self.recorder.say(self.at, name, said);
    }

    pub(super) fn fail(&self, why: &str) {
        self.recorder.settle(self.at, Some(brief(why, LONGEST)));
    }

    pub(super) fn end(&self) {
        self.recorder.end(self.at);
    }
}

/// On the heap: what is wrapped several times over would else be as many times as large.
pub(super) fn scope<T>(at: Option<At>, work: impl Future<Output = T>) -> impl Future<Output = T> {
    let work = Box::pin(work);
    async {
        match at {
            Some(at) => CURRENT.scope(at, work).await,
            None => work.await,
        }
    }
}

/// Begins a span beneath the one in which this is done; none, if it is done in none.
pub fn span(name: &'static str) -> Span {
    Span::beneath(CURRENT.try_with(Clone::clone).ok(), name)
}

/// Says something of the span in which this is done.
pub fn say(name: &'static str, said: impl Into<Said>) {
    // Nothing is begun in here that could ask for it again.
    let _ = CURRENT.try_with(|at| at.say(name, said.into()));
}

/// Does the work in a span of its own, which fails if the work does, or if it is given up.
///
/// Errors: those of the work.
pub fn traced<T, E: Error>(
    name: &'static str,
    work: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    let work = Box::pin(work);
    async move {
        let span = span(name);
        let Some(at) = &span.0 else { return work.await };
        at.fail(UNFINISHED);
        let done = CURRENT.scope(at.clone(), work).await;
        at.recorder.settle(at.at, done.as_ref().err().map(|error| brief(&causes(error), LONGEST)));
        done
    }
}
