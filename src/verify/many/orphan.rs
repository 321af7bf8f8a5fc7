//! Attestations of what is not there: of something that was removed, or of what has no bytes, as a
//! step's outcome has none.

use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::relpath::printable;
use bytes::Bytes;

use super::address;
use crate::attestations::{MAX_ATTESTATION, MAX_ATTESTATION_BYTES};
use crate::regular_file::{self, Links};
use crate::store::{ObjectKey, Store};
use crate::verify::CheckError;
use crate::verify::local::io_error;

/// One of them, or the manifest that belongs to one.
#[derive(Debug, Clone)]
pub enum Orphan {
    /// A file.
    File {
        /// As it is told.
        path: PathBuf,
        /// Without links.
        real: PathBuf,
    },
    /// An object.
    Object(Arc<dyn Store>, ObjectKey),
}

impl Orphan {
    /// Its path or address, printable.
    pub fn name(&self) -> String {
        match self {
            Self::File { path, .. } => printable(path.as_os_str().as_bytes()),
            Self::Object(store, key) => store.uri(key),
        }
    }

    /// Its path, or its address, as it is.
    pub fn path(&self) -> PathBuf {
        match self {
            Self::File { path, .. } => path.clone(),
            Self::Object(store, key) => address(store.as_ref(), key).into(),
        }
    }

    /// All of it, within the limits of an attestation. No link is followed to it.
    pub async fn read(&self) -> Result<Bytes, CheckError> {
        match self {
            Self::File { path, real } => regular_file::read(real, Links::Refused, MAX_ATTESTATION_BYTES)
                .map(Bytes::from)
                .map_err(|why| io_error(path, std::io::Error::other(why))),
            Self::Object(store, key) => Ok(store.get(key, MAX_ATTESTATION).await?.bytes),
        }
    }
}
