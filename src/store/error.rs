//! What can go wrong with a store, which side it was, and what to do about it.

use argo_attest_core::trouble::{Fault, Trouble};
use std::borrow::Cow;
use std::io;

use argo_attest_core::relpath::InvalidRelPath;

use super::{Denial, InvalidKey, Refusal};

/// Another library's error as a source. It never holds credentials.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// How the bytes that came differ from those announced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    /// Another number of bytes.
    #[error("{announced} bytes were announced and {received} came")]
    Length {
        /// As the store said first.
        announced: u64,
        /// As counted; counting stops once it is more than announced.
        received: u64,
    },
    /// The store did not say how many bytes there are.
    #[error("the store did not announce a length")]
    NoLength,
    /// The bytes do not have the checksum the store holds for them.
    #[error("the bytes do not match the store's own checksum")]
    Checksum,
    /// The object was replaced while it was read.
    #[error("the object changed while it was read")]
    Changed,
    /// The store confirmed a write with another checksum than that of the bytes.
    #[error("the store confirmed other bytes than were sent")]
    Confirmed,
}

/// A failure of a store, with the uri it was about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such object.
    #[error("{uri} does not exist")]
    NotFound {
        /// The object.
        uri: String,
    },
    /// There is no such bucket.
    #[error("{uri}: the bucket does not exist")]
    NoBucket {
        /// The object asked for.
        uri: String,
    },
    /// There is no such bucket yet: somebody else makes it.
    #[error(
        "{uri}: the bucket does not exist yet; Argo makes it when it stores something (createBucketIfNotPresent)"
    )]
    NoBucketYet {
        /// The object that was to be written.
        uri: String,
    },
    /// A store that is a directory has none.
    #[error("{uri}, the store's directory, {problem}")]
    NoDirectory {
        /// The directory.
        uri: String,
        /// What is the matter with it, said of it.
        problem: &'static str,
    },
    /// Other bytes are under the key than the caller's, or than it expected.
    #[error("{uri} already holds other bytes")]
    Conflict {
        /// The object.
        uri: String,
    },
    /// The store knows us not, or does not let us.
    #[error("{uri}: {} was denied: {refusal}", refusal.asked())]
    Denied {
        /// The object.
        uri: String,
        /// On what grounds.
        denial: Denial,
        /// The store's answer.
        refusal: Box<Refusal>,
    },
    /// No useful answer within the deadline, with all retries.
    #[error("{uri}: no useful answer from {server} (attempts: {attempts})")]
    Unreachable {
        /// The object.
        uri: String,
        /// Who did not answer: the store, or who gives the credentials for it.
        server: Cow<'static, str>,
        /// Attempts made.
        attempts: u64,
        /// The last attempt's failure.
        #[source]
        source: Source,
        /// What to do about it, in the words of this kind of store.
        remedy: Option<String>,
    },
    /// TLS could not be agreed: a wrong certificate, name or authority.
    #[error("{uri}: the store's TLS certificate was not accepted")]
    Tls {
        /// The object.
        uri: String,
        /// Why.
        #[source]
        source: Source,
        /// What to do about it, in the words of this kind of store.
        remedy: Option<String>,
    },
    /// The object is longer than the caller allows.
    #[error("{uri} is longer than {limit} bytes")]
    TooLarge {
        /// The object.
        uri: String,
        /// The caller's limit in bytes.
        limit: u64,
    },
    /// What came is not what the store announced or confirmed.
    #[error("{uri} arrived damaged")]
    Corrupt {
        /// The object.
        uri: String,
        /// In what way.
        #[source]
        kind: Corruption,
    },
    /// The store refused in a way that trying again does not change.
    #[error("{uri}: the store refused {}: {refusal}", refusal.asked())]
    Rejected {
        /// The object.
        uri: String,
        /// The store's answer.
        refusal: Box<Refusal>,
    },
    /// The settings do not make a store.
    #[error("{uri}: the settings for this store are not usable")]
    Config {
        /// The location or object.
        uri: String,
        /// What is wrong, as the adapter tells it.
        #[source]
        source: Source,
        /// What to set, in the words of this kind of store.
        remedy: Option<String>,
    },
    /// The key cannot be a file's path beneath the store's directory.
    #[error("{uri} is no path beneath the store's directory")]
    Path {
        /// The object.
        uri: String,
        /// Why.
        #[source]
        source: InvalidRelPath,
    },
    /// Prefix and key make no valid key together.
    #[error("{uri} is no valid object key")]
    Key {
        /// The object.
        uri: String,
        /// Why.
        #[source]
        source: InvalidKey,
    },
    /// Something other than a regular file is where the object should be.
    #[error("{uri} is not a regular file")]
    NotAFile {
        /// The object.
        uri: String,
    },
    /// The file system failed.
    #[error("{uri}: cannot {operation}")]
    Io {
        /// The object or directory.
        uri: String,
        /// What was being done.
        operation: &'static str,
        /// How it failed.
        #[source]
        source: io::Error,
    },
}

/// A [`StoreError`] for exit codes and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The object, its bucket or its directory is missing.
    NotFound,
    /// Other bytes are there.
    Conflict,
    /// Credentials or permissions.
    Denied,
    /// Network, server or deadline; trying again later may help.
    Unreachable,
    /// Above the caller's limit.
    TooLarge,
    /// Bytes are not as announced.
    Corrupt,
    /// Refused for good, by the store or for the key's form.
    Rejected,
    /// Settings, including TLS trust.
    Config,
    /// The local file system.
    Io,
}

impl StoreError {
    /// That it was the same with another object, for which the store was not asked any more.
    pub(crate) fn about_another(&self, uri: &str) -> Self {
        let (server, source, remedy) = match self {
            Self::Unreachable { server, source, remedy, .. } => {
                (server.clone(), source.to_string(), remedy.clone())
            }
            other => ("the store".into(), other.to_string(), other.remedy()),
        };
        Self::Unreachable { uri: uri.to_owned(), server, attempts: 0, source: source.into(), remedy }
    }

    /// Its kind.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::NotFound { .. }
            | Self::NoBucket { .. }
            | Self::NoBucketYet { .. }
            | Self::NoDirectory { .. } => StoreErrorKind::NotFound,
            Self::Conflict { .. } => StoreErrorKind::Conflict,
            Self::Denied { .. } => StoreErrorKind::Denied,
            Self::Unreachable { .. } => StoreErrorKind::Unreachable,
            Self::TooLarge { .. } => StoreErrorKind::TooLarge,
            Self::Corrupt { .. } => StoreErrorKind::Corrupt,
            Self::Rejected { .. } | Self::Path { .. } | Self::Key { .. } | Self::NotAFile { .. } => {
                StoreErrorKind::Rejected
            }
            Self::Config { .. } | Self::Tls { .. } => StoreErrorKind::Config,
            Self::Io { .. } => StoreErrorKind::Io,
        }
    }

    /// Whether the store knew who asked, and the answer was no. Some stores deny, too,
    /// what is not there to those who may not list.
    pub fn is_access_denied(&self) -> bool {
        matches!(self, Self::Denied { denial: Denial::Permission, .. })
    }

    /// The object or location it is about.
    pub fn uri(&self) -> &str {
        match self {
            Self::NotFound { uri }
            | Self::NoBucket { uri }
            | Self::NoBucketYet { uri }
            | Self::NoDirectory { uri, .. }
            | Self::Conflict { uri }
            | Self::Denied { uri, .. }
            | Self::Unreachable { uri, .. }
            | Self::Tls { uri, .. }
            | Self::TooLarge { uri, .. }
            | Self::Corrupt { uri, .. }
            | Self::Rejected { uri, .. }
            | Self::Config { uri, .. }
            | Self::Path { uri, .. }
            | Self::Key { uri, .. }
            | Self::NotAFile { uri }
            | Self::Io { uri, .. } => uri,
        }
    }
}

impl From<StoreErrorKind> for Fault {
    fn from(kind: StoreErrorKind) -> Self {
        match kind {
            StoreErrorKind::NotFound => Self::Missing,
            StoreErrorKind::Unreachable => Self::Unavailable,
            StoreErrorKind::Config => Self::Usage,
            StoreErrorKind::Denied => Self::Permission,
            _ => Self::Io,
        }
    }
}

impl Trouble for StoreError {
    fn fault(&self) -> Fault {
        self.kind().into()
    }

    fn remedy(&self) -> Option<String> {
        let said =
            |remedy: &Option<String>, otherwise: &str| remedy.clone().unwrap_or_else(|| otherwise.to_owned());
        Some(match self {
            Self::NotFound { .. } => "check the name, and that whoever writes it has finished".to_owned(),
            Self::NoBucket { .. } => "create the bucket, or correct its name or the endpoint".to_owned(),
            Self::NoBucketYet { .. } => {
                "nothing, if Argo stores something in the step's end: then it is tried again; or make the bucket before the first step runs"
                    .to_owned()
            }
            Self::NoDirectory { .. } => "make the directory, or correct the store's address".to_owned(),
            Self::Conflict { .. } => {
                "find out who wrote it; move it away if it should not be there, nothing was overwritten"
                    .to_owned()
            }
            Self::Denied { uri, refusal, .. } => {
                said(&refusal.remedy, &format!("grant {} on {uri}", refusal.asked()))
            }
            Self::Unreachable { remedy, .. } => {
                said(remedy, "check the store's address and the network, and try again")
            }
            Self::Tls { remedy, .. } => said(
                remedy,
                "use the host name that is in the certificate, and name the authority that signed it",
            ),
            Self::TooLarge { .. } => "check that this is the object you mean".to_owned(),
            Self::Corrupt { .. } => "try again; if it stays, the store's copy is damaged".to_owned(),
            Self::Rejected { refusal, .. } => {
                said(&refusal.remedy, "check the store's address and its rules")
            }
            Self::Config { remedy, .. } => return remedy.clone(),
            Self::Path { .. } | Self::Key { .. } => {
                "choose a shorter name without empty, `.` or `..` parts".to_owned()
            }
            Self::NotAFile { .. } => "remove what is there, or choose another name".to_owned(),
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::InvalidFilename => {
                "give it a shorter name: an attestation's is 14 bytes longer than its artifact's, and a file system takes 255"
                    .to_owned()
            }
            Self::Io { .. } => "check the directory's permissions and free space".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Operation;

    #[test]
    fn the_adapters_remedy_goes_before_the_ports() {
        let denied = |remedy: Option<&str>| StoreError::Denied {
            uri: "gs://b/k".to_owned(),
            denial: Denial::Permission,
            refusal: Box::new(Refusal {
                operation: Operation::Read,
                permission: Some("storage.objects.get"),
                said: "403".to_owned(),
                id: None,
                remedy: remedy.map(str::to_owned),
            }),
        };
        assert_eq!(denied(None).to_string(), "gs://b/k: storage.objects.get was denied: 403");
        assert_eq!(denied(None).remedy().unwrap(), "grant storage.objects.get on gs://b/k");
        assert_eq!(denied(Some("ask for it")).remedy().unwrap(), "ask for it");
    }
}
