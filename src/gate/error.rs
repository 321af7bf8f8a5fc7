//! Why an input is not accepted.

use argo_attest_core::argo::Unlocated;
use argo_attest_core::contract::annotation::PLACE;
use argo_attest_core::dsse::SignatureError;
use argo_attest_core::git::GitError;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::{Fault, Trouble};
use argo_attest_core::verify::{PlaceError, Reason, Rejection};

use super::form::FormError;
use super::images::ImageError;
use super::staged::StagedError;
use crate::artifact_repository::StoresError;
use crate::store::InvalidKey;
use crate::verify::{CheckError, reason_of};

/// Why an input is not accepted, or could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Its attestation, or the store.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// Its staged bytes.
    #[error(transparent)]
    Staged(#[from] StagedError),
    /// The form of what is staged.
    #[error(transparent)]
    Form(#[from] FormError),
    /// How a container's image is named, or that its registry is slow.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Where it was stored.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A git repository whose commit is not known.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A git repository at another commit than the template names.
    #[error("the staged repository is at commit {found}, not {wanted}")]
    OtherCommit {
        /// Where it is.
        found: String,
        /// What the template says.
        wanted: String,
    },
    /// A commit that other ones lead from.
    #[error("the staged repository is at commit {found}, and whether that is {wanted} takes git to tell")]
    DerivedCommit {
        /// Where it is.
        found: String,
        /// What the template says.
        wanted: String,
    },
    /// The template names a commit, and the repository is at none.
    #[error("the template names a commit, and it is not known which is staged")]
    NoPinnedCommit(#[source] GitError),
    /// Text in the template, and something else is staged.
    #[error("what is staged is not the text that the template has for it")]
    OtherText,
    /// Nobody can attest such an input.
    #[error("it comes from {0}, and nothing there can be attested")]
    Unattested(&'static str),
    /// It is not known where it comes from.
    #[error("it is not known where it comes from, so there is no attestation to look for")]
    Unlocated(#[from] Unlocated),
    /// Its key is none that a store takes.
    #[error("its key cannot be used")]
    Key(#[from] InvalidKey),
    /// Some of a directory's files are attested, each by itself, and some are not.
    #[error("{attested} of its {files} files have an attestation of their own, and {without} has none")]
    NotEach {
        /// How many have one.
        attested: usize,
        /// How many there are.
        files: usize,
        /// The first that has none.
        without: String,
    },
    /// One of a directory's files, which are attested each by itself, is not as it was attested.
    #[error("its file {path} is not accepted: {why}")]
    Piece {
        /// Which.
        path: String,
        /// Why not.
        #[source]
        why: Box<Self>,
    },
    /// More files than are looked for one by one.
    #[error(
        "it has no attestation of its own, and {files} files: more than {} are not looked for one by one",
        super::pieces::MAX_PIECES
    )]
    TooManyPieces {
        /// How many there are.
        files: usize,
    },
    /// There is an attestation in more than one place, and none does.
    #[error("{first}; and {others}")]
    InBothPlaces {
        /// Why the one that counts more does not.
        #[source]
        first: Box<Self>,
        /// Which others there are and why they do not, printable.
        others: String,
    },
    /// The store cannot be opened.
    #[error("{reason}")]
    Store {
        /// Why not.
        reason: String,
        /// What to do about it.
        remedy: String,
        /// What kind of trouble it is.
        fault: Fault,
    },
}

impl From<StoresError> for InputError {
    fn from(error: StoresError) -> Self {
        let remedy = error.remedy().unwrap_or_default();
        Self::Store { reason: causes(&error), remedy, fault: error.fault() }
    }
}

impl InputError {
    /// The word for it, as `verify` and `audit` have it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Check(error) => error.reason(),
            Self::Piece { why, .. } | Self::InBothPlaces { first: why, .. } => why.reason(),
            Self::Place(_) => Reason::OtherPlace,
            Self::OtherCommit { .. } | Self::DerivedCommit { .. } | Self::OtherText => Reason::Altered,
            Self::Unattested(_)
            | Self::Unlocated(_)
            | Self::NotEach { .. }
            | Self::TooManyPieces { .. }
            | Self::Git(GitError::NoCommit(_))
            | Self::NoPinnedCommit(_) => Reason::Unattested,
            Self::Staged(_)
            | Self::Form(_)
            | Self::Git(_)
            | Self::Image(_)
            | Self::Key(_)
            | Self::Store { .. } => match self.fault() {
                Fault::No => Reason::Unverifiable,
                fault => reason_of(fault),
            },
        }
    }
}

impl Trouble for InputError {
    fn fault(&self) -> Fault {
        match self {
            Self::Check(CheckError::Store(error)) => error.fault(),
            Self::Check(CheckError::Registry(error)) => error.fault(),
            Self::Image(error) => error.fault(),
            Self::Store { fault, .. } => *fault,
            Self::Piece { why, .. } | Self::InBothPlaces { first: why, .. } => why.fault(),
            Self::Check(CheckError::Rejected(_))
            | Self::Form(_)
            | Self::Place(_)
            | Self::Git(_)
            | Self::OtherCommit { .. }
            | Self::DerivedCommit { .. }
            | Self::NoPinnedCommit(_)
            | Self::OtherText
            | Self::Unattested(_)
            | Self::Unlocated(_)
            | Self::NotEach { .. }
            | Self::TooManyPieces { .. }
            | Self::Staged(
                StagedError::Nothing(_)
                | StagedError::Unsupplied(_)
                | StagedError::Changed(_)
                | StagedError::Refused { .. },
            ) => Fault::No,
            Self::Key(_)
            | Self::Staged(StagedError::NoPath | StagedError::NotInMain | StagedError::Unseen(_)) => {
                Fault::Malformed
            }
            Self::Check(_) | Self::Staged(StagedError::Root(_) | StagedError::Observer(_)) => Fault::Io,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Check(CheckError::Store(error)) => return error.remedy(),
            Self::Check(CheckError::Rejected(rejection)) if rejection.is_missing() => {
                "attest the step that makes it, or let the policy say `missing: warn`".into()
            }
            Self::Check(CheckError::Rejected(rejection)) => return Some(of_rejection(rejection)),
            Self::Unattested(_) | Self::Unlocated(_) => {
                "let a step that is attested fetch it, or let the policy say `missing: warn`".into()
            }
            Self::Staged(StagedError::Unseen(unseen)) => return unseen.remedy(),
            Self::Staged(StagedError::Unsupplied(_)) => {
                "let nothing else write to the volume before main, or supply the input".into()
            }
            Self::Staged(StagedError::Changed(_)) => {
                "let nothing else write to the volume while the gate reads it".into()
            }
            Self::OtherCommit { wanted, .. } if wanted.len() < 40 => {
                format!(
                    "write all 40 digits of a commit, and a tag or branch of that name as refs/tags/{wanted} or refs/heads/{wanted}"
                )
            }
            Self::OtherText => {
                "let nothing else write to the volume before main, and say no `archive` of the input".into()
            }
            Self::DerivedCommit { .. } => "write the commit itself, all 40 digits".into(),
            Self::Place(error) => return error.remedy(),
            Self::Image(error) => return error.remedy(),
            Self::Piece { why, .. } | Self::InBothPlaces { first: why, .. } => return why.remedy(),
            Self::NotEach { without, .. } if crate::attestations::artifact_of(without).is_some() => {
                format!(
                    "let the steps that write there keep their attestations apart (annotation {PLACE}: apart)"
                )
            }
            Self::NotEach { .. } => {
                "attest every step that writes there, or let the policy say `missing: warn`".into()
            }
            Self::TooManyPieces { .. } => "let one step gather them and be attested".into(),
            Self::Store { remedy, .. } => remedy.clone(),
            _ => return None,
        })
    }
}

/// What whoever runs workflows can do about an attestation that does not do: there is nobody here to
/// name another one.
fn of_rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Policy(violation) => violation.remedy(),
        Rejection::Signature(SignatureError::Untrusted { .. }) => {
            "if you trust that signer, list its public key in the policy's `keys`; else see who else writes to \
             the bucket"
                .into()
        }
        Rejection::Keyless { .. } | Rejection::Incomparable { .. } | Rejection::NoStatement { .. } => {
            "have it attested by argo-attest, in the step that makes it".into()
        }
        Rejection::Place(error) => error.remedy().unwrap_or_else(anew),
        _ => anew(),
    }
}

fn anew() -> String {
    "see who else writes to the bucket, and run the step that makes it again".into()
}
