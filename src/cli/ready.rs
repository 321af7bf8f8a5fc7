//! `argo-attest ready`.

use std::path::PathBuf;
use std::time::Duration;

use argo_attest_core::contract::{place, variable};
use argo_attest_core::text::causes;
use clap::Args;
use jiff::SignedDuration;
use tokio::time::Instant;

use super::{Exit, Failure};
use crate::sidecar::status::{NotReady, wait_ready};

const EXAMPLE: &str = "\
Example, in the sidecar's container, so that main starts only when it can be attested:
  lifecycle: {postStart: {exec: {command: [/argo-attest, ready, --wait]}}}";

/// Tells whether the sidecar in this container is ready
///
/// Exit code 0 once its watches are armed and its key and store are usable (or it has nothing to
/// do). Without --wait the answer is about now; with it, about the end of the wait.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct ReadyArgs {
    /// Wait until it is, at most this long
    #[arg(long, value_name = "DURATION", env = variable::WAIT, num_args = 0..=1, require_equals = true,
          default_missing_value = "60s", value_parser = duration)]
    wait: Option<Duration>,
    /// Where the sidecar's termination message goes
    #[arg(long, value_name = "FILE", env = variable::TERMINATION_LOG, default_value = place::TERMINATION_LOG)]
    termination_log: PathBuf,
}

/// Asks, and waits if asked to.
pub(super) async fn ready(args: ReadyArgs) -> Result<Exit, Failure> {
    let wait = args.wait.unwrap_or(Duration::ZERO);
    match wait_ready(&args.termination_log, Instant::now() + wait).await {
        Ok(_) => Ok(Exit::Done),
        Err(error) => {
            let failure = Failure::new(Exit::No, causes(&error));
            Err(match error {
                NotReady::Failed { remedy: Some(remedy), .. } => failure.remedy(remedy),
                NotReady::Unreadable { .. } => failure.remedy("run this in the sidecar's own container"),
                _ => failure.remedy("see the sidecar's log"),
            })
        }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|e| format!("not a duration such as 60s: {e}"))?;
    Duration::try_from(parsed).map_err(|_| "not a positive duration".into())
}
