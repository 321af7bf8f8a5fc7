//! What became of each output of a step: signed, so that an auditor can tell
//! "nothing to attest" from "nobody attested"; and in short, for whoever looks at
//! the pod. `docs/outcome.md` specifies both.
//!
//! Nothing here signs, stores or looks at files.

mod attested;
mod message;
mod predicate;
mod told;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::digest::Sha256Digest;
use crate::intoto::ResourceDescriptor;
use crate::predicate::PredicateType;
use crate::slsa::PodIdentity;

pub use attested::Attested;
pub use message::MESSAGE_LIMIT;
pub use predicate::OutcomePredicate;
pub use told::Told;

pub use crate::outcome_words::{Named, OutcomeWords, OutputWords, PredicateWords, STEP_OUTCOME_V1};

/// What became of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Its attestation was written, read back and verified.
    Attested(Attested),
    /// It was there, or should have been, and is not attested.
    Refused {
        /// Why not.
        reason: String,
    },
    /// It is optional, and was not there.
    Absent,
    /// It was there, and Argo stores nothing of it: there is no object that anybody could take,
    /// or that could be attested.
    NotStored {
        /// Why not.
        reason: String,
    },
    /// There was no time to finish.
    Unfinished {
        /// What was being waited for.
        reason: String,
    },
    /// Nothing was to be attested: the step itself did not finish, or failed. To auditors it
    /// is as unfinished as the step.
    NotAttempted {
        /// Why not.
        reason: String,
    },
}

/// One declared output, at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputOutcome {
    /// The artifact's name in the template.
    pub name: String,
    /// Its path in main.
    pub path: String,
    /// What became of it.
    pub fate: Fate,
    /// Entries in it that were refused, each with the reason. All of them: what is
    /// written has a limit of its own, and the count.
    pub refused: Vec<(String, String)>,
    /// Where that is now which lay in its attestation's place, and was none: URIs.
    pub set_aside: Vec<String>,
    /// Why somebody who was asked to vouch for its attestation did not, where it is attested all the same.
    pub unvouched: Vec<String>,
    /// Entries in it that Argo never stores, and of which the attestation does not speak.
    pub not_stored: Vec<String>,
}

/// What became of a file of the step that was to be signed as what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredicateOutcome {
    /// The output artifact that it is or, with its path there, is in.
    pub name: String,
    /// As what it was to be signed.
    pub kind: PredicateType,
    /// About which output or image; `None` if there is none that it could be about.
    pub about: Option<String>,
    /// What became of it. Attested it is if the statement was written, read back and verified.
    pub fate: Fate,
    /// Why somebody who was asked to vouch for that statement did not, where it is there all the same.
    pub unvouched: Vec<String>,
}

/// How the step itself ended, or that it has not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// Main was about to start: what is said before anything else, and all that is said of
    /// a step whose pod was lost.
    Started,
    /// Main ended with exit code 0.
    Succeeded,
    /// Main ended otherwise.
    Failed {
        /// Exit codes by container.
        exit_codes: BTreeMap<String, i32>,
    },
    /// Main left no exit code: it was killed, or the pod was deleted.
    Unfinished {
        /// What is known of that.
        reason: String,
    },
}

/// A step and all its outputs, at the end; or before it began.
#[derive(Debug, Clone)]
pub struct StepOutcome<'a> {
    /// The same as in the step's attestations: see [`PodIdentity::invocation_id`].
    pub invocation_id: String,
    /// Which pod ran it.
    pub identity: &'a PodIdentity,
    /// The template's name.
    pub template: &'a str,
    /// How it ended.
    pub state: StepState,
    /// Every output that the template declares, in its order.
    pub outputs: Vec<OutputOutcome>,
    /// Every file that was to be signed as what it is, once for each thing that it is about.
    pub predicates: Vec<PredicateOutcome>,
    /// URI of the builder.
    pub builder_id: &'a str,
    /// When it was begun to watch the step.
    pub started_on: Option<Timestamp>,
    /// When main ended, if it did.
    pub finished_on: Option<Timestamp>,
}

impl StepOutcome<'_> {
    /// What the signed statement is about: the invocation. It has no bytes but its
    /// id, so the digest is that of the id.
    pub fn subject(&self) -> ResourceDescriptor {
        ResourceDescriptor::named(
            format!("urn:argo-attest:invocation:{}", self.invocation_id),
            Sha256Digest::of(self.invocation_id.as_bytes()),
        )
    }

    /// The predicate of the signed statement.
    pub fn predicate(&self) -> OutcomePredicate<'_> {
        OutcomePredicate::new(self)
    }

    /// Whether every output that was there is attested, with all that is in it, and every file was
    /// signed that was to be. Of a step that has not ended that cannot be said.
    pub fn is_complete(&self) -> bool {
        self.state != StepState::Started
            && self.outputs.iter().all(OutputOutcome::is_complete)
            && self.predicates.iter().all(PredicateOutcome::is_complete)
    }
}

impl OutputOutcome {
    /// Whether nothing about it is amiss: attested in full, or rightly absent from the store.
    pub fn is_complete(&self) -> bool {
        (matches!(self.fate, Fate::Attested(_)) || self.fate.is_absent()) && self.refused.is_empty()
    }
}

impl PredicateOutcome {
    /// Whether it was signed, or there was nothing to sign.
    pub fn is_complete(&self) -> bool {
        matches!(self.fate, Fate::Attested(_)) || self.fate.is_absent()
    }
}

impl Fate {
    /// The word for it: `attested`, `refused`, `absent` or `unfinished`.
    pub fn verdict(&self) -> &'static str {
        match self {
            Self::Attested(_) => "attested",
            Self::Refused { .. } => "refused",
            Self::Absent | Self::NotStored { .. } => "absent",
            Self::Unfinished { .. } | Self::NotAttempted { .. } => "unfinished",
        }
    }

    /// Why it is not attested, if it should have been.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Refused { reason } | Self::Unfinished { reason } | Self::NotAttempted { reason } => {
                Some(reason)
            }
            Self::Attested(_) | Self::Absent | Self::NotStored { .. } => None,
        }
    }

    /// Whether there is nothing of it in the store, as it should be.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent | Self::NotStored { .. })
    }

    /// What is said of it beside the word.
    fn told(&self) -> Option<&str> {
        match self {
            Self::NotStored { reason } => Some(reason),
            other => other.reason(),
        }
    }

    fn attestation(&self) -> Option<(&str, Option<&str>)> {
        match self {
            Self::Attested(attested) => Some((attested.attestation(), attested.digest())),
            _ => None,
        }
    }
}

impl StepState {
    /// The word for it: `started`, `succeeded`, `failed` or `unfinished`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed { .. } => "failed",
            Self::Unfinished { .. } => "unfinished",
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Unfinished { reason } => Some(reason),
            Self::Started | Self::Succeeded | Self::Failed { .. } => None,
        }
    }
}
