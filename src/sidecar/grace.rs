//! The grace period: counted here, from the instant at which SIGTERM came, and from
//! nothing else.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::signals::Told;

/// Kept of the grace period to say what is unsigned.
const KEPT_TO_TELL: Duration = Duration::from_secs(2);

/// The time between SIGTERM and SIGKILL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grace {
    told: Instant,
    work: Duration,
}

impl Grace {
    /// Of this length, from when SIGTERM came.
    pub(super) fn since(told: Told, period: Duration) -> Self {
        Self { told: told.at().into(), work: period.saturating_sub(KEPT_TO_TELL) }
    }

    /// Until when outputs may be digested, compared and attested.
    pub(super) fn to_work(self) -> Deadline {
        Deadline(self.told + self.work)
    }

    /// Until when the step's outcome may be stored.
    pub(super) fn to_store_the_outcome(self) -> Deadline {
        Deadline(self.told + self.work + KEPT_TO_TELL / 2)
    }

    /// Until when anything may be waited for: the exit code has to leave the process
    /// before the grace period is over.
    pub(super) fn to_end(self) -> Deadline {
        Deadline(self.told + self.work + KEPT_TO_TELL * 9 / 10)
    }
}

/// A point in time after which no more is begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

/// The time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeUp;

impl Deadline {
    pub(super) fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// The earlier of the two.
    pub(super) fn or_before(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The future's result, unless the time is up before.
    pub(super) async fn within<T>(self, future: impl Future<Output = T>) -> Result<T, TimeUp> {
        timeout_at(self.0, future).await.map_err(|_| TimeUp)
    }
}
