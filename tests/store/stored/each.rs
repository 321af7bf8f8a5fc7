//! A directory of which every file is an object.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argo_attest::store::{
    Listing, MemoryStore, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode, PutOutcome, Store,
    StoreError,
};
use argo_attest::stored_match::{AT_ONCE, StoredError, Written, check_each};
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Barrier;

use super::case::{key, written};
use super::double::{Double, Shown, fill};

/// A store that answers HEAD once so many are waiting.
#[derive(Debug)]
struct Gathering {
    inner: MemoryStore,
    barrier: Barrier,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Store for Gathering {
    fn uri(&self, key: &ObjectKey) -> String {
        self.inner.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.inner.get(key, limit).await
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        self.inner.stream(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(waiting, Ordering::SeqCst);
        self.barrier.wait().await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.inner.head(key).await
    }

    fn list(&self, prefix: &str) -> Listing {
        self.inner.list(prefix)
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        self.inner.write(key, content, mode).await
    }
}

fn files(count: usize) -> Vec<(ObjectKey, Bytes)> {
    (0..count).map(|i| (key(&format!("dir/{i:05}")), Bytes::from(format!("file {i}")))).collect()
}

fn all_written(files: &[(ObjectKey, Bytes)]) -> Vec<(ObjectKey, Written)> {
    files.iter().map(|(key, bytes)| (key.clone(), written(bytes))).collect()
}

#[tokio::test]
async fn asks_for_as_many_at_once_as_it_may() {
    let files = files(3 * AT_ONCE.get());
    let store = Gathering {
        inner: MemoryStore::new(),
        barrier: Barrier::new(AT_ONCE.get()),
        waiting: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    };
    fill(&store.inner, &files);
    let store = Arc::new(store);
    let port: Arc<dyn Store> = Arc::<Gathering>::clone(&store);
    let checked = check_each(&port, all_written(&files), AT_ONCE, usize::MAX);
    let checked = tokio::time::timeout(Duration::from_secs(30), checked).await.unwrap().unwrap();
    assert_eq!(checked.len(), files.len());
    assert_eq!(store.most.load(Ordering::SeqCst), AT_ONCE.get());
}

#[tokio::test]
async fn asks_once_for_each_file_reads_none_and_keeps_what_is_wanted() {
    let files = files(10_000);
    let store = Arc::new(Double::new(Shown::Crc64Nvme));
    fill(&store.inner, &files);
    let port: Arc<dyn Store> = Arc::<Double>::clone(&store);
    let checked = check_each(&port, all_written(&files), AT_ONCE, 100).await.unwrap();
    let uris: Vec<_> = files.iter().take(100).map(|(key, _)| store.uri(key)).collect();
    assert_eq!(checked.into_iter().map(|object| object.uri().to_owned()).collect::<Vec<_>>(), uris);
    let mut asked = store.asked();
    asked.sort_unstable();
    assert_eq!(asked, files.iter().map(|(key, _)| format!("HEAD {key}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_file_among_many_is_named() {
    let files = files(200);
    for (shown, at_once) in [(Shown::Both, AT_ONCE), (Shown::Nothing, NonZeroUsize::MIN)] {
        let store = Arc::new(Double::new(shown));
        fill(&store.inner, &files);
        let port: Arc<dyn Store> = Arc::<Double>::clone(&store);
        store.inner.overwrite(&key("dir/00077"), Bytes::from_static(b"FILE 77"));
        match check_each(&port, all_written(&files), at_once, 0).await {
            Err(StoredError::Mismatch { uri, .. }) => assert_eq!(uri, "memory:dir/00077"),
            other => panic!("{other:?}"),
        }
        assert!(store.asked().len() < 2 * files.len(), "the rest is not asked for");
        store.inner.remove(&key("dir/00077"));
        match check_each(&port, all_written(&files), at_once, 0).await {
            Err(StoredError::NotThere { uri }) => assert_eq!(uri, "memory:dir/00077"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_nothing() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    assert_eq!(check_each(&store, [], AT_ONCE, 1).await.unwrap(), []);
}
