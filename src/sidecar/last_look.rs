//! What was last seen of an object that is waited for: when the time is up, the reason
//! that somebody can do something about.

use std::cell::RefCell;

use argo_attest_core::outcome::Fate;
use argo_attest_core::text::causes;

use crate::stored_match::StoredError;

/// Why an output is not attested though nothing is wrong with it.
const TOO_LATE: &str = "the grace period ended before it was stored and attested";

/// Of one output. It outlives the work on it, which is dropped wherever it stands.
#[derive(Debug, Default)]
pub(super) struct LastLook(RefCell<Option<Seen>>);

#[derive(Debug)]
struct Seen {
    what: String,
    /// Whether it was other bytes than those that were written.
    differs: bool,
}

impl LastLook {
    /// It is not there yet, or not to be had, or another one.
    pub(super) fn failed(&self, error: &StoredError) {
        let differs = matches!(error, StoredError::Mismatch { .. });
        self.0.replace(Some(Seen { what: causes(error), differs }));
    }

    /// It is there, as it was written.
    pub(super) fn found(&self) {
        let what = "the object was there, and its attestation was not seen to be stored yet".to_owned();
        self.0.replace(Some(Seen { what, differs: false }));
    }

    /// What became of the output when the time is up. What holds other bytes to the end is
    /// refused: time alone was not what was missing.
    pub(super) fn too_late(&self) -> Fate {
        let last = self.0.borrow();
        let reason = match last.as_ref() {
            Some(last) => format!("{TOO_LATE} (at the last look, {})", last.what),
            None => TOO_LATE.to_owned(),
        };
        if last.as_ref().is_some_and(|last| last.differs) {
            Fate::Refused { reason }
        } else {
            Fate::Unfinished { reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, ObjectKey, PutMode, Store as _};

    #[tokio::test]
    async fn other_bytes_to_the_end_are_refused_and_not_late() {
        let key = ObjectKey::new("k").unwrap();
        let put = MemoryStore::new().put(&key, "x".into(), PutMode::Create).await.unwrap();
        let last = LastLook::default();
        assert_eq!(last.too_late(), Fate::Unfinished { reason: TOO_LATE.to_owned() });
        last.failed(&StoredError::NotThere { uri: "s3://b/k".into() });
        let reason = format!("{TOO_LATE} (at the last look, s3://b/k is not in the store)");
        assert_eq!(last.too_late(), Fate::Unfinished { reason });
        last.failed(&StoredError::Mismatch {
            uri: "s3://b/k".into(),
            reason: "its size is another".into(),
            revision: put.info().revision.clone(),
        });
        assert!(matches!(last.too_late(), Fate::Refused { .. }));
        last.found();
        assert!(matches!(last.too_late(), Fate::Unfinished { .. }));
    }
}
