//! Waiting for Argo's object: what is not there yet may come, what is another may be
//! replaced. Who waits for how long is decided here.

use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::argo::{ObjectRef, Packing};
use argo_attest_core::text::causes;
use tokio::time::{Instant, sleep};

use super::comparing::compare;
use super::earlier::Before;
use super::last_look::LastLook;
use super::planned::Way;
use super::settings::Form;
use crate::observe::{SealedArtifact, Seen};
use crate::store::StoreError;
use crate::stored_match::{StoredError, StoredObject};

/// Between two looks for an object that Argo has not stored yet.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a native sidecar waits for an object: Argo is done when it is told.
const CONSISTENCY: Duration = Duration::from_secs(2);

/// An output that is complete, and its object that is not known to be there.
pub(super) struct Waiting<'a> {
    pub(super) form: Form,
    pub(super) way: &'a Way,
    pub(super) object: &'a ObjectRef,
    pub(super) before: &'a Before,
    pub(super) sealed: &'a Arc<SealedArtifact>,
    pub(super) on_disk: Option<Seen>,
    pub(super) packing: &'a Packing,
    pub(super) last: &'a LastLook,
}

impl Waiting<'_> {
    /// Compares until the answer is final. What Argo has not uploaded yet is
    /// waited for: by the plain form as long as there is time, since it is told at
    /// main's end; by the native one only as long as a store may take to show it.
    pub(super) async fn stored(&self) -> Result<Vec<StoredObject>, String> {
        let patience = Instant::now() + CONSISTENCY;
        loop {
            let look =
                compare(self.way, self.object, &self.before.store, self.sealed, self.on_disk, self.packing);
            let error = match look.await? {
                Ok(stored) => {
                    self.last.found();
                    return Ok(stored);
                }
                Err(error) => error,
            };
            if !self.may_come(&error) || !self.is_worth_waiting(&error, patience) {
                return Err(causes(&error));
            }
            self.last.failed(&error);
            sleep(LOOK_EVERY).await;
        }
    }

    /// Whether another look may find something else.
    fn may_come(&self, error: &StoredError) -> bool {
        match error {
            // What lay there before the step says nothing of this step.
            StoredError::Mismatch { revision, .. } => {
                self.form == Form::Plain
                    // Of a directory, nobody could ask before its files were known.
                    && (*self.packing == Packing::ObjectPerFile || self.before.object.may_be(revision))
            }
            StoredError::NotThere { .. }
            | StoredError::Store(StoreError::Unreachable { .. })
            | StoredError::Unreadable { .. }
            | StoredError::Changed { .. } => true,
            _ => false,
        }
    }

    fn is_worth_waiting(&self, error: &StoredError, patience: Instant) -> bool {
        self.form == Form::Plain
            || matches!(error, StoredError::Store(_) | StoredError::Unreadable { .. })
            || Instant::now() < patience
    }
}
