//! The store that the platform names, and what lies there: attestations of outputs whose own
//! store nobody here can ask, and the outcomes of steps. Whoever looks for one makes its key
//! of what the Workflow's status says.
//!
//! All of a namespace's lies beneath its name: no step can put anything in the place of
//! another namespace's.

use std::fmt;
use std::str::FromStr;

use argo_attest_core::argo::{Elsewhere, Nameless};
use argo_attest_core::object_name::is_object_name;
use argo_attest_core::slsa::PodIdentity;

use crate::store::{BucketName, InvalidKey, InvalidLocation, Location, ObjectKey};

/// What lies beneath a namespace's outcomes; no kind of store is called so.
const OUTCOMES: &str = "outcomes";
/// In place of a name that is not known. It is nobody's.
const UNKNOWN: &str = "_";

/// A bucket, or a part of one, that takes what has no place with an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedStore {
    bucket: BucketName,
    prefix: Option<ObjectKey>,
}

/// Why text names no such store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNamedStore {
    /// It is no store at all.
    #[error(transparent)]
    Location(#[from] InvalidLocation),
    /// A directory of the container's is nobody else's, or main's, too.
    #[error("what a step leaves can be kept in an s3://bucket/prefix only")]
    Directory,
}

/// Why an output's attestation has no key there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoKey {
    #[error(transparent)]
    Place(#[from] Nameless),
    #[error(transparent)]
    Key(#[from] InvalidKey),
}

impl FromStr for NamedStore {
    type Err = InvalidNamedStore;

    fn from_str(text: &str) -> Result<Self, InvalidNamedStore> {
        match text.parse()? {
            Location::S3 { bucket, prefix } => Ok(Self { bucket, prefix }),
            Location::File(_) => Err(InvalidNamedStore::Directory),
        }
    }
}

impl fmt::Display for NamedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.location().fmt(f)
    }
}

impl NamedStore {
    /// Where it is.
    pub(super) fn location(&self) -> Location {
        Location::S3 { bucket: self.bucket.clone(), prefix: self.prefix.clone() }
    }

    pub(super) fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The key in the bucket, of what has this one in the store.
    pub(super) fn in_bucket(&self, key: &ObjectKey) -> String {
        self.prefix
            .as_ref()
            .map_or_else(|| key.to_string(), |prefix| format!("{}/{}", prefix.as_str(), key.as_str()))
    }

    /// After what the attestation of an output that is stored elsewhere is named.
    pub(super) fn output(place: &Elsewhere, pod: &PodIdentity) -> Result<ObjectKey, NoKey> {
        Ok(ObjectKey::new(&format!("{}/{}", name(pod.pod_namespace.as_ref()), place.name()?))?)
    }

    /// After what the step's own outcome is named, which has this name in its own directory.
    pub(super) fn outcome(outcome: &str, pod: &PodIdentity) -> Result<ObjectKey, InvalidKey> {
        let [namespace, workflow, pod] =
            [&pod.pod_namespace, &pod.workflow_name, &pod.pod_name].map(|known| name(known.as_ref()));
        ObjectKey::new(&format!("{namespace}/{OUTCOMES}/{workflow}/{pod}/{outcome}"))
    }
}

/// A name of Kubernetes', which is one part of a path.
fn name(known: Option<&String>) -> &str {
    known.map(String::as_str).filter(|name| is_object_name(name)).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_a_bucket() {
        let store: NamedStore = "s3://bucket/a/b/".parse().unwrap();
        assert_eq!(store.to_string(), "s3://bucket/a/b");
        assert_eq!(store.in_bucket(&ObjectKey::new("k").unwrap()), "a/b/k");
        let whole: NamedStore = "s3://bucket".parse().unwrap();
        assert_eq!(whole.in_bucket(&ObjectKey::new("k").unwrap()), "k");
        assert_eq!("file:///srv".parse::<NamedStore>(), Err(InvalidNamedStore::Directory));
        assert_eq!(
            "https://x".parse::<NamedStore>(),
            Err(InvalidNamedStore::Location(InvalidLocation::Scheme))
        );
    }

    #[test]
    fn a_name_that_is_none_leads_nowhere() {
        for odd in ["", "..", "a/b", "../x", "Ä", "a\n"] {
            let pod = PodIdentity {
                pod_namespace: Some(odd.into()),
                pod_name: Some(odd.into()),
                ..PodIdentity::default()
            };
            assert_eq!(NamedStore::outcome("o", &pod).unwrap().as_str(), "_/outcomes/_/_/o", "{odd}");
        }
        let known = |name: &str| Some(name.to_owned());
        let pod = PodIdentity {
            pod_namespace: known("ci"),
            workflow_name: known("wf.1"),
            pod_name: known("wf-1"),
            ..PodIdentity::default()
        };
        assert_eq!(NamedStore::outcome("o", &pod).unwrap().as_str(), "ci/outcomes/wf.1/wf-1/o");
    }
}
