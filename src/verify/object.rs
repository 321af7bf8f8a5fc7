//! Objects in a store.

use std::io::BufReader;

use argo_attest_core::bundle::Evidence;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::member_path;
use argo_attest_core::manifest;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::verify::{
    Authentic, Content, Here, KnownAs, Place, PlaceError, Rejection, Subjects, VerifiedStatement,
};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::found::{Format, Found, accept};
use super::local::read_named;
use super::{CheckError, Checker};
use crate::attest::{BUNDLE_SUFFIX, LINES_SUFFIX, MAX_ATTESTATION};
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
    let (found, base) = match &checker.bundle {
        Some(bundle) => {
            let name = printable(bundle.as_os_str().as_encoded_bytes());
            let bytes = read_named(bundle)?;
            let attestations = Format::Either.read(&bytes)?;
            let place = Place::Named(KnownAs::new(key.as_str()));
            (Found { origin: name, place, attestations, bundle: None }, key.as_str())
        }
        None => beside(store, key.as_str()).await?,
    };
    let authentic = found.authentic(checker)?;
    let of_object = Content::File(digest(store, key, progress).await?);
    let (_, statement) = decide(store, &found, base, authentic, of_object.clone()).await?;
    let placed = placed(checker, store, &found.place, (key, base), &statement)?;
    if !placed && !matches!(found.place, Place::Named(_)) {
        unclaimed(checker, store, key.as_str(), &of_object).await?;
    }
    let Found { origin, attestations, .. } = found;
    Ok(CheckedObject { statement, origin, placed, evidence: attestations.evidence })
}

/// That the statement is about an object in this place, as far as it is about any.
fn placed(
    checker: &Checker,
    store: &dyn Store,
    place: &Place,
    (key, base): (&ObjectKey, &str),
    statement: &VerifiedStatement,
) -> Result<bool, Rejection> {
    let uri = |key: &str| ObjectKey::new(key).map_or_else(|_| key.to_owned(), |key| store.uri(&key));
    let address = store.address();
    let here = |uri: &str| statement.placed(Here { uri, store: address.as_ref() }, checker.policy.stores());
    let other_name = || Rejection::OtherName {
        attested: printable(statement.subject().as_bytes()),
        asked: key.to_string(),
    };
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
        Place::Itself(_) | Place::Within(_) => here(&uri(base)),
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
    store: &dyn Store,
    key: &str,
    content: &Content,
) -> Result<(), CheckError> {
    for (at, _) in key.rmatch_indices('/') {
        let (directory, rest) = key.split_at(at);
        let Ok(path) = RelPath::from_bytes(rest.trim_start_matches('/').as_bytes()) else { continue };
        for (suffix, format) in [(BUNDLE_SUFFIX, Format::Bundle), (LINES_SUFFIX, Format::Lines)] {
            let Ok(name) = ObjectKey::new(&format!("{directory}{suffix}")) else { continue };
            let object = match store.get(&name, MAX_ATTESTATION).await {
                Ok(object) => object,
                Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let Ok(attestations) = format.read(&object.bytes) else { continue };
            let place = Place::Within(path.clone());
            let found = Found { origin: store.uri(&name), place, attestations, bundle: None };
            let Ok(authentic) = found.authentic(checker) else { continue };
            decide(store, &found, directory, authentic, content.clone()).await?;
        }
    }
    Ok(())
}

/// Whether one of the statements speaks of these bytes: which, and what it says.
pub(super) async fn decide(
    store: &dyn Store,
    found: &Found,
    base: &str,
    authentic: Vec<(usize, Authentic)>,
    content: Content,
) -> Result<(usize, VerifiedStatement), CheckError> {
    let manifest = if authentic.iter().any(|(_, a)| a.needs_manifest(&found.place, &content)) {
        Some(fetch_manifest(store, base).await?)
    } else {
        None
    };
    // The lists that are read here arrive over the network; the caller's thread only waits.
    let place = found.place.clone();
    let judge = move || {
        let mut manifest = manifest;
        accept(authentic, &place, &content, || {
            manifest
                .take()
                .map(BufReader::new)
                .ok_or_else(|| Rejection::NoManifest("it was read already".into()))
        })
    };
    let judged = tokio::task::spawn_blocking(judge)
        .await
        .map_err(|e| CheckError::Io { name: found.origin.clone(), source: std::io::Error::other(e) })?;
    Ok(judged?)
}

/// The attestation beside the object with this key, or beside a directory that it is in.
pub(super) async fn beside<'k>(store: &dyn Store, key: &'k str) -> Result<(Found, &'k str), CheckError> {
    let mut looked_for = Vec::new();
    let parents = key.rmatch_indices('/').map(|(at, _)| at);
    for end in std::iter::once(key.len()).chain(parents) {
        let (base, rest) = key.split_at(end);
        let spelling = |_| Rejection::Spelling { key: printable(key.as_bytes()) };
        let place = if rest.is_empty() {
            Place::Itself(KnownAs::new(key))
        } else {
            // Keys are bytes: `a/./b` is another object than `a/b`, and no file of `a`.
            RelPath::from_bytes(key.as_bytes()).map_err(spelling)?;
            let path = rest.strip_prefix('/').unwrap_or(rest);
            Place::Within(RelPath::from_bytes(path.as_bytes()).map_err(spelling)?)
        };
        for (suffix, format) in [(BUNDLE_SUFFIX, Format::Bundle), (LINES_SUFFIX, Format::Lines)] {
            let Ok(name) = ObjectKey::new(&format!("{base}{suffix}")) else { continue };
            match store.get(&name, MAX_ATTESTATION).await {
                Ok(object) => {
                    let attestations = format.read(&object.bytes)?;
                    let bundle = (format == Format::Bundle).then(|| Sha256Digest::of(&object.bytes));
                    return Ok((Found { origin: store.uri(&name), place, attestations, bundle }, base));
                }
                Err(StoreError::NotFound { .. }) => looked_for.push(store.uri(&name)),
                Err(error) => return Err(error.into()),
            }
        }
    }
    Err(Rejection::NoAttestation { looked_for }.into())
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

async fn fetch_manifest(store: &dyn Store, base: &str) -> Result<crate::store::BlockingRead, CheckError> {
    let missing = |why: String| CheckError::Rejected(Rejection::NoManifest(why));
    let key = ObjectKey::new(&format!("{base}{}", manifest::SUFFIX)).map_err(|e| missing(e.to_string()))?;
    match store.stream(&key).await {
        Ok(stream) => Ok(stream.into_blocking(Handle::current())),
        Err(StoreError::NotFound { .. }) => Err(missing(store.uri(&key))),
        Err(error) => Err(error.into()),
    }
}
