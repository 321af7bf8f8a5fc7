//! Why the API server could not be asked, or the pod not be told.

use std::io;
use std::path::PathBuf;

use argo_attest_core::secret::shown_path;

use argo_attest_core::kubeconfig::KubeconfigError;
use argo_attest_core::trouble::{Fault, Trouble};

use super::exec::ExecError;
use crate::net::{InvalidProxy, TrustError};
use crate::regular_file::ReadError;
use crate::token::InvalidToken;

/// Why it is not known how to reach an API server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// Nothing says where one is.
    #[error("it is not known where the API server is: there is no kubeconfig, and this is no pod")]
    None,
    /// `KUBECONFIG` names nothing that is there.
    #[error("no file that KUBECONFIG names is there")]
    NoFile,
    /// The kubeconfig does not say how.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[from] KubeconfigError),
    /// A file that it names, or itself, cannot be read.
    #[error("cannot read {path}")]
    File {
        /// The file, printable.
        path: String,
        /// Why not.
        source: ReadError,
    },
    /// Its address is none.
    #[error("the server's address in the kubeconfig is no URL that can be used")]
    Server,
    /// A token would be sent in the clear.
    #[error("the server is reached over http, and a token would be sent where everybody can read it")]
    Insecure,
    /// What should be a token is none.
    #[error("the token in the kubeconfig is none that could be sent")]
    NoToken,
    /// The cluster's authority is not usable.
    #[error("it is not known whom to believe that this is the API server")]
    Trust(#[from] TrustError),
    /// The client's own certificate is not usable.
    #[error("the client certificate, or its key, cannot be used")]
    Identity(#[from] rustls::Error),
    /// The environment names a proxy that is none.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
    /// The program that gives credentials gave none.
    #[error("{program} gave no credentials")]
    Exec {
        /// The program, printable.
        program: String,
        /// Why not.
        source: ExecError,
    },
}

impl Trouble for AccessError {
    fn fault(&self) -> Fault {
        match self {
            Self::None | Self::NoFile => Fault::Missing,
            Self::Kubeconfig(error) => error.fault(),
            Self::File { source, .. } => source.fault(),
            Self::Server => Fault::Malformed,
            Self::Insecure | Self::NoToken | Self::Identity(_) | Self::Exec { .. } | Self::Trust(_) => {
                Fault::Permission
            }
            Self::Proxy(_) => Fault::Usage,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Kubeconfig(error) => return error.remedy(),
            Self::None | Self::NoFile => {
                "set KUBECONFIG, or give the workflow itself: kubectl get workflow NAME -o json | argo-attest \
                 audit -f -"
                    .to_owned()
            }
            _ => "check that `kubectl get workflows` works, with the same KUBECONFIG".to_owned(),
        })
    }
}

impl Trouble for ClusterError {
    fn fault(&self) -> Fault {
        match self {
            Self::Unknown(_) | Self::Name { .. } | Self::Address(_) => Fault::Usage,
            Self::Token { .. }
            | Self::Authority { .. }
            | Self::Credentials { .. }
            | Self::Refused { status: 401 | 403, .. } => Fault::Permission,
            Self::Refused { status: 404, .. } => Fault::Missing,
            Self::Unreachable(_) | Self::Late { .. } | Self::Refused { .. } => Fault::Unavailable,
            Self::TooLarge { .. } => Fault::Malformed,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Refused { status: 401 | 403, .. } => {
                    "let this account get and list workflows of the namespace (workflow-templates/audit-nightly.yaml)"
                }
                Self::Refused { status: 404, .. } | Self::Name { .. } => "check the namespace and the name",
                Self::TooLarge { .. } => "give what `argo get NAME -o json` prints: argo-attest audit -f -",
                _ => "check that `kubectl get workflows` works, with the same KUBECONFIG",
            }
            .to_owned(),
        )
    }
}

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
