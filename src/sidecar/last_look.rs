//! What was last seen of an object that is waited for: when the time is up, the reason
//! that somebody can do something about.

use std::cell::RefCell;

use argo_attest_core::text::causes;

use crate::stored::StoredError;

/// Why an output is not attested though nothing is wrong with it.
const TOO_LATE: &str = "the grace period ended before it was stored and attested";

/// Of one output. It outlives the work on it, which is dropped wherever it stands.
#[derive(Debug, Default)]
pub(super) struct LastLook(RefCell<Option<String>>);

impl LastLook {
    /// It is not there yet, or not to be had.
    pub(super) fn failed(&self, error: &StoredError) {
        self.0.replace(Some(causes(error)));
    }

    /// It is there, as it was written.
    pub(super) fn found(&self) {
        self.0.replace(Some("the object was there, and its attestation was not stored yet".to_owned()));
    }

    /// Why there is no attestation when the time is up.
    pub(super) fn too_late(&self) -> String {
        match self.0.borrow().as_deref() {
            Some(last) => format!("{TOO_LATE} (at the last look, {last})"),
            None => TOO_LATE.to_owned(),
        }
    }
}
