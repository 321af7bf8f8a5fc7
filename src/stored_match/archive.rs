//! Objects that are archives of what was written.

use argo_attest_core::archive::{Expected, ExpectedFiles, Format, compare};

use super::{Check, StoredError, StoredObject, relay, state};
use crate::store::{Corruption, ObjectKey, Store, StoreError};

/// Checks that the object is an archive of exactly what was written: reads it
/// back as a stream, compares every entry, and digests the object itself in the
/// same pass. Nothing is written to disk.
///
/// Errors: [`StoredError`], of which [`StoredError::Mismatch`] names the first
/// entry that differs, is extra or is missing.
pub async fn check_archive<F: ExpectedFiles + Send + Sync + 'static>(
    store: &dyn Store,
    key: &ObjectKey,
    format: Format,
    expected: Expected<F>,
) -> Result<StoredObject, StoredError> {
    let uri = store.uri(key);
    let stream = store.stream(key).await?;
    let info = stream.info().clone();
    let comparison = match relay::read(stream, move |object| compare(format, object, &expected)).await? {
        Ok(comparison) => comparison,
        Err(source) => return Err(StoredError::Unreadable { uri, source }),
    };
    let mismatch =
        |reason| StoredError::Mismatch { uri: uri.clone(), reason, revision: info.revision.clone() };
    if let Some(reason) = comparison.mismatch() {
        return Err(mismatch(reason));
    }
    let object = comparison.object.map_err(|broken| mismatch(broken.to_string()))?;
    if info.checksums.sha256.is_some_and(|sha256| sha256 != object.digest) {
        return Err(StoredError::Store(StoreError::Corrupt { uri, kind: Corruption::Checksum }));
    }
    state::still(store, key, &info).await?;
    Ok(StoredObject::new(store, uri, object.digest, &info, Check::Entries))
}
