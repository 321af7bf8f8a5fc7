//! One artifact as it stood at the end: what it is, what is in it, what was refused.

use std::collections::BTreeMap;

use super::{Artifact, FileSeen, Outcome, Verdict};
use crate::attest::{AttestError, AttestationNames, Attestor, Contents};
use crate::digest::{DirHash, Sha256Digest};
use crate::intoto::member_name;
use crate::relpath::RelPath;
use crate::slsa::Provenance;
use crate::volume::{Baseline, Observation, Presence, Refusal};

/// What an artifact's path holds.
#[derive(Debug)]
enum Shape {
    File(Sha256Digest),
    Directory(BTreeMap<RelPath, Sha256Digest>),
    /// Some of a directory's files.
    Loose(BTreeMap<RelPath, Sha256Digest>),
    Nothing(&'static str),
}

/// An artifact after the authoritative scan.
#[derive(Debug)]
pub struct SealedArtifact {
    artifact: Artifact,
    shape: Shape,
    files: Vec<FileSeen>,
    refused: Vec<(RelPath, Refusal)>,
}

impl SealedArtifact {
    pub(super) fn new(artifact: Artifact, observation: &Observation, baseline: Baseline) -> Self {
        let beneath = |path: &RelPath| path.strip_prefix(&artifact.path);
        let name = |path: &RelPath| {
            if path.is_root() { artifact.name.clone() } else { member_name(&artifact.name, path) }
        };
        let mut digests = BTreeMap::new();
        let mut files = Vec::new();
        for (path, file) in &observation.files {
            let Some(path) = beneath(path) else { continue };
            files.push(FileSeen {
                name: name(&path),
                size: file.size,
                digest: file.digest,
                digested: file.digested,
            });
            digests.insert(path, file.digest);
        }
        let refused: Vec<_> = observation
            .refused
            .iter()
            .filter_map(|(path, refusal)| Some((beneath(path)?, path, refusal)))
            .collect();
        let presence = observation.interests.get(&artifact.path).copied().unwrap_or(Presence::Missing);
        let shape = match presence {
            // What was not looked at could be anything.
            _ if !observation.complete => Shape::Nothing("not all of it could be read"),
            Presence::Missing => Shape::Nothing("it does not exist"),
            Presence::Refused => Shape::Nothing("it was refused"),
            Presence::File => match digests.get(&RelPath::root()) {
                Some(digest) => Shape::File(*digest),
                None => Shape::Nothing("it was not digested"),
            },
            Presence::Directory if !digests.is_empty() => match baseline {
                Baseline::Include => Shape::Directory(digests),
                Baseline::OnlyNewOrChanged => Shape::Loose(digests),
            },
            Presence::Directory if !refused.is_empty() => Shape::Nothing("nothing in it could be attested"),
            Presence::Directory if baseline == Baseline::OnlyNewOrChanged => {
                Shape::Nothing("no file is new or changed")
            }
            Presence::Directory => Shape::Nothing("it holds no files"),
        };
        let refused = refused.into_iter().map(|(_, path, refusal)| (path.clone(), refusal.clone())).collect();
        Self { artifact, shape, files, refused }
    }

    /// The artifact.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// Attests it and says what became of it. `provenance` says how it was made,
    /// given its by-products.
    pub async fn attest(
        self,
        attestor: &Attestor<'_>,
        names: &AttestationNames,
        provenance: impl FnOnce(&Contents) -> Provenance,
    ) -> Outcome {
        let name = &self.artifact.name;
        let contents = match &self.shape {
            Shape::File(digest) => Contents::file(name, *digest),
            Shape::Directory(files) => Contents::directory(name, files),
            Shape::Loose(files) => Contents::files(files),
            Shape::Nothing(why) => {
                let reason = (*why).to_owned();
                return self.outcome(Verdict::NotAttested { reason, remedy: None });
            }
        };
        let verdict = match attestor.attest(&contents, names, &provenance(&contents)).await {
            Ok(receipt) => Verdict::Attested(receipt),
            Err(error) => Verdict::from_error(&error),
        };
        self.outcome(verdict)
    }

    /// It is not attested, for a reason from outside.
    pub fn refuse(self, reason: String) -> Outcome {
        self.outcome(Verdict::NotAttested { reason, remedy: None })
    }

    fn outcome(self, verdict: Verdict) -> Outcome {
        let digest = match &self.shape {
            Shape::File(digest) => Some(format!("sha256:{digest}")),
            Shape::Directory(files) => Some(format!("dirHash:{}", DirHash::of_files(files))),
            Shape::Loose(_) | Shape::Nothing(_) => None,
        };
        Outcome { name: self.artifact.name, verdict, digest, files: self.files, refused: self.refused }
    }
}

impl Verdict {
    fn from_error(error: &AttestError) -> Self {
        let remedy = match error {
            AttestError::Store { source, .. } => Some(source.remedy()),
            AttestError::Foreign { .. } => Some("move it away, or give the output another name".into()),
            _ => None,
        };
        Self::NotAttested { reason: crate::report::chain(error), remedy }
    }
}
