//! Attestations that lie where one was looked for, and did not do.

use std::collections::HashSet;

use argo_attest_core::text::causes;
use argo_attest_core::verify::Rejection;

use crate::attestations::{Candidate, Form};

/// What did not do, in the order in which it was looked at, and why.
#[derive(Debug, Default)]
pub struct PassedOver(Vec<(String, Rejection)>);

impl PassedOver {
    pub(super) fn push(&mut self, origin: String, why: Rejection) {
        self.0.push((origin, why));
    }

    /// Each with its reason, for people; `None` if the first that was there did.
    pub fn told(&self) -> Option<String> {
        let told = self.0.iter().map(|(origin, why)| format!("{origin} was passed over: {}", causes(why)));
        Some(told.collect::<Vec<_>>().join("; ")).filter(|told| !told.is_empty())
    }

    /// Why none did: the first reason, and what else was there. `None` if nothing was.
    pub(super) fn rejection(self) -> Option<Rejection> {
        let mut all = self.0.into_iter();
        let (_, first) = all.next()?;
        // Bundle and lines of one attestation have one reason, which is said once.
        let reason = causes(&first);
        let others = Self(all.filter(|(_, why)| causes(why) != reason).collect());
        Some(match others.told() {
            Some(others) => Rejection::InBothPlaces { first: Box::new(first), others },
            None => first,
        })
    }
}

/// Bundles that say to be a trusted key's and were altered, or that the policy refuses: that is an
/// answer, and what the lines of the same place said before is none.
#[derive(Debug, Default)]
pub(super) struct Decisive(HashSet<String>);

impl Decisive {
    /// Why the attestation with this bundle did not do.
    pub(super) fn rejected(&mut self, bundle: String, why: &Rejection) {
        if why.is_decisive() {
            self.0.insert(bundle);
        }
    }

    /// Whether these are the lines of such a bundle.
    pub(super) fn counts_before(&self, candidate: &Candidate<'_>) -> bool {
        candidate.form == Form::Lines && self.0.contains(&candidate.bundle_uri)
    }
}
