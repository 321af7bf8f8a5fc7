//! Where attestations are put, and where artifacts are read back from.
//!
//! [`Store`] is the one port; [`FileStore`], [`MemoryStore`] and [`S3Store`]
//! are its adapters, and all of them pass the same conformance suite. What a
//! write promises is RFC 9110's preconditions: [`PutMode::Create`] is
//! `If-None-Match: *`, [`PutMode::Replace`] is `If-Match`. A write is atomic,
//! and doing it twice is the same as doing it once.
//!
//! Nothing here knows what the bytes mean, or deletes.

mod error;
mod file;
mod key;
mod listing;
mod location;
mod memory;
mod new_object;
mod object;
mod refusal;
pub mod s3;
mod stream;

use std::fmt::Debug;
use std::time::Duration;

use argo_attest_core::store_address::StoreAddress;
use async_trait::async_trait;
use bytes::Bytes;

pub use crate::environment::{Env, ProcessEnv};
pub use error::{Corruption, Source, StoreError, StoreErrorKind};
pub use file::FileStore;
pub use key::{InvalidKey, ObjectKey};
pub use listing::{Listed, Listing, PageSource};
pub(crate) use location::percent_decoded;
pub use location::{BucketName, InvalidLocation, Location};
pub use memory::MemoryStore;
pub use new_object::NewObject;
pub use object::{Checksums, Object, ObjectInfo, PutMode, PutOutcome, Revision};
pub use refusal::{Denial, Operation, Refusal};
pub use s3::S3Store;
pub use stream::{BlockingRead, ChunkSource, ObjectStream};

/// A place that holds objects by key.
///
/// Every call has a deadline of its own, retries what can be retried, and says
/// in its error which object it was about.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    /// The object's address for people, logs and statements: one line of
    /// printable text, in which anything unprintable is `%XX`.
    fn uri(&self, key: &ObjectKey) -> String;

    /// The whole object, if it is no longer than `limit` bytes.
    ///
    /// Errors: [`StoreError::NotFound`], [`StoreError::TooLarge`],
    /// [`StoreError::Corrupt`] if other bytes came than were announced.
    async fn get(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError>;

    /// The whole object as it comes, where [`Self::get`] calls it [`StoreError::Corrupt`] for
    /// its checksum: not to be believed, but to be kept.
    async fn salvage(&self, key: &ObjectKey, limit: u64) -> Result<Object, StoreError> {
        self.get(key, limit).await
    }

    /// Whether it is known without asking that no object's key begins so. Where it is not, that
    /// says nothing.
    fn is_known_empty(&self, _prefix: &str) -> bool {
        false
    }

    /// The object chunk by chunk, of any size, in bounded memory.
    async fn stream(&self, key: &ObjectKey) -> Result<ObjectStream, StoreError>;

    /// What the store knows about the object, without its bytes where the
    /// store can tell without reading them.
    async fn head(&self, key: &ObjectKey) -> Result<ObjectInfo, StoreError>;

    /// The objects whose keys begin with this text, which may be empty.
    fn list(&self, prefix: &str) -> Listing;

    /// Writes the object as a whole or not at all, if `mode` allows.
    ///
    /// If the same bytes are there already, whoever wrote them, the outcome is
    /// [`PutOutcome::AlreadyThere`]. Errors: [`StoreError::Conflict`] if other
    /// bytes are there, which stay; [`StoreError::NotFound`] if there is
    /// nothing to replace.
    async fn write(
        &self,
        key: &ObjectKey,
        content: NewObject,
        mode: PutMode,
    ) -> Result<PutOutcome, StoreError>;

    /// The same of bytes that are there.
    async fn put(&self, key: &ObjectKey, bytes: Bytes, mode: PutMode) -> Result<PutOutcome, StoreError> {
        self.write(key, bytes.into(), mode).await
    }

    /// Whose store it is: where it is reached. `None` for one that has no address, as a
    /// directory has none: nothing that was stored under an address is in there.
    fn address(&self) -> Option<StoreAddress> {
        None
    }

    /// How many attempts so far were repetitions of a failed one.
    fn retries(&self) -> u64 {
        0
    }
}

/// How long a person waits for a store that is not reached.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the store that a person at a command line named. Their profiles in `~/.aws` are followed,
/// too ([`s3::S3Config::at_command_line`]), and where nobody is reached that is said in seconds.
/// Not for what runs in a pod.
pub fn open_named(location: &Location, env: &dyn Env) -> Result<Box<dyn Store>, StoreError> {
    open_with(location, |bucket, prefix| {
        let mut config = s3::S3Config::at_command_line(bucket, prefix, env)?;
        config.limits.unreached = PATIENCE;
        Ok(config)
    })
}

/// Opens the store that `location` names. Credentials, endpoint and region of
/// an `s3://` location come from `env`, and from nothing else; no request is made yet.
pub fn open(location: &Location, env: &dyn Env) -> Result<Box<dyn Store>, StoreError> {
    open_with(location, |bucket, prefix| s3::S3Config::from_env(bucket, prefix, env))
}

fn open_with(
    location: &Location,
    config: impl FnOnce(BucketName, Option<ObjectKey>) -> Result<s3::S3Config, s3::ConfigError>,
) -> Result<Box<dyn Store>, StoreError> {
    match location {
        Location::File(dir) => Ok(Box::new(FileStore::open(dir)?)),
        Location::S3 { bucket, prefix } => {
            let config =
                config(bucket.clone(), prefix.clone()).map_err(|error| error.about(location.to_string()))?;
            Ok(Box::new(S3Store::new(config)?))
        }
    }
}
