//! Where attestations go: beside each artifact, or into one store.

use std::path::{Path, PathBuf};

use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::secret::{shown, shown_path};
use argo_attest_core::slsa::place_byproduct;

use super::{Exit, Failure};
use crate::attestations::{
    AttestationNames, Attestations, FileAttestations, OF_SOME_FILES, ObjectAttestations, PutError,
};
use crate::observe::Artifact;
use crate::store::{self, InvalidKey, InvalidLocation, Location, ObjectKey, ProcessEnv, Store};

/// Where attestations go.
#[derive(Debug)]
pub(super) enum Target {
    /// Beside each artifact.
    Beside,
    /// Into this store, under the artifact's name.
    Store {
        /// The store.
        store: Box<dyn Store>,
        /// Its directory, if it is one of this machine.
        directory: Option<PathBuf>,
    },
}

impl Target {
    /// Reads `--store`; makes no request yet.
    pub(super) fn open(url: Option<&str>) -> Result<Self, Failure> {
        let Some(url) = url else { return Ok(Self::Beside) };
        let location: Location = url.parse().map_err(|e| {
            Failure::new(Exit::Usage, format!("--store {:?}: {e}", shown(url.as_bytes())))
                .remedy(InvalidLocation::REMEDY)
        })?;
        let directory = match &location {
            Location::File(directory) => Some(made(directory)?),
            Location::S3 { .. } => None,
        };
        Ok(Self::Store { store: store::open_named(&location, &ProcessEnv)?, directory })
    }

    /// That an artifact's attestation can be named there.
    pub(super) fn check(&self, artifact: &Artifact) -> Result<(), Failure> {
        let key = self.key(artifact).map_err(|e| unnamed(artifact, &e))?;
        AttestationNames::beside(key.as_str()).map(|_| ()).map_err(|e| unnamed(artifact, &e))
    }

    /// Under which name an artifact is attested there.
    fn key(&self, artifact: &Artifact) -> Result<ObjectKey, InvalidKey> {
        match self {
            _ if artifact.path.is_root() => ObjectKey::new(OF_SOME_FILES),
            Self::Beside => ObjectKey::for_path(&artifact.path),
            Self::Store { .. } => ObjectKey::new(&artifact.name),
        }
    }

    /// Where the artifact belongs whose attestation is put there, if that is a place that
    /// has an address: beside it.
    pub(super) fn place(&self, artifact: &Artifact) -> Option<ResourceDescriptor> {
        let Self::Store { store, .. } = self else { return None };
        // The new files of the working directory are no artifact that is stored as one.
        let key = Some(&artifact.name).filter(|_| !artifact.path.is_root())?;
        Some(place_byproduct(&store.uri(&ObjectKey::new(key).ok()?), &store.address()?))
    }

    /// Where its attestation goes.
    pub(super) fn attestations(&self, artifact: &Artifact) -> Result<Box<dyn Attestations + '_>, Failure> {
        self.check(artifact)?;
        Ok(match self {
            Self::Beside if artifact.path.is_root() => {
                Box::new(FileAttestations::beneath(&artifact.root, &changes()?)?)
            }
            Self::Beside => Box::new(FileAttestations::beneath(&artifact.root, &artifact.path)?),
            Self::Store { store, .. } => {
                let key = self.key(artifact).map_err(|e| unnamed(artifact, &e))?;
                Box::new(ObjectAttestations::new(store.as_ref(), &key))
            }
        })
    }

    /// That no file of others lies where the artifact's attestation goes. Of this machine
    /// only: what is asked of a store is asked when there is something to put there.
    pub(super) async fn is_free(&self, artifact: &Artifact) -> Result<(), Failure> {
        if matches!(self, Self::Store { directory: None, .. }) {
            return Ok(());
        }
        match self.attestations(artifact)?.is_free().await {
            Err(foreign @ PutError::Foreign { .. }) => Err(Failure::from(&foreign)),
            _ => Ok(()),
        }
    }

    /// How many requests were repeated.
    pub(super) fn retries(&self) -> u64 {
        match self {
            Self::Beside => 0,
            Self::Store { store, .. } => store.retries(),
        }
    }

    /// What is written into the working directory itself, and so is no output.
    pub(super) fn excluded(&self) -> Result<Vec<RelPath>, Failure> {
        if matches!(self, Self::Store { .. }) {
            return Ok(Vec::new());
        }
        let names =
            AttestationNames::beside(OF_SOME_FILES).map_err(|e| Failure::from_error(Exit::Software, &e))?;
        names
            .all()
            .into_iter()
            .map(|key| key.to_rel_path().map_err(|e| Failure::from_error(Exit::Software, &e)))
            .collect()
    }
}

fn changes() -> Result<RelPath, Failure> {
    RelPath::from_bytes(OF_SOME_FILES.as_bytes()).map_err(|e| Failure::from_error(Exit::Software, &e))
}

/// A directory of this machine that is a store, made if it is not there.
fn made(directory: &Path) -> Result<PathBuf, Failure> {
    std::fs::create_dir_all(directory).and_then(|()| directory.canonicalize()).map_err(|e| {
        Failure::new(Exit::Io, format!("the store {} cannot be made: {e}", shown_path(directory)))
            .remedy("check that its directory can be written, and that nothing else has its name")
    })
}

fn unnamed(artifact: &Artifact, why: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::Usage, format!("the attestation of {} cannot be named: {why}", artifact.name))
}
