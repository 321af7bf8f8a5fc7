//! Where attestations are asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::Repository;
use argo_attest_core::relpath::printable;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::images::Images;
use crate::registry::RegistryError;
use crate::store::{BucketName, Location, Store, StoreError, StoreErrorKind};

/// Gives the bytes at an address that a statement names. A statement chooses the
/// text; which hosts are asked, and with which credentials, is the source's to decide.
#[async_trait]
pub trait Source: Sync {
    /// All of it, if it is no longer than `limit` bytes.
    async fn fetch(&self, uri: &str, limit: u64) -> Result<Bytes, FetchError>;

    /// The attestation of that digest which lies with an image in its repository, if it is no
    /// longer than `limit` bytes.
    async fn with_image(
        &self,
        at: &Repository,
        digest: Sha256Digest,
        limit: usize,
    ) -> Result<Bytes, FetchError>;
}

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// There is nothing at that address.
    #[error("{uri} is not there")]
    Missing {
        /// The address, printable.
        uri: String,
    },
    /// Not an address that is followed.
    #[error("{uri} is not followed: it is no s3:// object")]
    NotFollowed {
        /// The address, printable.
        uri: String,
    },
    /// In a registry that nobody but the statement named.
    #[error("{uri} is in a registry that is not asked because a statement names it")]
    Unnamed {
        /// The repository, printable.
        uri: String,
        /// The registry.
        registry: String,
    },
    /// It could not be found out.
    #[error(transparent)]
    Store(StoreError),
    /// The same of a registry.
    #[error(transparent)]
    Registry(RegistryError),
}

/// Buckets of the one store that the caller is configured for, each opened when it
/// is first named. The bucket and the key come from the statement; the host and the
/// credentials never do. Files are not read: their paths are of another machine. Of images the
/// registries are asked that the caller knows.
pub struct Buckets<O> {
    images: Images,
    open: O,
    opened: Mutex<BTreeMap<BucketName, Arc<dyn Store>>>,
}

impl<O: Fn(&Location) -> Result<Box<dyn Store>, StoreError> + Sync> Buckets<O> {
    /// With what opens a bucket; it makes no request.
    pub fn new(open: O) -> Self {
        Self { images: Images::default(), open, opened: Mutex::default() }
    }

    /// The same, which also asks registries.
    #[must_use]
    pub fn with_images(self, images: Images) -> Self {
        Self { images, ..self }
    }

    /// The registries.
    pub fn images(&self) -> &Images {
        &self.images
    }
}

#[async_trait]
impl<O: Fn(&Location) -> Result<Box<dyn Store>, StoreError> + Sync + Send> Source for Buckets<O> {
    async fn fetch(&self, uri: &str, limit: u64) -> Result<Bytes, FetchError> {
        let Ok((location @ Location::S3 { .. }, key)) = Location::artifact(uri) else {
            return Err(FetchError::NotFollowed { uri: printable(uri.as_bytes()) });
        };
        let store = self.bucket(&location).await.map_err(FetchError::Store)?;
        match store.get(&key, limit).await {
            Ok(object) => Ok(object.bytes),
            Err(error) if error.kind() == StoreErrorKind::NotFound => {
                Err(FetchError::Missing { uri: error.uri().to_owned() })
            }
            Err(error) => Err(FetchError::Store(error)),
        }
    }

    async fn with_image(
        &self,
        at: &Repository,
        digest: Sha256Digest,
        limit: usize,
    ) -> Result<Bytes, FetchError> {
        self.images.fetch(at, digest, limit).await
    }
}

impl<O: Fn(&Location) -> Result<Box<dyn Store>, StoreError>> Buckets<O> {
    /// The bucket, opened once; no request is made.
    pub async fn bucket(&self, location: &Location) -> Result<Arc<dyn Store>, StoreError> {
        let mut opened = self.opened.lock().await;
        let Location::S3 { bucket, .. } = location else { return Ok((self.open)(location)?.into()) };
        if let Some(store) = opened.get(bucket) {
            return Ok(Arc::clone(store));
        }
        let store: Arc<dyn Store> = (self.open)(location)?.into();
        opened.insert(bucket.clone(), Arc::clone(&store));
        Ok(store)
    }
}

impl<O> fmt::Debug for Buckets<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").finish_non_exhaustive()
    }
}
