//! What every audit needs.

use std::fmt;
use std::sync::Arc;

use argo_attest_core::audit::{Finding, Told};
use argo_attest_core::policy::{ArtifactKind, Missing};
use argo_attest_core::trouble::Fault;
use argo_attest_core::verify::Reason;

use super::image::Silent;
use crate::chain::{Buckets, Images};
use crate::store::{Location, Store, StoreError};
use crate::verify::{BoundedChecker, CheckError, Checker, Lanes, reason_of};

/// What to do about something without an attestation. None is named for an audit.
const UNATTESTED: &str = "attest it where it is made; if it was attested, find out who removed that";

/// What opens a bucket; it makes no request.
pub type Opener = Box<dyn Fn(&Location) -> Result<Box<dyn Store>, StoreError> + Send + Sync>;

/// One audit.
pub struct Auditor {
    pub(super) checker: Arc<BoundedChecker>,
    /// The same, for outcomes.
    pub(super) asked: Arc<Checker>,
    pub(super) lanes: Lanes,
    pub(super) buckets: Buckets<Opener>,
    pub(super) silent: Silent,
    /// Names of files that nobody attests.
    pub(super) not_ours: Arc<[String]>,
}

impl Auditor {
    /// Against what `checker` accepts, in buckets that `open` opens and registries that may be asked.
    /// A file or an object that has no
    /// attestation, and whose last part is one of `not_ours`, is a log.
    pub fn new(
        checker: Checker,
        lanes: Lanes,
        (open, images): (Opener, Images),
        not_ours: Vec<String>,
    ) -> Self {
        Self {
            checker: Arc::new(BoundedChecker::new(checker.clone())),
            asked: Arc::new(checker),
            lanes,
            buckets: Buckets::new(open).with_images(images),
            silent: Silent::default(),
            not_ours: not_ours.into(),
        }
    }

    /// What is expected.
    pub fn policy(&self) -> &argo_attest_core::policy::Policy {
        self.checker.policy()
    }

    /// A bucket, by a name that somebody else chose.
    pub(super) async fn bucket(&self, name: &str) -> Result<Arc<dyn Store>, Told> {
        let location: Location = format!("s3://{name}").parse().map_err(|error| Told {
            reason: Reason::Unreadable,
            fault: Fault::Malformed,
            message: format!("its bucket is none: {error}"),
            remedy: None,
        })?;
        self.buckets.bucket(&location).await.map_err(|error| store_told(&error))
    }

    /// What is said of something that is not verified.
    pub fn failed(&self, error: &CheckError, kind: Option<ArtifactKind>) -> Finding {
        match error {
            CheckError::Rejected(no) if no.is_missing() => {
                let told = Told { remedy: Some(UNATTESTED.to_owned()), ..no.into() };
                match self.checker.policy().missing().of(kind) {
                    Missing::Warn => Finding::LetPass(told),
                    Missing::Fail => Finding::Rejected(told),
                }
            }
            CheckError::Rejected(no) => Finding::Rejected(no.into()),
            error => Finding::Unknown(Told::of(error.reason(), error)),
        }
    }
}

/// What is said where a store gave no answer.
pub(super) fn store_told(error: &StoreError) -> Told {
    use argo_attest_core::trouble::Trouble as _;
    Told::of(reason_of(error.fault()), error)
}

/// Whether nothing is missing but an attestation.
pub(super) fn is_unattested(error: &CheckError) -> bool {
    matches!(error, CheckError::Rejected(no) if no.is_missing())
}

impl fmt::Debug for Auditor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auditor").field("checker", &self.checker).finish_non_exhaustive()
    }
}
