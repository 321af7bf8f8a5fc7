//! Idle: a step that has nothing to be attested.

use tracing::info;

use super::life::End;
use super::status::Status;
use super::surroundings::Surroundings;

/// Nothing is read, and nothing watched.
pub(super) struct Idle<'a> {
    pub(super) here: &'a Surroundings<'a>,
    pub(super) step: String,
    pub(super) reason: &'static str,
}

impl Idle<'_> {
    /// Says so, and waits to be ended.
    pub(super) async fn rest(self) -> End {
        let Self { here, step, reason } = self;
        info!(step, reason, "nothing to do");
        here.tell(&Status::Idle { reason: reason.into() });
        here.told().await;
        End::Fine
    }
}
