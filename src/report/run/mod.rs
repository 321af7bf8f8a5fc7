//! What `argo-attest run` tells.

mod json;
mod text;

use jiff::Timestamp;

use super::KeyUsed;
use crate::attest::Outcome;
use crate::command::CommandEnd;
use crate::observe::ObservationStats;

pub use json::RunJson;
pub use text::text as run_text;

/// A run, at its end.
#[derive(Debug)]
pub struct RunReport {
    /// How the command ended.
    pub end: CommandEnd,
    /// When.
    pub ended: Timestamp,
    /// The key; `None` if nothing was to be signed.
    pub key: Option<KeyUsed>,
    /// Whether the checkout that the command ran in differed from its commit.
    pub checkout_changed: bool,
    /// The artifacts; none if the command failed.
    pub outcomes: Vec<Outcome>,
    /// Whether the attestations went to a store of their own, or their names do
    /// not follow from the artifacts': `verify` then has to be told.
    pub needs_bundle: bool,
    /// What was digested, and when.
    pub stats: ObservationStats,
    /// How many requests to the store were repeated.
    pub store_retries: u64,
}
