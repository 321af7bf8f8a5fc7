//! The time left after SIGTERM.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

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

    /// The later point by which everything, the telling too, has to be over.
    pub(super) fn extended(self, by: Duration) -> Self {
        Self(self.0 + by)
    }

    /// The earlier of the two.
    pub(super) fn or_before(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The future's result, unless the time is up before.
    pub(super) async fn within<T>(self, future: impl Future<Output = T>) -> Result<T, TimeUp> {
        timeout_at(self.0, future).await.map_err(|_| TimeUp)
    }

    pub(super) async fn reached(self) {
        tokio::time::sleep_until(self.0).await;
    }
}
