//! A sidecar's command line that makes no sense, read as far as it does.

use std::ffi::OsString;
use std::path::PathBuf;

use argo_attest_core::contract::place;
use clap::{ArgMatches, Command};

use super::sidecar::{Mode, NotReady};
use super::{Exit, Failure, logging, wait};
use crate::sidecar::{End, Form, Misused, Signals};

/// Says what is wrong where the pod's owner looks, and lets main run; or has the step fail,
/// where that is asked for.
pub(super) fn sidecar(
    definition: Command,
    arguments: Vec<OsString>,
    why: &Failure,
    signals: std::io::Result<Signals>,
) -> Exit {
    // What makes no sense is passed over, and what comes after it may be, too.
    let read = definition.ignore_errors(true).try_get_matches_from(arguments).ok();
    let given = read.as_ref().and_then(ArgMatches::subcommand).map(|(_, given)| given);
    let path = |id, otherwise: &str| value(given, id).unwrap_or_else(|| PathBuf::from(otherwise));
    let is_native = match value(given, "mode") {
        Some(Mode::Native) => true,
        Some(Mode::Sidecar) => false,
        None => std::env::var_os("ARGO_TEMPLATE").is_some(),
    };
    let misused = Misused {
        reason: why.message().to_owned(),
        remedy: why.help().unwrap_or_default().to_owned(),
        termination_log: path("termination_log", place::TERMINATION_LOG),
        shared: matches!(value(given, "not_ready"), Some(NotReady::Fail))
            .then(|| path("evidence", place::EVIDENCE).join(place::STATE_NAME)),
        form: if is_native { Form::Native } else { Form::Plain },
    };
    // Without a log it is said in the message all the same.
    let _ = logging::install("info", None);
    let rested = wait(async {
        let signals = signals.map_err(|e| Failure::new(Exit::Io, format!("cannot listen: {e}")))?;
        Ok(misused.rest(signals).await)
    });
    match rested {
        Ok(End::Fine) => Exit::Done,
        Ok(End::NotAttested) | Err(_) => Exit::Usage,
    }
}

fn value<T: Clone + Send + Sync + 'static>(given: Option<&ArgMatches>, id: &str) -> Option<T> {
    given?.try_get_one::<T>(id).ok().flatten().cloned()
}
