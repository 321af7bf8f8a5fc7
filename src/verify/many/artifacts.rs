//! What was found in one place and is to be verified: the next few of it, and of all the rest its names.

use std::collections::VecDeque;
use std::ffi::OsString;

use argo_attest_core::policy::ArtifactKind;

use super::Artifact;
use super::folder::Files;
use super::lanes::Lanes;
use super::objects::Objects;

/// Artifacts of one place.
#[derive(Debug)]
pub struct Artifacts(Kind);

#[derive(Debug)]
enum Kind {
    Named(VecDeque<(Artifact, Option<ArtifactKind>)>),
    Files(Box<Files>),
    Objects(Box<Objects>),
}

/// One of them.
#[derive(Debug)]
pub struct FoundArtifact {
    /// The artifact.
    pub artifact: Artifact,
    /// What a policy calls it where it has no attestation.
    pub kind: Option<ArtifactKind>,
    /// Which one it is of all that are in the place.
    pub at: u64,
    /// Whether it is called like an attestation of something that is there, and is none. Only a look at its
    /// bytes tells, so it was not among [`Artifacts::names`].
    pub is_late: bool,
}

impl Artifacts {
    /// How many are taken together of those that are here already.
    pub(super) const TOGETHER: usize = 1024;

    /// How many there are at least: it may come out of others that they are no attestations.
    pub fn least(&self) -> usize {
        match &self.0 {
            Kind::Named(left) => left.len(),
            Kind::Files(files) => files.len(),
            Kind::Objects(objects) => objects.least(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.least() == 0
    }

    /// The next of them, in their order; none at the end. Those before are to be checked first: what was
    /// read ahead of them is forgotten.
    pub async fn next(&mut self, lanes: &Lanes) -> Vec<FoundArtifact> {
        match &mut self.0 {
            Kind::Named(left) => {
                let found = left.drain(..left.len().min(Self::TOGETHER));
                found
                    .map(|(artifact, kind)| FoundArtifact { artifact, kind, at: 0, is_late: false })
                    .collect()
            }
            Kind::Files(files) => files.next(),
            Kind::Objects(objects) => objects.next(lanes).await,
        }
    }

    /// Their names, before any was taken; those of a place also if nobody looks at them.
    pub fn names(&self) -> Box<dyn Iterator<Item = OsString> + '_> {
        match &self.0 {
            Kind::Named(left) => Box::new(left.iter().map(|(artifact, _)| artifact.name().into_os_string())),
            Kind::Files(files) => Box::new(files.names()),
            Kind::Objects(objects) => Box::new(objects.names()),
        }
    }

    /// Adds one of those that are named one by one.
    pub fn push(&mut self, artifact: Artifact, kind: Option<ArtifactKind>) {
        if let Kind::Named(left) = &mut self.0 {
            left.push_back((artifact, kind));
        }
    }
}

impl Default for Artifacts {
    fn default() -> Self {
        Self(Kind::Named(VecDeque::new()))
    }
}

impl FromIterator<(Artifact, Option<ArtifactKind>)> for Artifacts {
    fn from_iter<I: IntoIterator<Item = (Artifact, Option<ArtifactKind>)>>(all: I) -> Self {
        Self(Kind::Named(all.into_iter().collect()))
    }
}

impl From<Files> for Artifacts {
    fn from(files: Files) -> Self {
        Self(Kind::Files(Box::new(files)))
    }
}

impl From<Objects> for Artifacts {
    fn from(objects: Objects) -> Self {
        Self(Kind::Objects(Box::new(objects)))
    }
}
