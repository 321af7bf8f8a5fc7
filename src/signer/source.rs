//! Where a key is: in a file, or in a variable of the environment.

use argo_attest_core::trouble::{Fault, Trouble};
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use argo_attest_core::keys::{InvalidKey, PrivateKey, PublicKey};
use argo_attest_core::secret::shown_path;
use zeroize::Zeroizing;

use super::key_file::KeyFileError;
use super::pair::load_pair;
use super::port::Signer;
use super::read::{load_either, load_public};

/// What the name of a variable follows.
const SCHEME: &[u8] = b"env://";

/// The environment, as far as keys are concerned.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where a key is. Never the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In this file.
    File(PathBuf),
    /// In this variable, as PEM: `env://NAME`.
    Variable(VariableName),
}

/// The name of a variable: letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableName(String);

/// What follows `env://` is no variable's name. It is not repeated: it may be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("env:// must be followed by the name of a variable: letters, digits and _")]
pub struct InvalidKeySource;

/// Why a key could not be had from where it is said to be.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// A variable that is not set, or empty.
    #[error("the variable {name}, which {SOURCE}{name} names, is {state}", SOURCE = "env://")]
    Unset {
        /// Its name.
        name: VariableName,
        /// Which of the two.
        state: &'static str,
    },
    /// A variable that holds something else.
    #[error("the key in the variable {name} is not usable")]
    Variable {
        /// Its name.
        name: VariableName,
        /// What is wrong with it.
        source: InvalidKey,
    },
}

impl KeyError {
    /// Whether the reason is that a file is not there, as against unusable.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::File(error) if error.is_missing())
    }
}

impl Trouble for KeyError {
    fn fault(&self) -> Fault {
        match self {
            Self::File(error) => error.fault(),
            _ => Fault::Permission,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.remedy(),
            Self::Unset { name, .. } => {
                format!("set it to the key, in PEM: export {name}=\"$(cat FILE)\"; or give the file's path")
            }
            Self::Variable { name, source } => source.remedy(&format!("<(printenv {name})")),
        })
    }
}

impl TryFrom<OsString> for KeySource {
    type Error = InvalidKeySource;

    fn try_from(text: OsString) -> Result<Self, InvalidKeySource> {
        match text.as_bytes().strip_prefix(SCHEME) {
            None => Ok(Self::File(text.into())),
            Some(name) => VariableName::new(name).map(Self::Variable).ok_or(InvalidKeySource),
        }
    }
}

impl VariableName {
    fn new(name: &[u8]) -> Option<Self> {
        let begins = name.first().is_some_and(|b| !b.is_ascii_digit());
        let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
        (begins && plain).then(|| Self(String::from_utf8_lossy(name).into_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for VariableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeySource {
    /// What signs with the private key.
    pub fn signer(&self, variables: Variables<'_>) -> Result<Box<dyn Signer>, KeyError> {
        Ok(Box::new(self.private(variables)?))
    }

    /// The private key; if it is in a file, checked against the public key beside it.
    pub(super) fn private(&self, variables: Variables<'_>) -> Result<PrivateKey, KeyError> {
        match self {
            Self::File(path) => Ok(load_pair(path)?),
            Self::Variable(name) => {
                let text = name.read(variables)?;
                PrivateKey::from_pem(&text)
                    .map_err(|source| KeyError::Variable { name: name.clone(), source })
            }
        }
    }

    /// The public key.
    pub fn public(&self, variables: Variables<'_>) -> Result<PublicKey, KeyError> {
        match self {
            Self::File(path) => Ok(load_public(path)?),
            Self::Variable(name) => name.public(variables, PublicKey::from_spki_pem),
        }
    }

    /// The public half of a key of either half.
    pub fn public_half(&self, variables: Variables<'_>) -> Result<PublicKey, KeyError> {
        match self {
            Self::File(path) => Ok(load_either(path)?),
            Self::Variable(name) => name.public(variables, PublicKey::of_either_half),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Variable(_) => None,
        }
    }

    /// The variable, if it is one.
    pub fn variable(&self) -> Option<&VariableName> {
        match self {
            Self::File(_) => None,
            Self::Variable(name) => Some(name),
        }
    }
}

/// As it was given, in the printable form.
impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&shown_path(path)),
            Self::Variable(name) => write!(f, "env://{name}"),
        }
    }
}

impl VariableName {
    fn public(
        &self,
        variables: Variables<'_>,
        read: impl Fn(&[u8]) -> Result<PublicKey, InvalidKey>,
    ) -> Result<PublicKey, KeyError> {
        let text = self.read(variables)?;
        read(&text).map_err(|source| KeyError::Variable { name: self.clone(), source })
    }

    /// The variable's text.
    fn read(&self, variables: Variables<'_>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let unset = |state| KeyError::Unset { name: self.clone(), state };
        let text = variables(&self.0).ok_or_else(|| unset("not set"))?;
        let text = Zeroizing::new(text.into_vec());
        if text.trim_ascii().is_empty() { Err(unset("empty")) } else { Ok(text) }
    }
}

#[cfg(test)]
mod tests {
    use argo_attest_core::keys::KeyType;

    use super::*;

    fn source(text: &str) -> KeySource {
        OsString::from(text).try_into().unwrap()
    }

    #[test]
    fn a_key_is_taken_from_a_variable() {
        for key_type in KeyType::ALL {
            let key = PrivateKey::generate(key_type).unwrap();
            let (private, public) = (key.to_pkcs8_pem(), key.public().to_spki_pem());
            for text in
                [private.to_string(), private.replace('\n', "\\n"), format!("\n{}", private.trim_end())]
            {
                let env = |name: &str| (name == "SIGNING_KEY").then(|| OsString::from(&text));
                assert_eq!(source("env://SIGNING_KEY").private(&env).unwrap().public(), key.public());
            }
            let env = |_: &str| Some(OsString::from(&public));
            assert_eq!(&source("env://PUB").public(&env).unwrap(), key.public());
            match source("env://PUB").private(&env).unwrap_err() {
                KeyError::Variable { source: InvalidKey::PublicForPrivate, .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn what_a_variable_lacks_is_said() {
        for (value, why) in [
            (None, "the variable K_1, which env://K_1 names, is not set"),
            (Some(""), "the variable K_1, which env://K_1 names, is empty"),
            (Some(" \n"), "the variable K_1, which env://K_1 names, is empty"),
            (Some("attest.key"), "the key in the variable K_1 is not usable"),
        ] {
            let env = |_: &str| value.map(OsString::from);
            let errors = [
                source("env://K_1").private(&env).unwrap_err(),
                source("env://K_1").public(&env).unwrap_err(),
            ];
            for error in errors {
                assert_eq!(error.to_string(), why);
                assert!(!error.remedy().unwrap().is_empty());
            }
        }
    }

    #[test]
    fn only_names_are_variables() {
        for text in ["env://", "env://1", "env://A B", "env://A/B", "env://-----BEGIN", "env://\u{e4}"] {
            KeySource::try_from(OsString::from(text)).unwrap_err();
        }
        assert_eq!(source("keys/env://x").file(), Some(Path::new("keys/env://x")));
        assert_eq!(source("env://CI_KEY").to_string(), "env://CI_KEY");
    }
}
