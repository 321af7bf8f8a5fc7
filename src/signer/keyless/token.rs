//! Where the identity token is: in a file, which whoever projects it replaces, or in a variable.

use std::fmt;
use std::path::{Path, PathBuf};

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;
use zeroize::Zeroizing;

use crate::environment::Env;
use crate::service::ServiceError;
use crate::token::{IDENTITY_VARIABLE, Token};

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// In this file, which is read each time.
    File(PathBuf),
    /// In [`IDENTITY_VARIABLE`], which is read once: what a process is given there stays as it is.
    Variable,
}

/// The same, where a variable was read.
pub(super) enum OpenSource {
    File(PathBuf),
    Given(Zeroizing<String>),
}

impl TokenSource {
    /// The file, if it is in one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Variable => None,
        }
    }

    pub(super) fn open(&self, env: &dyn Env) -> Result<OpenSource, ServiceError> {
        match self {
            Self::File(path) => Ok(OpenSource::File(path.clone())),
            Self::Variable => {
                let text = env.var(IDENTITY_VARIABLE).filter(|text| !text.is_empty()).ok_or_else(|| {
                    unusable(
                        format!("there is no identity token: {IDENTITY_VARIABLE} is not set"),
                        format!(
                            "set {IDENTITY_VARIABLE}, or name the token's file with --identity-token FILE"
                        ),
                    )
                })?;
                // What it is, is looked at when it is used.
                Ok(OpenSource::Given(Zeroizing::new(text.into_string().unwrap_or_default())))
            }
        }
    }
}

impl OpenSource {
    /// How one that is over is replaced.
    pub(super) fn renewal(&self) -> &'static str {
        match self {
            Self::File(_) => {
                "get a new one; one that Kubernetes projects is renewed in time where its node is well"
            }
            Self::Given(_) => {
                "start anew with a new one: what is in a variable cannot be renewed; for what takes longer name a file that \
                 is, with --identity-token FILE"
            }
        }
    }

    /// The token of now.
    pub(super) fn token(&self) -> Result<Token, ServiceError> {
        match self {
            Self::File(path) => Token::read(path).map_err(|error| {
                unusable(
                    format!("the identity token, {}, is not sent: {}", shown_path(path), causes(&error)),
                    "mount a projected service account token, and name its file with --identity-token FILE"
                        .to_owned(),
                )
            }),
            Self::Given(text) => Token::of(text.as_bytes()).map_err(|error| {
                unusable(
                    format!("the identity token in {IDENTITY_VARIABLE} is not sent: {}", causes(&error)),
                    format!("set {IDENTITY_VARIABLE} to a token for Fulcio's audience"),
                )
            }),
        }
    }
}

/// Where it is, for people.
impl fmt::Display for OpenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown_path(path)),
            Self::Given(_) => f.write_str(IDENTITY_VARIABLE),
        }
    }
}

pub(super) fn unusable(what: String, remedy: String) -> ServiceError {
    ServiceError::Key { what, remedy }
}
