//! The grace period: counted here, from the instant at which SIGTERM came, and from
//! nothing else.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::signals::Told;

/// Kept of the grace period to say what is unsigned; all of one that is shorter.
const KEPT_TO_TELL: Duration = Duration::from_secs(2);
/// The same where what is said counts only when others have vouched for it; a third of one that is shorter.
const KEPT_TO_HAVE_IT_VOUCHED: Duration = Duration::from_secs(9);
/// Of what is kept to tell, kept for all but the outcome's storing; half of it, if that is less.
const KEPT_TO_SHOW: Duration = Duration::from_secs(1);
/// Kept to end.
const KEPT_TO_END: Duration = Duration::from_millis(200);
/// How long main's exit code may come after SIGTERM: they race.
const EXIT_CODE_LATE: Duration = Duration::from_millis(500);
/// Kept to store what is signed, of what is left then; a quarter of it, if that is less.
const KEPT_TO_STORE: Duration = Duration::from_secs(4);
/// Longer than anybody waits; clocks end somewhere.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// The time between SIGTERM and SIGKILL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grace {
    told: Instant,
    period: Duration,
    kept: Duration,
}

impl Grace {
    /// Of this length, from when SIGTERM came.
    pub(super) fn since(told: Told, period: Duration) -> Self {
        let period = period.min(LONGEST);
        Self { told: told.at().into(), period, kept: KEPT_TO_TELL.min(period) }
    }

    /// The same where the outcome, too, is signed with a certificate: whoever proves when has to be asked, and
    /// answers at the earliest when the last output has had its time.
    pub(super) fn with_time_to_vouch(self) -> Self {
        Self { kept: KEPT_TO_HAVE_IT_VOUCHED.min(self.period / 3).max(self.kept), ..self }
    }

    fn work(self) -> Duration {
        self.period.saturating_sub(self.kept)
    }

    /// Until when main's exit code may come.
    pub(super) fn to_hear_of_main(self) -> Deadline {
        Deadline(self.told + EXIT_CODE_LATE)
    }

    /// Until when outputs may be digested, compared and attested.
    pub(super) fn to_work(self) -> Deadline {
        Deadline(self.told + self.work())
    }

    /// Until when the step's outcome may be stored.
    pub(super) fn to_store_the_outcome(self) -> Deadline {
        Deadline(self.told + self.work() + self.kept - KEPT_TO_SHOW.min(self.kept / 2))
    }

    /// Until when anything may be waited for: the exit code has to leave the process
    /// before the grace period is over.
    pub(super) fn to_end(self) -> Deadline {
        Deadline(self.told + self.period - KEPT_TO_END.min(self.kept / 10))
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

    /// Earlier by so much: what is only worth having in time must not cost what has to be done.
    pub(super) fn earlier_by(self, time: Duration) -> Self {
        Self(self.0.checked_sub(time).unwrap_or(self.0))
    }

    /// Until when others are waited for who vouch for a signature: what is signed has to be stored yet.
    pub(super) fn to_have_it_stored(self) -> Instant {
        self.earlier_by(KEPT_TO_STORE.min(self.left() / 4)).0
    }

    /// What is left until then.
    pub(super) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The earlier of the two.
    pub(super) fn or_before(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// The future's result, unless the time is up before. It is looked at once in any case.
    pub(super) async fn within<T>(self, future: impl Future<Output = T>) -> Result<T, TimeUp> {
        timeout_at(self.0, future).await.map_err(|_| TimeUp)
    }
}
