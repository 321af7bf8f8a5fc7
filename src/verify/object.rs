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

use super::found::{Found, nearest};
use super::{CheckError, Checker};
use crate::attestations::{Attestations, BesideObject, Candidate, Reach};
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
}

/// Checks an object of a store. Gives the statement, and where it was found.
pub async fn check_object(
    checker: &Checker,
    store: &dyn Store,
    key: &ObjectKey,
    progress: &dyn Progress,
) -> Result<CheckedObject, CheckError> {
    let attestations = BesideObject::new(store, key);
    let found = match &checker.bundle {
        Some(bundle) => Found::of(attestations.named(bundle)?)?,
        None => nearest(attestations.find(Reach::Nearest)).await?,
    };
    let authentic = found.authentic(checker)?;
    let content = Arc::new(Content::File(digest(store, key, progress).await?));
    let (_, statement) = found.decide(authentic, &content).await?;
    let placed = placed(checker, store, &found.candidate, key, &statement)?;
    if !placed && !matches!(found.candidate.place, Place::Named(_)) {
        unclaimed(checker, &attestations, &content).await?;
    }
    let Found { candidate, envelopes } = found;
    Ok(CheckedObject { statement, origin: candidate.origin, placed, evidence: envelopes.evidence })
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
        Place::Itself(_) | Place::Within(_) => here(&candidate.beside),
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
