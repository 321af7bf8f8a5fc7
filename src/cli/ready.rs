//! `argo-attest ready`.

use std::path::PathBuf;
use std::time::Duration;

use argo_attest_core::contract::{place, variable};
use argo_attest_core::outcome::MESSAGE_LIMIT;
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::{brief, causes};
use clap::Args;
use jiff::SignedDuration;
use tokio::time::Instant;
use tracing::warn;

use super::{Exit, Failure};
use crate::sidecar::status::{NotReady, Status, wait_ready, write_message};

const EXAMPLE: &str = "\
Example, in the sidecar's container, so that main starts only when it can be attested:
  lifecycle: {postStart: {exec: {command: [/argo-attest, ready, --wait]}}}";

/// Tells whether the sidecar in this container is ready
///
/// Exit code 0 once main may start: the watches are armed and key and store are usable, or there is
/// nothing to attest, or what is missing is known and was told. Without --wait the answer is about
/// now, and 1 if main may not start yet. With it, the answer is 0 also when the time is up: the
/// kubelet would restart the sidecar for ever, and never start main.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct ReadyArgs {
    /// Wait until it is, at most this long [default without a value: 30s more than --ready-timeout]
    #[arg(long, value_name = "DURATION", env = variable::WAIT, num_args = 0..=1, require_equals = true,
          default_missing_value = "", value_parser = wait)]
    wait: Option<Wait>,
    /// How long the sidecar holds main
    #[arg(long, value_name = "DURATION", env = variable::READY_TIMEOUT, default_value = "30s",
          value_parser = held)]
    ready_timeout: Duration,
    /// Wait, and end with 1 and a termination message if the step cannot be attested: for an init
    /// container that comes after a sidecar with --not-ready fail
    #[arg(long)]
    check: bool,
    /// Where the sidecar leaves what --check reads
    #[arg(long, value_name = "DIR", env = variable::EVIDENCE, default_value = place::EVIDENCE)]
    evidence: PathBuf,
    /// Where the sidecar's termination message goes; with --check, this container's own
    #[arg(long, value_name = "FILE", env = variable::TERMINATION_LOG, default_value = place::TERMINATION_LOG)]
    termination_log: PathBuf,
}

/// How long is waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    For(Duration),
    /// As long as main is held.
    WhileHeld,
}

/// What the sidecar is given beyond the time that it holds main for: to be started at all.
const TO_START: Duration = Duration::from_secs(30);
/// Nobody holds a step for longer.
const LONGEST_HELD: Duration = Duration::from_hours(1);

/// Asks, and waits if asked to.
pub(super) async fn ready(args: ReadyArgs) -> Result<Exit, Failure> {
    let wait = match args.wait {
        Some(Wait::For(wait)) => Some(wait),
        Some(Wait::WhileHeld) => Some(args.ready_timeout.saturating_add(TO_START)),
        None if args.check => Some(args.ready_timeout.saturating_add(TO_START)),
        None => None,
    };
    let deadline = Instant::now() + wait.unwrap_or(Duration::ZERO);
    if args.check {
        return check(&args, deadline).await;
    }
    match wait_ready(&args.termination_log, deadline).await {
        Ok(_) => Ok(Exit::Done),
        Err(error) if wait.is_some() => {
            warn!(error = causes(&error), "main starts all the same: it is not held for ever");
            Ok(Exit::Done)
        }
        Err(error) => Err(failure(&error)),
    }
}

/// From another container: what the sidecar says of itself is in the volume that they share.
/// Why the step fails is told where Argo and the kubelet look for it.
async fn check(args: &ReadyArgs, deadline: Instant) -> Result<Exit, Failure> {
    let failed = match wait_ready(&args.evidence.join(place::STATE_NAME), deadline).await {
        Ok(Status::Unready { reason, remedy } | Status::Unattested { reason, remedy }) => {
            NotReady::Failed { reason, remedy }
        }
        Ok(_) => return Ok(Exit::Done),
        Err(error) => error,
    };
    let failure = failure(&failed);
    let message = format!("{}; {}", failure.message(), failure.help().unwrap_or_default());
    if let Err(error) = write_message(&args.termination_log, &brief(&message, MESSAGE_LIMIT)) {
        warn!(%error, file = shown_path(&args.termination_log), "cannot write the termination message");
    }
    Err(failure)
}

fn failure(error: &NotReady) -> Failure {
    let failure = Failure::new(Exit::No, causes(error));
    match error {
        NotReady::Failed { remedy: Some(remedy), .. } => failure.remedy(remedy),
        NotReady::Unreadable { .. } => {
            failure.remedy("run this in the sidecar's own container, or share its evidence's volume")
        }
        _ => failure.remedy("see the sidecar's log"),
    }
}

fn wait(text: &str) -> Result<Wait, String> {
    if text.is_empty() { Ok(Wait::WhileHeld) } else { duration(text).map(Wait::For) }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|e| format!("not a duration such as 60s: {e}"))?;
    Duration::try_from(parsed).map_err(|_| "not a positive duration".into())
}

/// How long main may be held: a while, or not at all.
pub(super) fn held(text: &str) -> Result<Duration, String> {
    match text {
        "0" => return Ok(Duration::ZERO),
        "never" => return Err("a step is not held for ever: give a duration such as 30s".into()),
        _ => {}
    }
    let held = duration(text)?;
    if held > LONGEST_HELD {
        return Err("a step is not held for longer than 1h".into());
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_held_for_ever() {
        for (text, seconds) in [("0", 0), ("0s", 0), ("30s", 30), ("1m 30s", 90), ("1h", 3600)] {
            assert_eq!(held(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["never", "1h 1s", "-1s", "30", "", "99999999h"] {
            assert!(held(text).is_err(), "{text}");
        }
    }
}
