//! Why the API server could not be asked, or the pod not be told.

use std::io;
use std::path::PathBuf;

use argo_attest_core::secret::shown_path;

use crate::token::InvalidToken;

/// Why a request to the API server came to nothing.
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
    /// It answered with more than is read.
    #[error("the API server's answer has more than {limit} bytes")]
    TooLarge {
        /// How many are read.
        limit: usize,
    },
    /// It took longer than it may.
    #[error("the API server did not answer within {seconds} seconds")]
    Late {
        /// How long it had.
        seconds: u64,
    },
}

impl ClusterError {
    /// Whether another try may end otherwise: nobody said no.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Late { .. } => true,
            // RFC 9110 section 15.5.9, RFC 6585 section 4, and the server's own troubles.
            Self::Refused { status, .. } => matches!(status, 408 | 429 | 500..=599),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_told_apart_from_what_was_not_answered() {
        for (status, passing) in [
            (401, false),
            (403, false),
            (404, false),
            (301, false),
            (408, true),
            (429, true),
            (500, true),
            (503, true),
        ] {
            assert_eq!(ClusterError::Refused { status, message: None }.is_passing(), passing, "{status}");
        }
        assert!(ClusterError::Unreachable("gone".into()).is_passing());
        assert!(ClusterError::Late { seconds: 5 }.is_passing());
        assert!(!ClusterError::TooLarge { limit: 1 }.is_passing());
        assert!(!ClusterError::Unknown("the pod's name").is_passing());
    }
}
