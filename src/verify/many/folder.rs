//! A directory of this machine whose files are attested one by one.

use std::ffi::{OsStr, OsString};
use std::io::BufReader;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use argo_attest_core::policy::ArtifactKind;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::Place;

use super::artifacts::FoundArtifact;
use super::{Artifact, Artifacts, Collection, MAX_ENTRIES, MAX_NAMES, Orphan, attestation, is_manifest};
use crate::attestations::{
    Attestations as _, FileAttestations, MAX_ATTESTATION_BYTES, Reach, Sorted, Sorting, There,
    is_called_attestation, is_called_manifest, is_of_some_files,
};
use crate::observe::{Entries, Room, Root, entries};
use crate::regular_file::{self, Links};
use crate::roll::{self, Gathering, Roll};
use crate::verify::CheckError;
use crate::verify::local::{io_error, named};

/// The artifacts beneath a directory: names from there, in the order of paths.
#[derive(Debug)]
pub(super) struct Files {
    /// As the directory is told, and without links.
    path: PathBuf,
    real: PathBuf,
    /// As [`in_order`] has them, with the reason why one cannot be verified, if that is known.
    names: Roll,
    at: roll::Place,
}

/// What is beneath a directory; `None` if it is one artifact: no directory at all, one that has an
/// attestation of its own or is in one that has, or one beneath which there is none. What is found
/// may be nothing but attestations.
pub async fn folder(path: &Path) -> Result<Option<Collection>, CheckError> {
    if !path.is_dir() {
        return Ok(None);
    }
    let real = path.canonicalize().map_err(|e| io_error(path, e))?;
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else { return Ok(None) };
    let named = named(path, &real).map_err(|e| io_error(path, e))?;
    for known in [&named, &real] {
        if is_claimed(known).await {
            return Ok(None);
        }
    }
    let root = Root::open(parent)?;
    let Ok(name) = RelPath::from_bytes(name.as_bytes()) else { return Ok(None) };
    let most = Room { entries: MAX_ENTRIES, bytes: MAX_NAMES };
    let Some(found) = entries(&root, &name, most) else { return Err(CheckError::TooMany) };
    if !found.files.iter().any(|file| is_called_attestation(&file)) {
        return Ok(None);
    }
    let (mut orphans, mut gathered) = (Vec::new(), Gathering::default());
    let Entries { files, directories, refused } = found;
    let others = refused.keys().map(RelPath::as_bytes).collect();
    let sorting = Sorting::of(There { files, directories, others, apart: Roll::default() }, b"");
    for part in sorting.iter() {
        let name = OsStr::from_bytes(part.name());
        let is_called = matches!(part, Sorted::Beside(_) | Sorted::Doubtful(_));
        if is_called && is_what_it_is_called(&real.join(name)) {
            if matches!(part, Sorted::Doubtful(_)) && !is_of_some_files(name.as_bytes()) {
                orphans.push(Orphan::File { path: path.join(name), real: real.join(name) });
            }
            continue;
        }
        gathered.note(&in_order(part.name()), &[]);
    }
    // What is in a directory that is one artifact is judged with it.
    for (entry, why) in refused.iter().filter(|(entry, _)| !sorting.is_member(entry.as_bytes())) {
        gathered.note(&in_order(entry.as_bytes()), why.to_string().as_bytes());
    }
    let files = Files { path: path.to_owned(), real, names: gathered.roll(), at: roll::Place::default() };
    Ok(Some(Collection { artifacts: Artifacts::from(files), orphans, ..Collection::default() }))
}

impl Files {
    /// How many there are that were not taken.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The next of them; none at the end.
    pub(super) fn next(&mut self) -> Vec<FoundArtifact> {
        let mut found = Vec::new();
        while found.len() < Artifacts::TOGETHER
            && let Some((name, why)) = self.names.next(&mut self.at)
        {
            let path = self.path.join(named_in_order(name));
            let artifact = if why.is_empty() {
                Artifact::Beneath { real: self.real.join(named_in_order(name)), path }
            } else {
                Artifact::Unverifiable { path, reason: String::from_utf8_lossy(why).into_owned() }
            };
            found.push(FoundArtifact { artifact, kind: Some(ArtifactKind::File), at: 0, is_late: false });
        }
        found
    }

    /// The names of all of them.
    pub(super) fn names(&self) -> impl Iterator<Item = OsString> + '_ {
        self.names.iter().map(|name| self.path.join(named_in_order(&name)).into_os_string())
    }
}

/// A name by whose bytes it comes where its path does: what is in a directory comes right behind it, before
/// whatever is called like it and more. No name of a file holds a NUL.
fn in_order(name: &[u8]) -> Vec<u8> {
    name.iter().map(|byte| if *byte == b'/' { 0 } else { *byte }).collect()
}

/// The name that was put in order so.
fn named_in_order(name: &[u8]) -> OsString {
    OsString::from_vec(name.iter().map(|byte| if *byte == 0 { b'/' } else { *byte }).collect())
}

/// Whether an attestation beside it, or beside a directory that it is in, may be about all of it.
async fn is_claimed(directory: &Path) -> bool {
    let attestations = FileAttestations::new(directory);
    match attestations.find(Reach::Nearest).next().await {
        Some(Ok(candidate)) => !matches!(candidate.place, Place::Among(_)),
        Some(Err(_)) => true,
        None => false,
    }
}

/// Whether a file that is called like an attestation, or like the manifest of one, is that.
fn is_what_it_is_called(path: &Path) -> bool {
    if is_called_manifest(path.as_os_str().as_bytes()) {
        return regular_file::open(path, Links::Refused).is_ok_and(|file| is_manifest(BufReader::new(file)));
    }
    regular_file::read(path, Links::Refused, MAX_ATTESTATION_BYTES)
        .is_ok_and(|bytes| attestation(&bytes).is_some())
}
