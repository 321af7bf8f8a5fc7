//! One certificate after the other, for the same key and the same identity, each before the last one ends.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argo_attest_core::keys::PrivateKey;
use argo_attest_core::text::{brief, causes};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::super::certified::Certified;
use super::asking::Asking;
use super::token::unusable;
use crate::service::ServiceError;

/// When less than this part of a certificate's life is left, another is asked for.
const RENEWED_AT: i32 = 3;
/// For which part before its end one is not used if another can be had: what is signed has to be seen by others yet.
const SPARED: i32 = 6;
/// No more than that: longer than others are waited for.
const MOST_SPARED: SignedDuration = SignedDuration::from_secs(30);
/// Between two that were asked for because it is time, however short they hold.
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);
/// Between two looks at the clock, which may be set.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
/// For how many times as long as it is asked at most it is not asked again because something is to be signed, after one
/// was not given: [`Renewal::keep`] does that, which pauses once as long and then asks.
const REMEMBERED: u32 = 3;
/// Characters of a name in an error.
const SHOWN: usize = 300;

/// The certificates of a key.
pub(super) struct Renewal {
    key: PrivateKey,
    asking: Asking,
    current: Mutex<Certified>,
    /// Why there was none when it was last asked for, and when that was.
    failed: Mutex<Option<(Instant, Arc<ServiceError>)>>,
    /// One asks for another; the others wait for what comes of it.
    turn: tokio::sync::Mutex<()>,
}

/// What is done about a failure of just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// It is asked again.
    Again,
    /// It is the answer.
    Remember,
}

impl Renewal {
    pub(super) fn new(key: PrivateKey, asking: Asking, first: Certified) -> Self {
        let (failed, turn) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { key, asking, current: Mutex::new(first), failed, turn }
    }

    pub(super) fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The newest certificate.
    pub(super) fn current(&self) -> Certified {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sees to it that there is one, as long as anybody waits for this.
    pub(super) async fn keep(&self) {
        let mut pause = SHORTEST_PAUSE;
        let mut is_told = false;
        loop {
            sleep(pause).await;
            if !is_due(&self.current()) {
                pause = until_due(&self.current());
                continue;
            }
            pause = match self.renewed(|current| !is_due(current), After::Again).await {
                Ok(next) => {
                    is_told = false;
                    until_due(&next)
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_told, true) {
                        let error = causes(&error);
                        tracing::warn!(error, "no new certificate yet; it is asked for again");
                    }
                    self.asking.limits.total
                }
            };
        }
    }

    /// A certificate for what is signed now: the one that there is, but near its end. Then another, or, where there is
    /// none, whatever the reason, the same as long as it holds.
    pub(super) async fn certificate(&self) -> Result<Certified, Arc<ServiceError>> {
        let current = self.current();
        if is_enough(&current) {
            return Ok(current);
        }
        match self.renewed(is_enough, After::Remember).await {
            Ok(next) => Ok(next),
            Err(error) => {
                let current = self.current();
                if left(&current).is_some_and(|left| left.is_positive()) {
                    let error = causes(&error);
                    tracing::warn!(error, "no new certificate; the one that there is still holds");
                    Ok(current)
                } else {
                    Err(error)
                }
            }
        }
    }

    /// Another certificate, unless somebody else got one meanwhile that will do.
    async fn renewed(
        &self,
        will_do: impl Fn(&Certified) -> bool + Send,
        after: After,
    ) -> Result<Certified, Arc<ServiceError>> {
        let known = || self.failure().filter(|_| after == After::Remember);
        // Before somebody is waited for who asks in vain again.
        if let Some(error) = known() {
            return Err(error);
        }
        let _turn = self.turn.lock().await;
        let current = self.current();
        if will_do(&current) {
            return Ok(current);
        }
        if let Some(error) = known() {
            return Err(error);
        }
        let next = match self.asking.certificate(&self.key).await {
            Ok(next) if next.is_of_same(&current) => next,
            Ok(next) => return Err(self.failed(somebody_else(&current, &next))),
            Err(error) => return Err(self.failed(error)),
        };
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = next.clone();
        Ok(next)
    }

    fn failed(&self, error: ServiceError) -> Arc<ServiceError> {
        let error = Arc::new(error);
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some((Instant::now(), Arc::clone(&error)));
        error
    }

    /// Why there was none just now.
    fn failure(&self) -> Option<Arc<ServiceError>> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let remembered = self.asking.limits.total * REMEMBERED;
        let recent = failed.as_ref().filter(|(when, _)| when.elapsed() < remembered);
        recent.map(|(_, error)| Arc::clone(error))
    }
}

fn somebody_else(was: &Certified, is: &Certified) -> ServiceError {
    let [was, is] = [was, is].map(|of| brief(of.certificate().name(), SHOWN));
    unusable(
        format!("the identity token is now of {is}, and what was begun is signed as {was}"),
        "start anew, as whoever is to sign".to_owned(),
    )
}

/// What is left of its life; not positive if that is over.
fn left(certified: &Certified) -> Option<SignedDuration> {
    let (_, until) = certified.certificate().holds()?;
    Some(until.duration_since(Timestamp::now()))
}

fn life(certified: &Certified) -> Option<SignedDuration> {
    let (from, until) = certified.certificate().holds()?;
    Some(until.duration_since(from))
}

/// Whether another is to be asked for.
fn is_due(certified: &Certified) -> bool {
    match (left(certified), life(certified)) {
        (Some(left), Some(life)) => left <= life / RENEWED_AT,
        _ => true,
    }
}

/// Whether it holds for long enough to be used without another being asked for.
fn is_enough(certified: &Certified) -> bool {
    match (left(certified), life(certified)) {
        (Some(left), Some(life)) => left > (life / SPARED).min(MOST_SPARED).max(SignedDuration::ZERO),
        _ => false,
    }
}

/// How long until another is asked for: never at once, however short it holds.
fn until_due(certified: &Certified) -> Duration {
    let due = match (left(certified), life(certified)) {
        (Some(left), Some(life)) => Duration::try_from(left - life / RENEWED_AT).unwrap_or_default(),
        _ => Duration::ZERO,
    };
    due.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}
