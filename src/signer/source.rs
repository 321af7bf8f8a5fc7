//! Where a key is: in a file, or in a variable of the environment.

use argo_attest_core::trouble::{Fault, Trouble};
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use argo_attest_core::keys::{InvalidKey, KeyId, PrivateKey, PublicKey};
use argo_attest_core::secret::shown_path;
use zeroize::Zeroizing;

use super::key_file::KeyFileError;
use super::mounted;
use super::opening::Opening;
use super::pair::load_pair_with;
#[cfg(feature = "pkcs11")]
use super::pkcs11::InvalidPkcs11;
use super::read::{load_either, load_public, opened};
use super::service_key::SERVICES;
use crate::environment::Env;
use crate::service::ServiceError;
use crate::store::percent_decoded;

/// What the name of a variable follows.
const VARIABLE: &[u8] = b"env://";
/// What a path follows that is written as a URI (RFC 8089).
const FILE: &[u8] = b"file:";
/// By which other tools know keys, of services or of hardware.
const OTHERS: [&str; 4] = ["azurekms://", "gcpkms://", "gitlab://", "k8s://"];

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

/// Why a text names no key. It is not repeated: it may be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeySource {
    /// What follows `env://` is no variable's name.
    #[error("env:// must be followed by the name of a variable: letters, digits and _")]
    Variable,
    /// What follows `file:` is no path of this machine.
    #[error("file: must be followed by a path, and file:// by an absolute one; % by two hexadecimal digits")]
    File,
    /// A key of a kind that is known, but not here.
    #[error("{0} names no key that can be used here: give a file, or env://NAME for a variable")]
    Elsewhere(&'static str),
    /// A key that a service has, where one is meant that verifies.
    #[error("{0} names a key that signs: give its public half, which argo-attest public-key prints")]
    Signs(&'static str),
    /// What follows `awskms://` is no name of a key.
    #[error(
        "awskms:// must be followed by an endpoint or nothing, a slash, and a key's id, alias/NAME or ARN"
    )]
    AwsKms,
    /// What follows `hashivault://` is no name of a key.
    #[error("hashivault:// must be followed by the name of a key in the transit engine, and nothing else")]
    Vault,
    /// A key of a token, in a build that can load no module.
    #[cfg(not(feature = "pkcs11"))]
    #[error(
        "this build has no PKCS#11, by which pkcs11: names a key: build the program with --features pkcs11, \
         which a static binary cannot have"
    )]
    NoPkcs11,
    /// What follows `pkcs11:` is no name of a key that signs here.
    #[cfg(feature = "pkcs11")]
    #[error(transparent)]
    Pkcs11(#[from] InvalidPkcs11),
}

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
    /// A service that has it does not say what it is.
    #[error("{name} cannot be used")]
    Service {
        /// The key's name, printable.
        name: String,
        /// Why not.
        source: ServiceError,
    },
    /// It is another key than it has to be.
    #[error("{name} is the key {found}, and {expected} is expected")]
    Unexpected {
        /// The key's name, printable.
        name: String,
        /// What it has to be.
        expected: KeyId,
        /// What it is.
        found: KeyId,
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
            Self::Service { source, .. } => source.fault(),
            _ => Fault::Permission,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::File(error) => return error.remedy(),
            Self::Service { source, .. } => return source.remedy(),
            Self::Unset { name, .. } => {
                format!("set it to the key, in PEM: export {name}=\"$(cat FILE)\"; or give the file's path")
            }
            Self::Variable { name, source } => source.remedy(&format!("<(printenv {name})")),
            Self::Unexpected { .. } => {
                "name the right key; or, if it was replaced, correct --key-id and what verifiers trust".into()
            }
        })
    }
}

impl TryFrom<OsString> for KeySource {
    type Error = InvalidKeySource;

    fn try_from(text: OsString) -> Result<Self, InvalidKeySource> {
        let bytes = text.as_bytes();
        if let Some(name) = bytes.strip_prefix(VARIABLE) {
            return VariableName::new(name).map(Self::Variable).ok_or(InvalidKeySource::Variable);
        }
        if let Some(path) = bytes.strip_prefix(FILE) {
            return file(path).map(Self::File).ok_or(InvalidKeySource::File);
        }
        if let Some(scheme) = SERVICES.into_iter().find(|scheme| bytes.starts_with(scheme.as_bytes())) {
            return Err(InvalidKeySource::Signs(scheme));
        }
        if let Some(scheme) = OTHERS.into_iter().find(|scheme| bytes.starts_with(scheme.as_bytes())) {
            return Err(InvalidKeySource::Elsewhere(scheme));
        }
        Ok(Self::File(text.into()))
    }
}

/// What follows `file:`: a path, or two slashes and an absolute one, of no host but this.
fn file(rest: &[u8]) -> Option<PathBuf> {
    let path = match rest.strip_prefix(b"//") {
        Some(rest) => rest.strip_prefix(b"localhost").unwrap_or(rest),
        None => rest,
    };
    let is_whole = path.len() == rest.len() || path.starts_with(b"/");
    let path = percent_decoded(path)?;
    (is_whole && !path.is_empty() && !path.contains(&0)).then(|| OsString::from_vec(path).into())
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
    /// The private key; if it is in a file, checked against the public key beside it.
    pub(super) fn private(&self, opening: &Opening<'_>) -> Result<PrivateKey, KeyError> {
        match self {
            Self::File(path) => Ok(load_pair_with(path, &opening.password)?),
            Self::Variable(name) => {
                let text = name.read(opening.environment)?;
                name.opened(&text, PrivateKey::from_pem(&text), opening)
            }
        }
    }

    /// The public key.
    pub fn public(&self, environment: &dyn Env) -> Result<PublicKey, KeyError> {
        match self {
            Self::File(path) => Ok(load_public(path)?),
            Self::Variable(name) => {
                let read = PublicKey::from_spki_pem(&name.read(environment)?);
                read.map_err(|source| name.invalid(source))
            }
        }
    }

    /// The public half of a key of either half.
    pub(super) fn public_half(&self, opening: &Opening<'_>) -> Result<PublicKey, KeyError> {
        match self {
            Self::File(path) => Ok(load_either(&mounted::named(path), &opening.password)?),
            Self::Variable(name) => {
                let text = name.read(opening.environment)?;
                match PublicKey::of_either_half(&text) {
                    Err(encrypted @ InvalidKey::CosignEncrypted) => {
                        Ok(name.opened(&text, Err(encrypted), opening)?.public().clone())
                    }
                    read => read.map_err(|source| name.invalid(source)),
                }
            }
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
    fn invalid(&self, source: InvalidKey) -> KeyError {
        KeyError::Variable { name: self.clone(), source }
    }

    /// The key that was read, or that a password opens.
    fn opened(
        &self,
        text: &[u8],
        read: Result<PrivateKey, InvalidKey>,
        opening: &Opening<'_>,
    ) -> Result<PrivateKey, KeyError> {
        let read = match read {
            Err(InvalidKey::CosignEncrypted) => opened(text, opening.password.of(None)?),
            read => read,
        };
        read.map_err(|source| self.invalid(source))
    }

    /// The variable's text.
    fn read(&self, environment: &dyn Env) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let unset = |state| KeyError::Unset { name: self.clone(), state };
        let text = environment.var(&self.0).ok_or_else(|| unset("not set"))?;
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

    fn private(text: &str, env: &dyn Env) -> Result<PrivateKey, KeyError> {
        source(text).private(&Opening::new(env))
    }

    #[test]
    fn a_key_is_taken_from_a_variable() {
        for key_type in KeyType::ALL {
            let key = PrivateKey::generate(key_type).unwrap();
            let (pem, public) = (key.to_pkcs8_pem(), key.public().to_spki_pem());
            for text in [pem.to_string(), pem.replace('\n', "\\n"), format!("\n{}", pem.trim_end())] {
                let env = |name: &str| (name == "SIGNING_KEY").then(|| OsString::from(&text));
                assert_eq!(private("env://SIGNING_KEY", &env).unwrap().public(), key.public());
            }
            let env = |_: &str| Some(OsString::from(&public));
            assert_eq!(&source("env://PUB").public(&env).unwrap(), key.public());
            match private("env://PUB", &env).unwrap_err() {
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
            let errors =
                [private("env://K_1", &env).unwrap_err(), source("env://K_1").public(&env).unwrap_err()];
            for error in errors {
                assert_eq!(error.to_string(), why);
                assert!(!error.remedy().unwrap().is_empty());
            }
        }
    }

    #[test]
    fn only_names_are_variables() {
        for text in ["env://", "env://1", "env://A B", "env://A/B", "env://-----BEGIN", "env://\u{e4}"] {
            let error = KeySource::try_from(OsString::from(text)).unwrap_err();
            assert_eq!(error, InvalidKeySource::Variable);
        }
        assert_eq!(source("keys/env://x").file(), Some(Path::new("keys/env://x")));
        assert_eq!(source("env://CI_KEY").to_string(), "env://CI_KEY");
    }

    #[test]
    fn a_file_is_a_path_or_a_uri() {
        for (text, path) in [
            ("attest.key", "attest.key"),
            ("./file:x", "./file:x"),
            ("-", "-"),
            ("file:attest.key", "attest.key"),
            ("file:keys/a%20b.key", "keys/a b.key"),
            ("file:/etc/attest.key", "/etc/attest.key"),
            ("file:///etc/attest.key", "/etc/attest.key"),
            ("file://localhost/etc/attest.key", "/etc/attest.key"),
        ] {
            assert_eq!(source(text).file(), Some(Path::new(path)), "{text}");
        }
        for text in ["file:", "file://", "file://host/k", "file://k", "file:a%2", "file:a%zz", "file:a%00"] {
            assert_eq!(KeySource::try_from(OsString::from(text)), Err(InvalidKeySource::File), "{text}");
        }
        for text in ["gcpkms://projects/x", "k8s://ns/name"] {
            let error = KeySource::try_from(OsString::from(text)).unwrap_err();
            assert!(matches!(error, InvalidKeySource::Elsewhere(_)), "{text}: {error:?}");
        }
    }
}
