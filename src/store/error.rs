//! What can go wrong with a store, which side it was, and what to do about it.

use argo_attest_core::trouble::{Fault, Trouble};
use std::{fmt, io};

use argo_attest_core::relpath::{InvalidRelPath, printable};

use super::{ConfigError, InvalidKey};

/// Another library's error as a source. It never holds credentials.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// What a store's server said: status, code and the id its operator can look
/// for in its logs. Everything in it came from elsewhere and is made printable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// S3's error code, such as `AccessDenied`. A reply to HEAD has none.
    pub code: Option<String>,
    /// The server's sentence, cut to 200 characters.
    pub message: Option<String>,
    /// `x-amz-request-id`.
    pub request_id: Option<String>,
    /// `x-amz-bucket-region`, on a reply that says "not this region".
    pub region: Option<String>,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

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
    #[error("{uri}: {action} was denied: {reply}")]
    Denied {
        /// The object.
        uri: String,
        /// The S3 action, such as `s3:GetObject`.
        action: &'static str,
        /// The store's answer.
        reply: Box<Reply>,
    },
    /// No useful answer within the deadline, with all retries.
    #[error("{uri}: no useful answer from the store (attempts: {attempts})")]
    Unreachable {
        /// The object.
        uri: String,
        /// Attempts made.
        attempts: u64,
        /// The last attempt's failure.
        #[source]
        source: Source,
    },
    /// TLS could not be agreed: a wrong certificate, name or authority.
    #[error("{uri}: the store's TLS certificate was not accepted")]
    Tls {
        /// The object.
        uri: String,
        /// Why.
        #[source]
        source: Source,
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
    #[error("{uri} came broken")]
    Corrupt {
        /// The object.
        uri: String,
        /// In what way.
        #[source]
        kind: Corruption,
    },
    /// The store refused in a way that trying again does not change.
    #[error("{uri}: the store refused {action}: {reply}")]
    Rejected {
        /// The object.
        uri: String,
        /// The S3 action.
        action: &'static str,
        /// The store's answer.
        reply: Box<Reply>,
    },
    /// The settings do not make a store.
    #[error("{uri}: the settings for this store are not usable")]
    Config {
        /// The location or object.
        uri: String,
        /// What is wrong.
        #[source]
        source: ConfigError,
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
    /// Its kind.
    pub fn kind(&self) -> StoreErrorKind {
        match self {
            Self::NotFound { .. } | Self::NoBucket { .. } | Self::NoDirectory { .. } => {
                StoreErrorKind::NotFound
            }
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

    /// Whether the request was understood, its signature good, and the answer no.
    /// S3 denies, too, what is not there to those who may not list the bucket.
    pub fn is_access_denied(&self) -> bool {
        matches!(self, Self::Denied { reply, .. } if reply.code.as_deref() == Some("AccessDenied"))
    }

    /// The object or location it is about.
    pub fn uri(&self) -> &str {
        match self {
            Self::NotFound { uri }
            | Self::NoBucket { uri }
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
        Some(match self {
            Self::NotFound { .. } => "check the name, and that whoever writes it has finished".to_owned(),
            Self::NoBucket { .. } => "create the bucket, or correct its name or the endpoint".to_owned(),
            Self::NoDirectory { .. } => "make the directory, or correct the store's address".to_owned(),
            Self::Conflict { .. } => {
                "find out who wrote it; move it away if it should not be there, nothing was overwritten"
                    .to_owned()
            }
            Self::Denied { uri, action, reply } => denied_remedy(uri, action, reply),
            Self::Unreachable { .. } => {
                "check the endpoint (AWS_ENDPOINT_URL_S3) and the network, and try again".to_owned()
            }
            Self::Tls { .. } => {
                "set AWS_CA_BUNDLE to the CA certificates that the endpoint's certificate is signed by, \
                 and use the host name that is in it"
                    .to_owned()
            }
            Self::TooLarge { .. } => "check that this is the object you mean".to_owned(),
            Self::Corrupt { .. } => "try again; if it stays, the store's copy is damaged".to_owned(),
            Self::Rejected { reply, .. } => rejected_remedy(reply),
            Self::Config { source, .. } => return source.remedy(),
            Self::Path { .. } | Self::Key { .. } => {
                "choose a shorter name without empty, `.` or `..` parts".to_owned()
            }
            Self::NotAFile { .. } => "remove what is there, or choose another name".to_owned(),
            Self::Io { .. } => "check the directory's permissions and free space".to_owned(),
        })
    }
}

fn denied_remedy(uri: &str, action: &str, reply: &Reply) -> String {
    match reply.code.as_deref() {
        Some("SignatureDoesNotMatch") => "check AWS_SECRET_ACCESS_KEY".to_owned(),
        Some("InvalidAccessKeyId") => {
            "check AWS_ACCESS_KEY_ID, and that the endpoint is the right one".into()
        }
        Some("ExpiredToken" | "InvalidToken") => "renew the session's credentials".to_owned(),
        Some("RequestTimeTooSkewed") => "correct this machine's clock".to_owned(),
        _ => format!(
            "grant {action} on {uri} (without s3:ListBucket, S3 answers so for an object that is missing)"
        ),
    }
}

fn rejected_remedy(reply: &Reply) -> String {
    match (&reply.region, reply.status) {
        (Some(region), _) => format!("set AWS_REGION={region}"),
        (None, 300..400) => {
            "set AWS_ENDPOINT_URL_S3 to the address it points to, if you trust that".to_owned()
        }
        _ => "check the endpoint, the region (AWS_REGION) and the bucket's rules".to_owned(),
    }
}

/// Foreign text made printable and no longer than a line.
pub(super) fn foreign(text: &str) -> String {
    const LIMIT: usize = 200;
    let shown = printable(text.as_bytes());
    match shown.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_one_printable_line() {
        let reply = Reply {
            status: 403,
            code: Some(foreign("AccessDenied")),
            message: Some(foreign("no\n\x1b[31mway")),
            request_id: Some(foreign("4442587FB7D0A2F9")),
            region: None,
        };
        assert_eq!(reply.to_string(), "403 AccessDenied: no%0A%1B[31mway (request id 4442587FB7D0A2F9)");
        assert_eq!(foreign(&"é".repeat(500)).chars().count(), 201);
    }

    #[test]
    fn remedies_name_what_to_set() {
        let uri = || "s3://b/k".to_owned();
        let denied = |code: &str| StoreError::Denied {
            uri: uri(),
            action: "s3:GetObject",
            reply: Reply { status: 403, code: Some(code.to_owned()), ..Reply::default() }.into(),
        };
        assert!(denied("AccessDenied").remedy().unwrap().starts_with("grant s3:GetObject on s3://b/k"));
        assert_eq!(denied("SignatureDoesNotMatch").remedy().unwrap(), "check AWS_SECRET_ACCESS_KEY");
        let moved = StoreError::Rejected {
            uri: uri(),
            action: "s3:GetObject",
            reply: Reply { status: 301, region: Some("eu-west-1".to_owned()), ..Reply::default() }.into(),
        };
        assert_eq!(moved.remedy().unwrap(), "set AWS_REGION=eu-west-1");
        let none = StoreError::Config { uri: uri(), source: ConfigError::NoCredentials };
        assert_eq!(none.kind(), StoreErrorKind::Config);
        assert!(none.remedy().unwrap().contains("AWS_ACCESS_KEY_ID"));
    }
}
