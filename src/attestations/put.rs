//! Putting an attestation where its artifact is, without ever destroying what is
//! not ours, and without losing to, or losing, another writer's.

use std::num::NonZeroUsize;

use argo_attest_core::bundle::{Bundle, lines as json_lines};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::manifest;
use bytes::Bytes;

use super::{AttestationNames, Kept, MAX_ATTESTATION, NameError, NewAttestation, ReadBack};
use crate::store::{InvalidKey, ObjectKey, PutMode, Store, StoreError};

/// How many attempts' envelopes the lines keep; the oldest go first.
const KEPT_LINES: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// How often a write that another writer overtook is tried again.
const ROUNDS: usize = 5;

/// Why an attestation is not kept.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// It has no name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The store does not take or give it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something else is there under its name.
    #[error("{uri} is there already and is not an attestation")]
    Foreign {
        /// Where.
        uri: String,
    },
    /// Others keep writing the same object.
    #[error("{uri} is being changed by somebody else")]
    Contended {
        /// Where.
        uri: String,
    },
    /// What was read back is not what was written.
    #[error("{uri} does not hold what was written")]
    ReadBack {
        /// Where.
        uri: String,
    },
}

impl From<InvalidKey> for PutError {
    fn from(error: InvalidKey) -> Self {
        Self::Name(error.into())
    }
}

/// Puts all of an attestation. Readers look for the bundle first: it appears when all else
/// is there.
pub(super) async fn put(
    store: &dyn Store,
    names: &AttestationNames,
    new: &NewAttestation<'_>,
) -> Result<Kept, PutError> {
    if let Some(bytes) = new.manifest {
        manifest(store, &names.manifest, bytes).await?;
    }
    lines(store, &names.lines, new.bundle.envelope()).await?;
    bundle(store, &names.bundle, new.bundle).await?;
    Ok(Kept { bundle: read(store, &names.bundle).await?, lines: read(store, &names.lines).await? })
}

/// The newest attempt's bundle replaces an older one.
async fn bundle(store: &dyn Store, key: &ObjectKey, new: &Bundle) -> Result<(), PutError> {
    replace(store, key, |old| old.is_none_or(|old| Bundle::from_json(old).is_ok()).then(|| new.to_json()))
        .await
}

/// Every attempt's envelope stays.
async fn lines(store: &dyn Store, key: &ObjectKey, new: &Envelope) -> Result<(), PutError> {
    replace(store, key, |old| json_lines::append(old.unwrap_or_default(), new, KEPT_LINES).ok()).await
}

/// Reads what is there, decides what shall be there, and writes that only if
/// nobody wrote in between. `decide` gives `None` for what is not ours to replace.
async fn replace(
    store: &dyn Store,
    key: &ObjectKey,
    decide: impl Fn(Option<&[u8]>) -> Option<Vec<u8>>,
) -> Result<(), PutError> {
    for _ in 0..ROUNDS {
        let old = match store.get(key, MAX_ATTESTATION).await {
            Ok(object) => Some(object),
            Err(StoreError::NotFound { .. }) => None,
            Err(StoreError::TooLarge { .. }) => return Err(PutError::Foreign { uri: store.uri(key) }),
            Err(error) => return Err(error.into()),
        };
        let Some(new) = decide(old.as_ref().map(|o| o.bytes.as_ref())) else {
            return Err(PutError::Foreign { uri: store.uri(key) });
        };
        let mode = match old {
            Some(old) if old.bytes == new => return Ok(()),
            Some(old) => PutMode::Replace(old.info.revision),
            None => PutMode::Create,
        };
        match store.put(key, new.into(), mode).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PutError::Contended { uri: store.uri(key) })
}

/// A manifest may be large: what is there is recognised by its first line.
async fn manifest(store: &dyn Store, key: &ObjectKey, bytes: &[u8]) -> Result<(), PutError> {
    let wanted = Sha256Digest::of(bytes);
    for _ in 0..ROUNDS {
        let mode = match store.stream(key).await {
            Ok(mut old) => {
                let revision = old.info().revision.clone();
                let first = old.next().await?.unwrap_or_default();
                if !is_manifest(&first) {
                    return Err(PutError::Foreign { uri: store.uri(key) });
                }
                PutMode::Replace(revision)
            }
            Err(StoreError::NotFound { .. }) => PutMode::Create,
            Err(error) => return Err(error.into()),
        };
        match store.put(key, Bytes::copy_from_slice(bytes), mode).await {
            Ok(_) => return check(store, key, &wanted).await,
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PutError::Contended { uri: store.uri(key) })
}

/// The beginning of a manifest: its first line, or as much of it as came.
fn is_manifest(start: &[u8]) -> bool {
    let Some(end) = start.iter().position(|b| *b == b'\n') else { return start.is_empty() };
    let mut reader = manifest::Reader::new(start.get(..=end).unwrap_or_default());
    reader.next_entry().is_ok()
}

async fn check(store: &dyn Store, key: &ObjectKey, wanted: &Sha256Digest) -> Result<(), PutError> {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    let mut stream = store.stream(key).await?;
    while let Some(chunk) = stream.next().await? {
        hasher.update(&chunk);
    }
    if Sha256Digest::from_hasher(hasher) == *wanted {
        return Ok(());
    }
    Err(PutError::ReadBack { uri: store.uri(key) })
}

/// An attestation as the store has it now.
async fn read(store: &dyn Store, key: &ObjectKey) -> Result<ReadBack, PutError> {
    let bytes = store.get(key, MAX_ATTESTATION).await?.bytes;
    Ok(ReadBack { uri: store.uri(key), bytes })
}
