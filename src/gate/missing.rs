//! `missing: warn`: whether main may start though an input has no attestation. Decided
//! here, by what the policy says of inputs of its kind, and only of what has none: whatever
//! was found and not accepted is no lack of it. (For `verify`, which has one artifact and an exit code, it is decided in
//! `cli/answer.rs`.)

use argo_attest_core::git::GitError;
use argo_attest_core::policy::{ArtifactKind, Missing, MissingRule};
use argo_attest_core::text::causes;

use super::error::InputError;
use super::verdict::Verdict;
use crate::verify::CheckError;

/// What the policy makes of what was found.
pub(super) fn decide(
    rule: &MissingRule,
    kind: Option<ArtifactKind>,
    judged: Result<Verdict, InputError>,
) -> Result<Verdict, InputError> {
    let missing = rule.of(kind);
    match judged {
        Err(error) if missing == Missing::Warn && is_missing(&error) => Ok(Verdict::Missing(causes(&error))),
        judged => judged,
    }
}

/// Whether there is no attestation at all.
pub(super) fn is_missing(error: &InputError) -> bool {
    match error {
        InputError::Check(CheckError::Rejected(rejection)) => rejection.is_missing(),
        // Of files that are attested one by one, those that have one were accepted.
        InputError::NotEach { .. }
        | InputError::Unattested(_)
        | InputError::Unlocated(_)
        | InputError::Git(GitError::NoCommit(_)) => true,
        _ => false,
    }
}
