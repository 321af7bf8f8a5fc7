//! Files and directories on this machine.

use std::io;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use argo_attest_core::digest::FileDigests;
use argo_attest_core::image::layout::Only;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::verify::{Authentic, Content, KnownAs, Place, Rejection, VerifiedStatement};

use super::found::Found;
use super::passed_over::PassedOver;
use super::{CheckError, Checked, Checker, candidates, nameless, unverifiable};
use crate::attestations::{Attestations as _, Candidate, FileAttestations, FindError, Reach};
use crate::image_files;
use crate::observe::{Cancel, Progress, Root, digest_tree};
use crate::regular_file::{self, Links};

/// Checks a file or a directory.
pub async fn check_path(
    checker: &Checker,
    artifact: &Path,
    workers: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<Checked, CheckError> {
    if let Some(digests) = nameless::digests(artifact)? {
        return nameless::check(checker, artifact, digests).await;
    }
    let real = match artifact.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(CheckError::NoArtifact),
        Err(e) => return Err(io_error(artifact, e)),
    };
    let named = named(artifact, &real).map_err(|e| io_error(artifact, e))?;
    check_at(checker, (&named, &real), workers, progress).await
}

/// Checks what was found at a path that had no links then.
pub(super) async fn check_beneath(
    checker: &Checker,
    artifact: &Path,
    found: &Path,
    workers: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<Checked, CheckError> {
    match found.canonicalize() {
        Ok(real) if real == found => {}
        Ok(_) => {
            return Err(unverifiable(artifact, "a symbolic link was put in its place").into());
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(CheckError::NoArtifact),
        Err(e) => return Err(io_error(artifact, e)),
    }
    check_at(checker, (found, found), workers, progress).await
}

async fn check_at(
    checker: &Checker,
    (named, real): (&Path, &Path),
    workers: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<Checked, CheckError> {
    let attestations = FileAttestations::new(named).labelled(checker.wanted.label()).at_most(checker.largest);
    let mut check = Check { checker, named, real, workers, progress, content: None };
    if let Some(bundle) = &checker.bundle {
        return match check.candidate(attestations.named(bundle)).await {
            Err(CheckError::Rejected(first)) => check.as_image(attestations.named(bundle), first).await,
            decided => decided,
        };
    }
    let nearest = attestations.find(Reach::Nearest);
    candidates::first(nearest, async |candidate| check.candidate(candidate).await).await
}

/// One artifact's check, whose bytes are read once, and not before a signature is good.
struct Check<'a> {
    checker: &'a Checker,
    /// The path by which the user knows it.
    named: &'a Path,
    /// The path that has no links.
    real: &'a Path,
    workers: NonZeroUsize,
    progress: &'a dyn Progress,
    content: Option<Arc<Content>>,
}

impl Check<'_> {
    fn content(&mut self) -> Result<Arc<Content>, CheckError> {
        let digest = || digest(self.real, self.workers, self.progress);
        Ok(Arc::clone(match &mut self.content {
            Some(content) => content,
            none => none.insert(Arc::new(digest()?)),
        }))
    }

    /// The artifact as the one image that it holds, by an attestation that does not speak of it
    /// as the file or the directory that it is, `first` being why.
    async fn as_image(
        &mut self,
        mut candidate: Candidate<'_>,
        first: Rejection,
    ) -> Result<Checked, CheckError> {
        candidate.place = Place::ByDigest;
        let found = Found::of(candidate)?;
        let Ok(authentic) = found.authentic(self.checker) else { return Err(first.into()) };
        let content = self.content()?;
        let only = match only(self.real, &content)? {
            None => return Err(first.into()),
            Some(Err(why)) => return Err(Rejection::NoImage { first: Box::new(first), why }.into()),
            Some(Ok(only)) => only,
        };
        let content = Arc::new(Content::File(only.digest()));
        let (index, statement) = found.decide(authentic, &content).await?;
        let unjudged = found.unjudged(index, &statement);
        let (origin, file, passed_over) = (found.candidate.origin, found.digest, PassedOver::default());
        Ok(Checked { statement, origin, file, placed: None, image: Some(only), unjudged, passed_over })
    }

    async fn candidate(&mut self, candidate: Candidate<'_>) -> Result<Checked, CheckError> {
        let Self { checker, named, real, .. } = *self;
        let found = Found::of(candidate)?;
        // Before the bytes are read: a bad signature needs no digest of a large file.
        let authentic = found.authentic(checker)?;
        let content = self.content()?;
        let authentic = completed(authentic, real, &content)?;
        let (index, statement) = found.decide(authentic, &content).await?;
        let place = &found.candidate.place;
        let depth = match place {
            Place::Named(_) | Place::ByDigest => None,
            Place::Itself(_) => Some(0),
            Place::Within(path) | Place::Among(path) => Some(path.as_bytes().split(|b| *b == b'/').count()),
        };
        if let Some(depth) = depth {
            unclaimed(checker, (named, depth + 1), &content, place, &statement).await?;
            if real != named {
                // A link leads into a directory that has an attestation of its own.
                unclaimed(checker, (real, depth.max(1)), &content, place, &statement).await?;
            }
        }
        let unjudged = found.unjudged(index, &statement);
        let (origin, file, passed_over) = (found.candidate.origin, found.digest, PassedOver::default());
        Ok(Checked { statement, origin, file, placed: None, image: None, unjudged, passed_over })
    }
}

/// What others name by longer digests only is compared by those: the file is read once more.
fn completed(
    authentic: Vec<(usize, Authentic)>,
    path: &Path,
    content: &Content,
) -> Result<Vec<(usize, Authentic)>, CheckError> {
    let Content::File(sha256) = content else { return Ok(authentic) };
    if !authentic.iter().any(|(_, statement)| statement.needs_longer()) {
        return Ok(authentic);
    }
    let file = regular_file::open(path, Links::Refused).map_err(|e| io_error(path, e.into()))?;
    let digests = FileDigests::read(file).map_err(|e| io_error(path, e))?;
    if digests.sha256() != *sha256 {
        return Err(unverifiable(path, "it changed while it was read").into());
    }
    Ok(authentic.into_iter().map(|(index, statement)| (index, statement.knowing(&digests))).collect())
}

/// A file may be renamed with its attestation, but not into an attested directory: what is
/// in there goes by its own name, and an attestation beside it is soon put there.
///
/// Under its own name too the directory's attestation has to know it, if it is one that is
/// trusted: what lies beside a file, or beside a directory in between, cannot overrule it.
async fn unclaimed(
    checker: &Checker,
    (artifact, depth): (&Path, usize),
    content: &Arc<Content>,
    place: &Place,
    verified: &VerifiedStatement,
) -> Result<(), CheckError> {
    let known = KnownAs::new(artifact.as_os_str().as_bytes());
    let own_name = match place {
        Place::Within(_) | Place::Among(_) => known.ends_with(verified.subject()),
        Place::Itself(_) | Place::Named(_) | Place::ByDigest => known.is_called(verified.subject()),
    };
    let attestations =
        FileAttestations::new(artifact).labelled(checker.wanted.label()).at_most(checker.largest);
    let mut above = attestations.find(Reach::Above(depth));
    while let Some(candidate) = above.next().await {
        let at = match candidate {
            Ok(candidate) if own_name => {
                let Ok(found) = Found::of(candidate) else { continue };
                let Ok(authentic) = found.authentic(checker) else { continue };
                found.decide(authentic, content).await?;
                continue;
            }
            Ok(candidate) => candidate.origin,
            // Whatever it is, it lies there.
            Err(FindError::Io { name, .. }) if !own_name => name,
            Err(error) => return Err(error.into()),
        };
        let asked = artifact.file_name().unwrap_or_default().as_bytes();
        return Err(Rejection::OtherName {
            attested: printable(verified.subject().as_bytes()),
            asked: format!("{}, beside whose directory lies {at}", printable(asked)),
        }
        .into());
    }
    Ok(())
}

/// The absolute path by which the user knows the artifact, and so what lies beside it:
/// a link stays a link, but `..` leads where the kernel says.
pub(super) fn named(artifact: &Path, real: &Path) -> io::Result<PathBuf> {
    if artifact.components().any(|c| c == Component::ParentDir) {
        return Ok(real.to_owned());
    }
    // Anew from its components: a trailing slash would become a part of the names beside it.
    Ok(std::path::absolute(artifact)?.components().collect())
}

/// Its directory, and its name in there.
fn beneath(real: &Path) -> Result<(Root, RelPath), CheckError> {
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(io_error(real, io::Error::new(io::ErrorKind::InvalidInput, "it has no name")));
    };
    let path = RelPath::from_bytes(name.as_bytes())
        .map_err(|e| io_error(real, io::Error::new(io::ErrorKind::InvalidInput, e)))?;
    Ok((Root::open(parent)?, path))
}

/// The one image that it stands for, or why there is none; `None` if it was never meant to be one.
fn only(real: &Path, content: &Content) -> Result<Option<Result<Only, String>>, CheckError> {
    let (root, path) = beneath(real)?;
    let images = image_files::look(&root, &path, content, &Cancel::new());
    Ok(images.map(|images| images.only.map_err(|why| why.to_string())))
}

fn digest(real: &Path, workers: NonZeroUsize, progress: &dyn Progress) -> Result<Content, CheckError> {
    let (root, path) = beneath(real)?;
    let observation = digest_tree(&root, &path, workers, progress, &Cancel::new())?;
    if let Some((entry, refusal)) = observation.refused.iter().next() {
        return Err(Rejection::Unverifiable { path: entry.clone(), reason: refusal.to_string() }.into());
    }
    if !observation.complete {
        return Err(Rejection::Unverifiable { path, reason: "not all of it could be read".into() }.into());
    }
    if let Some(file) = observation.files.get(&path) {
        return Ok(Content::File(file.digest));
    }
    Ok(Content::Directory(observation.into_tree(&path)))
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    printable(path.strip_prefix(here).unwrap_or(path).as_os_str().as_bytes())
}

pub(super) fn io_error(path: &Path, source: io::Error) -> CheckError {
    CheckError::Io { name: shown(path), source }
}
