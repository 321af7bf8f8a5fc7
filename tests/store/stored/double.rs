//! A store that shows as many checksums as it is told, and fails as it is told.

use std::sync::Mutex;

use argo_attest::store::{
    Checksums, ChunkSource, Corruption, Listing, MemoryStore, NewObject, Object, ObjectInfo, ObjectKey,
    ObjectStream, PutMode, PutOutcome, Store, StoreError,
};
use async_trait::async_trait;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum};

use super::case::key;

/// Which checksums the store says it has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    Both,
    Crc64Nvme,
    Nothing,
    /// Of other bytes than those it has.
    Wrong,
}

/// What goes wrong with reading.
#[derive(Debug, Clone, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// Replaced before the bytes are asked for, or taken away.
    Before(Option<Bytes>),
    /// Replaced as soon as they are, or taken away.
    Meanwhile(Option<Bytes>),
    /// The connection fails in the middle.
    Break,
    /// The store notices in the middle that it is another object by now.
    Notice,
    /// The body ends in the middle.
    Short,
    /// Nothing more comes from the middle on.
    Stall,
}

#[derive(Debug)]
pub(crate) struct Double {
    pub(crate) inner: MemoryStore,
    shown: Shown,
    pub(crate) fault: Fault,
    /// HEAD and GET, with keys.
    asked: Mutex<Vec<String>>,
}

impl Double {
    pub(crate) fn new(shown: Shown) -> Self {
        Self { inner: MemoryStore::new(), shown, fault: Fault::None, asked: Mutex::default() }
    }

    /// A store that fails so, with these objects.
    pub(crate) fn failing(shown: Shown, fault: Fault, objects: &[(ObjectKey, Bytes)]) -> Self {
        let double = Self { fault, ..Self::new(shown) };
        fill(&double.inner, objects);
        double
    }

    /// What was asked since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    async fn show(&self, key: &ObjectKey, mut info: ObjectInfo) -> Result<ObjectInfo, StoreError> {
        let bytes = self.inner.get(key, u64::MAX).await?.bytes;
        let crc64nvme = Some(checksum(CrcAlgorithm::Crc64Nvme, &bytes));
        info.checksums = match self.shown {
            Shown::Both => Checksums { crc64nvme, ..info.checksums },
            Shown::Crc64Nvme => Checksums { crc64nvme, sha256: None },
            Shown::Nothing => Checksums::default(),
            Shown::Wrong => {
                let other = MemoryStore::new();
                other.overwrite(key, Bytes::from_static(b"other bytes"));
                other.head(key).await?.checksums
            }
        };
        Ok(info)
    }

    fn change(&self, key: &ObjectKey, to: Option<&Bytes>) {
        match to {
            Some(bytes) => self.inner.overwrite(key, bytes.clone()),
            None => self.inner.remove(key),
        }
    }
}

struct Cut {
    half: Option<Bytes>,
    then: Fault,
    uri: String,
}

#[async_trait]
impl ChunkSource for Cut {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        match (self.half.take(), &self.then) {
            (Some(half), _) => Ok(Some(half)),
            (None, Fault::Break) => Err(StoreError::Unreachable {
                uri: self.uri.clone(),
                server: "the store".into(),
                attempts: 3,
                source: "connection reset".into(),
                remedy: None,
            }),
            (None, Fault::Notice) => {
                Err(StoreError::Corrupt { uri: self.uri.clone(), kind: Corruption::Changed })
            }
            (None, Fault::Stall) => std::future::pending().await,
            (None, _) => Ok(None),
        }
    }
}

#[async_trait]
impl Store for Double {
    fn uri(&self, key: &ObjectKey) -> String {
        self.inner.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.inner.get(key, limit).await
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        self.asked.lock().unwrap().push(format!("GET {key}"));
        if let Fault::Before(to) = &self.fault {
            self.change(key, to.as_ref());
        }
        let mut whole = self.inner.stream(key).await?;
        let info = self.show(key, whole.info().clone()).await?;
        let bytes = whole.next().await?.unwrap_or_default();
        if let Fault::Meanwhile(to) = &self.fault {
            self.change(key, to.as_ref());
        }
        let sent = match self.fault {
            Fault::Break | Fault::Notice | Fault::Short | Fault::Stall => bytes.slice(..bytes.len() / 2),
            _ => bytes,
        };
        let uri = self.uri(key);
        let source = Cut { half: Some(sent), then: self.fault.clone(), uri: uri.clone() };
        Ok(ObjectStream::new(uri, info, Box::new(source)))
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        self.asked.lock().unwrap().push(format!("HEAD {key}"));
        let info = self.inner.head(key).await?;
        self.show(key, info).await
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

/// Puts the objects there.
pub(crate) fn fill(store: &MemoryStore, objects: &[(ObjectKey, Bytes)]) {
    for (key, bytes) in objects {
        store.overwrite(key, bytes.clone());
    }
}

/// One object.
pub(crate) fn one(name: &str, bytes: &'static [u8]) -> Vec<(ObjectKey, Bytes)> {
    vec![(key(name), Bytes::from_static(bytes))]
}
