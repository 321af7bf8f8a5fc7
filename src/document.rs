//! A document that a person names: a file, a pipe, `-` for standard input, or an object of a
//! store, `s3://bucket/key`. The one way in which an attestation or a policy is had by its name.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::relpath::{InvalidRelPath, RelPath};
use argo_attest_core::secret::shown_path;
use argo_attest_core::trouble::{Fault, Trouble};
use bytes::Bytes;

use crate::regular_file::{self, ReadError};
use crate::store::{self, Env, InvalidKey, InvalidLocation, Location, ObjectKey, Store, StoreError};

/// What the name of an object begins with. A file of such a name: `./s3:…`.
const SCHEME: &str = "s3://";

/// The name of a document, as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentName {
    /// A file, a pipe, or `-`, standard input.
    File(PathBuf),
    /// An object.
    Object {
        /// Its bucket.
        location: Location,
        /// Its key there.
        key: ObjectKey,
    },
}

/// What begins as an object's name does, and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write s3://bucket/key")]
pub struct InvalidName(InvalidLocation);

/// A document whose place is known: what is named in it is read beside it.
#[derive(Debug, Clone)]
pub enum Document {
    /// A file, a pipe, or `-`, standard input.
    File(PathBuf),
    /// An object.
    Object {
        /// What holds it. Nothing was asked of it yet.
        store: Arc<dyn Store>,
        /// Its key there.
        key: ObjectKey,
    },
}

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// There is no such file.
    #[error("{0} does not exist")]
    Missing(String),
    /// A file that cannot be read.
    #[error("{name}: {why}")]
    File {
        /// Which, printable.
        name: String,
        /// Why.
        why: ReadError,
    },
    /// The store does not give it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a name in a document leads to no object beside it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBeside {
    /// It would lead out of the place.
    #[error(transparent)]
    Path(#[from] InvalidRelPath),
    /// The key would be none.
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

impl TryFrom<OsString> for DocumentName {
    type Error = InvalidName;

    fn try_from(name: OsString) -> Result<Self, InvalidName> {
        match name.to_str().filter(|name| name.starts_with(SCHEME)) {
            None => Ok(Self::File(name.into())),
            Some(uri) => {
                let (location, key) = Location::artifact(uri).map_err(InvalidName)?;
                Ok(Self::Object { location, key })
            }
        }
    }
}

impl DocumentName {
    /// Opens its place, as a person at a command line has it opened
    /// ([`store::open_named`]); makes no request yet.
    pub fn open(&self, env: &dyn Env) -> Result<Document, StoreError> {
        Ok(match self {
            Self::File(path) => Document::File(path.clone()),
            Self::Object { location, key } => {
                Document::Object { store: store::open_named(location, env)?.into(), key: key.clone() }
            }
        })
    }
}

impl Document {
    /// All of it, if it has no more than `limit` bytes.
    pub async fn read(&self, limit: usize) -> Result<Bytes, DocumentError> {
        tracing::debug!(document = %self, "reading");
        match self {
            Self::File(path) => {
                let read = regular_file::read_named(path, limit).map_err(|why| match why {
                    ReadError::Missing(_) => DocumentError::Missing(self.to_string()),
                    why => DocumentError::File { name: self.to_string(), why },
                });
                Ok(read?.into())
            }
            Self::Object { store, key } => {
                Ok(store.get(key, u64::try_from(limit).unwrap_or(u64::MAX)).await?.bytes)
            }
        }
    }

    /// What is at this path, which the document names as seen from where it lies itself. From an
    /// object it leads to another of its bucket, beside it or beneath, and nowhere else.
    pub fn beside(&self, path: &Path) -> Result<Self, NotBeside> {
        Ok(match self {
            Self::File(file) => Self::File(file.parent().unwrap_or_else(|| Path::new("")).join(path)),
            Self::Object { store, key } => {
                let path = path.strip_prefix(".").unwrap_or(path);
                let path = ObjectKey::for_path(&RelPath::from_bytes(path.as_os_str().as_bytes())?)?;
                let key = match key.as_str().rsplit_once('/') {
                    Some((directory, _)) => ObjectKey::new(&format!("{directory}/{}", path.as_str()))?,
                    None => path,
                };
                Self::Object { store: Arc::clone(store), key }
            }
        })
    }
}

/// For people: as it was given, in the printable form.
impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown_path(path)),
            Self::Object { store, key } => f.write_str(&store.uri(key)),
        }
    }
}

impl Trouble for DocumentError {
    fn fault(&self) -> Fault {
        match self {
            Self::Missing(_) => Fault::Missing,
            Self::File { why, .. } => why.fault(),
            // Of a file or an object, the same.
            Self::Store(StoreError::TooLarge { .. }) => Fault::Malformed,
            Self::Store(error) => error.fault(),
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some("check the path".to_owned()),
            Self::File { why: ReadError::NotRegular("a directory"), .. } => {
                Some("name one of the files in it".to_owned())
            }
            Self::File { why, .. } => why.remedy(),
            Self::Store(error) => error.remedy(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, PutMode};

    fn name(text: &str) -> Result<DocumentName, InvalidName> {
        OsString::from(text).try_into()
    }

    fn object(key: &str) -> Document {
        Document::Object { store: Arc::new(MemoryStore::default()), key: ObjectKey::new(key).unwrap() }
    }

    #[test]
    fn a_name_is_a_file_or_an_object() {
        for file in ["-", "a.json", "./s3://b/k", "file:///x", "s3:/bucket/k"] {
            assert_eq!(name(file), Ok(DocumentName::File(file.into())));
        }
        match name("s3://bucket/a/b").unwrap() {
            DocumentName::Object { location, key } => {
                assert_eq!((location.to_string().as_str(), key.as_str()), ("s3://bucket", "a/b"));
            }
            file @ DocumentName::File(_) => panic!("{file:?}"),
        }
        let none = name("s3://bucket").unwrap_err().to_string();
        assert!(none.ends_with("; write s3://bucket/key"), "{none}");
    }

    #[test]
    fn what_an_object_names_stays_in_its_bucket() {
        let beside = |key: &str, path: &str| match object(key).beside(Path::new(path)) {
            Ok(Document::Object { key, .. }) => Ok(key.as_str().to_owned()),
            Ok(file @ Document::File(_)) => panic!("{file:?}"),
            Err(why) => Err(why),
        };
        assert_eq!(beside("policy.yaml", "ci.pub"), Ok("ci.pub".to_owned()));
        assert_eq!(beside("a/b/policy.yaml", "./keys/ci.pub"), Ok("a/b/keys/ci.pub".to_owned()));
        assert_eq!(beside("a/p", "/etc/ci.pub"), Err(InvalidRelPath::Absolute.into()));
        assert_eq!(beside("a/p", "../ci.pub"), Err(InvalidRelPath::Component.into()));
        assert_eq!(beside("a/p", ""), Err(InvalidKey::Empty.into()));
        match Document::File("a/policy.yaml".into()).beside(Path::new("ci.pub")) {
            Ok(Document::File(path)) => assert_eq!(path, Path::new("a/ci.pub")),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn both_are_read_within_the_limit() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("k"), "0123456789").unwrap();
        let stored = object("k");
        let Document::Object { store, key } = &stored else { panic!("{stored:?}") };
        store.put(key, Bytes::from_static(b"0123456789"), PutMode::Create).await.unwrap();
        for (there, none) in [
            (Document::File(dir.path().join("k")), Document::File(dir.path().join("x"))),
            (stored, object("x")),
        ] {
            assert_eq!(there.read(10).await.unwrap(), "0123456789");
            assert_eq!(there.read(9).await.unwrap_err().fault(), Fault::Malformed);
            let missing = none.read(9).await.unwrap_err();
            assert_eq!(missing.fault(), Fault::Missing, "{missing}");
            assert!(missing.remedy().is_some(), "{missing}");
        }
        let directory = Document::File(dir.path().into()).read(9).await.unwrap_err();
        assert_eq!(directory.remedy().unwrap(), "name one of the files in it");
    }
}
