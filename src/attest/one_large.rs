//! A store to which many go at the same time, of whom one at a time holds what is large.
//!
//! What is there already under an attestation's name is as large as whoever may write there chooses,
//! up to [`MAX_ATTESTATION`], and several times that in memory.
//!
//! [`MAX_ATTESTATION`]: crate::attestations::MAX_ATTESTATION

use std::sync::Arc;

use argo_attest_core::store_address::StoreAddress;
use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::attestations::USUAL_ATTESTATION;
use crate::store::{
    Listing, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode, PutOutcome, Store, StoreError,
};

/// The store, for one of them. Objects of a usual size are given at once; whoever is given a larger
/// one keeps the turn for good.
#[derive(Debug)]
pub struct OneLarge {
    store: Arc<dyn Store>,
    turn: Arc<Semaphore>,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl OneLarge {
    /// `turn` has one permit, for all who share it.
    pub fn new(store: Arc<dyn Store>, turn: Arc<Semaphore>) -> Self {
        Self { store, turn, held: Mutex::default() }
    }

    async fn wait_for_turn(&self) {
        let mut held = self.held.lock().await;
        if held.is_none() {
            *held = Arc::clone(&self.turn).acquire_owned().await.ok();
        }
    }
}

#[async_trait]
impl Store for OneLarge {
    fn uri(&self, key: &ObjectKey) -> String {
        self.store.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        match self.store.get(key, limit.min(USUAL_ATTESTATION)).await {
            Err(StoreError::TooLarge { .. }) if limit > USUAL_ATTESTATION => {
                self.wait_for_turn().await;
                self.store.get(key, limit).await
            }
            found => found,
        }
    }

    async fn salvage(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        match self.store.salvage(key, limit.min(USUAL_ATTESTATION)).await {
            Err(StoreError::TooLarge { .. }) if limit > USUAL_ATTESTATION => {
                self.wait_for_turn().await;
                self.store.salvage(key, limit).await
            }
            found => found,
        }
    }

    fn is_known_empty(&self, prefix: &str) -> bool {
        self.store.is_known_empty(prefix)
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        self.store.stream(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.store.head(key).await
    }

    fn list(&self, prefix: &str) -> Listing {
        self.store.list(prefix)
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.store.write(key, content, mode).await
    }

    fn address(&self) -> Option<StoreAddress> {
        self.store.address()
    }

    fn retries(&self) -> u64 {
        self.store.retries()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::attestations::MAX_ATTESTATION;
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn what_is_large_is_held_by_one() {
        let (small, large) = (ObjectKey::new("small").unwrap(), ObjectKey::new("large").unwrap());
        let size = usize::try_from(USUAL_ATTESTATION).unwrap();
        let (store, turn) = (MemoryStore::new(), Arc::new(Semaphore::new(1)));
        store.overwrite(&small, bytes::Bytes::from(vec![b'x'; size]));
        store.overwrite(&large, bytes::Bytes::from(vec![b'x'; size + 1]));
        let store: Arc<dyn Store> = Arc::new(store);
        let [first, second] = [(); 2].map(|()| OneLarge::new(Arc::clone(&store), Arc::clone(&turn)));
        for _ in 0..2 {
            assert_eq!(first.get(&large, MAX_ATTESTATION).await.unwrap().bytes.len(), size + 1);
            assert_eq!(second.get(&small, MAX_ATTESTATION).await.unwrap().bytes.len(), size);
        }
        assert!(second.get(&large, MAX_ATTESTATION).now_or_never().is_none());
        assert!(second.salvage(&large, MAX_ATTESTATION).now_or_never().is_none());
        drop(first);
        assert_eq!(second.get(&large, MAX_ATTESTATION).await.unwrap().bytes.len(), size + 1);
        match second.get(&large, 5).await {
            Err(StoreError::TooLarge { limit: 5, .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}
