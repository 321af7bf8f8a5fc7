//! Why a store that a template names cannot be opened.

use std::path::PathBuf;

use argo_attest_core::secret::shown_path;
use argo_attest_core::trouble::{Fault, Trouble};

use crate::store::{InvalidLocation, Source, StoreError};

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoresError {
    /// Not a bucket's name.
    #[error("the bucket {name:?} of the template is not usable")]
    Bucket {
        name: String,
        #[source]
        source: InvalidLocation,
    },
    /// Not a host.
    #[error("the endpoint {endpoint:?} of the template is not usable")]
    Endpoint {
        endpoint: String,
        #[source]
        source: Source,
    },
    /// Options for encryption that Argo refuses, too.
    #[error("the bucket {bucket} has encryptionOptions that {why}")]
    Encryption { bucket: String, why: &'static str },
    /// The credentials or the rest of the settings, as this kind of store tells it.
    #[error("the bucket {bucket} cannot be used")]
    Config {
        bucket: String,
        #[source]
        source: Source,
        remedy: Option<String>,
    },
    /// The files of a Secret that the template names are not there.
    #[error("no credentials for the bucket {bucket}: {} does not exist", shown_path(path))]
    NoSecret {
        bucket: String,
        path: PathBuf,
        /// What to give instead of the Secret, where there is another way.
        otherwise: &'static str,
    },
    /// A selector that names no Secret, or no key of one, but a way to some other file.
    #[error("the secret selector {selector} of the template is not usable: {name:?} is no {what}")]
    Selector {
        selector: &'static str,
        /// What was given, printable.
        name: String,
        what: &'static str,
    },
    /// Anything else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Trouble for StoresError {
    fn fault(&self) -> Fault {
        match self {
            Self::NoSecret { .. } | Self::Config { .. } => Fault::Permission,
            _ => Fault::Malformed,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NoSecret { path, otherwise, .. } => {
                format!("mount the Secret at {}{otherwise}", path.parent().unwrap_or(path).display())
            }
            Self::Config { remedy, .. } => return remedy.clone(),
            Self::Store(error) => return error.remedy(),
            Self::Bucket { .. } | Self::Encryption { .. } | Self::Endpoint { .. } | Self::Selector { .. } => {
                "correct the artifact repository's settings".into()
            }
        })
    }
}
