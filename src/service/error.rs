//! Why a service gives no signature, and what would mend it.

use argo_attest_core::trouble::{Fault, Trouble};

use crate::net::Source;

/// Why a question to a service came to nothing. Nothing of who we are is in it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// What is set does not make a request.
    #[error("{what}")]
    Settings {
        /// What is wrong, printable.
        what: String,
        /// What to set.
        remedy: String,
    },
    /// No connection, or no whole answer on it.
    #[error("it could not be reached")]
    Unreachable(#[source] Source),
    /// No answer in time.
    #[error("it did not answer within {seconds} seconds")]
    Late {
        /// How long it had.
        seconds: u64,
    },
    /// It answered, and not with success.
    #[error("it refused: {said}")]
    Refused {
        /// Its answer in one line.
        said: String,
        /// Whether it may be otherwise soon.
        is_passing: bool,
        /// Whether it may be due to who we are, or were.
        is_sign_in: bool,
        /// What to do about it.
        remedy: String,
    },
    /// It answered with what is none.
    #[error("its answer cannot be used: {0}")]
    Odd(&'static str),
    /// It has no key that can be used for this.
    #[error("{what}")]
    Key {
        /// Why not, printable.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// A token, or the module by which it is reached, does not do what it is asked.
    #[cfg(feature = "pkcs11")]
    #[error("{what}")]
    Token {
        /// What it does not do, and what it says, printable.
        what: String,
        /// Whether it may be otherwise soon.
        is_passing: bool,
        /// Whether it refused the PIN.
        is_sign_in: bool,
        /// What to do about it.
        remedy: String,
    },
    /// What it gave is no signature of what was asked for by the key that was opened.
    #[error("it gave no signature by the key {0}")]
    Unverified(argo_attest_core::keys::KeyId),
}

impl ServiceError {
    /// Whether the same question may have another answer later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Late { .. } => true,
            Self::Refused { is_passing, .. } => *is_passing,
            #[cfg(feature = "pkcs11")]
            Self::Token { is_passing, .. } => *is_passing,
            Self::Settings { .. } | Self::Odd(_) | Self::Key { .. } | Self::Unverified(_) => false,
        }
    }

    /// Whether it refused who we are.
    pub(crate) fn is_sign_in(&self) -> bool {
        match self {
            Self::Refused { is_sign_in, .. } => *is_sign_in,
            #[cfg(feature = "pkcs11")]
            Self::Token { is_sign_in, .. } => *is_sign_in,
            _ => false,
        }
    }
}

impl Trouble for ServiceError {
    fn fault(&self) -> Fault {
        match self {
            Self::Settings { .. } => Fault::Usage,
            _ if self.is_passing() => Fault::Unavailable,
            _ => Fault::Permission,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Settings { remedy, .. } | Self::Refused { remedy, .. } | Self::Key { remedy, .. } => {
                remedy.clone()
            }
            #[cfg(feature = "pkcs11")]
            Self::Token { remedy, .. } => remedy.clone(),
            Self::Unreachable(_) | Self::Late { .. } => {
                "check its address, its certificate and the network to it, or a token's module and device, and try \
                 again"
                    .into()
            }
            Self::Odd(_) => "check that its address leads to the service itself".into(),
            Self::Unverified(_) => {
                "check that nobody exchanged the key, and that nothing between here and the service \
                 alters its answers"
                    .into()
            }
        })
    }
}
