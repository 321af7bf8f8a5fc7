//! Why an object that exists is not attested.

use argo_attest_core::trouble::{Fault, Trouble};

use crate::attest::AttestError;
use crate::attestations::{NameError, PutError};
use crate::store::{Corruption, StoreError};

/// There is no attestation, or none that may be relied on.
#[derive(Debug, thiserror::Error)]
pub enum ExistingObjectError {
    /// There is no such object.
    #[error("{uri} does not exist")]
    NotThere {
        /// The object.
        uri: String,
    },
    /// It was replaced or removed while it was read, or before anything was signed.
    #[error("{uri} was changed while it was read")]
    Changed {
        /// The object.
        uri: String,
    },
    /// It was replaced or removed while its attestation was written, which is
    /// there and is about what was read.
    #[error("{uri} was changed while its attestation was written, which is about what was there before")]
    Overtaken {
        /// The object.
        uri: String,
    },
    /// Provenance of these very bytes is there and says how they were made.
    #[error("{uri} says already how these bytes were made, by builder {builder}")]
    Explained {
        /// The attestation that is there.
        uri: String,
        /// The builder that it names, unverified and printable.
        builder: String,
    },
    /// The attestation's name would be no object key.
    #[error("the attestation of {uri} cannot be named")]
    Name {
        /// The object.
        uri: String,
        /// Why not.
        #[source]
        source: NameError,
    },
    /// The store did not let the object be read.
    #[error(transparent)]
    Store(StoreError),
    /// The attestation could not be made, stored or read back.
    #[error(transparent)]
    Attest(#[from] AttestError),
}

impl From<StoreError> for ExistingObjectError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { uri } => Self::NotThere { uri },
            StoreError::Corrupt { uri, kind: Corruption::Changed } => Self::Changed { uri },
            error => Self::Store(error),
        }
    }
}

impl Trouble for ExistingObjectError {
    fn fault(&self) -> Fault {
        match self {
            Self::NotThere { .. } => Fault::Missing,
            Self::Store(error) => error.fault(),
            Self::Attest(error) => error.fault(),
            _ => Fault::No,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotThere { .. } => "check the bucket and the key".to_owned(),
            Self::Changed { .. } | Self::Overtaken { .. } => {
                "wait until nobody writes the object any more, and attest it again".to_owned()
            }
            Self::Explained { .. } => {
                "verify that attestation instead, or put yours before it with --supersede".to_owned()
            }
            Self::Name { .. } => "give the object a shorter key".to_owned(),
            Self::Store(error) => return error.remedy(),
            Self::Attest(AttestError::Put { source: PutError::Foreign { .. }, .. }) => {
                "move it away, or put the attestation apart from the object: --attestations apart".to_owned()
            }
            Self::Attest(error) => return error.remedy(),
        })
    }
}
