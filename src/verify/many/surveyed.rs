//! A store of which it is known what lies beneath a prefix.

use std::collections::BTreeMap;
use std::sync::Arc;

use argo_attest_core::contract::store::APART;
use argo_attest_core::store_address::StoreAddress;
use async_trait::async_trait;
use tokio::sync::Mutex;

use super::told::Told;
use crate::attestations::{MAX_ATTESTATION, Sorting, all_forms, is_first_form};
use crate::store::{
    Listing, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode, PutOutcome, Store, StoreError,
};

/// Bytes of attestations that are read ahead.
const AHEAD: u64 = 4 * 1024 * 1024;

/// The store. What the listing did not name is not asked for: it is not there. What lies around
/// the prefix is asked for once, however many artifacts are within.
#[derive(Debug)]
pub(super) struct Surveyed {
    store: Arc<dyn Store>,
    prefix: String,
    sorting: Sorting,
    around: Mutex<Around>,
    /// What was read ahead and nobody asked for yet.
    ahead: std::sync::Mutex<Around>,
}

/// What lies around, as far as it was asked for.
#[derive(Debug, Default)]
struct Around {
    known: BTreeMap<ObjectKey, Option<Object>>,
    /// Bytes of all of them.
    kept: u64,
    /// Bytes of all that were read, whether or not they are still here.
    read: u64,
}

/// How much room there is for what is read ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Not for all of it.
    TooLittle,
    Enough,
    /// For several times as much.
    Plenty,
}

impl Surveyed {
    pub(super) fn new(store: Arc<dyn Store>, prefix: &str, sorting: Sorting) -> Self {
        Self {
            store,
            prefix: prefix.to_owned(),
            sorting,
            around: Mutex::default(),
            ahead: std::sync::Mutex::default(),
        }
    }

    /// What there is.
    pub(super) fn sorting(&self) -> &Sorting {
        &self.sorting
    }

    /// What the listing told of lines beneath the prefix.
    pub(super) fn told(&self, key: &ObjectKey) -> Option<Told> {
        Told::noted(self.sorting.there().files.note(key.as_str().as_bytes())?)
    }

    /// Forgets what was read ahead and nobody asked for; gives for how much of [`AHEAD`] there was room
    /// when it was read.
    pub(super) fn forget_ahead(&self) -> Room {
        let Ok(mut ahead) = self.ahead.lock() else { return Room::Enough };
        let ahead = std::mem::take(&mut *ahead);
        match ahead.read {
            read if read > AHEAD => Room::TooLittle,
            read if read > AHEAD / 4 => Room::Enough,
            _ => Room::Plenty,
        }
    }

    /// Reads an attestation before it is asked for, to see that it is one, and keeps it for whoever
    /// asks for it next: within [`AHEAD`] for all of them, and only what is asked for first.
    pub(super) async fn get_ahead(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        let object = self.store.get(key, limit).await?;
        if is_first_form(key.as_str())
            && let Ok(mut ahead) = self.ahead.lock()
        {
            ahead.read = ahead.read.saturating_add(object.info.size);
            if ahead.kept.saturating_add(object.info.size) <= AHEAD {
                ahead.kept += object.info.size;
                ahead.known.insert(key.clone(), Some(object.clone()));
            }
        }
        Ok(object)
    }

    /// What was read ahead, once, if it is no longer than that.
    fn take_ahead(&self, key: &ObjectKey, limit: u64) -> Option<Object> {
        let mut ahead = self.ahead.lock().ok()?;
        let object = ahead.known.remove(key)??;
        ahead.kept = ahead.kept.saturating_sub(object.info.size);
        (object.info.size <= limit).then_some(object)
    }

    /// Whether the listing named it, beneath the prefix.
    fn is_listed(&self, key: &str) -> bool {
        self.is_there(key) == Some(true)
    }

    /// Whether the listing would have named it; `None` if it is not beneath the prefix.
    fn is_there(&self, key: &str) -> Option<bool> {
        if key.starts_with(&self.prefix) {
            return Some(self.sorting.there().files.contains(key.as_bytes()));
        }
        let beside = key.strip_prefix(APART).filter(|beside| beside.starts_with(&self.prefix))?;
        Some(self.sorting.there().apart.contains(beside.as_bytes()))
    }

    /// Where one form of an attestation was named, the other is asked for all the same: which
    /// of them counts is not for the listing to choose.
    fn is_known_absent(&self, key: &ObjectKey) -> Option<bool> {
        let there = self.is_there(key.as_str())?;
        let forms = all_forms(key.as_str());
        Some(!there && !forms.iter().flatten().any(|form| self.is_listed(form)))
    }
}

#[async_trait]
impl Store for Surveyed {
    fn uri(&self, key: &ObjectKey) -> String {
        self.store.uri(key)
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        match self.is_known_absent(key) {
            Some(true) => return Err(StoreError::NotFound { uri: self.uri(key) }),
            Some(false) => match self.take_ahead(key, limit) {
                Some(object) => return Ok(object),
                None => return self.store.get(key, limit).await,
            },
            None => {}
        }
        // Held while it is asked for: all others would ask for the same.
        let mut around = self.around.lock().await;
        let known = if let Some(known) = around.known.get(key) {
            known.clone()
        } else {
            let known = match self.store.get(key, limit).await {
                Ok(object) => Some(object),
                Err(StoreError::NotFound { .. }) => None,
                Err(error) => return Err(error),
            };
            let size = known.as_ref().map_or(0, |object| object.info.size);
            if around.kept.saturating_add(size) <= MAX_ATTESTATION {
                around.kept += size;
                around.known.insert(key.clone(), known.clone());
            }
            known
        };
        known.ok_or_else(|| StoreError::NotFound { uri: self.uri(key) })
    }

    async fn salvage(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.store.salvage(key, limit).await
    }

    fn is_known_empty(&self, prefix: &str) -> bool {
        let there = self.sorting.there();
        if prefix.starts_with(&self.prefix) {
            return !there.files.begins(prefix.as_bytes());
        }
        let apart = prefix.strip_prefix(APART).filter(|beside| beside.starts_with(&self.prefix));
        apart.is_some_and(|beside| !there.apart.begins(beside.as_bytes()))
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
