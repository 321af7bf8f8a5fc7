//! A policy's evaluation: who signed, when, and what they say.

use jiff::Timestamp;

use super::{Builders, Policy, PolicyViolation, Principal};
use crate::proof::Proof;
use crate::slsa::Provenance;
use crate::text::brief;

/// What is known of a signature that has been checked.
#[derive(Debug, Clone, Copy)]
pub struct Vouched<'a> {
    /// Who of those that the policy trusts made it: several, if it has one identity under several patterns.
    pub by: &'a [Principal],
    /// What others vouch for: its time, its log, its certificate.
    pub proof: &'a Proof,
    /// The verifier's clock, which counts where no time is proven.
    pub now: Timestamp,
}

impl Policy {
    /// Whether provenance that was signed so is what the policy wants; the first thing that is
    /// not, otherwise. What is given back is who of the signers may speak for the builder.
    pub fn judge(&self, provenance: &Provenance, vouched: Vouched<'_>) -> Result<Principal, PolicyViolation> {
        let by = self.pair(&provenance.run_details.builder.id, vouched)?;
        self.expect.judge(provenance, &self.stores, vouched.now).map(|()| by)
    }

    /// Whether what was signed so for this builder, and is no provenance, is what
    /// the policy wants of any statement.
    pub fn judge_builder(&self, builder: &str, vouched: Vouched<'_>) -> Result<Principal, PolicyViolation> {
        let by = self.pair(builder, vouched)?;
        self.expect.judge_builder(builder).map(|()| by)
    }

    /// Whether a claim of another type, which names no builder, is what the policy wants: if it
    /// wants any builder, or anything of how it was built, it is not.
    pub fn judge_other(
        &self,
        predicate_type: &str,
        vouched: Vouched<'_>,
    ) -> Result<Principal, PolicyViolation> {
        if !matches!(self.builders, Builders::Any) || !self.expect.is_nothing() {
            return Err(PolicyViolation::NoProvenance { predicate_type: brief(predicate_type, 300) });
        }
        self.pair("", vouched)
    }

    fn pair(&self, builder: &str, vouched: Vouched<'_>) -> Result<Principal, PolicyViolation> {
        let Vouched { by, proof, now } = vouched;
        let Some(allowed) = by.iter().copied().find(|by| self.builders.allow(builder, *by)) else {
            let key = by.first().map(|by| self.name_of(*by).to_owned()).unwrap_or_default();
            return Err(PolicyViolation::Pair { key, builder: builder.to_owned() });
        };
        if let Principal::Key(index) = allowed {
            self.keys.get(index).map_or(Ok(()), |key| key.valid_at(proof, now))?;
        }
        self.expect.judge_proof(proof).map(|()| allowed)
    }
}
