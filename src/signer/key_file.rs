//! What can be wrong with a key file, and what to do about it.

use argo_attest_core::trouble::{Fault, Trouble};
use std::io;
use std::path::{Path, PathBuf};

use argo_attest_core::keys::{InvalidKey, KeyId};
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::shell_word;

use super::password::InvalidPassword;

/// Which half of a key was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    /// What signs.
    Private,
    /// What verifies: it comes from whoever signs.
    Public,
}

/// Why a key file could not be used or made. Names the file, never its contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is no such file.
    #[error("there is no key file {}", shown(path))]
    Missing {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        half: Half,
    },
    /// It cannot be opened or read.
    #[error("cannot read the key file {}", shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A directory, FIFO, socket or device.
    #[error("the key file {} is {kind}, not a regular file", shown(path))]
    NotRegular {
        /// The file.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// The group or others may read or write the private key.
    #[error("the private key {} can be read or changed by others (mode {mode:04o})", shown(path))]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is in the file is not a usable key.
    #[error("the key file {} is not usable", shown(path))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidKey,
    },
    /// The public key beside a private one is another key's.
    #[error(
        "the public key {} does not belong to the private key beside it, which is {expected}",
        shown(path)
    )]
    Mismatch {
        /// The public key file.
        path: PathBuf,
        /// The name of the private key's public half.
        expected: KeyId,
    },
    /// The file of a password holds none.
    #[error("cannot use the password file {}", shown(path))]
    Password {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: InvalidPassword,
    },
    /// A key is never overwritten.
    #[error("there is a file {} already, and a key is never overwritten", shown(path))]
    Exists {
        /// The file that is in the way.
        path: PathBuf,
    },
    /// The key file or its directory cannot be written.
    #[error("cannot write the key file {}", shown(path))]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The system gives no random numbers.
    #[error("cannot make a key: the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

impl KeyFileError {
    /// Whether the reason is that the file is not there, as against unusable.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

impl Trouble for KeyFileError {
    fn fault(&self) -> Fault {
        match self {
            Self::Write { .. } => Fault::Io,
            _ => Fault::Permission,
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Missing { half: Half::Public, .. } => {
                "give the path of the signer's public key, which whoever signs hands out".into()
            }
            Self::Missing { half: Half::Private, .. } => {
                "give another path, or make a key: argo-attest keygen --out-dir DIR".into()
            }
            Self::Read { .. } => "check that the user this runs as may read it".into(),
            Self::NotRegular { .. } => "give the path of a file that holds the key".into(),
            Self::OpenToOthers { path, .. }
            | Self::Password { path, source: InvalidPassword::OpenToOthers { .. } } => {
                format!(
                    "chmod 600 {} (mount a Kubernetes Secret as a directory, without subPath)",
                    quoted(path)
                )
            }
            Self::Invalid { path, source } => source.remedy(&quoted(path)),
            Self::Mismatch { path, .. } => {
                format!(
                    "move {} away, and write the right one: argo-attest public-key --key FILE > {}",
                    quoted(path),
                    quoted(path)
                )
            }
            Self::Password { .. } => {
                "give a file that holds the password and nothing else, or set COSIGN_PASSWORD".into()
            }
            Self::Exists { path } => format!("choose another directory, or move {} away", quoted(path)),
            Self::Write { .. } => "check that the directory exists and can be written, and has space".into(),
            Self::Random(_) => "check that getrandom(2) is not blocked by a seccomp profile".into(),
        })
    }
}

fn shown(path: &Path) -> String {
    shown_path(path)
}

/// The path as one word of a shell. An unprintable one cannot be given so that it
/// is both safe to show and right to type; it is shown.
fn quoted(path: &Path) -> String {
    match shown(path) {
        // Not to be taken for an option.
        text if text.starts_with('-') => shell_word(&format!("./{text}")),
        text => shell_word(&text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_remedy_is_one_word() {
        for (path, word) in [
            ("/etc/k.key", "/etc/k.key"),
            ("my key; rm -rf ~", "'my key; rm -rf ~'"),
            ("it's", r"'it'\''s'"),
            ("a\u{1b}[2Jb", "'a%1B[2Jb'"),
            ("-rf", "./-rf"),
        ] {
            assert_eq!(quoted(Path::new(path)), word);
        }
    }
}
