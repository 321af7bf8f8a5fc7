//! What a step's own containers did, and how long it took, as spans of a trace
//! (<https://opentelemetry.io/docs/specs/otel/trace/api/>): `docs/metrics.md` says what each of them means.
//!
//! A pod is over before anybody could ask it. So spans are kept in memory, few and short, and sent once, at
//! the end ([`Target`]), when all that counts is decided, stored and told. Nothing hangs on them: what cannot be
//! sent in its moment is not sent.
//!
//! Whose span a piece of work belongs to is known by where it is done ([`Span::around`]): what signs or asks a
//! store ([`traced`]) knows of no tracer, and costs nothing where there is none.

mod current;
mod otlp;
mod recorder;
mod target;

use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::text::{brief, causes};
use argo_attest_core::trace_context::TraceContext;

use self::current::At;
use self::recorder::{LONGEST, ROOT, Recorder};

pub use current::{say, span, traced};
pub use target::{InvalidTarget, Target, Unsent};

/// Keeps spans, or nothing, where nobody wants them. Clones keep them in the same place.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<Arc<Recorder>>);

/// A span that has begun. It ends when this is dropped.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Span(Option<At>);

/// What is said of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A text of whatever origin, cut and printable.
    Text(String),
    /// A number.
    Count(u64),
}

impl From<&str> for Said {
    fn from(text: &str) -> Self {
        Self::Text(brief(text, LONGEST))
    }
}

impl From<u64> for Said {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Said {
    fn from(count: usize) -> Self {
        Self::Count(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

impl Tracer {
    /// Begins a span of this name, in the trace that asked for it, and in one of its own without. Of a trace
    /// that nobody records, nothing is kept.
    pub fn new(target: Target, parent: Option<TraceContext>, root: &'static str) -> Self {
        if parent.is_some_and(|parent| !parent.is_sampled()) {
            return Self(None);
        }
        Self(Recorder::new(target, parent, root).map(Arc::new))
    }

    /// Begins a span beneath the first.
    pub fn span(&self, name: &'static str) -> Span {
        Span::beneath(self.root(), name)
    }

    /// Says something of the first span.
    pub fn say(&self, name: &'static str, said: impl Into<Said>) {
        if let Some(root) = self.root() {
            root.say(name, said.into());
        }
    }

    /// The whole did not come to what it should.
    pub fn fail(&self, why: &str) {
        if let Some(root) = self.root() {
            root.fail(why);
        }
    }

    /// Does the work. Spans that begin in it, on this thread, are beneath the first.
    pub fn around<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        current::scope(self.root(), work)
    }

    fn root(&self) -> Option<At> {
        Some(At { recorder: Arc::clone(self.0.as_ref()?), at: ROOT })
    }

    /// Ends all that has not ended, and sends it, if that takes no longer than `within`. That it is not
    /// sent is a warning, and no more.
    pub async fn send(&self, within: Duration) {
        let Some(recorder) = &self.0 else { return };
        let target = &recorder.target;
        match target.post(recorder.body(), within).await {
            Ok(()) => tracing::debug!(to = %target, "the spans are sent"),
            Err(why) => {
                tracing::warn!(to = %target, why = causes(&why), help = target.help(), "the spans were not sent");
            }
        }
    }
}

impl Span {
    fn beneath(parent: Option<At>, name: &'static str) -> Self {
        Self(parent.and_then(|parent| parent.begin(name)))
    }

    /// Says something of it.
    pub fn say(&self, name: &'static str, said: impl Into<Said>) {
        if let Some(at) = &self.0 {
            at.say(name, said.into());
        }
    }

    /// It did not come to what it should.
    pub fn fail(&self, why: &str) {
        if let Some(at) = &self.0 {
            at.fail(why);
        }
    }

    /// Does the work. Spans that begin in it, on this thread, are beneath this one.
    pub fn around<T>(&self, work: impl Future<Output = T>) -> impl Future<Output = T> {
        current::scope(self.0.clone(), work)
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let Some(at) = &self.0 {
            at.end();
        }
    }
}

#[cfg(test)]
mod tests;
