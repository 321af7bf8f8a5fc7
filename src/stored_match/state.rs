//! That the object stays the same while it is checked.

use super::StoredError;
use crate::store::{ObjectInfo, ObjectKey, Store, StoreError};

/// Whether both tell of the same state of the object. The version is looked at
/// too: it tells apart two writes of the same bytes, of which only one will be
/// named as evidence.
pub(super) fn same(uri: &str, one: &ObjectInfo, other: &ObjectInfo) -> Result<(), StoredError> {
    let state = |info: &ObjectInfo| (info.size, info.revision.clone(), info.version_id.clone());
    if state(one) == state(other) {
        return Ok(());
    }
    Err(StoredError::Changed { uri: uri.to_owned() })
}

/// Whether the object is still what it was when reading it began. Reading may
/// have taken long; asking takes one round trip.
pub(super) async fn still(store: &dyn Store, key: &ObjectKey, info: &ObjectInfo) -> Result<(), StoredError> {
    match store.head(key).await {
        Ok(now) => same(&store.uri(key), info, &now),
        Err(StoreError::NotFound { uri }) => Err(StoredError::Changed { uri }),
        Err(error) => Err(error.into()),
    }
}
