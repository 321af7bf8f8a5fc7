//! Where an artifact is: the object that a store is asked for.

use super::key_format::MAX_KEY;
use super::wire::{Artifact, Location, S3};
use crate::argo::StoreKind;

/// Bytes of a bucket's name.
const MAX_BUCKET: usize = 255;

/// Where an artifact is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// An object of an S3 store, or the objects beneath a key.
    Object {
        /// The bucket.
        bucket: String,
        /// The key, which for a directory may end in `/`.
        key: String,
    },
    /// In a kind of store that nobody here can ask.
    Elsewhere(StoreKind),
    /// The workflow does not say where.
    Nowhere,
}

/// Where what has no location of its own goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Repository {
    S3 {
        bucket: String,
        /// What its keys begin with, with variables.
        format: String,
    },
    Other(StoreKind),
    Unknown,
}

impl Repository {
    /// Of `status.artifactRepositoryRef`: what the controller wrote when it began.
    pub(super) fn of(location: Option<&Location>) -> Self {
        Self::with_key(location, |s3| match (s3.key_format.as_str(), s3.key_prefix.as_str()) {
            // `S3ArtifactRepository.IntoArtifactLocation` and `DefaultArchivePattern`
            // (artifact_repository_types.go).
            ("", "") => USUAL.to_owned(),
            ("", prefix) => format!("{}/{USUAL}", prefix.trim_matches('/')),
            (format, _) => format.to_owned(),
        })
    }

    /// Of a template's own `archiveLocation`, which has a key with variables; `None` if it names no
    /// place (`addArchiveLocation` in workflow/controller/workflowpod.go).
    pub(super) fn of_template(location: &Location) -> Option<Self> {
        match (&location.s3, Self::with_key(Some(location), |s3| s3.key.clone())) {
            (_, Self::Unknown) => None,
            (Some(s3), _) if s3.endpoint.is_empty() || s3.bucket.is_empty() || s3.key.is_empty() => None,
            (_, repository) => Some(repository),
        }
    }

    fn with_key(location: Option<&Location>, format: impl FnOnce(&S3) -> String) -> Self {
        let Some(location) = location else { return Self::Unknown };
        if let Some(s3) = &location.s3 {
            // Of a text that has longer ones nothing is built for each of its nodes.
            let (bucket, format) = (s3.bucket.as_str(), format(s3));
            if bucket.len() > MAX_BUCKET || format.len() > 4 * MAX_KEY {
                return Self::Unknown;
            }
            return Self::S3 { bucket: bucket.to_owned(), format };
        }
        let Location { s3: _, artifactory, hdfs, oss, gcs, azure, plugin } = location;
        let kinds = [
            (StoreKind::Gcs, gcs),
            (StoreKind::Azure, azure),
            (StoreKind::Oss, oss),
            (StoreKind::Hdfs, hdfs),
            (StoreKind::Artifactory, artifactory),
            (StoreKind::Plugin, plugin),
        ];
        let other = kinds.into_iter().find_map(|(kind, named)| named.as_ref().map(|_| kind));
        other.map_or(Self::Unknown, Self::Other)
    }
}

/// `DefaultArchivePattern`.
const USUAL: &str = "{{workflow.name}}/{{pod.name}}";

impl Spot {
    /// Where an artifact of a node is: its own location, completed from the repository's
    /// (`Relocate` in `workflow_types.go`).
    pub(super) fn of(artifact: &Artifact, repository: &Repository) -> Self {
        match Self::anywhere(artifact, repository) {
            Self::Object { bucket, key } if bucket.len() > MAX_BUCKET || key.len() > MAX_KEY => Self::Nowhere,
            spot => spot,
        }
    }

    fn anywhere(artifact: &Artifact, repository: &Repository) -> Self {
        if let Some(s3) = &artifact.s3 {
            let own = !s3.endpoint.is_empty() && !s3.bucket.is_empty();
            return match (own, repository) {
                _ if s3.key.is_empty() => Self::Nowhere,
                (true, _) => Self::Object { bucket: s3.bucket.clone(), key: s3.key.clone() },
                (false, Repository::S3 { bucket, .. }) if !bucket.is_empty() => {
                    Self::Object { bucket: bucket.clone(), key: s3.key.clone() }
                }
                (false, Repository::Other(kind)) => Self::Elsewhere(*kind),
                (false, _) => Self::Nowhere,
            };
        }
        let Artifact { name: _, s3: _, git, http, raw, artifactory, hdfs, oss, gcs, azure, plugin } =
            artifact;
        let kinds = [
            (StoreKind::Git, git),
            (StoreKind::Http, http),
            (StoreKind::Raw, raw),
            (StoreKind::Gcs, gcs),
            (StoreKind::Azure, azure),
            (StoreKind::Oss, oss),
            (StoreKind::Hdfs, hdfs),
            (StoreKind::Artifactory, artifactory),
            (StoreKind::Plugin, plugin),
        ];
        let other = kinds.into_iter().find_map(|(kind, named)| named.as_ref().map(|_| kind));
        other.map_or(Self::Nowhere, Self::Elsewhere)
    }
}
