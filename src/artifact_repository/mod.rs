//! The object stores of a step's artifacts, opened as the step describes them: one file
//! for each kind of store, and one for the Secrets that a template may name.

mod error;
mod s3;
mod secrets;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use argo_attest_core::argo::{ArtifactStore, ObjectRef};

pub(crate) use error::StoresError;

use crate::store::{self, Env, InvalidKey, Location, ObjectKey, S3Store, Store};

/// Opened stores, one for each that the step names, and the platform's own.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    of_step: HashMap<Arc<ArtifactStore>, Arc<dyn Store>>,
    of_platform: Option<Arc<dyn Store>>,
}

impl Stores {
    /// Opens the store of an object, if it is not open yet. Makes no request.
    pub(crate) fn open(
        &mut self,
        object: &ObjectRef,
        env: &dyn Env,
        secrets: &Path,
    ) -> Result<Arc<dyn Store>, StoresError> {
        if let Some(store) = self.of_step.get(&object.store) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn Store> = match &*object.store {
            ArtifactStore::S3(bucket) => Arc::new(S3Store::new(s3::config(bucket, env, secrets)?)?),
        };
        self.of_step.insert(Arc::clone(&object.store), Arc::clone(&store));
        Ok(store)
    }

    /// Opens the store that the platform names. Nothing that the step says has a part in who
    /// asks it. Makes no request.
    pub(crate) fn open_platforms(
        &mut self,
        location: &Location,
        env: &dyn Env,
    ) -> Result<Arc<dyn Store>, StoresError> {
        let store: Arc<dyn Store> = Arc::from(store::open(location, env)?);
        self.of_platform = Some(Arc::clone(&store));
        Ok(store)
    }

    /// How many requests were repeated.
    pub(crate) fn retries(&self) -> u64 {
        self.of_step.values().chain(&self.of_platform).map(|store| store.retries()).sum()
    }
}

/// The object's key, as the store takes it.
pub(crate) fn key(object: &ObjectRef) -> Result<ObjectKey, InvalidKey> {
    ObjectKey::new(object.key())
}
