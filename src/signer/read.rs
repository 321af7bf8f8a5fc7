//! Reading key files: bounded, without hanging, and only when nobody else can.

use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use argo_attest_core::keys::{InvalidKey, MAX_PEM, PrivateKey, PublicKey};
use argo_attest_core::secret::{self, KeyMaterial};
use zeroize::Zeroizing;

use super::key_file::{Half, KeyFileError};
use super::mounted::Mounted;
use super::password::Password;
use crate::regular_file::{self, Links, Named, ReadError, STANDARD_INPUT};

/// Where files are that a process was handed over open.
const HANDED_OVER: [&str; 3] = ["/dev/fd", "/dev/stdin", "/proc/self/fd"];

/// In the label of whatever holds a private key, in the form of any tool.
const PRIVATE: &[u8] = b"PRIVATE";

/// The group's and the others' permission bits.
pub(super) const OTHERS: u32 = 0o077;

/// Whose permissions a private key file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Modes {
    /// The user's own: nobody else may have any.
    Own,
    /// The cluster's, in a mounted Secret.
    Cluster,
}

/// Reads a private key from a PEM file of at most [`MAX_PEM`] bytes that only its owner
/// can read. In a mounted Secret the modes are the cluster's and are not looked at, and
/// an update meanwhile does no harm. A pipe is read as well, as a shell makes one of what a
/// program prints, and `-` is standard input.
pub fn load_private(path: &Path) -> Result<PrivateKey, KeyFileError> {
    let none = Password::default();
    match Mounted::of(path) {
        None => private_at(path, Modes::Own, &none),
        Some(mounted) => mounted.read(|path| private_at(path, Modes::Cluster, &none)),
    }
}

/// Reads a public key from a PEM file of at most [`MAX_PEM`] bytes, whoever may read it.
pub fn load_public(path: &Path) -> Result<PublicKey, KeyFileError> {
    public_with(path, |text, _| Ok(PublicKey::from_spki_pem(text)))
}

/// Reads a key of either half, of which the public one is wanted.
pub(super) fn load_either(path: &Path, password: &Password) -> Result<PublicKey, KeyFileError> {
    public_with(path, |text, at| match PublicKey::of_either_half(text) {
        Err(InvalidKey::CosignEncrypted) => {
            let opened = opened(text, password.of(Some(at))?);
            Ok(opened.map(|key| key.public().clone()))
        }
        read => Ok(read),
    })
}

/// Reads with the file's bytes, and where and whose it is.
fn public_with(
    path: &Path,
    read: impl Fn(&[u8], (&Path, Modes)) -> Result<Result<PublicKey, InvalidKey>, KeyFileError>,
) -> Result<PublicKey, KeyFileError> {
    let read = |path: &Path, modes| {
        let text = contents(open(path, Half::Public)?, path)?;
        read(&text, (path, modes))?.map_err(|source| invalid(path, source))
    };
    match Mounted::of(path) {
        None => read(path, Modes::Own),
        Some(mounted) => mounted.read(|path| read(path, Modes::Cluster)),
    }
}

/// The private key in a text that was found to be cosign's, if there is a password.
pub(super) fn opened(text: &[u8], password: Option<Zeroizing<Vec<u8>>>) -> Result<PrivateKey, InvalidKey> {
    password.map_or(Err(InvalidKey::CosignEncrypted), |password| PrivateKey::from_pem_with(text, &password))
}

/// The private key in this very file, with the password if it turns out to need one.
pub(super) fn private_at(path: &Path, modes: Modes, password: &Password) -> Result<PrivateKey, KeyFileError> {
    let named = open(path, Half::Private)?;
    // The modes of the open file: those of the path could be another file's by now.
    let mode = named.metadata.mode() & 0o7777;
    let bytes = contents(named, path)?;
    let key = PrivateKey::from_pem(&bytes);
    match key {
        // What is no private key may be read by everybody.
        Err(source) if !is_private(source, &bytes) => Err(invalid(path, source)),
        _ if modes == Modes::Own && mode & OTHERS != 0 => {
            Err(KeyFileError::OpenToOthers { path: path.into(), mode })
        }
        Err(InvalidKey::CosignEncrypted) => {
            let password = password.of(Some((path, modes)))?;
            opened(&bytes, password).map_err(|source| invalid(path, source))
        }
        key => key.map_err(|source| invalid(path, source)),
    }
}

/// Whether what is wrong leaves it possible that a private key is in there.
fn is_private(why: InvalidKey, bytes: &[u8]) -> bool {
    match why {
        InvalidKey::PublicForPrivate
        | InvalidKey::OpenSshPublic
        | InvalidKey::Certificate
        | InvalidKey::CurveAlone
        | InvalidKey::Empty => false,
        InvalidKey::NotPem => KeyMaterial::of(bytes).is_some(),
        // Whatever is called private is believed to be.
        InvalidKey::OtherPem => {
            secret::is_private(bytes) || bytes.windows(PRIVATE.len()).any(|word| word == PRIVATE)
        }
        _ => true,
    }
}

fn invalid(path: &Path, source: InvalidKey) -> KeyFileError {
    KeyFileError::Invalid { path: path.into(), source }
}

fn open(path: &Path, half: Half) -> Result<Named, KeyFileError> {
    // What a shell hands over (`<(…)`) is a pipe that is nobody else's. A pipe that has a place in
    // a file system is whoever's that may open it.
    let is_handed_over =
        path == Path::new(STANDARD_INPUT) || HANDED_OVER.iter().any(|at| path.starts_with(at));
    let opened = if is_handed_over {
        regular_file::open_named(path)
    } else {
        regular_file::open(path, Links::Followed).and_then(|file| Ok(file.try_into()?))
    };
    match opened {
        Ok(named) => Ok(named),
        Err(ReadError::Missing(_)) => Err(KeyFileError::Missing { path: path.into(), half }),
        Err(ReadError::NotRegular(kind)) => Err(KeyFileError::NotRegular { path: path.into(), kind }),
        Err(error) => Err(KeyFileError::Read { path: path.into(), source: error.into() }),
    }
}

fn contents(mut named: Named, path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let too_large = || invalid(path, InvalidKey::TooLarge { limit: MAX_PEM });
    let size = usize::try_from(named.metadata.len()).unwrap_or(usize::MAX);
    if size > MAX_PEM {
        return Err(too_large());
    }
    // One allocation of the largest size, for a buffer that grows leaves copies of
    // the key behind.
    let mut buffer = Zeroizing::new(vec![0; MAX_PEM + 1]);
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match named.read(rest) {
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
