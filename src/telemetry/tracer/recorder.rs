//! Where spans are kept until they are sent.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use argo_attest_core::trace_context::{SpanId, TraceContext, TraceId};

use super::{Said, Target};

/// Spans that are kept; of more there is a count.
pub(super) const MOST: usize = 512;
/// Of these, how many are for what is right beneath the first: of a step with hundreds of outputs its end is
/// told, too.
const RESERVED: usize = 16;
/// What is said of one span.
const SAYINGS: usize = 24;
/// Bytes of one text in a span.
pub(super) const LONGEST: usize = 256;
/// The first of them, which the others are beneath.
pub(super) const ROOT: usize = 0;

#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) target: Target,
    pub(super) trace: TraceId,
    /// The span that asked for this work.
    pub(super) parent: Option<SpanId>,
    began: (SystemTime, Instant),
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) spans: Vec<Recorded>,
    pub(super) dropped: usize,
}

#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) id: SpanId,
    /// Which of the others it is beneath.
    pub(super) beneath: Option<usize>,
    pub(super) name: &'static str,
    pub(super) from: Duration,
    pub(super) to: Option<Duration>,
    pub(super) said: Vec<(&'static str, Said)>,
    /// Why it failed, if it did.
    pub(super) failed: Option<String>,
}

impl Recorder {
    /// With the first span. `None` if the system gives no random numbers.
    pub(super) fn new(target: Target, parent: Option<TraceContext>, root: &'static str) -> Option<Self> {
        let trace = match parent {
            Some(parent) => parent.trace_id(),
            None => TraceId::new(random()?)?,
        };
        let recorder = Self {
            target,
            trace,
            parent: parent.map(|parent| parent.span_id()),
            began: (SystemTime::now(), Instant::now()),
            kept: Mutex::default(),
        };
        recorder.begin(root, None)?;
        Some(recorder)
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which one it is; `None` if there are too many.
    pub(super) fn begin(&self, name: &'static str, beneath: Option<usize>) -> Option<usize> {
        let from = self.elapsed();
        let most = if beneath.is_none_or(|at| at == ROOT) { MOST } else { MOST - RESERVED };
        let id = random().and_then(SpanId::new);
        let mut kept = self.kept();
        let (Some(id), true) = (id, kept.spans.len() < most) else {
            kept.dropped = kept.dropped.saturating_add(1);
            return None;
        };
        kept.spans.push(Recorded { id, beneath, name, from, to: None, said: Vec::new(), failed: None });
        Some(kept.spans.len() - 1)
    }

    /// What is said again takes the place of what was said.
    pub(super) fn say(&self, at: usize, name: &'static str, said: Said) {
        self.change(at, |span| {
            if let Some((_, before)) = span.said.iter_mut().find(|(of, _)| *of == name) {
                *before = said;
            } else if span.said.len() < SAYINGS {
                span.said.push((name, said));
            }
        });
    }

    /// Whether it came to what it should, as far as is known.
    pub(super) fn settle(&self, at: usize, failed: Option<String>) {
        self.change(at, |span| span.failed = failed);
    }

    pub(super) fn end(&self, at: usize) {
        let now = self.elapsed();
        self.change(at, |span| span.to = Some(now));
    }

    fn change(&self, at: usize, change: impl FnOnce(&mut Recorded)) {
        if let Some(span) = self.kept().spans.get_mut(at) {
            change(span);
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.began.1.elapsed()
    }

    /// Nanoseconds since 1970.
    pub(super) fn nanos(&self, since_began: Duration) -> u64 {
        let began = self.began.0.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(began.saturating_add(since_began).as_nanos()).unwrap_or(u64::MAX)
    }
}

fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok().map(|()| bytes)
}
