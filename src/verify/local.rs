//! Files and directories on this machine.

use std::fs::File;
use std::io::{self, BufReader};
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use argo_attest_core::bundle::Evidence;
use argo_attest_core::manifest;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::verify::{Content, KnownAs, Place, Rejection, VerifiedStatement};

use super::found::{Format, Found, accept};
use super::{CheckError, Checker};
use crate::attest::{BUNDLE_SUFFIX, LINES_SUFFIX, MAX_ATTESTATION_BYTES as LIMIT};
use crate::observe::{Cancel, Progress, Root, digest_tree};
use crate::regular_file::{self, Links, ReadError};

/// A file or a directory that is as it was attested.
#[derive(Debug)]
pub struct CheckedPath {
    /// What the attestation says.
    pub statement: VerifiedStatement,
    /// Where it was found.
    pub origin: String,
    /// What came with it and decided nothing.
    pub evidence: Evidence,
}

/// Checks a file or a directory.
pub fn check_path(
    checker: &Checker,
    artifact: &Path,
    workers: NonZeroUsize,
    progress: &dyn Progress,
) -> Result<CheckedPath, CheckError> {
    let real = match artifact.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(CheckError::NoArtifact),
        Err(e) => return Err(io_error(artifact, e)),
    };
    let named = named(artifact, &real).map_err(|e| io_error(artifact, e))?;
    let (found, manifest) = match &checker.bundle {
        Some(bundle) => named_attestation(bundle, &named)?,
        None => beside(&named)?,
    };
    // Before the bytes are read: a bad signature needs no digest of a large file.
    let authentic = found.authentic(checker)?;
    let content = digest(&real, workers, progress)?;
    let (_, statement) = accept(authentic, &found.place, &content, || open_manifest(&manifest))?;
    let depth = match &found.place {
        Place::Named(_) => None,
        Place::Itself(_) => Some(0),
        Place::Within(path) => Some(path.as_bytes().split(|b| *b == b'/').count()),
    };
    if let Some(depth) = depth {
        unclaimed(checker, (&named, depth + 1), &content, &found.place, &statement)?;
        if real != named {
            // A link leads into a directory that has an attestation of its own.
            unclaimed(checker, (&real, depth.max(1)), &content, &found.place, &statement)?;
        }
    }
    Ok(CheckedPath { statement, origin: found.origin, evidence: found.attestations.evidence })
}

/// A file may be renamed with its attestation, but not into an attested directory: what is
/// in there goes by its own name, and an attestation beside it is soon put there.
///
/// Under its own name too the directory's attestation has to know it, if it is one that is
/// trusted: what lies beside a file, or beside a directory in between, cannot overrule it.
fn unclaimed(
    checker: &Checker,
    (artifact, depth): (&Path, usize),
    content: &Content,
    place: &Place,
    verified: &VerifiedStatement,
) -> Result<(), CheckError> {
    let known = KnownAs::new(artifact.as_os_str().as_bytes());
    let own_name = match place {
        Place::Within(_) => known.ends_with(verified.subject()),
        Place::Itself(_) | Place::Named(_) => known.is_called(verified.subject()),
    };
    for directory in artifact.ancestors().skip(depth).filter(|p| p.file_name().is_some()) {
        for (suffix, format) in [(BUNDLE_SUFFIX, Format::Bundle), (LINES_SUFFIX, Format::Lines)] {
            let path = with_suffix(&stored_as(directory), suffix);
            if own_name {
                let Some(bytes) = read(&path)? else { continue };
                let Ok(attestations) = format.read(&bytes) else { continue };
                let place = self::place(artifact, directory)?;
                let found = Found { origin: shown(&path), place, attestations, bundle: None };
                let Ok(authentic) = found.authentic(checker) else { continue };
                let manifest = with_suffix(&stored_as(directory), manifest::SUFFIX);
                accept(authentic, &found.place, content, || open_manifest(&manifest))?;
            } else if path.try_exists().map_err(|e| io_error(&path, e))? {
                let asked = artifact.file_name().unwrap_or_default().as_bytes();
                return Err(Rejection::OtherName {
                    attested: printable(verified.subject().as_bytes()),
                    asked: format!("{}, beside whose directory lies {}", printable(asked), shown(&path)),
                }
                .into());
            }
        }
    }
    Ok(())
}

/// The absolute path by which the user knows the artifact, and so what lies beside it:
/// a link stays a link, but `..` leads where the kernel says.
fn named(artifact: &Path, real: &Path) -> io::Result<PathBuf> {
    if artifact.components().any(|c| c == Component::ParentDir) {
        return Ok(real.to_owned());
    }
    // Anew from its components: a trailing slash would become a part of the names beside it.
    Ok(std::path::absolute(artifact)?.components().collect())
}

fn named_attestation(bundle: &Path, artifact: &Path) -> Result<(Found, PathBuf), CheckError> {
    let bytes = read_named(bundle)?;
    let attestations = Format::Either.read(&bytes)?;
    let name = bundle.as_os_str().as_bytes();
    let base = [BUNDLE_SUFFIX, LINES_SUFFIX].iter().find_map(|s| name.strip_suffix(s.as_bytes()));
    let manifest =
        with_suffix(Path::new(std::ffi::OsStr::from_bytes(base.unwrap_or(name))), manifest::SUFFIX);
    let place = Place::Named(KnownAs::new(artifact.as_os_str().as_bytes()));
    Ok((Found { origin: shown(bundle), place, attestations, bundle: None }, manifest))
}

/// The first attestation beside the artifact, or beside a directory that it is in.
/// What is found first decides: another one further up cannot overrule it.
fn beside(artifact: &Path) -> Result<(Found, PathBuf), CheckError> {
    let mut looked_for = Vec::new();
    for base in artifact.ancestors().filter(|p| p.file_name().is_some()) {
        for (suffix, format) in [(BUNDLE_SUFFIX, Format::Bundle), (LINES_SUFFIX, Format::Lines)] {
            let path = with_suffix(&stored_as(base), suffix);
            if let Some(bytes) = read(&path)? {
                let attestations = format.read(&bytes)?;
                let place = place(artifact, base)?;
                return Ok((
                    Found { origin: shown(&path), place, attestations, bundle: None },
                    with_suffix(&stored_as(base), manifest::SUFFIX),
                ));
            }
            if base == artifact {
                looked_for.push(shown(&path));
            }
        }
    }
    looked_for.push("the same beside each directory above".into());
    Err(Rejection::NoAttestation { looked_for }.into())
}

/// Object keys are text, so what lies beside a name that is not UTF-8 bears the
/// name's escaped form ([`crate::store::ObjectKey::for_path`]).
fn stored_as(path: &Path) -> PathBuf {
    match path.file_name() {
        Some(name) if name.to_str().is_none() => RelPath::from_bytes(name.as_bytes())
            .map_or_else(|_| path.into(), |n| path.with_file_name(n.escaped())),
        _ => path.into(),
    }
}

fn place(artifact: &Path, base: &Path) -> Result<Place, CheckError> {
    let rest = artifact.strip_prefix(base).unwrap_or(artifact).as_os_str().as_bytes();
    match RelPath::from_bytes(rest) {
        Ok(path) if path.is_root() => Ok(Place::Itself(KnownAs::new(artifact.as_os_str().as_bytes()))),
        Ok(path) => Ok(Place::Within(path)),
        Err(e) => Err(io_error(artifact, io::Error::new(io::ErrorKind::InvalidInput, e))),
    }
}

fn digest(real: &Path, workers: NonZeroUsize, progress: &dyn Progress) -> Result<Content, CheckError> {
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(io_error(real, io::Error::new(io::ErrorKind::InvalidInput, "it has no name")));
    };
    let root = Root::open(parent)?;
    let path = RelPath::from_bytes(name.as_bytes())
        .map_err(|e| io_error(real, io::Error::new(io::ErrorKind::InvalidInput, e)))?;
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
    let beneath =
        |(p, f): (&RelPath, &crate::observe::ObservedFile)| Some((p.strip_prefix(&path)?, f.digest));
    Ok(Content::Directory(observation.files.iter().filter_map(beneath).collect()))
}

fn open_manifest(path: &Path) -> Result<BufReader<File>, Rejection> {
    match regular_file::open(path, Links::Followed) {
        Ok(file) => Ok(BufReader::new(file)),
        Err(ReadError::Missing(_)) => Err(Rejection::NoManifest(shown(path))),
        Err(e) => Err(manifest::ManifestError::from(io::Error::from(e)).into()),
    }
}

/// A file that was found and may be an attestation; `None` if it is not there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CheckError> {
    match regular_file::read(path, Links::Followed, LIMIT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(ReadError::Missing(_)) => Ok(None),
        // A name with the suffix may be longer than a name can be.
        Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::InvalidFilename => Ok(None),
        Err(e) => Err(io_error(path, e.into())),
    }
}

/// The attestation that the user names, which may come from a pipe.
pub(super) fn read_named(path: &Path) -> Result<Vec<u8>, CheckError> {
    match regular_file::read_named(path, LIMIT) {
        Err(ReadError::Missing(_)) => Err(CheckError::NoBundle(shown(path))),
        read => read.map_err(|e| io_error(path, e.into())),
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    printable(path.strip_prefix(here).unwrap_or(path).as_os_str().as_bytes())
}

fn io_error(path: &Path, source: io::Error) -> CheckError {
    CheckError::Io { name: shown(path), source }
}
