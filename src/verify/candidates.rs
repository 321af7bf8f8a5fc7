//! What lies where an attestation may lie, one after the other, until one does.

use argo_attest_core::verify::Rejection;

use super::passed_over::{Decisive, PassedOver};
use super::{CheckError, Checked};
use crate::attestations::{Candidate, Candidates};

/// The first that does, with what was passed over before it. `check` judges one: that it does not
/// do is a [`CheckError::Rejected`], and any other error an end, since it may be the one that would.
pub(super) async fn first<'a>(
    mut candidates: Candidates<'a>,
    mut check: impl AsyncFnMut(Candidate<'a>) -> Result<Checked, CheckError>,
) -> Result<Checked, CheckError> {
    let mut passed_over = PassedOver::default();
    let mut decisive = Decisive::default();
    while let Some(candidate) = candidates.next().await {
        let candidate = match candidate {
            Ok(candidate) if decisive.counts_before(&candidate) => continue,
            Ok(candidate) => candidate,
            Err(error) => match CheckError::from(error) {
                CheckError::Rejected(why) => {
                    passed_over.push(String::new(), why);
                    continue;
                }
                error => return Err(error),
            },
        };
        let (origin, bundle) = (candidate.origin.clone(), candidate.bundle_uri.clone());
        match check(candidate).await {
            Ok(found) => return Ok(Checked { passed_over, ..found }),
            Err(CheckError::Rejected(why)) => {
                decisive.rejected(bundle, &why);
                passed_over.push(origin, why);
            }
            Err(error) => return Err(error),
        }
    }
    let missing = || Rejection::NoAttestation { looked_for: candidates.looked_for() };
    Err(passed_over.rejection().unwrap_or_else(missing).into())
}
