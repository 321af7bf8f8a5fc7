//! Putting an attestation where its artifact is, without ever destroying what is
//! not ours, and without losing to, or losing, another writer's.

use std::num::NonZeroUsize;

use argo_attest_core::bundle::{Bundle, lines as json_lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::manifest;
use bytes::Bytes;

use super::AttestError;
use super::foreign::{Foreign, set_aside};
use super::names::MAX_ATTESTATION;
use crate::store::{ObjectKey, PutMode, Store, StoreError};

/// How many attempts' envelopes the lines keep; the oldest go first.
const KEPT_LINES: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// How often a write that another writer overtook is tried again.
const ROUNDS: usize = 5;

/// Where an attestation goes, and what it is of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) artifact: &'a str,
    pub(super) foreign: Foreign,
}

/// What was in the way, and where it is kept now, a URI.
pub(super) type SetAside = Option<String>;

/// The newest attempt's bundle replaces an older one.
pub(super) async fn bundle(at: Place<'_>, key: &ObjectKey, new: &Bundle) -> Result<SetAside, AttestError> {
    replace(at, key, |old| old.is_none_or(|old| Bundle::from_json(old).is_ok()).then(|| new.to_json())).await
}

/// Every attempt's envelope stays.
pub(super) async fn lines(at: Place<'_>, key: &ObjectKey, new: &Envelope) -> Result<SetAside, AttestError> {
    replace(at, key, |old| json_lines::append(old.unwrap_or_default(), new, KEPT_LINES).ok()).await
}

/// Reads what is there, decides what shall be there, and writes that only if
/// nobody wrote in between. `decide` gives `None` for what is not ours to replace.
async fn replace(
    at: Place<'_>,
    key: &ObjectKey,
    decide: impl Fn(Option<&[u8]>) -> Option<Vec<u8>>,
) -> Result<SetAside, AttestError> {
    let Place { store, artifact, foreign } = at;
    let failed = |source| AttestError::Store { artifact: artifact.to_owned(), source };
    let not_ours = || AttestError::Foreign { uri: store.uri(key) };
    let mut aside = None;
    for _ in 0..ROUNDS {
        let (old, unread) = match store.get(key, MAX_ATTESTATION).await {
            Ok(object) => (Some(object), None),
            Err(StoreError::NotFound { .. }) => (None, None),
            Err(StoreError::TooLarge { .. }) => return Err(not_ours()),
            Err(error) => (None, Some(error)),
        };
        let decided = match (&old, &unread) {
            (Some(old), _) => decide(Some(&old.bytes)),
            (None, None) => decide(None),
            // What may not be listed is denied, not missing: a write finds out.
            (None, Some(error)) if error.is_access_denied() => decide(None),
            (None, Some(StoreError::Corrupt { .. })) if foreign == Foreign::SetAside => None,
            (None, Some(_)) => return Err(unread.map_or_else(not_ours, failed)),
        };
        let (new, mode) = match (decided, old) {
            (Some(new), Some(old)) if old.bytes == new => return Ok(aside),
            (Some(new), Some(old)) => (new, PutMode::Replace(old.info.revision)),
            (Some(new), None) => (new, PutMode::Create),
            (None, _) if foreign == Foreign::SetAside => {
                let (revision, copy) = set_aside(store, artifact, key).await?;
                aside = Some(copy);
                (decide(None).ok_or_else(not_ours)?, PutMode::Replace(revision))
            }
            (None, _) => return Err(not_ours()),
        };
        match store.put(key, new.into(), mode).await {
            Ok(_) => return Ok(aside),
            Err(StoreError::Conflict { .. }) => match unread {
                // Something is there, and it may not be read.
                Some(denied) if denied.is_access_denied() => return Err(failed(denied)),
                _ => {}
            },
            Err(error) => return Err(failed(error)),
        }
    }
    Err(AttestError::Contended { uri: store.uri(key) })
}

/// A manifest may be large: what is there is recognised by its first line.
pub(super) async fn manifest(at: Place<'_>, key: &ObjectKey, bytes: &[u8]) -> Result<SetAside, AttestError> {
    let Place { store, artifact, foreign } = at;
    let failed = |source| AttestError::Store { artifact: artifact.to_owned(), source };
    let wanted = Sha256Digest::of(bytes);
    let mut aside = None;
    for _ in 0..ROUNDS {
        let mode = match store.stream(key).await {
            Ok(mut old) => {
                let revision = old.info().revision.clone();
                let first = match old.next().await {
                    Err(StoreError::Corrupt { .. }) if foreign == Foreign::SetAside => None,
                    read => Some(read.map_err(failed)?.unwrap_or_default()),
                };
                match first.is_some_and(|first| is_manifest(&first)) {
                    true => PutMode::Replace(revision),
                    false if foreign == Foreign::SetAside => {
                        let (revision, copy) = set_aside(store, artifact, key).await?;
                        aside = Some(copy);
                        PutMode::Replace(revision)
                    }
                    false => return Err(AttestError::Foreign { uri: store.uri(key) }),
                }
            }
            Err(StoreError::NotFound { .. }) => PutMode::Create,
            Err(error) if error.is_access_denied() => PutMode::Create,
            Err(error) => return Err(failed(error)),
        };
        match store.put(key, Bytes::copy_from_slice(bytes), mode).await {
            Ok(_) => return check(store, artifact, key, &wanted).await.map(|()| aside),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(AttestError::Contended { uri: store.uri(key) })
}

/// The beginning of a manifest: its first line, or as much of it as came.
fn is_manifest(start: &[u8]) -> bool {
    let Some(end) = start.iter().position(|b| *b == b'\n') else { return start.is_empty() };
    let mut reader = manifest::Reader::new(start.get(..=end).unwrap_or_default());
    reader.next_entry().is_ok()
}

async fn check(
    store: &dyn Store,
    artifact: &str,
    key: &ObjectKey,
    wanted: &Sha256Digest,
) -> Result<(), AttestError> {
    use sha2::Digest as _;
    let failed = |source| AttestError::Store { artifact: artifact.to_owned(), source };
    let mut hasher = sha2::Sha256::new();
    let mut stream = store.stream(key).await.map_err(failed)?;
    while let Some(chunk) = stream.next().await.map_err(failed)? {
        hasher.update(&chunk);
    }
    if Sha256Digest::from_hasher(hasher) == *wanted {
        return Ok(());
    }
    Err(AttestError::ReadBack { uri: store.uri(key) })
}

/// An attestation as the store has it now.
pub(super) async fn read(store: &dyn Store, artifact: &str, key: &ObjectKey) -> Result<Bytes, AttestError> {
    let object = store.get(key, MAX_ATTESTATION).await;
    Ok(object.map_err(|source| AttestError::Store { artifact: artifact.to_owned(), source })?.bytes)
}
