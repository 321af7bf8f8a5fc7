//! A step's signed outcome: which of the trusted keys signed it, and what it says.

use argo_attest_core::attestation_file::{AttestationFile, Found as Item};
use argo_attest_core::bundle::Unjudged;
use argo_attest_core::dsse::Effort;
use argo_attest_core::outcome::OutcomeWords;
use argo_attest_core::proof::Proof;
use argo_attest_core::verify::{Rejection, Signer, authenticate_outcome};

use super::Checker;

/// An outcome that a trusted key signed, for a builder that the policy lets it speak for.
#[derive(Debug)]
pub struct CheckedOutcome {
    /// What it says.
    pub words: OutcomeWords,
    /// Who signed it.
    pub signer: Signer,
    /// What others vouch for.
    pub proof: Proof,
    /// How much came with it and proved nothing.
    pub unjudged: Unjudged,
}

/// Checks a file or an object that holds an outcome. Of several the last counts: lines keep
/// those before it, too.
pub fn check_outcome(checker: &Checker, bytes: &[u8]) -> Result<CheckedOutcome, Rejection> {
    let mut newest = None;
    let mut other = None;
    let mut effort = Effort::default();
    for item in AttestationFile::read(bytes)?.into_items().into_iter().rev() {
        let found = match item.found {
            Item::Attestation(signed) => signed,
            another => {
                other = other.or_else(|| Some(another.form()));
                continue;
            }
        };
        let Checker { policy, now, .. } = checker;
        match authenticate_outcome(&found.content, &found.evidence, policy, *now, &mut effort) {
            Ok((words, signer, proof)) => {
                let unjudged = proof.unjudged(found.unjudged);
                return Ok(CheckedOutcome { words, signer, proof, unjudged });
            }
            Err(no) => newest = newest.or(Some(no)),
        }
    }
    let nothing = || Rejection::NoStatement { found: other.unwrap_or("nothing").to_owned() };
    Err(newest.unwrap_or_else(nothing))
}
