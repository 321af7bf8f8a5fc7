//! Where an artifact is stored: objects, buckets, and what is not known of them.

use std::fmt;
use std::sync::Arc;

use super::path;
use crate::relpath::RelPath;

/// Kinds of artifact storage that Argo knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreKind {
    /// S3 and what speaks its protocol.
    S3,
    /// A git repository (inputs only).
    Git,
    /// An HTTP address.
    Http,
    /// Text in the template itself (inputs only).
    Raw,
    /// `JFrog` Artifactory.
    Artifactory,
    /// Hadoop's file system.
    Hdfs,
    /// Alibaba Cloud OSS.
    Oss,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
    /// An artifact driver plugin (Argo 4.0 and later).
    Plugin,
}

impl StoreKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::S3,
        Self::Git,
        Self::Http,
        Self::Raw,
        Self::Artifactory,
        Self::Hdfs,
        Self::Oss,
        Self::Gcs,
        Self::Azure,
        Self::Plugin,
    ];

    /// Its name in a template.
    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Git => "git",
            Self::Http => "http",
            Self::Raw => "raw",
            Self::Artifactory => "artifactory",
            Self::Hdfs => "hdfs",
            Self::Oss => "oss",
            Self::Gcs => "gcs",
            Self::Azure => "azure",
            Self::Plugin => "plugin",
        }
    }
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One key of a Kubernetes Secret. Argo's own containers find it as the file
/// `/argo/secret/<name>/<key>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretKey {
    /// The Secret's name.
    pub name: String,
    /// The key within it.
    pub key: String,
}

/// Where artifacts are kept, by kind of store. What is not among these is
/// [`Unlocated::Unsupported`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ArtifactStore {
    /// A bucket of S3, or of what speaks its protocol.
    S3(S3Bucket),
}

impl ArtifactStore {
    /// Its kind.
    pub fn kind(&self) -> StoreKind {
        match self {
            Self::S3(_) => StoreKind::S3,
        }
    }

    /// The name of the bucket (Azure: of the container), which is unique within its server.
    pub fn bucket(&self) -> &str {
        match self {
            Self::S3(s3) => &s3.bucket,
        }
    }

    /// Which server it is on: for two spellings of one host, with the port that it has
    /// anyway or without, the same text.
    pub fn server(&self) -> String {
        match self {
            Self::S3(s3) => s3.server(),
        }
    }

    /// The server's address, for a statement; none, if what stands there might be a
    /// credential.
    pub fn endpoint_url(&self) -> Option<String> {
        match self {
            // No S3 client takes a user name in an endpoint; one that stands there by
            // mistake is a credential all the same.
            Self::S3(s3) => {
                Some(s3.endpoint_url()).filter(|_| !s3.endpoint.is_empty() && !s3.endpoint.contains('@'))
            }
        }
    }

    /// The uri of what is under `key`, printable.
    pub fn uri(&self, key: &str) -> String {
        let scheme = match self {
            Self::S3(_) => "s3",
        };
        let text = format!("{}/{key}", self.bucket());
        format!("{scheme}://{}", crate::relpath::printable(text.as_bytes()))
    }

    /// Whether Argo's client for this kind of store takes the key.
    fn check(&self, key: &str) -> Result<(), KeyError> {
        match self {
            // minio-go, `CheckValidObjectName`.
            Self::S3(_) if key.trim().is_empty() => Err(KeyError::Empty),
            Self::S3(_) if key.len() > 1024 => Err(KeyError::TooLong),
            Self::S3(_) => Ok(()),
        }
    }
}

/// An S3 bucket and how to reach it, as the template gives it. No credentials:
/// only the names of the Secrets that hold them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct S3Bucket {
    /// Host, and port if it is not the default one; no scheme.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// The region, if one is given.
    pub region: Option<String>,
    /// Whether plain HTTP is spoken.
    pub insecure: bool,
    /// A role to assume, by its ARN.
    pub role_arn: Option<String>,
    /// Whether the SDK's own credential chain is to be used.
    pub use_sdk_creds: bool,
    /// Where the access key id is.
    pub access_key: Option<SecretKey>,
    /// Where the secret access key is.
    pub secret_key: Option<SecretKey>,
    /// Where the session token is.
    pub session_token: Option<SecretKey>,
    /// Where the CA bundle for TLS is.
    pub ca: Option<SecretKey>,
    /// Where the bucket's name goes in a request.
    pub addressing: Addressing,
    /// Whether Argo makes the bucket when it stores something.
    pub creates_bucket: bool,
    /// How objects are encrypted.
    pub encryption: EncryptionOptions,
}

/// How the store is to encrypt objects (`encryptionOptions`), as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct EncryptionOptions {
    /// Whether the rest is used at all.
    pub enabled: bool,
    /// The key of the store's own key management (SSE-KMS).
    pub kms_key_id: Option<String>,
    /// What goes with that key, as JSON.
    pub kms_context: Option<String>,
    /// Where the secret is that the customer's encryption keys (SSE-C) are made of: without
    /// its key an object can be neither read nor asked about.
    pub customer_key: Option<SecretKey>,
}

/// Where the bucket's name goes in a request (`addressingStyle`, Argo 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Addressing {
    /// Where the host wants it.
    #[default]
    Auto,
    /// Into the path.
    Path,
    /// Into the host's name.
    VirtualHosted,
}

impl Addressing {
    /// As Argo reads it (`parseAddressingStyle`): what it does not know is the default.
    pub(super) fn from_text(text: &str) -> Self {
        match text {
            "path" => Self::Path,
            "virtual-hosted" => Self::VirtualHosted,
            _ => Self::Auto,
        }
    }
}

impl S3Bucket {
    /// The address of the endpoint, with its scheme.
    pub fn endpoint_url(&self) -> String {
        format!("{}://{}", if self.insecure { "http" } else { "https" }, self.endpoint)
    }

    fn server(&self) -> String {
        let host = self.endpoint.to_ascii_lowercase();
        let port = if self.insecure { ":80" } else { ":443" };
        host.strip_suffix(port).unwrap_or(&host).trim_end_matches('.').to_owned()
    }
}

/// One object in a store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectRef {
    /// The store that holds it.
    pub store: Arc<ArtifactStore>,
    key: String,
}

/// Why a text is no object key that Argo could write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, or white space only.
    #[error("the object key is empty")]
    Empty,
    /// Longer than the 1024 bytes that S3 allows.
    #[error("the object key has more than 1024 bytes")]
    TooLong,
    /// A file name beneath a directory that is not UTF-8, which a key must be.
    #[error("the file name is not UTF-8, so the object cannot have a key")]
    NotUtf8,
}

impl ObjectRef {
    /// The object `key` of `store`, by the rules that Argo's client for such a store has
    /// for keys.
    pub fn new(store: Arc<ArtifactStore>, key: String) -> Result<Self, KeyError> {
        store.check(&key)?;
        Ok(Self { store, key })
    }

    /// The object's key, exactly as it is in the store.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The object for the file `rel` of a directory that is stored as one object
    /// a file: key and path joined and cleaned (`generatePutTasks` in Argo's
    /// workflow/artifacts/s3/s3.go). For the root, this object itself.
    pub fn beneath(&self, rel: &RelPath) -> Result<Self, KeyError> {
        if rel.is_root() {
            return Ok(self.clone());
        }
        let rel = std::str::from_utf8(rel.as_bytes()).map_err(|_| KeyError::NotUtf8)?;
        Self::new(Arc::clone(&self.store), path::join(&self.key, rel))
    }

    /// What the keys of a directory's objects begin with, slash included.
    pub fn directory_prefix(&self) -> String {
        format!("{}/", path::clean(&self.key).trim_end_matches('/'))
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.store.uri(&self.key))
    }
}

/// Why the object of an artifact is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlocated {
    /// It is in a kind of store that is not supported.
    #[error("artifacts in {0} storage are not supported")]
    Unsupported(StoreKind),
    /// It names more than one kind of store.
    #[error("the artifact names more than one kind of storage")]
    Ambiguous,
    /// It has no complete location, and the step has no `archiveLocation` to
    /// complete it from.
    #[error("the artifact has no complete location and the step has no archive location")]
    NoRepository,
    /// The archive location lacks an endpoint or a bucket.
    #[error("the archive location has no {0}")]
    Incomplete(&'static str),
    /// A variable in the location was left unresolved.
    #[error("the location holds an unresolved variable")]
    Unresolved,
    /// What would be the key is not one.
    #[error(transparent)]
    Key(#[from] KeyError),
}
