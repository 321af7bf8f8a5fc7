//! Attesting an artifact as it was sealed, and what became of it.

use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::contents::Contents;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::member_name;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::secret::shown;
use argo_attest_core::slsa::Provenance;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use jiff::Timestamp;

use super::{Attestor, Receipt, untouched};
use crate::attestations::Attestations;
use crate::image_files::Search;
use crate::observe::{Artifact, Refusal, SealedArtifact, SeenFiles, Shape};

/// Whether there is an attestation. "Attested" cannot be said without a receipt.
#[derive(Debug)]
pub enum Verdict {
    /// Written, read back and verified.
    Attested(Receipt),
    /// It is as it was before, and so is the attestation that speaks of it.
    Unchanged {
        /// Where that is, printable.
        attestation: String,
    },
    /// There is none.
    NotAttested {
        /// Why not.
        reason: String,
        /// What to do about it, if that is known.
        remedy: Option<String>,
    },
}

/// A file as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSeen {
    /// Its name as a subject.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Sha256Digest,
    /// When it was digested.
    pub digested: Timestamp,
}

/// One artifact, at the end.
#[derive(Debug)]
pub struct Outcome {
    /// The artifact's name.
    pub name: String,
    /// Where it is.
    pub place: PathBuf,
    /// Whether it is attested.
    pub verdict: Verdict,
    /// Its digest, `sha256:…` or `dirHash:…`, where there is one for the whole.
    pub digest: Option<String>,
    files: Arc<SeenFiles>,
    /// What is in it and could not be attested, by name.
    pub refused: Vec<(String, Refusal)>,
}

impl Outcome {
    /// Whether everything that is there is attested.
    pub fn is_complete(&self) -> bool {
        matches!(self.verdict, Verdict::Attested(_) | Verdict::Unchanged { .. }) && self.refused.is_empty()
    }

    /// Why somebody who was asked to vouch for it did not, where it is attested all the same.
    pub fn unvouched(&self) -> &[String] {
        match &self.verdict {
            Verdict::Attested(receipt) => receipt.unvouched(),
            Verdict::Unchanged { .. } | Verdict::NotAttested { .. } => &[],
        }
    }

    /// Attests it, with the images in it, and says what became of it. `provenance` says how it
    /// was made, given what the statement names.
    pub async fn attest(
        sealed: SealedArtifact,
        attestor: &Attestor<'_>,
        place: &dyn Attestations,
        provenance: impl FnOnce(&Contents) -> Provenance,
    ) -> Self {
        let contents = match sealed.contents() {
            Ok(contents) => contents,
            Err(why) => {
                let remedy = way_out(&sealed);
                return Self::refused(sealed, why, remedy);
            }
        };
        let sealed = Arc::new(sealed);
        let images = Search::begin(&sealed).found(contents.name()).await;
        let contents = contents.with_images(&images);
        let sealed = Arc::unwrap_or_clone(sealed);
        let verdict = match attestor.attest(&contents, place, &provenance(&contents)).await {
            Ok(receipt) => Verdict::Attested(receipt),
            Err(error) => Verdict::NotAttested { reason: causes(&error), remedy: error.remedy() },
        };
        Self::of(sealed, verdict)
    }

    /// It is not attested, for this reason, and this can be done about it.
    pub fn refused(sealed: SealedArtifact, reason: String, remedy: Option<String>) -> Self {
        Self::of(sealed, Verdict::NotAttested { reason, remedy })
    }

    /// Nobody touched it: it was not made, and a new attestation would say that it was. If one
    /// is there that speaks of it, that stays.
    pub async fn untouched(sealed: SealedArtifact, place: &dyn Attestations) -> Self {
        let attestation = match sealed.digest() {
            Some(digest) => untouched::attestation(place, &digest).await,
            None => None,
        };
        let verdict = attestation
            .map_or_else(untouched::not_attested, |attestation| Verdict::Unchanged { attestation });
        Self::of(sealed, verdict)
    }

    fn of(sealed: SealedArtifact, verdict: Verdict) -> Self {
        let digest = sealed.digest();
        let (artifact, files, refused) = sealed.into_parts();
        let name = |path: &RelPath| name_in(&artifact.name, path);
        let refused = refused.into_iter().map(|(path, refusal)| (name(&path), refusal)).collect();
        let place = artifact.place();
        Self { name: artifact.name, place, verdict, digest, files, refused }
    }

    /// A signal came before it was attested. Something of it may have been written.
    pub fn interrupted(artifact: Artifact) -> Self {
        let reason = "interrupted before its attestation was written and read back".to_owned();
        let verdict = Verdict::NotAttested { reason, remedy: Some("run it again".to_owned()) };
        let place = artifact.place();
        Self { name: artifact.name, place, verdict, digest: None, files: Arc::default(), refused: Vec::new() }
    }

    /// What it is called where it is told of. What is not there may be called by what is
    /// no name at all.
    pub fn told(&self) -> String {
        let is_there = || std::fs::symlink_metadata(&self.place).is_ok();
        if !matches!(self.verdict, Verdict::NotAttested { .. }) || is_there() {
            printable(self.name.as_bytes())
        } else {
            shown(self.name.as_bytes())
        }
    }

    /// What is in it. There may be a million: each is made when its turn comes.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileSeen> {
        self.files.iter().map(|(path, seen)| FileSeen {
            name: name_in(&self.name, path),
            size: seen.size,
            digest: seen.digest,
            digested: seen.digested,
        })
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|seen| seen.size).sum()
    }
}

/// What a file of an artifact is called as a subject.
fn name_in(artifact: &str, path: &RelPath) -> String {
    if path.is_root() { artifact.to_owned() } else { member_name(artifact, path) }
}

/// What to do about an artifact that cannot be attested as what it is.
fn way_out(sealed: &SealedArtifact) -> Option<String> {
    let is_link = |(path, why): &(RelPath, Refusal)| path.is_root() && *why == Refusal::Symlink;
    let way_out = match sealed.shape() {
        // A shell would have put names in its place, had it found any before the command ran.
        Shape::Missing if sealed.artifact().name.contains(['*', '?', '[']) => {
            "patterns are not expanded: name the directory that the files are in"
        }
        Shape::Missing => "name what the command writes, as seen from here",
        Shape::Refused if sealed.refused().iter().any(is_link) => "name what it leads to",
        _ => return None,
    };
    Some(way_out.to_owned())
}
