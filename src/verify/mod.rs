//! Checking an artifact where it is: its attestation is looked for beside it, its
//! bytes are digested, and [`argo_attest_core::verify`] decides.
//!
//! Reading is done here; no decision is. What cannot be read is an error of its
//! own kind, never a yes.

mod candidates;
mod found;
mod image;
mod local;
mod many;
mod nameless;
mod object;
mod outcome;
mod passed_over;
mod staged;

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use jiff::Timestamp;

pub use image::{AttestedImage, check_image, check_image_of, check_named_image, image_for};
pub use local::check_path;
pub use many::{
    AT_ONCE, Artifact, Artifacts, BoundedChecker, Collection, FoundArtifact, Lanes, Large, MAX_ENTRIES,
    OneWait, Orphan, Part, folder, prefix, prefix_part,
};
pub use object::{check_object, unless_absent};
pub use outcome::{CheckedOutcome, check_outcome};
pub use passed_over::PassedOver;
pub use staged::{Accepted, Attestable, Attested};

use argo_attest_core::bundle::Unjudged;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::Platform;
use argo_attest_core::image::layout::Only;
use argo_attest_core::policy::Policy;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::trouble::{Fault, Trouble};
use argo_attest_core::verify::{Reason, Rejection, VerifiedStatement, Wanted};

use crate::attestations::{FindError, NamedAttestation};
use crate::observe::{ObserverError, RootError};
use crate::registry::RegistryError;
use crate::store::StoreError;

/// What every check needs.
#[derive(Debug, Clone)]
pub struct Checker {
    /// What is accepted.
    pub policy: Policy,
    /// The verifier's clock.
    pub now: Timestamp,
    /// The attestation, where the caller names it.
    pub bundle: Option<NamedAttestation>,
    /// Which claim is asked for.
    pub wanted: Wanted,
    /// Bytes of the largest attestation that is read where it lies.
    pub largest: u64,
}

/// An artifact that is as it was attested.
#[derive(Debug)]
pub struct Checked {
    /// What the attestation says.
    pub statement: VerifiedStatement,
    /// Where it was found.
    pub origin: String,
    /// Digest of the file that it was found in.
    pub file: Sha256Digest,
    /// Of an object in a store: whether the attestation says that it is stored in this very
    /// place. One that names no place at all is about these bytes, wherever they are.
    pub placed: Option<bool>,
    /// Of a directory or a tar that is accepted for the image that it holds, and not as what it
    /// is: the image's manifest or, where there is none, its configuration.
    pub image: Option<Only>,
    /// How much came with it and decided nothing.
    pub unjudged: Unjudged,
    /// What lies nearer, or counts before it, and why that did not do.
    pub passed_over: PassedOver,
}

/// Why there is no verified statement.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The answer is no.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// It has no place, and so nothing is beside it.
    #[error("it has no attestation beside it, since it has no place")]
    Nameless,
    /// There is no such artifact.
    #[error("it does not exist")]
    NoArtifact,
    /// There is no such object, but its key is what others begin with.
    #[error("there is no object of this key; there are objects beneath it")]
    OnlyBeneath,
    /// There is nothing at such a place that could be verified.
    #[error("there is no artifact beneath {0}")]
    NothingBeneath(String),
    /// More is there than is looked at.
    #[error("there are more than {} entries beneath it, or their names are too long", many::MAX_ENTRIES)]
    TooMany,
    /// The artifact, or what lies beside it, cannot be read.
    #[error("cannot read {name}")]
    Io {
        /// What.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The directory of the artifact cannot be opened.
    #[error("its directory cannot be opened")]
    Root(#[from] RootError),
    /// Its bytes cannot be digested.
    #[error(transparent)]
    Observer(#[from] ObserverError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The index has no image for the platform.
    #[error("it has no image for {platform}, but for {}", there.join(", "))]
    NoPlatform {
        /// What was asked for.
        platform: Platform,
        /// What there is.
        there: Vec<String>,
    },
}

impl From<FindError> for CheckError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Rejected(rejection) => Self::Rejected(rejection),
            FindError::Io { name, source } => Self::Io { name, source },
            FindError::Store(error) => Self::Store(error),
            FindError::Registry(error) => Self::Registry(error),
        }
    }
}

impl CheckError {
    /// Whether an attestation is larger than what is read.
    fn is_of_size(&self) -> bool {
        match self {
            Self::Io { source, .. } => source.kind() == io::ErrorKind::FileTooLarge,
            Self::Store(StoreError::TooLarge { .. }) => true,
            _ => false,
        }
    }

    /// The word for it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Rejected(rejection) => rejection.reason(),
            other => reason_of(other.fault()),
        }
    }
}

/// That it is nothing that can be verified, by its own name.
fn unverifiable(artifact: &Path, reason: impl Into<String>) -> Rejection {
    let name = artifact.file_name().and_then(|name| RelPath::from_bytes(name.as_bytes()).ok());
    Rejection::Unverifiable { path: name.unwrap_or_else(RelPath::root), reason: reason.into() }
}

/// The word for what could not be found out.
pub fn reason_of(fault: Fault) -> Reason {
    match fault {
        Fault::Missing => Reason::NotFound,
        Fault::Unavailable => Reason::Unreachable,
        Fault::Permission => Reason::Denied,
        Fault::Usage | Fault::Bug => Reason::Usage,
        Fault::Io | Fault::Malformed | Fault::No => Reason::Unreadable,
    }
}

impl Trouble for CheckError {
    fn fault(&self) -> Fault {
        match self {
            Self::Rejected(rejection) => rejection.fault(),
            Self::NoArtifact | Self::OnlyBeneath | Self::NothingBeneath(_) | Self::NoPlatform { .. } => {
                Fault::Missing
            }
            Self::Nameless | Self::TooMany => Fault::Usage,
            Self::Store(error) => error.fault(),
            Self::Registry(error) => error.fault(),
            Self::Io { .. } | Self::Root(_) | Self::Observer(_) => Fault::Io,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Rejected(rejection) => return rejection.remedy(),
            Self::NoArtifact => "check the path".to_owned(),
            Self::OnlyBeneath => "write a / at its end to verify those".to_owned(),
            Self::NothingBeneath(_) => {
                "check the prefix: it ends in /, and objects have keys beneath it".to_owned()
            }
            Self::TooMany => "verify what is beneath it part by part".to_owned(),
            Self::Nameless => "name its attestation with --bundle FILE".to_owned(),
            Self::Store(error) => return error.remedy(),
            Self::Registry(error) => return error.remedy(),
            Self::NoPlatform { .. } => "name one of those with --platform".to_owned(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::FileTooLarge => {
                "fetch the attestation again from where it was published".to_owned()
            }
            Self::Io { .. } | Self::Root(_) | Self::Observer(_) => {
                "check that the user this runs as may read it".to_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests;
