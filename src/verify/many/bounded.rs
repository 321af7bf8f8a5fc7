//! Many artifacts at the same time, in bounded memory.

use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use argo_attest_core::relpath::printable;

use super::Artifact;
use crate::attestations::USUAL_ATTESTATION;
use crate::observe::{NoProgress, Progress};
use crate::verify::{CheckError, Checked, Checker};

/// A checker for many artifacts. Attestations are as large as whoever writes to the place chooses,
/// and several times that in memory: any number of artifacts is checked at the same time as long
/// as theirs are of a usual size, and of the others one.
#[derive(Debug)]
pub struct BoundedChecker {
    usual: Checker,
    any: Checker,
    /// Whether one that is large is named for all of them.
    all_large: bool,
}

/// An artifact whose attestation is too large to be held beside others.
#[derive(Debug)]
pub struct Large(pub Artifact);

impl BoundedChecker {
    /// What checks in this way.
    pub fn new(any: Checker) -> Self {
        let all_large = any.bundle.as_ref().is_some_and(|bundle| bundle.size() > USUAL_ATTESTATION);
        let usual = Checker { largest: any.largest.min(USUAL_ATTESTATION), ..any.clone() };
        Self { usual, any, all_large }
    }

    /// Checks one of them, if its attestation is of a usual size; `None` if it is not.
    pub async fn check_usual(
        &self,
        artifact: &Artifact,
        workers: NonZeroUsize,
        progress: &dyn Progress,
    ) -> Option<Result<Checked, CheckError>> {
        if self.all_large {
            return None;
        }
        match artifact.check(&self.usual, workers, progress).await {
            Err(error) if error.is_of_size() => None,
            found => Some(found),
        }
    }

    /// Checks one of them, whatever its size. To be called for one after the other, from the same
    /// thread: memory that a thread gave back stays its own, and may be as much again.
    pub async fn check(
        &self,
        artifact: &Artifact,
        workers: NonZeroUsize,
        progress: &dyn Progress,
    ) -> Result<Checked, CheckError> {
        artifact.check(&self.any, workers, progress).await
    }

    /// Checks one of many, beside the others. What is in a store mostly waits, and is asked for by
    /// this very task; what is here is read and digested on a thread of its own.
    pub async fn check_beside(
        self: Arc<Self>,
        artifact: Artifact,
    ) -> Result<Result<Checked, CheckError>, Large> {
        let usual = if artifact.waits() {
            self.check_usual(&artifact, NonZeroUsize::MIN, &NoProgress).await
        } else {
            let runtime = tokio::runtime::Handle::current();
            let one = artifact.clone();
            // Many at a time share the cores, and have no room for a bar each.
            let done = tokio::task::spawn_blocking(move || {
                runtime.block_on(self.check_usual(&one, NonZeroUsize::MIN, &NoProgress))
            });
            done.await.unwrap_or_else(|error| {
                let name = printable(artifact.name().as_os_str().as_bytes());
                Some(Err(CheckError::Io { name, source: std::io::Error::other(error) }))
            })
        };
        usual.ok_or(Large(artifact))
    }

    /// What is accepted.
    pub fn policy(&self) -> &argo_attest_core::policy::Policy {
        &self.any.policy
    }

    /// The verifier's clock.
    pub fn now(&self) -> jiff::Timestamp {
        self.any.now
    }
}
