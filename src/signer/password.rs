//! The password that an encrypted private key is opened with: in a file that is named, in
//! cosign's own variable, or in the Secret that the key is in.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use super::key_file::KeyFileError;
use super::mounted::Mounted;
use super::read::{Modes, OTHERS};
use crate::environment::Env;
use crate::regular_file::{self, Links};

/// Where cosign's users have it.
pub const PASSWORD_VARIABLE: &str = "COSIGN_PASSWORD";

/// Bytes of a password; cosign itself has no limit, and people have less.
const MAX_PASSWORD: usize = 4096;

/// What the password is looked for in. Read when a key turns out to need it.
#[derive(Clone, Default)]
pub struct Password {
    file: Option<PathBuf>,
    variable: Option<Zeroizing<Vec<u8>>>,
    /// Whether the variable was what opened a key.
    variable_used: Arc<AtomicBool>,
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Why a file's content is no password. Nothing of it is repeated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPassword {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The group or others may read or write it.
    #[error("it can be read or changed by others (mode {mode:04o})")]
    OpenToOthers {
        /// Its permission bits.
        mode: u32,
    },
    /// More than a password has.
    #[error("it is longer than {MAX_PASSWORD} bytes")]
    TooLong,
}

impl Password {
    /// In this file, if one is named; else in [`PASSWORD_VARIABLE`], if it is set.
    pub fn new(file: Option<&Path>, environment: &dyn Env) -> Self {
        let variable = environment.var(PASSWORD_VARIABLE).map(OsString::into_vec).map(Zeroizing::new);
        Self { file: file.map(Path::to_owned), variable, variable_used: Arc::default() }
    }

    /// The file, if one is named.
    #[cfg(feature = "pkcs11")]
    pub(super) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is in a file like that of a password: nobody else may read it, but in a mounted Secret.
    #[cfg(feature = "pkcs11")]
    pub(super) fn in_file(file: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        read(file, modes(file))
    }

    /// Whether a key needed it, and it was taken from the variable.
    pub fn is_in_variable(&self) -> bool {
        self.variable_used.load(Ordering::Relaxed)
    }

    /// The password for the key in this file, which is in a Secret if its modes are the cluster's:
    /// there `cosign.key` has `cosign.password` beside it. `None` if nobody says one.
    pub(super) fn of(&self, key: Option<(&Path, Modes)>) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFileError> {
        if let Some(file) = &self.file {
            return read(file, modes(file)).map(Some);
        }
        if let Some(password) = &self.variable {
            self.variable_used.store(true, Ordering::Relaxed);
            return Ok(Some(password.clone()));
        }
        let Some((key, Modes::Cluster)) = key else { return Ok(None) };
        let beside = key.with_extension("password");
        if beside.symlink_metadata().is_err() {
            return Ok(None);
        }
        read(&beside, Modes::Cluster).map(Some)
    }
}

/// Whose modes the file has.
fn modes(file: &Path) -> Modes {
    if Mounted::of(file).is_some() { Modes::Cluster } else { Modes::Own }
}

/// A file's bytes without the newline that editors and `echo` leave at the end.
fn read(path: &Path, modes: Modes) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let invalid = |source| KeyFileError::Password { path: path.into(), source };
    let file = regular_file::open(path, Links::Followed).map_err(|e| invalid(io::Error::from(e).into()))?;
    let mode = file.metadata().map_err(|e| invalid(e.into()))?.mode() & 0o7777;
    if modes == Modes::Own && mode & OTHERS != 0 {
        return Err(invalid(InvalidPassword::OpenToOthers { mode }));
    }
    // One allocation, for a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_PASSWORD + 4));
    file.take(MAX_PASSWORD as u64 + 3).read_to_end(&mut bytes).map_err(|e| invalid(e.into()))?;
    let ending = if bytes.ends_with(b"\r\n") { 2 } else { usize::from(bytes.ends_with(b"\n")) };
    let length = bytes.len() - ending;
    bytes.truncate(length);
    if bytes.len() > MAX_PASSWORD {
        return Err(invalid(InvalidPassword::TooLong));
    }
    Ok(bytes)
}
