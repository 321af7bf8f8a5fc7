//! Objects in a store.

use std::sync::Arc;

use argo_attest_core::bundle::Evidence;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::member_path;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::verify::{
    Content, Here, KnownAs, Place, PlaceError, Rejection, Subjects, VerifiedStatement,
};
use sha2::{Digest as _, Sha256};

use super::found::Found;
use super::passed_over::PassedOver;
use super::{CheckError, Checker};
use crate::attestations::{Attestations, Candidate, ObjectAttestations, Reach};
use crate::observe::Progress;
use crate::store::{ObjectKey, Store, StoreError};

/// An object that is as it was attested.
#[derive(Debug)]
pub struct CheckedObject {
    /// What the attestation says.
    pub statement: VerifiedStatement,
    /// Where it was found.
    pub origin: String,
    /// Whether it says that the object is stored in this very place. One that names no
    /// place at all is about these bytes, wherever they are.
    pub placed: bool,
    /// What came with it and decided nothing.
    pub evidence: Evidence,
    /// What lies nearer, and why that did not do.
    pub passed_over: PassedOver,
}

/// Checks an object of a store. Gives the statement, and where it was found.
pub async fn check_object(
    checker: &Checker,
    store: &dyn Store,
    key: &ObjectKey,
    progress: &dyn Progress,
) -> Result<CheckedObject, CheckError> {
    let attestations = ObjectAttestations::new(store, key);
    let mut check = Check { checker, store, key, attestations: &attestations, progress, content: None };
    if let Some(bundle) = &checker.bundle {
        return check.candidate(attestations.named(bundle)?).await;
    }
    let mut candidates = attestations.candidates(Reach::Nearest);
    let mut passed_over = PassedOver::default();
    while let Some(candidate) = candidates.next().await {
        let found = match candidate {
            Ok(candidate) => {
                let origin = candidate.origin.clone();
                check.candidate(candidate).await.map_err(|error| (origin, error))
            }
            Err(error) => Err((String::new(), error.into())),
        };
        match found {
            Ok(found) => return Ok(CheckedObject { passed_over, ..found }),
            Err((origin, CheckError::Rejected(why))) => passed_over.push(origin, why),
            // It may be the one that would do.
            Err((_, error)) => return Err(error),
        }
    }
    let missing = || Rejection::NoAttestation { looked_for: candidates.looked_for() };
    Err(passed_over.rejection().unwrap_or_else(missing).into())
}

/// One object's check, whose bytes are read once, and not before a signature is good.
struct Check<'a> {
    checker: &'a Checker,
    store: &'a dyn Store,
    key: &'a ObjectKey,
    attestations: &'a ObjectAttestations<'a>,
    progress: &'a dyn Progress,
    content: Option<Arc<Content>>,
}

impl Check<'_> {
    async fn candidate(&mut self, candidate: Candidate<'_>) -> Result<CheckedObject, CheckError> {
        let found = Found::of(candidate)?;
        let authentic = found.authentic(self.checker)?;
        let content = if let Some(content) = &self.content {
            Arc::clone(content)
        } else {
            let digest = digest(self.store, self.key, self.progress).await?;
            Arc::clone(self.content.insert(Arc::new(Content::File(digest))))
        };
        let (_, statement) = found.decide(authentic, &content).await?;
        let placed = placed(self.checker, self.store, &found.candidate, self.key, &statement)?;
        if !placed && !matches!(found.candidate.place, Place::Named(_)) {
            unclaimed(self.checker, self.attestations, &content).await?;
        }
        let Found { candidate, envelopes, .. } = found;
        let (origin, passed_over) = (candidate.origin, PassedOver::default());
        Ok(CheckedObject { statement, origin, placed, evidence: envelopes.evidence, passed_over })
    }
}

/// That the statement is about an object in this place, as far as it is about any.
fn placed(
    checker: &Checker,
    store: &dyn Store,
    candidate: &Candidate<'_>,
    key: &ObjectKey,
    statement: &VerifiedStatement,
) -> Result<bool, Rejection> {
    let uri = |key: &str| ObjectKey::new(key).map_or_else(|_| key.to_owned(), |key| store.uri(&key));
    let address = store.address();
    let here = |uri: &str| statement.placed(Here { uri, store: address.as_ref() }, checker.policy.stores());
    let other_name = || Rejection::OtherName {
        attested: printable(statement.subject().as_bytes()),
        asked: key.to_string(),
    };
    let place = &candidate.place;
    let found = match place {
        // The caller says that it is about this object, which may be a file of a directory
        // that it is about: of the one that it names, under the very path there.
        Place::Named(_) => {
            let mut found = here(&store.uri(key));
            // Only a plain path leads through directories.
            let path = key.to_rel_path().map(|_| key.as_str()).unwrap_or_default();
            for (at, _) in path.rmatch_indices('/') {
                let Err(PlaceError::Elsewhere { .. }) = found else { break };
                let (directory, path) = key.as_str().split_at(at);
                match here(&uri(directory)) {
                    Ok(()) if !is_member(statement, path) => return Err(other_name()),
                    Err(PlaceError::Elsewhere { .. }) => {}
                    above => found = above,
                }
            }
            found
        }
        Place::Itself(_) | Place::Within(_) => here(&candidate.artifact),
    };
    match (found, place) {
        (Ok(()), _) => Ok(true),
        // Whoever writes to the bucket can put any attestation beside any object.
        (Err(PlaceError::Nowhere { .. }), Place::Itself(known)) if !known.is_called(statement.subject()) => {
            Err(other_name())
        }
        (Err(PlaceError::Nowhere { .. }), Place::Within(_))
            if !KnownAs::new(key.as_str()).ends_with(statement.subject()) =>
        {
            Err(Rejection::OtherName {
                attested: printable(statement.subject().as_bytes()),
                asked: key.to_string(),
            })
        }
        (Err(PlaceError::Nowhere { .. }), _) => Ok(false),
        (Err(error), _) => Err(error.into()),
    }
}

/// Whether what was accepted is this very path in the statement's directory.
fn is_member(statement: &VerifiedStatement, path: &str) -> bool {
    let Some(directory) = Subjects::of(statement.statement().subjects()).directory else { return false };
    let path = path.strip_prefix('/').and_then(|path| RelPath::from_bytes(path.as_bytes()).ok());
    path.is_some() && member_path(&directory.name, statement.subject()) == path
}

/// A statement that names no place may have been put beside an object, or beside a directory
/// in between: the attestation of each directory that the object is in has to know it as well.
async fn unclaimed(
    checker: &Checker,
    attestations: &dyn Attestations,
    content: &Arc<Content>,
) -> Result<(), CheckError> {
    let mut above = attestations.find(Reach::Above(1));
    while let Some(candidate) = above.next().await {
        let Ok(found) = Found::of(candidate?) else { continue };
        let Ok(authentic) = found.authentic(checker) else { continue };
        found.decide(authentic, content).await?;
    }
    Ok(())
}

async fn digest(
    store: &dyn Store,
    key: &ObjectKey,
    progress: &dyn Progress,
) -> Result<Sha256Digest, CheckError> {
    let mut stream = match store.stream(key).await {
        Err(StoreError::NotFound { .. }) => return Err(CheckError::NoArtifact),
        stream => stream?,
    };
    progress.total(stream.info().size);
    let mut hasher = Sha256::new();
    while let Some(chunk) = stream.next().await? {
        hasher.update(&chunk);
        progress.advanced(u64::try_from(chunk.len()).unwrap_or_default());
    }
    Ok(Sha256Digest::from_hasher(hasher))
}
