//! Why there is no evidence that the store holds what was written.

use argo_attest_core::archive::ReadError;
use tokio::task::JoinError;

use crate::store::{Corruption, Revision, StoreError};

/// The object differs, or could not be compared. Which of the two is never left
/// open: only [`StoredError::Mismatch`] says anything of the object's bytes.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// There is no such object, or not yet.
    #[error("{uri} is not in the store")]
    NotThere {
        /// The object.
        uri: String,
    },
    /// The object holds something else than was written.
    #[error("{uri} is not what was written: {reason}")]
    Mismatch {
        /// The object.
        uri: String,
        /// How it differs, in one sentence; of an archive, in which entry.
        reason: String,
        /// Which state of the object that is said of: another one may match.
        revision: Revision,
    },
    /// The object was replaced or removed while it was compared. Comparing it
    /// again may give an answer.
    #[error("{uri} was changed while it was compared with what was written")]
    Changed {
        /// The object.
        uri: String,
    },
    /// The store did not let the object be read; says nothing of its bytes.
    #[error(transparent)]
    Store(StoreError),
    /// The object was not read to its end; says nothing of its bytes.
    #[error("{uri} was not read to its end")]
    Unreadable {
        /// The object.
        uri: String,
        /// Where reading ended, and why.
        #[source]
        source: ReadError,
    },
    /// The comparing was stopped from outside, or failed by our own fault.
    #[error("comparing stored objects with what was written was interrupted")]
    Interrupted(#[source] JoinError),
}

impl From<StoreError> for StoredError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { uri } => Self::NotThere { uri },
            StoreError::Corrupt { uri, kind: Corruption::Changed } => Self::Changed { uri },
            error => Self::Store(error),
        }
    }
}
