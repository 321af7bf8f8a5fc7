//! A directory of this machine whose files are attested one by one.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io::BufReader;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::Place;

use super::{Artifact, Collection, MAX_ENTRIES, MAX_NAMES, Orphan, attestation, is_manifest};
use crate::attestations::{
    Attestations as _, FileAttestations, MAX_ATTESTATION_BYTES, Reach, Sorted, There, is_called_attestation,
    is_called_manifest, is_of_some_files, sorted,
};
use crate::observe::{Entries, Room, Root, entries};
use crate::regular_file::{self, Links};
use crate::verify::CheckError;
use crate::verify::local::{io_error, named};

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
    if !found.files.iter().any(|file| is_called_attestation(file.as_bytes())) {
        return Ok(None);
    }
    let mut collection = Collection::default();
    for part in sorted(&there(&found), b"") {
        let (name, called) = match &part {
            Sorted::Artifact(name) | Sorted::Directory(name, _) => (name, false),
            Sorted::Beside(name) | Sorted::Doubtful(name) => (name, true),
        };
        let name = OsStr::from_bytes(name);
        if called && is_what_it_is_called(&real.join(name)) {
            if matches!(part, Sorted::Doubtful(_)) && !is_of_some_files(name.as_bytes()) {
                collection.orphans.push(Orphan::File { path: path.join(name), real: real.join(name) });
            }
            continue;
        }
        collection.artifacts.push(Artifact::Beneath { path: path.join(name), real: real.join(name) });
    }
    let whole: HashSet<_> = collection.artifacts.iter().map(Artifact::name).collect();
    let refused = found.refused.iter().map(|(entry, why)| Artifact::Unverifiable {
        path: path.join(entry.as_path()),
        reason: why.to_string(),
    });
    // What is in a directory that is one artifact is judged with it.
    let apart = refused.filter(|entry| {
        let entry = entry.name();
        !entry.ancestors().skip(1).any(|above| whole.contains(above))
    });
    let apart: Vec<_> = apart.collect();
    collection.artifacts.extend(apart);
    collection.artifacts.sort_by_cached_key(Artifact::name);
    Ok(Some(collection))
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

fn there(found: &Entries) -> There {
    let bytes = |path: &RelPath| Box::<[u8]>::from(path.as_bytes());
    There {
        files: found.files.iter().map(bytes).collect(),
        directories: found.directories.iter().map(bytes).collect(),
        others: found.refused.keys().map(bytes).collect(),
        ..There::default()
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
