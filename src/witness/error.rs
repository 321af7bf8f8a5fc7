//! Why nobody vouches for a signature, and what would mend it.

use argo_attest_core::proof::asking::{AnswerError, Unbelieved};
use argo_attest_core::trouble::{Fault, Trouble};

use crate::service::ServiceError;

/// Why one who was asked does not vouch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// It did not answer, or refused.
    #[error("{who} does not vouch for it")]
    Asked {
        /// Whom we asked.
        who: String,
        /// Why not.
        #[source]
        source: ServiceError,
    },
    /// It had not answered when there was no more time to wait.
    #[error("{who} had not answered when the time was up")]
    Late {
        /// Whom we asked.
        who: String,
    },
    /// It answered something else.
    #[error("what {who} answered cannot be used")]
    Answer {
        /// Whom we asked.
        who: String,
        /// What is wrong with it.
        #[source]
        source: AnswerError,
    },
    /// It answered what is not true.
    #[error("what {who} answered is not believed")]
    Unbelieved {
        /// Whom we asked.
        who: String,
        /// Why not.
        #[source]
        source: Unbelieved,
    },
    /// It takes no signatures of this kind.
    #[error("{who} takes no signature by an {kind} key")]
    Key {
        /// Whom we would have asked.
        who: String,
        /// The key's kind.
        kind: &'static str,
    },
    /// What was signed is no envelope that could be vouched for. A bug.
    #[error("the signature cannot be vouched for: {reason}")]
    Unfit {
        /// Why not.
        reason: String,
    },
}

impl Trouble for WitnessError {
    fn fault(&self) -> Fault {
        match self {
            Self::Asked { source, .. } if source.is_passing() => Fault::Unavailable,
            Self::Late { .. } => Fault::Unavailable,
            Self::Unfit { .. } => Fault::Bug,
            Self::Asked { .. } | Self::Answer { .. } | Self::Unbelieved { .. } | Self::Key { .. } => {
                Fault::No
            }
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Asked { .. } | Self::Late { .. } => {
                "check that it can be reached from here and takes what it is sent, and try again; \
                 --log-failure warn attests without it"
                    .to_owned()
            }
            Self::Answer { .. } => "check that the address is that of the service itself".to_owned(),
            Self::Unbelieved { .. } => {
                "check that the trusted root is the one of this service, and of now, and \
                                        that the clock is right"
                    .to_owned()
            }
            Self::Key { .. } => NO_ED25519.to_owned(),
            Self::Unfit { .. } => return None,
        })
    }
}

/// The way out for whoever has a key that Rekor 2 does not take.
pub(super) const NO_ED25519: &str = "sign with an ECDSA P-256 key (argo-attest keygen --type ecdsa-p256), or name a log of \
                                     Rekor 1, which takes both (--rekor-version 1)";
