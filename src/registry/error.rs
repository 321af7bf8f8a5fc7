//! What can go wrong with a registry, and what to do about it.

use std::fmt;

use argo_attest_core::image::{InvalidReference, ManifestError};
use argo_attest_core::trouble::{Fault, Trouble};

use super::login::LoginError;
use crate::net::{Source, TrustError};

/// What to do where a registry denies something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Log in.
    LogIn,
    /// Log in otherwise: a program of Docker's configuration would have, which is not run.
    NotRun,
    /// Have more granted to who we are in AWS.
    Grant,
}

/// Why there is no login, where there should be one: as its source has it.
#[derive(Debug)]
pub struct NoLogin {
    pub(super) by: String,
    /// No secret is in it.
    pub(super) source: Source,
    pub(super) remedy: String,
    /// Whether it may be given soon.
    pub(super) is_passing: bool,
}

impl fmt::Display for NoLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for NoLogin {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

/// A failure of a registry. `what` is what was asked for, as an `oci://` address.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is none such.
    #[error("{what} does not exist, or may not be seen")]
    NotFound {
        /// What was asked for.
        what: String,
        /// Whether those are the registry's own words ("Error Codes" of OCI Distribution 1.1): a
        /// bare 404 may be of whatever stands before it.
        by_registry: bool,
    },
    /// The registry knows us not, or does not let us.
    #[error("{what}: the registry denied it ({said})")]
    Denied {
        /// What was asked for.
        what: String,
        /// The registry's answer: its status and its words, printable and short.
        said: String,
        /// What may help.
        advice: Advice,
    },
    /// Whoever has our login does not give it.
    #[error("{what}: {} gives no login", why.by)]
    NoLogin {
        /// What was asked for.
        what: String,
        /// Why not.
        #[source]
        why: Box<NoLogin>,
    },
    /// It refused in a way that trying again does not change.
    #[error("{what}: the registry refused it ({said})")]
    Refused {
        /// What was asked for.
        what: String,
        /// The registry's answer.
        said: String,
    },
    /// No useful answer, with all retries.
    #[error("{what}: no useful answer from {server} (attempts: {attempts})")]
    Unreachable {
        /// What was asked for.
        what: String,
        /// Who did not answer.
        server: String,
        /// Attempts made.
        attempts: u32,
        /// The last attempt's failure.
        #[source]
        source: Source,
    },
    /// More than is read.
    #[error("{what} is longer than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// What came is not what was asked for.
    #[error("{what}: the registry sent other bytes, of sha256:{found}")]
    OtherBytes {
        /// What was asked for, by digest.
        what: String,
        /// The digest of what came.
        found: String,
    },
    /// What came is no manifest.
    #[error("{what}: {source}")]
    Manifest {
        /// What was asked for.
        what: String,
        /// Why not.
        #[source]
        source: ManifestError,
    },
    /// Its answer makes no sense.
    #[error("{what}: the registry's answer makes no sense: {why}")]
    Nonsense {
        /// What was asked for.
        what: String,
        /// In what way.
        why: String,
    },
    /// The text names no image.
    #[error("{text} names no image: {source}")]
    Reference {
        /// The text, printable.
        text: String,
        /// Why not.
        #[source]
        source: InvalidReference,
    },
    /// Who we are cannot be read.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Nobody is believed whose certificate it could be.
    #[error("the registry's certificate could not be checked")]
    Trust(#[source] TrustError),
    /// The connection's settings.
    #[error("no connections can be made")]
    Settings(#[source] Source),
}

impl Trouble for RegistryError {
    fn fault(&self) -> Fault {
        match self {
            Self::NotFound { .. } => Fault::Missing,
            Self::NoLogin { why, .. } if why.is_passing => Fault::Unavailable,
            Self::Denied { .. } | Self::NoLogin { .. } | Self::Login(LoginError::File { .. }) => {
                Fault::Permission
            }
            Self::Unreachable { .. } => Fault::Unavailable,
            Self::Refused { .. } | Self::Nonsense { .. } => Fault::Io,
            Self::TooLarge { .. }
            | Self::OtherBytes { .. }
            | Self::Manifest { .. }
            | Self::Login(LoginError::Malformed { .. }) => Fault::Malformed,
            Self::Reference { .. } | Self::Trust(_) | Self::Settings(_) => Fault::Usage,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::NotFound { .. } => "check the name and the tag, and that you may read it",
                Self::Denied { advice: Advice::NotRun, .. } => {
                    "log in with a password or a token: the helper that Docker's configuration names is not run in a pod"
                }
                Self::Denied { advice: Advice::Grant, .. } => {
                    "grant ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on the repository to who asks, and to push also \
                     ecr:PutImage, ecr:BatchCheckLayerAvailability and ecr:*LayerUpload"
                }
                Self::NoLogin { why, .. } => &why.remedy,
                Self::Denied { .. } => {
                    "log in with docker login, or set DOCKER_CONFIG to the folder of a config.json that has the login"
                }
                Self::Refused { .. } => "see whether the registry takes OCI artifacts, and what its log says",
                Self::Unreachable { .. } => "check the registry's name; --plain-http is for those without TLS",
                Self::TooLarge { .. } | Self::OtherBytes { .. } | Self::Nonsense { .. } => {
                    "see whether this is the registry itself, and not a cache or a proxy before it"
                }
                Self::Manifest { .. } => "name an image, or an index of images",
                Self::Reference { .. } => "write oci://registry/repository:tag or oci://registry/repository@sha256:…",
                Self::Login(LoginError::File { .. }) => "check that the user this runs as may read it",
                Self::Login(LoginError::Malformed { .. }) => "write it anew with docker login",
                Self::Trust(_) => "name the authority's certificates in SSL_CERT_FILE",
                Self::Settings(_) => "check HTTPS_PROXY and NO_PROXY",
            }
            .to_owned(),
        )
    }
}
