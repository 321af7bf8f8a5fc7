//! Attestations that were found, not yet parsed.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use argo_attest_core::manifest::ManifestError;
use argo_attest_core::relpath::printable;
use argo_attest_core::verify::{Place, Rejection};
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::runtime::Handle;

use crate::registry::RegistryError;
use crate::regular_file::{self, Links, ReadError};
use crate::store::{ObjectKey, Store, StoreError};

/// How a file of envelopes is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A Sigstore bundle.
    Bundle,
    /// DSSE envelopes, one a line.
    Lines,
    /// Named by the user: whichever it is.
    Either,
}

/// Bytes that should be an attestation, and which artifact they should be about.
#[derive(Debug)]
pub struct Candidate<'a> {
    /// Where from, for people.
    pub origin: String,
    /// Which artifact they were asked about.
    pub place: Place,
    /// How they should be written.
    pub form: Form,
    /// As they are.
    pub bytes: Bytes,
    /// Address of the artifact or the directory whose attestation they are by their place,
    /// printable.
    pub artifact: String,
    /// Address at which the Sigstore bundle is there, printable.
    pub bundle_uri: String,
    pub(super) manifest: Manifest<'a>,
}

/// Where the manifest is.
#[derive(Debug)]
pub(super) enum Manifest<'a> {
    /// The object with this key, if that is one.
    Object(&'a dyn Store, String),
    /// This file.
    File(PathBuf),
    /// Nothing is kept with it.
    Nowhere,
}

/// Opens the manifest for one reader. Where it comes over a network it can be opened once.
pub type OpenManifest = Box<dyn FnMut() -> Result<Box<dyn BufRead + Send>, Rejection> + Send>;

/// Candidates in the order in which they count, each read when it is asked for.
pub struct Candidates<'a> {
    each: BoxStream<'a, Result<Candidate<'a>, FindError>>,
    looked_for: Vec<String>,
}

/// Why it is not known what there is.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// Nothing there can speak of it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A file cannot be read.
    #[error("cannot read {name}")]
    Io {
        /// Which, printable.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store does not say.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The registry does not say.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl<'a> Candidates<'a> {
    pub(super) fn new(
        each: BoxStream<'a, Result<Candidate<'a>, FindError>>,
        looked_for: Vec<String>,
    ) -> Self {
        Self { each, looked_for }
    }

    /// The next one that is there; `None` if there is no other.
    pub async fn next(&mut self) -> Option<Result<Candidate<'a>, FindError>> {
        self.each.next().await
    }

    /// Where one could have been, for people.
    pub fn looked_for(&self) -> Vec<String> {
        self.looked_for.clone()
    }
}

impl fmt::Debug for Candidates<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidates").field("looked_for", &self.looked_for).finish_non_exhaustive()
    }
}

impl Candidate<'_> {
    /// The manifest that belongs to it: the list of files that its statement may name.
    ///
    /// Errors: [`Rejection::NoManifest`] if there is none, the store's.
    pub async fn manifest(&self) -> Result<OpenManifest, FindError> {
        match &self.manifest {
            Manifest::Nowhere => Err(Rejection::NoManifest(format!("one for {}", self.origin)).into()),
            Manifest::File(path) => {
                let path = path.clone();
                Ok(Box::new(move || Ok(Box::new(BufReader::new(open(&path)?)))))
            }
            Manifest::Object(store, name) => {
                let key = ObjectKey::new(name).map_err(|e| Rejection::NoManifest(e.to_string()))?;
                let stream = match store.stream(&key).await {
                    Ok(stream) => stream.into_blocking(Handle::current()),
                    Err(StoreError::NotFound { .. }) => {
                        return Err(Rejection::NoManifest(store.uri(&key)).into());
                    }
                    Err(error) => return Err(error.into()),
                };
                let mut stream = Some(stream);
                Ok(Box::new(move || match stream.take() {
                    Some(stream) => Ok(Box::new(BufReader::new(stream))),
                    None => Err(Rejection::NoManifest("it was read already".into())),
                }))
            }
        }
    }
}

fn open(path: &Path) -> Result<File, Rejection> {
    regular_file::open(path, Links::Followed).map_err(|error| match error {
        ReadError::Missing(_) => Rejection::NoManifest(shown(path)),
        error => ManifestError::from(io::Error::from(error)).into(),
    })
}

/// A path as it is told: from the working directory, if it is in there.
pub(super) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    printable(path.strip_prefix(here).unwrap_or(path).as_os_str().as_encoded_bytes())
}
