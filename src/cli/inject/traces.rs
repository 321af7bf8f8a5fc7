//! Where the containers of `inject` send their spans.

use argo_attest_core::contract::variable;
use clap::Args;

use super::super::witness::{Address, address};
use super::Failure;

/// The same option as of all that lives in a pod, of which both containers are told.
#[derive(Debug, Args)]
pub(super) struct InjectedTraceArgs {
    /// OpenTelemetry collector that both containers send spans to, by OTLP over HTTP
    #[arg(long, value_name = "URL", env = variable::OTLP_ENDPOINT)]
    otlp_endpoint: Option<Address>,
}

impl InjectedTraceArgs {
    /// What they are told.
    ///
    /// Errors: an address that is none.
    pub(super) fn injected(&self) -> Result<Option<String>, Failure> {
        let given = address("--otlp-endpoint", self.otlp_endpoint.as_ref())?;
        Ok(given.map(|endpoint| endpoint.to_string()))
    }
}
