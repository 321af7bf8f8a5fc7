//! Trying again: exponential pauses with jitter, one budget for all attempts.
//!
//! This is the only place that repeats; the SDK's own retries are off, so that
//! there is one budget and one count.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use tokio::time::{Instant, timeout};

use super::config::Limits;
use super::fault::Fault;

/// How often bytes may come broken: a connection can break now and then, but an
/// object that is damaged stays so.
const BROKEN: u32 = 3;

/// How long a call may be tried again before that is worth a word: a store can be
/// busy for a moment.
const LASTING: Duration = Duration::from_secs(1);
/// Between two such words, however many calls wait.
const SAY_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Retrying {
    limits: Limits,
    retries: AtomicU64,
    said: Mutex<Option<Instant>>,
}

/// Waits for one reply, to a request of so many bytes, no longer than it may take.
pub(super) async fn answer<T>(
    limits: Limits,
    bytes: u64,
    reply: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let deadline = limits.attempt.saturating_add(limits.transfer(bytes));
    timeout(deadline, reply)
        .await
        .unwrap_or_else(|_| Err(Fault::timed_out("no answer within the attempt's deadline")))
}

/// The last attempt's fault, and how many there were.
#[derive(Debug)]
pub(super) struct GaveUp {
    pub(super) fault: Fault,
    pub(super) attempts: u64,
}

impl Retrying {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, retries: AtomicU64::new(0), said: Mutex::new(None) }
    }

    /// Counts one more attempt that repeats a failed one.
    pub(super) fn count(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Whether nothing was said of late.
    fn may_say(&self) -> bool {
        let mut said = self.said.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        let may = said.is_none_or(|last| now.duration_since(last) >= SAY_EVERY);
        if may {
            *said = Some(now);
        }
        may
    }

    /// Runs `attempt` until it succeeds, fails for good, or the budget is spent.
    /// `renew` is called when credentials may be stale, and says whether it has
    /// any hope of better ones; `follow` when the bucket may be in another region, and says
    /// whether it is asked there from now on.
    pub(super) async fn run<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        uri: &str,
        renew: impl Fn() -> bool,
        follow: impl Fn(&Fault) -> bool,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, GaveUp> {
        let started = Instant::now();
        let mut attempts = 0_u64;
        let (mut clock_corrected, mut renewed, mut broken) = (false, false, 0_u32);
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.limits.first_pause)
            .with_max_delay(self.limits.longest_pause)
            .with_jitter()
            .without_max_times();
        let result = (|| {
            attempts = attempts.saturating_add(1);
            attempt()
        })
        .retry(pauses)
        .sleep(tokio::time::sleep)
        .when(|fault| {
            if follow(fault) {
                return true;
            }
            // Either is worth one more attempt, not an endless series.
            if fault.may_be_clock_skew() && !clock_corrected {
                clock_corrected = true;
                return true;
            }
            if fault.may_be_stale_credentials() && !renewed && renew() {
                renewed = true;
                return true;
            }
            if fault.is_broken() {
                broken = broken.saturating_add(1);
                return broken < BROKEN;
            }
            fault.is_transient()
        })
        .adjust(|fault, pause| {
            let asked = if let Fault::Reply(answer) = fault { answer.retry_after } else { None };
            let pause = pause?.max(asked.unwrap_or(Duration::ZERO));
            let allowed = if fault.is_sign_in() {
                self.limits.sign_in.min(self.limits.total)
            } else if fault.is_unreached() {
                self.limits.unreached.min(self.limits.total)
            } else {
                self.limits.total
            };
            (started.elapsed().saturating_add(pause) < allowed).then_some(pause)
        })
        .notify(|fault, pause| {
            self.count();
            if started.elapsed() >= LASTING && self.may_say() {
                let unreached = Some(self.limits.unreached).filter(|_| fault.is_unreached());
                let for_at_most = unreached.unwrap_or(self.limits.total).min(self.limits.total);
                let error = fault.reason();
                tracing::warn!(uri, error, ?for_at_most, "the store fails; trying again");
            } else {
                tracing::debug!(uri, ?fault, ?pause, "trying again");
            }
        })
        .await;
        tracing::debug!(uri, attempts, answered = result.is_ok(), "the store was asked");
        result.map_err(|fault| GaveUp { fault, attempts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Short, so that tests need not wait; upper bounds leave room for a busy machine.
    const TOTAL: Duration = Duration::from_millis(300);

    fn retrying() -> Retrying {
        Retrying::new(Limits {
            attempt: Duration::from_millis(50),
            min_rate: 10,
            total: TOTAL,
            first_pause: Duration::from_millis(5),
            longest_pause: Duration::from_millis(20),
            ..Limits::default()
        })
    }

    #[tokio::test]
    async fn spends_its_budget_and_no_more() {
        let retrying = retrying();
        let started = Instant::now();
        let gave_up = retrying
            .run("s3://b/k", || false, |_| false, || async { Err::<(), _>(Fault::timed_out("test")) })
            .await
            .unwrap_err();
        assert!(started.elapsed() < TOTAL * 10, "{:?}", started.elapsed());
        assert!(gave_up.attempts > 1, "{gave_up:?}");
        assert_eq!(retrying.retries(), gave_up.attempts - 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_lasts_is_said_now_and_then() {
        let retrying = Retrying::new(Limits::default());
        let busy = || async { Err::<(), _>(Fault::timed_out("test")) };
        retrying.run("s3://b/k", || false, |_| false, busy).await.unwrap_err();
        // Counted by what it keeps, since no more is said for some time after.
        assert!(!retrying.may_say());
        tokio::time::advance(SAY_EVERY).await;
        assert!(retrying.may_say() && !retrying.may_say());
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_is_not_worth_a_word() {
        let retrying = Retrying::new(Limits { total: LASTING, ..Limits::default() });
        let busy = || async { Err::<(), _>(Fault::timed_out("test")) };
        let gave_up = retrying.run("s3://b/k", || false, |_| false, busy).await.unwrap_err();
        assert!(gave_up.attempts > 1 && retrying.may_say(), "{gave_up:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_need_not_wait_for_nobody() {
        let limits = Limits { unreached: Duration::from_secs(4), ..Limits::default() };
        let refused = || async {
            let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            Err::<(), _>(Fault::Transport(Box::new(refused)))
        };
        let started = Instant::now();
        Retrying::new(limits).run("s3://b/k", || false, |_| false, refused).await.unwrap_err();
        assert!(started.elapsed() <= Duration::from_secs(4), "{:?}", started.elapsed());
    }

    #[tokio::test]
    async fn ends_an_attempt_that_hangs() {
        let limits = retrying().limits;
        let hang = |bytes| answer(limits, bytes, std::future::pending::<Result<(), Fault>>());
        let started = Instant::now();
        // Ten bytes at ten bytes a second may take a second more.
        hang(10).await.unwrap_err();
        assert!(started.elapsed() >= Duration::from_millis(1050), "{:?}", started.elapsed());
        let gave_up = retrying().run("s3://b/k", || false, |_| false, || hang(0)).await.unwrap_err();
        assert!(gave_up.attempts > 1, "{gave_up:?}");
    }

    #[tokio::test]
    async fn takes_the_pause_that_the_store_asks_for() {
        let retrying = retrying();
        let started = Instant::now();
        let busy = || async { Err::<(), _>(Fault::busy(Duration::from_hours(1))) };
        let gave_up = retrying.run("s3://b/k", || false, |_| false, busy).await.unwrap_err();
        assert_eq!(gave_up.attempts, 1, "an hour is more than the budget: {gave_up:?}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn does_not_repeat_what_is_final() {
        let retrying = retrying();
        let settings = || async { Err::<(), _>(Fault::Settings(crate::store::s3::ConfigError::NoRegion)) };
        let gave_up = retrying.run("s3://b/k", || true, |_| false, settings).await.unwrap_err();
        assert_eq!((gave_up.attempts, retrying.retries()), (1, 0));
    }
}
