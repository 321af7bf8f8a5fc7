//! Whoever vouches, as the rest of the program knows them.

use std::fmt;

use argo_attest_core::proof::asking::{Fresh, Word};
use async_trait::async_trait;
use tokio::time::Instant;

use super::error::WitnessError;

/// Somebody who can be asked to vouch for a signature that was just made.
#[async_trait]
pub trait Witness: fmt::Debug + Send + Sync {
    /// Asks, again where that may help, and gives the answer if it is one to the question. Nobody has to
    /// believe it: see [`Fresh::believe`]. It is dropped at `until`: of what did not work a while before that, the
    /// reason is given in place of another try.
    ///
    /// Errors: [`WitnessError`].
    async fn ask(&self, fresh: &Fresh<'_>, until: Option<Instant>) -> Result<Word, WitnessError>;

    /// Who it is, printable: `the log https://…`.
    fn name(&self) -> &str;
}
