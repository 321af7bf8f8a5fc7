//! A store that many wait for together.
//!
//! Every call has a deadline of its own, after which a store counts as unreachable. For a thousand
//! objects of a store that hangs that would be a thousand deadlines: here it is one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use argo_attest_core::store_address::StoreAddress;
use async_trait::async_trait;
use bytes::Bytes;

use crate::store::{
    ChunkSource, Listing, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode, PutOutcome, Store,
    StoreError,
};

/// The store. Once a call has ended without an answer, and nothing else was answered while it was
/// waited for, all calls after it end in the same way, at once.
#[derive(Debug, Clone)]
pub struct OneWait {
    store: Arc<dyn Store>,
    heard: Arc<Heard>,
}

/// What was heard of the store.
#[derive(Debug)]
struct Heard {
    /// Anything sooner is about an object, and not about the store.
    least: Duration,
    answers: AtomicU64,
    given_up: OnceLock<Mutex<StoreError>>,
}

impl OneWait {
    /// How long a call has waited at least that is believed to have had no answer.
    pub const LEAST: Duration = Duration::from_secs(3);

    /// This store, which is given up after a call that had no answer for `least`.
    pub fn new(store: Arc<dyn Store>, least: Duration) -> Self {
        let heard = Heard { least, answers: AtomicU64::new(0), given_up: OnceLock::new() };
        Self { store, heard: Arc::new(heard) }
    }
}

impl Heard {
    async fn of<T>(
        &self,
        uri: &str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if let Some(why) = self.given_up.get() {
            let why = why.lock().unwrap_or_else(PoisonError::into_inner);
            return Err(why.about_another(uri));
        }
        let (before, began) = (self.answers.load(Ordering::SeqCst), Instant::now());
        let answer = call.await;
        match &answer {
            Err(why @ StoreError::Unreachable { .. }) => {
                if began.elapsed() >= self.least && self.answers.load(Ordering::SeqCst) == before {
                    self.given_up.get_or_init(|| Mutex::new(why.about_another(uri)));
                }
            }
            _ => {
                self.answers.fetch_add(1, Ordering::SeqCst);
            }
        }
        answer
    }
}

#[async_trait]
impl Store for OneWait {
    fn uri(&self, key: &ObjectKey) -> String {
        self.store.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.heard.of(&self.uri(key), self.store.get(key, limit)).await
    }

    async fn salvage(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.heard.of(&self.uri(key), self.store.salvage(key, limit)).await
    }

    fn is_known_empty(&self, prefix: &str) -> bool {
        self.store.is_known_empty(prefix)
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        let uri = self.uri(key);
        let stream = self.heard.of(&uri, self.store.stream(key)).await?;
        let (info, heard) = (stream.info().clone(), Arc::clone(&self.heard));
        let chunks = Chunks { uri: uri.clone(), stream, heard };
        Ok(ObjectStream::new(uri, info, Box::new(chunks)))
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.heard.of(&self.uri(key), self.store.head(key)).await
    }

    /// Of which there are few: each page has its own deadline.
    fn list(&self, prefix: &str) -> Listing {
        self.store.list(prefix)
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.heard.of(&self.uri(key), self.store.write(key, content, mode)).await
    }

    fn address(&self) -> Option<StoreAddress> {
        self.store.address()
    }

    fn retries(&self) -> u64 {
        self.store.retries()
    }
}

/// An object's bytes, waited for with all others.
struct Chunks {
    uri: String,
    stream: ObjectStream,
    heard: Arc<Heard>,
}

#[async_trait]
impl ChunkSource for Chunks {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        self.heard.of(&self.uri, self.stream.next()).await
    }
}
