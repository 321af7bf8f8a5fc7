//! Running a command as its wrapper: its signals forwarded, its end reported.
//!
//! What the command does, and how it ends, is its own affair; nothing here
//! decides what an end means for an attestation.

mod ending;
mod forward;

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use tokio::process::Command;

pub use ending::{CommandEnd, SpawnError};

use argo_attest_core::secret::shown;

/// Where the command's standard output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Where ours goes.
    Inherit,
    /// To our standard error, because standard output is a report's alone.
    StandardError,
}

/// Runs `program` to its end, passing on every signal that reaches us meanwhile. It gets
/// our environment but for the variables that are `hidden`.
pub async fn run(
    program: &OsString,
    arguments: &[OsString],
    output: Output,
    hidden: &[&str],
) -> Result<CommandEnd, SpawnError> {
    let failed = |source| SpawnError { program: shown(program.as_bytes()), source };
    // Before the command exists, so that no signal finds us without a handler.
    let mut signals = forward::Signals::listen().map_err(failed)?;
    let mut command = Command::new(program);
    command.args(arguments);
    for name in hidden {
        command.env_remove(name);
    }
    if output == Output::StandardError {
        command.stdout(Stdio::from(standard_error().map_err(failed)?));
    }
    let mut child = command.spawn().map_err(failed)?;
    loop {
        tokio::select! {
            ended = child.wait() => return ended.map(CommandEnd::from).map_err(failed),
            signal = signals.next() => forward::send(signal, child.id()),
        }
    }
}

fn standard_error() -> std::io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 0)?)
}
