//! Putting an attestation where its artifact is, without ever destroying what is
//! not ours, and without losing to, or losing, another writer's.

use std::num::NonZeroUsize;

use argo_attest_core::bundle::{Bundle, lines as json_lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::manifest;
use bytes::Bytes;

use super::AttestError;
use super::names::MAX_ATTESTATION;
use crate::store::{ObjectKey, PutMode, Store, StoreError};

/// How many attempts' envelopes the lines keep; the oldest go first.
const KEPT_LINES: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// How often a write that another writer overtook is tried again.
const ROUNDS: usize = 5;

/// The newest attempt's bundle replaces an older one.
pub(super) async fn bundle(
    store: &dyn Store,
    artifact: &str,
    key: &ObjectKey,
    new: &Bundle,
) -> Result<(), AttestError> {
    replace(store, artifact, key, |old| {
        old.is_none_or(|old| Bundle::from_json(old).is_ok()).then(|| new.to_json())
    })
    .await
}

/// Every attempt's envelope stays.
pub(super) async fn lines(
    store: &dyn Store,
    artifact: &str,
    key: &ObjectKey,
    new: &Envelope,
) -> Result<(), AttestError> {
    replace(store, artifact, key, |old| json_lines::append(old.unwrap_or_default(), new, KEPT_LINES).ok())
        .await
}

/// Reads what is there, decides what shall be there, and writes that only if
/// nobody wrote in between. `decide` gives `None` for what is not ours to replace.
async fn replace(
    store: &dyn Store,
    artifact: &str,
    key: &ObjectKey,
    decide: impl Fn(Option<&[u8]>) -> Option<Vec<u8>>,
) -> Result<(), AttestError> {
    let failed = |source| AttestError::Store { artifact: artifact.to_owned(), source };
    for _ in 0..ROUNDS {
        let old = match store.get(key, MAX_ATTESTATION).await {
            Ok(object) => Some(object),
            Err(StoreError::NotFound { .. }) => None,
            Err(StoreError::TooLarge { .. }) => return Err(AttestError::Foreign { uri: store.uri(key) }),
            Err(error) => return Err(failed(error)),
        };
        let Some(new) = decide(old.as_ref().map(|o| o.bytes.as_ref())) else {
            return Err(AttestError::Foreign { uri: store.uri(key) });
        };
        let mode = match old {
            Some(old) if old.bytes == new => return Ok(()),
            Some(old) => PutMode::Replace(old.info.revision),
            None => PutMode::Create,
        };
        match store.put(key, new.into(), mode).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Err(AttestError::Contended { uri: store.uri(key) })
}

/// A manifest may be large: what is there is recognised by its first line.
pub(super) async fn manifest(
    store: &dyn Store,
    artifact: &str,
    key: &ObjectKey,
    bytes: &[u8],
) -> Result<(), AttestError> {
    let failed = |source| AttestError::Store { artifact: artifact.to_owned(), source };
    let wanted = Sha256Digest::of(bytes);
    for _ in 0..ROUNDS {
        let mode = match store.stream(key).await {
            Ok(mut old) => {
                let revision = old.info().revision.clone();
                let first = old.next().await.map_err(failed)?.unwrap_or_default();
                if !is_manifest(&first) {
                    return Err(AttestError::Foreign { uri: store.uri(key) });
                }
                PutMode::Replace(revision)
            }
            Err(StoreError::NotFound { .. }) => PutMode::Create,
            Err(error) => return Err(failed(error)),
        };
        match store.put(key, Bytes::copy_from_slice(bytes), mode).await {
            Ok(_) => return check(store, artifact, key, &wanted).await,
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
