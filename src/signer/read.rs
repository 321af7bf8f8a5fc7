//! Reading key files: bounded, without hanging, and only when nobody else can.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use argo_attest_core::keys::{InvalidKey, MAX_PEM, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use super::key_file::KeyFileError;
use super::mounted::Mounted;
use crate::regular_file::{self, Links, ReadError};

/// The group's and the others' permission bits.
const OTHERS: u32 = 0o077;

/// Whose permissions a private key file has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Modes {
    /// The user's own: nobody else may have any.
    Own,
    /// The cluster's, in a mounted Secret.
    Cluster,
}

/// Reads a private key from a PEM file of at most [`MAX_PEM`] bytes that only its owner
/// can read. In a mounted Secret the modes are the cluster's and are not looked at, and
/// an update meanwhile does no harm. Nothing but a regular file is opened.
pub fn load_private(path: &Path) -> Result<PrivateKey, KeyFileError> {
    match Mounted::of(path) {
        None => private_at(path, Modes::Own),
        Some(mounted) => mounted.read(|path| private_at(path, Modes::Cluster)),
    }
}

/// Reads a public key from a PEM file of at most [`MAX_PEM`] bytes, whoever may read it.
pub fn load_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    match Mounted::of(path) {
        None => public_at(path),
        Some(mounted) => mounted.read(public_at),
    }
}

/// The private key in this very file.
pub(super) fn private_at(path: &Path, modes: Modes) -> Result<PrivateKey, KeyFileError> {
    let text = private(path, modes)?;
    PrivateKey::from_pkcs8_pem(&text).map_err(|source| KeyFileError::Invalid { path: path.into(), source })
}

fn public_at(path: &Path) -> Result<PublicKey, KeyFileError> {
    let text = public(path)?;
    PublicKey::from_spki_pem(&text).map_err(|source| KeyFileError::Invalid { path: path.into(), source })
}

/// The contents of a private key file.
fn private(path: &Path, modes: Modes) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let (file, metadata) = open(path)?;
    let mode = metadata.mode() & 0o7777;
    // The modes of the open file: those of the path could be another file's by now.
    if modes == Modes::Own && mode & OTHERS != 0 {
        return Err(KeyFileError::OpenToOthers { path: path.into(), mode });
    }
    contents(file, &metadata, path)
}

/// The contents of a public key file.
fn public(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let (file, metadata) = open(path)?;
    contents(file, &metadata, path)
}

fn open(path: &Path) -> Result<(File, fs::Metadata), KeyFileError> {
    let read = |source| KeyFileError::Read { path: path.into(), source };
    let file = match regular_file::open(path, Links::Followed) {
        Ok(file) => file,
        Err(ReadError::Missing(_)) => return Err(KeyFileError::Missing { path: path.into() }),
        Err(ReadError::NotRegular(kind)) => {
            return Err(KeyFileError::NotRegular { path: path.into(), kind });
        }
        Err(error) => return Err(read(error.into())),
    };
    let metadata = file.metadata().map_err(read)?;
    Ok((file, metadata))
}

fn contents(
    mut file: File,
    metadata: &fs::Metadata,
    path: &Path,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let too_large =
        || KeyFileError::Invalid { path: path.into(), source: InvalidKey::TooLarge { limit: MAX_PEM } };
    let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if size > MAX_PEM {
        return Err(too_large());
    }
    // One allocation of the largest size, for a buffer that grows leaves copies of
    // the key behind.
    let mut buffer = Zeroizing::new(vec![0; MAX_PEM + 1]);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(KeyFileError::Read { path: path.into(), source }),
        }
    }
    if filled > MAX_PEM {
        return Err(too_large());
    }
    buffer.truncate(filled);
    Ok(buffer)
}
