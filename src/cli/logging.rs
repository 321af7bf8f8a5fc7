//! Logs: standard error, as JSON lines where nobody watches.

use std::io::{IsTerminal as _, stderr};

use tracing_subscriber::EnvFilter;

/// Installs the subscriber. A filter that does not parse is the caller's to report.
pub(super) fn install(filter: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|e| e.to_string())?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // A second installation, in one process, changes nothing.
    let _ = if stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    Ok(())
}
