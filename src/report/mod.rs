//! What `argo-attest run`, `attest` and `verify --chain` tell: the same facts for people and for scripts.

mod json;
mod lineage;
mod text;
mod unjudged;
mod vouched;

pub use json::RunJson;
pub use lineage::{ChainJson, chain_failure, chain_text};
pub use text::text;
pub use unjudged::NotJudged;
pub use vouched::{Vouched, VouchedJson, vouched_text};

use jiff::Timestamp;

use crate::command::CommandEnd;
use crate::pipeline::Outcome;
use crate::volume::ObservationStats;

/// The key that signed, and how the user is told about it.
#[derive(Debug, Clone)]
pub struct KeyUsed {
    /// Its fingerprint.
    pub id: String,
    /// The file of its public half; none if the key came from a variable.
    pub public_file: Option<String>,
    /// Whether it is the user's own, which `verify` takes by itself.
    pub own: bool,
    /// Whether it was made just now.
    pub created: bool,
}

/// A run, at its end.
#[derive(Debug)]
pub struct RunReport {
    /// How the command ended.
    pub end: CommandEnd,
    /// When.
    pub ended: Timestamp,
    /// The key; `None` if nothing was to be signed.
    pub key: Option<KeyUsed>,
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
