//! Attestations that lie where one was looked for, and did not do.

use argo_attest_core::text::causes;
use argo_attest_core::verify::Rejection;

/// What did not do, in the order in which it was looked at, and why.
#[derive(Debug, Default)]
pub struct PassedOver(Vec<(String, Rejection)>);

impl PassedOver {
    pub(super) fn push(&mut self, origin: String, why: Rejection) {
        self.0.push((origin, why));
    }

    /// Each with its reason, for people; `None` if the first that was there did.
    pub fn told(&self) -> Option<String> {
        let told = self.0.iter().map(|(origin, why)| format!("{origin} did not do: {}", causes(why)));
        Some(told.collect::<Vec<_>>().join("; ")).filter(|told| !told.is_empty())
    }

    /// Why none did: the first reason, and what else was there. `None` if nothing was.
    pub(super) fn rejection(self) -> Option<Rejection> {
        let mut all = self.0.into_iter();
        let (_, first) = all.next()?;
        let others = Self(all.collect());
        Some(match others.told() {
            Some(others) => Rejection::InBothPlaces { first: Box::new(first), others },
            None => first,
        })
    }
}
