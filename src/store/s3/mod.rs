//! A store in an S3 bucket, AWS's or any other that speaks its protocol.
//!
//! What is written carries our own SHA-256 as `x-amz-checksum-sha256`, so that
//! the store itself refuses other bytes, and a precondition, so that nothing is
//! overwritten and a write whose reply was lost can be sent again: the second
//! one is refused with 412, the object is read, and it is ours. What a store
//! refuses of that is done without (`ability`). One that ignores preconditions and
//! does not say so lets the last of two writers win. Redirects are
//! never followed, TLS is used unless the endpoint says `http://`.
//!
//! Amazon's SDK makes the requests and judges the answers. Objects are asked for without it
//! (`plain`), once it has shown how; any answer but a plain success is its to judge all the same.

mod ability;
mod body;
mod caller;
mod client;
mod config;
mod container;
mod credentials;
mod encryption;
mod fault;
mod http;
mod identity;
mod instance;
mod keyed;
mod listing;
mod plain;
#[cfg(not(feature = "cli"))]
#[path = "no_profile.rs"]
mod profile;
#[cfg(feature = "cli")]
mod profile;
mod reading;
mod region;
mod replay;
mod reply;
mod retry;
mod sent;
mod settings;
mod sts;
mod success;
mod writing;

use std::fmt;
use std::sync::Arc;

use argo_attest_core::store_address::StoreAddress;
use async_trait::async_trait;

pub use crate::net::{Proxies, Trust};
pub use caller::{Caller, Callers, NoKeys};
pub use config::{Addressing, Endpoint, IfRegionUnknown, InvalidEndpoint, Limits, Requests, S3Config};
pub use container::Container;
pub use credentials::{AssumedRole, Credentials, KeyPair, WebIdentity};
pub use encryption::{CustomerKeys, Encryption};
pub use instance::Instance;
pub use profile::Profile;
pub use reply::Reply;
pub use settings::ConfigError;

use self::client::Client;
use self::fault::Fault;
use self::writing::Write;
use super::{
    Listing, NewObject, Object, ObjectInfo, ObjectKey, ObjectStream, PutMode, PutOutcome, Store, StoreError,
};

/// A bucket, or the part of it beneath a prefix.
#[derive(Clone)]
pub struct S3Store {
    client: Arc<Client>,
}

/// One object in a request: its full key, and its uri for errors.
#[derive(Debug, Clone)]
struct Target {
    key: String,
    uri: String,
}

impl S3Store {
    /// Checks the settings and reads the CA certificates; sends nothing.
    pub fn new(config: S3Config) -> Result<Self, StoreError> {
        Ok(Self { client: Arc::new(Client::new(config)?) })
    }

    fn target(&self, key: &ObjectKey) -> Result<Target, StoreError> {
        let uri = self.uri(key);
        match self.client.full_key(key) {
            Ok(full) => Ok(Target { key: full.as_str().to_owned(), uri }),
            Err(source) => Err(StoreError::Key { uri, source }),
        }
    }

    /// Where the bucket is made by whoever stores something first, its objects are just
    /// not there before that.
    fn not_yet(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::NoBucket { uri } if self.client.config.creates_bucket => StoreError::NotFound { uri },
            other => other,
        }
    }

    async fn run<T, F: Future<Output = Result<T, Fault>>>(
        &self,
        target: &Target,
        attempt: impl FnMut() -> F,
    ) -> Result<T, StoreError> {
        self.client
            .run(&target.uri, attempt)
            .await
            .map_err(|gave_up| gave_up.fault.into_error(target.uri.clone(), gave_up.attempts))
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("S3Store").field(&self.client.config).finish()
    }
}

#[async_trait]
impl Store for S3Store {
    fn uri(&self, key: &ObjectKey) -> String {
        let bucket = self.client.bucket();
        match &self.client.config.prefix {
            Some(prefix) => format!("s3://{bucket}/{prefix}/{key}"),
            None => format!("s3://{bucket}/{key}"),
        }
    }

    fn address(&self) -> Option<StoreAddress> {
        self.client.config.endpoint_url().parse().ok()
    }

    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        let target = self.target(key)?;
        let found = self.run(&target, || self.client.read_once(&target, limit)).await;
        found.map_err(|error| self.not_yet(error))
    }

    async fn salvage(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        let target = self.target(key)?;
        self.run(&target, || self.client.salvage_once(&target, limit)).await
    }

    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError> {
        let target = self.target(key)?;
        let opened = self.run(&target, || self.client.open(&target)).await;
        let (info, body) = opened.map_err(|error| self.not_yet(error))?;
        let chunks = body::Resuming::new(Arc::clone(&self.client), target.clone(), info.clone(), body);
        Ok(ObjectStream::new(target.uri, info, Box::new(chunks)))
    }

    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError> {
        let target = self.target(key)?;
        let found = match self.run(&target, || self.client.head_once(&target)).await {
            Err(error) => Err(self.client.why_not_there(&target, error).await),
            found => found,
        };
        found.map_err(|error| self.not_yet(error))
    }

    fn list(&self, prefix: &str) -> Listing {
        Listing::new(Box::new(listing::Pages::new(Arc::clone(&self.client), prefix)))
    }

    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError> {
        let target = self.target(key)?;
        let write = Write { target: &target, content: &content, mode: &mode };
        let written = self.run(&target, || self.client.put_once(write)).await;
        written.map_err(|error| match error {
            StoreError::NoBucket { uri } if self.client.config.creates_bucket => {
                StoreError::NoBucketYet { uri }
            }
            other => other,
        })
    }

    fn retries(&self) -> u64 {
        self.client.retries()
    }
}
