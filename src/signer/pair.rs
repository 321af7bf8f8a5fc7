//! A key pair on disk: made at once or not at all, never overwritten, and checked
//! to belong together.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use argo_attest_core::keys::{KeyType, PrivateKey};
use tempfile::NamedTempFile;

use super::key_file::KeyFileError;
use super::mounted::{self, Mounted};
use super::password::Password;
use super::read::{Modes, load_private, load_public, private_at};

/// Where a key came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was there.
    Loaded,
    /// It was made just now.
    Created,
}

/// Where the public half of a private key file lies: `x.key` has `x.pub`, and any
/// other `x` has `x.pub` too.
pub fn public_path(private: &Path) -> PathBuf {
    if private.extension() == Some(OsStr::new("key")) {
        return private.with_extension("pub");
    }
    let mut path = private.as_os_str().to_owned();
    path.push(".pub");
    path.into()
}

/// Checks that the public key beside the private key file, if there is one, belongs
/// to it: else verifiers would be handed a key that refuses everything.
pub fn check_pair(key: &PrivateKey, private: &Path) -> Result<(), KeyFileError> {
    let path = public_path(private);
    match load_public(&path) {
        Ok(public) if public == *key.public() => Ok(()),
        Ok(_) => Err(KeyFileError::Mismatch { path, expected: key.public().key_id() }),
        Err(e) if e.is_missing() => Ok(()),
        Err(e) => Err(e),
    }
}

/// Loads a private key and checks it against the public key beside it. In a mounted
/// Secret both are of the same generation, even while the Secret is being replaced.
pub fn load_pair(path: &Path) -> Result<PrivateKey, KeyFileError> {
    load_pair_with(path, &Password::default())
}

/// The same of a key that may be encrypted.
pub(super) fn load_pair_with(path: &Path, password: &Password) -> Result<PrivateKey, KeyFileError> {
    let path = &*mounted::named(path);
    let load = |path: &Path, modes| {
        let key = private_at(path, modes, password)?;
        check_pair(&key, path)?;
        Ok(key)
    };
    match Mounted::of(path) {
        None => load(path, Modes::Own),
        Some(mounted) => mounted.read(|path| load(path, Modes::Cluster)),
    }
}

/// Makes a key pair: the private key at `path` (0600) and the public key at
/// [`public_path`] (0644), both complete and on disk when this returns. If either
/// file is there, nothing is written. Directories are made (0700) as needed.
pub fn create_pair(path: &Path, key_type: KeyType) -> Result<PrivateKey, KeyFileError> {
    let public = public_path(path);
    for path in [path, &public] {
        if fs::symlink_metadata(path).is_ok() {
            return Err(KeyFileError::Exists { path: path.into() });
        }
    }
    let key = PrivateKey::generate(key_type).map_err(KeyFileError::Random)?;
    let written = write_private(&key, path)?;
    if let Err(error) = write_public(&key, &public) {
        // Only what was made above: the file that is in the way stays.
        drop(fs::remove_file(written));
        return Err(error);
    }
    Ok(key)
}

/// The key pair at `path`, made if there is none. Of two processes that do this
/// at the same time one makes it, and both get it. A public key that is missing
/// is written again.
pub fn load_or_create_pair(path: &Path, key_type: KeyType) -> Result<(PrivateKey, Origin), KeyFileError> {
    let public = public_path(path);
    let origin = match load_private(path) {
        Ok(_) => Origin::Loaded,
        Err(e) if !e.is_missing() => return Err(e),
        // A public key alone is somebody's: its private half may be elsewhere. But
        // look again, for another process writes the private key first.
        Err(_) if fs::symlink_metadata(&public).is_ok() && fs::symlink_metadata(path).is_err() => {
            return Err(KeyFileError::Exists { path: public });
        }
        Err(_) => {
            let key = PrivateKey::generate(key_type).map_err(KeyFileError::Random)?;
            match write_private(&key, path) {
                Ok(_) => Origin::Created,
                Err(KeyFileError::Exists { .. }) => Origin::Loaded,
                Err(e) => return Err(e),
            }
        }
    };
    // What is used from here on is what is on disk.
    let key = load_private(path)?;
    match write_public(&key, &public) {
        Ok(()) | Err(KeyFileError::Exists { .. }) => {}
        // A key that was given read-only is good for signing all the same.
        Err(KeyFileError::Write { .. }) if origin == Origin::Loaded => {}
        Err(e) => return Err(e),
    }
    check_pair(&key, path)?;
    Ok((key, origin))
}

fn write_private(key: &PrivateKey, path: &Path) -> Result<PathBuf, KeyFileError> {
    write(path, key.to_pkcs8_pem().as_bytes(), 0o600).map(|()| path.into())
}

fn write_public(key: &PrivateKey, path: &Path) -> Result<(), KeyFileError> {
    if fs::symlink_metadata(path).is_ok() {
        return Err(KeyFileError::Exists { path: path.into() });
    }
    write(path, key.public().to_spki_pem().as_bytes(), 0o644)
}

/// Writes a file that appears under its name only when it is complete and on disk,
/// and only if the name is free.
fn write(path: &Path, contents: &[u8], mode: u32) -> Result<(), KeyFileError> {
    let failed = |source| KeyFileError::Write { path: path.into(), source };
    let directory = directory(path);
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    // Made with mode 0600; a secret is never for a moment readable to others.
    let mut file = NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(contents).map_err(failed)?;
    file.as_file().set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => File::open(directory).and_then(|d| d.sync_all()).map_err(|source| {
            // A name that may not outlive a power cut is taken back.
            drop(fs::remove_file(path));
            failed(source)
        }),
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(KeyFileError::Exists { path: path.into() })
        }
        Err(e) => Err(failed(e.error)),
    }
}

/// The directory that holds the file.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}
