//! Why the pod could not be told.

use std::io;
use std::path::PathBuf;

use crate::secret::{InvalidToken, shown_path};

/// Why a request to the API server came to nothing. None of it matters to the step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Not in a pod, or the pod's name was not given.
    #[error("{0} is not known")]
    Unknown(&'static str),
    /// A name that cannot be one of Kubernetes's, and so cannot be in a URL.
    #[error("{what} {name:?} is not a name in Kubernetes")]
    Name {
        /// Whose name.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// There is no service account's token, or the file holds none that could be sent.
    #[error("the service account's token, {}, is not sent", shown_path(path))]
    Token {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: InvalidToken,
    },
    /// Another file of the service account's cannot be read.
    #[error("cannot read {}", shown_path(path))]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The cluster's authority is not usable.
    #[error("{} holds no usable CA certificate", shown_path(path))]
    Authority {
        /// The file.
        path: PathBuf,
    },
    /// The API server's address makes no request.
    #[error("the API server's address cannot be used")]
    Address(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No connection, or no answer on it.
    #[error("the API server did not answer")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered, and not with success.
    #[error("the API server refused: {status}{}", message.as_deref().map(|m| format!(" ({m})")).unwrap_or_default())]
    Refused {
        /// HTTP status. 401 and 403: the service account may not.
        status: u16,
        /// The answer's own sentence, on one line and shortened.
        message: Option<String>,
    },
}
