//! A store in memory: for tests, and the plainest statement of what a
//! [`Store`] does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::store_address::StoreAddress;
use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use super::listing::AtOnce;
use super::{
    Checksums, ChunkSource, Listed, Listing, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode,
    PutOutcome, Revision, Store, StoreError,
};

/// Objects in memory, which end with the value.
#[derive(Debug, Default)]
pub struct MemoryStore {
    objects: Mutex<BTreeMap<ObjectKey, Kept>>,
    address: Option<StoreAddress>,
}

#[derive(Debug)]
struct Kept {
    bytes: Bytes,
    version: u64,
    /// Where somebody said so.
    modified: Option<Timestamp>,
}

impl Kept {
    fn info(&self) -> ObjectInfo {
        let sha256 = Sha256Digest::of(&self.bytes);
        ObjectInfo {
            size: self.bytes.len() as u64,
            revision: Revision::new(&sha256.to_string()),
            version_id: Some(self.version.to_string()),
            checksums: Checksums { sha256: Some(sha256), crc64nvme: None },
        }
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store that says to be reached there.
    pub fn at(address: StoreAddress) -> Self {
        Self { address: Some(address), ..Self::default() }
    }

    /// Puts bytes under the key whatever is there, as somebody else with access
    /// to the store could.
    pub fn overwrite(&self, key: &ObjectKey, bytes: Bytes) {
        let mut objects = self.lock();
        let version = objects.get(key).map_or(1, |kept| kept.version.saturating_add(1));
        objects.insert(key.clone(), Kept { bytes, version, modified: None });
    }

    /// Says when the object was written last, which listings then tell.
    pub fn date(&self, key: &ObjectKey, modified: Timestamp) {
        if let Some(kept) = self.lock().get_mut(key) {
            kept.modified = Some(modified);
        }
    }

    /// Takes the object away, as somebody else with access to the store could.
    pub fn remove(&self, key: &ObjectKey) {
        self.lock().remove(key);
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<ObjectKey> {
        self.lock().keys().cloned().collect()
    }

    // Nothing panics while the lock is held, so a poisoned one is sound.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Kept>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find<T>(&self, key: &ObjectKey, take: impl FnOnce(&Kept) -> T) -> Result<T, StoreError> {
        match self.lock().get(key) {
            Some(kept) => Ok(take(kept)),
            None => Err(StoreError::NotFound { uri: self.uri(key) }),
        }
    }
}

struct Once(Option<Bytes>);

#[async_trait]
impl ChunkSource for Once {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.take())
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn uri(&self, key: &ObjectKey) -> String {
        format!("memory:{key}")
    }

    fn address(&self) -> Option<StoreAddress> {
        self.address.clone()
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        let object = self.find(key, |kept| Object { bytes: kept.bytes.clone(), info: kept.info() })?;
        if object.info.size > limit {
            return Err(StoreError::TooLarge { uri: self.uri(key), limit });
        }
        Ok(object)
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        let (bytes, info) = self.find(key, |kept| (kept.bytes.clone(), kept.info()))?;
        Ok(ObjectStream::new(self.uri(key), info, Box::new(Once(Some(bytes)))))
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.find(key, Kept::info)
    }

    fn list(&self, prefix: &str) -> Listing {
        let objects = self.lock();
        let under = objects.iter().filter(|(key, _)| key.as_str().starts_with(prefix));
        let listed = under.map(|(key, kept)| {
            let (size, modified) = (kept.bytes.len() as u64, kept.modified);
            Listed { key: key.clone(), size, md5: None, modified }
        });
        AtOnce::listing(listed.collect())
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        let bytes = content.bytes();
        let mut objects = self.lock();
        let version = match (objects.get(key), mode) {
            (Some(kept), _) if kept.bytes == bytes => return Ok(PutOutcome::AlreadyThere(kept.info())),
            (Some(kept), PutMode::Replace(revision)) if kept.info().revision == revision => {
                kept.version.saturating_add(1)
            }
            (Some(_), _) => return Err(StoreError::Conflict { uri: self.uri(key) }),
            (None, PutMode::Create) => 1,
            (None, PutMode::Replace(_)) => return Err(StoreError::NotFound { uri: self.uri(key) }),
        };
        let kept = Kept { bytes, version, modified: None };
        let outcome = PutOutcome::Written(kept.info());
        objects.insert(key.clone(), kept);
        Ok(outcome)
    }
}
