//! Asking the API server, within bounds.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::NotCompared;
use crate::cluster::ClusterError;

/// How long one request may take.
pub const EACH: Duration = Duration::from_secs(5);

/// How long all of them may take, with the waiting between them. A step is held for no
/// longer.
pub const TOGETHER: Duration = Duration::from_secs(15);

/// How much longer a node is waited for that the controller has not stored yet. It makes the
/// pods of one look at a Workflow first, for up to 30 seconds (`MAX_OPERATION_TIME`).
pub const NODE: Duration = Duration::from_secs(25);

/// The first pause between two requests; each one after is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest one.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Asks until there is an answer that another try would not change. `needed`: whether
/// it is worth to wait for a server that does not answer.
pub(super) async fn ask<T>(
    deadline: Instant,
    needed: bool,
    mut question: impl AsyncFnMut() -> Result<T, NotCompared>,
) -> Result<T, NotCompared> {
    let mut pause = FIRST_PAUSE;
    let mut deadline = deadline;
    let patient = deadline + NODE;
    loop {
        let started = Instant::now();
        let until = deadline.min(started + EACH);
        let answer = timeout_at(until, question()).await.unwrap_or_else(|_| {
            let seconds = (until - started).as_secs();
            Err(ClusterError::Late { seconds }.into())
        });
        if answer.as_ref().is_err_and(NotCompared::is_not_yet) {
            deadline = patient;
        }
        match answer {
            Err(error) if error.may_pass(needed) && Instant::now() + pause < deadline => {}
            answer => return answer,
        }
        sleep(pause).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
