//! Attestations of an input that lie where one was looked for, and did not do.

use argo_attest_core::text::causes;

use super::error::InputError;

/// What did not do, in the order in which it was looked at, and why.
#[derive(Debug, Default)]
pub(super) struct PassedOver(Vec<(String, InputError)>);

impl PassedOver {
    pub(super) fn push(&mut self, origin: String, why: InputError) {
        self.0.push((origin, why));
    }

    /// Each with its reason, for people; `None` if the first that was there did.
    pub(super) fn told(&self) -> Option<String> {
        let told = self.0.iter().map(|(origin, why)| format!("{origin} was passed over: {}", causes(why)));
        Some(told.collect::<Vec<_>>().join("; ")).filter(|told| !told.is_empty())
    }

    /// Why none did: the first reason, and what else was there. `None` if nothing was.
    pub(super) fn into_error(self) -> Option<InputError> {
        let mut all = self.0.into_iter();
        let (_, first) = all.next()?;
        Some(match Self(all.collect()).told() {
            Some(others) => InputError::InBothPlaces { first: Box::new(first), others },
            None => first,
        })
    }
}
