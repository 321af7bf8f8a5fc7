//! A store in an S3 bucket, AWS's or any other that speaks its protocol.
//!
//! What is written carries our own SHA-256 as `x-amz-checksum-sha256`, so that
//! the store itself refuses other bytes, and a precondition, so that nothing is
//! overwritten and a write whose reply was lost can be sent again: the second
//! one is refused with 412, the object is read, and it is ours. A store that
//! ignores preconditions (AWS has them since 2024) is not for this. Redirects are
//! never followed, TLS is used unless the endpoint says `http://`.

mod body;
mod client;
mod config;
mod container;
mod credentials;
mod encryption;
mod fault;
mod http;
mod identity;
mod instance;
mod reading;
mod reply;
mod retry;
mod settings;
mod sts;

use std::fmt;
use std::sync::Arc;

use argo_attest_core::store_address::StoreAddress;
use async_trait::async_trait;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

pub use crate::net::{Proxies, Trust};
pub use config::{Addressing, Endpoint, InvalidEndpoint, Limits, S3Config};
pub use container::Container;
pub use credentials::{AssumedRole, Credentials, KeyPair, WebIdentity};
pub use encryption::{CustomerKeys, Encryption};
pub use instance::Instance;
pub use reply::Reply;
pub use settings::ConfigError;

use argo_attest_core::digest::Sha256Digest;

use self::client::Client;
use self::fault::Fault;
use super::{
    Checksums, Corruption, Object, ObjectInfo, ObjectKey, ObjectStream, Operation, PutMode, PutOutcome,
    Revision, Store, StoreError,
};

/// The one algorithm that there is for a customer's key.
const CUSTOMER: &str = "AES256";

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

    async fn put_once(
        &self,
        target: &Target,
        bytes: &Bytes,
        digest: &Sha256Digest,
        mode: &PutMode,
    ) -> Result<PutOutcome, Fault> {
        let customer = self.client.customer_key(target).await?;
        let request = self
            .client
            .s3()
            .put_object()
            .bucket(self.client.bucket())
            .key(&target.key)
            .content_length(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
            .checksum_sha256(STANDARD.encode(digest.as_bytes()))
            .body(ByteStream::from(bytes.clone()))
            .set_sse_customer_algorithm(customer.as_ref().map(|_| CUSTOMER.to_owned()))
            .set_sse_customer_key(customer.as_ref().map(|customer| customer.key.to_string()))
            .set_sse_customer_key_md5(customer.map(|customer| customer.md5));
        let request = match &self.client.config.encryption {
            Encryption::Default | Encryption::Customer(_) => request,
            Encryption::Managed => request.server_side_encryption(ServerSideEncryption::Aes256),
            Encryption::Kms { key_id, context } => request
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key_id)
                .set_ssekms_encryption_context(context.clone()),
        };
        // RFC 9110 section 13.1, as S3's conditional writes have it.
        let request = match mode {
            PutMode::Create => request.if_none_match("*"),
            PutMode::Replace(revision) => request.if_match(revision.as_str()),
        };
        let reply = Box::pin(async {
            request.send().await.map_err(|error| Fault::from_sdk(error, Operation::Write))
        });
        match self.client.answer(bytes.len(), reply).await {
            Ok(output) => written(target, &output, bytes.len(), digest),
            Err(fault) => match fault.status() {
                Some(412) => self.compare(target, bytes, mode, None).await,
                Some(409) => self.compare(target, bytes, mode, Some(fault)).await,
                _ => Err(fault),
            },
        }
    }

    /// After a refused precondition: is what is there ours? `refusal` is what to
    /// say if nothing is there, where that is possible.
    async fn compare(
        &self,
        target: &Target,
        bytes: &Bytes,
        mode: &PutMode,
        refusal: Option<Fault>,
    ) -> Result<PutOutcome, Fault> {
        match self.client.read_once(target, bytes.len() as u64).await {
            Ok(there) if there.bytes == *bytes => Ok(PutOutcome::AlreadyThere(there.info)),
            // A write that collided may still be repeated; S3 asks for that with 409.
            Ok(_) | Err(Fault::Final(StoreError::TooLarge { .. })) => match (refusal, mode) {
                (Some(fault), PutMode::Replace(_)) if fault.is_transient() => Err(fault),
                _ => Err(Fault::Final(StoreError::Conflict { uri: target.uri.clone() })),
            },
            Err(fault) if fault.status() == Some(404) => match (refusal, mode) {
                (Some(refusal), _) => Err(refusal),
                (None, PutMode::Create) => Err(Fault::Odd("the object went away while it was compared")),
                (None, PutMode::Replace(_)) => Err(fault),
            },
            Err(other) => Err(other),
        }
    }
}

fn written(
    target: &Target,
    output: &PutObjectOutput,
    size: usize,
    digest: &Sha256Digest,
) -> Result<PutOutcome, Fault> {
    let confirmed = reading::sha256(output.checksum_sha256());
    if confirmed.is_some_and(|confirmed| confirmed != *digest) {
        let uri = target.uri.clone();
        return Err(Fault::Final(StoreError::Corrupt { uri, kind: Corruption::Confirmed }));
    }
    let etag = output.e_tag().ok_or(Fault::Odd("the store confirmed a write without an ETag"))?;
    Ok(PutOutcome::Written(ObjectInfo {
        size: size as u64,
        revision: Revision::new(etag),
        version_id: output.version_id().map(str::to_owned),
        checksums: Checksums { sha256: confirmed, crc64nvme: None },
    }))
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

    async fn put(&self, key: &ObjectKey, bytes: Bytes, mode: PutMode) -> Result<PutOutcome, StoreError> {
        let target = self.target(key)?;
        let digest = Sha256Digest::of(&bytes);
        self.run(&target, || self.put_once(&target, &bytes, &digest, &mode)).await
    }

    fn retries(&self) -> u64 {
        self.client.retries()
    }
}
