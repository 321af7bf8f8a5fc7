//! Many artifacts at the same time, in bounded memory.

use std::num::NonZeroUsize;

use super::Artifact;
use crate::attestations::USUAL_ATTESTATION;
use crate::observe::Progress;
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

    /// What is accepted.
    pub fn policy(&self) -> &argo_attest_core::policy::Policy {
        &self.any.policy
    }

    /// The verifier's clock.
    pub fn now(&self) -> jiff::Timestamp {
        self.any.now
    }
}
