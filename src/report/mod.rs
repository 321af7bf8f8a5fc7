//! What `argo-attest run`, `attest`, `inspect`, `verify` and `audit` tell: the same facts for people and for scripts.

mod accepted;
mod attest;
mod chain;
mod inspection;
mod outcome;
mod proven;
#[cfg(feature = "cli")]
mod run;
mod unjudged;

use argo_attest_core::text::shell_word;
use serde::Serialize;

pub use accepted::{Accepted, Material};
pub use attest::{NotVouched, Vouched, VouchedFor, VouchedJson, vouched_text};
pub use chain::{ChainJson, chain_failure, chain_text, link_remedy};
pub use inspection::{InspectedImage, InspectedJson, inspected_text, unreadable};
pub use outcome::{OutcomeJson, accepted_outcome, outcome_remedy};
pub use proven::Proven;
#[cfg(feature = "cli")]
pub use run::{RunJson, RunReport, run_text};
pub use unjudged::NotJudged;

/// The key that signed, and how the user is told about it.
#[derive(Debug, Clone)]
pub struct KeyUsed {
    /// Its fingerprint.
    pub id: String,
    /// The file of its public half; none if there is none.
    pub public_file: Option<String>,
    /// Where the private one is, as `--key` takes it; none if it cannot be read again.
    pub private: Option<String>,
    /// Whether it is the user's own, which `verify` takes by itself.
    pub own: bool,
    /// Whether it was made just now.
    pub created: bool,
    /// For whom it is certified, where it is a key for this process alone and counts by that.
    pub identity: Option<IdentityUsed>,
}

/// For whom a certificate is that signed, and how the user is told about it.
#[derive(Debug, Clone)]
pub struct IdentityUsed {
    /// The identity.
    pub name: String,
    /// Who vouched for it.
    pub issuer: String,
    /// The file of the trusted root by which that counts, printable.
    pub trusted_root: String,
}

impl IdentityUsed {
    /// What `verify` has to be told, as it can be typed.
    fn options(&self) -> String {
        let Self { name, issuer, trusted_root } = self;
        let [name, issuer, root] = [name, issuer, trusted_root].map(|text| shell_word(text));
        format!("--trusted-root {root} --certificate-identity {name} --certificate-oidc-issuer {issuer}")
    }
}

/// The same for programs.
#[derive(Debug, Serialize)]
struct IdentityJson<'a> {
    name: &'a str,
    issuer: &'a str,
}

impl<'a> From<&'a IdentityUsed> for IdentityJson<'a> {
    fn from(used: &'a IdentityUsed) -> Self {
        Self { name: &used.name, issuer: &used.issuer }
    }
}
