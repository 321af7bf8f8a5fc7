//! How long a service is asked for, and how often.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use tokio::time::{Instant, timeout_at};

use super::error::ServiceError;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One question and all of its answer.
    pub attempt: Duration,
    /// A question with all its repetitions.
    pub total: Duration,
    /// The first pause between two of them; later ones double it.
    pub first_pause: Duration,
    /// The longest.
    pub longest_pause: Duration,
}

/// Within the time that main is held for.
impl Default for Limits {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(5),
            total: Duration::from_secs(12),
            first_pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(2),
        }
    }
}

impl Limits {
    /// Asks until there is an answer that another try does not change, or the time is up. After
    /// an answer that `renew` may change, once more.
    pub(crate) async fn ask<T, F: Future<Output = Result<T, ServiceError>>>(
        self,
        renew: impl Fn(&ServiceError) -> bool,
        mut question: impl FnMut() -> F,
    ) -> Result<T, ServiceError> {
        let end = Instant::now() + self.total;
        let late = || ServiceError::Late { seconds: self.total.as_secs() };
        let mut renewed = false;
        let mut last = None;
        let pauses = ExponentialBuilder::default()
            .with_min_delay(self.first_pause)
            .with_max_delay(self.longest_pause)
            .with_jitter()
            .without_max_times();
        let asking = (|| question())
            .retry(pauses)
            .sleep(tokio::time::sleep)
            .when(|error| {
                if error.is_passing() {
                    return true;
                }
                let once_more = !renewed && renew(error);
                renewed |= once_more;
                once_more
            })
            .adjust(|_, pause| pause.filter(|pause| Instant::now() + *pause < end))
            .notify(|error, pause| {
                let error = argo_attest_core::text::causes(error);
                tracing::debug!(error, ?pause, "a service is asked again");
                last = Some(error);
            });
        match timeout_at(end, asking).await {
            Ok(done) => done,
            Err(_) => Err(last.map_or_else(late, |said| ServiceError::Unreachable(said.into()))),
        }
    }
}
