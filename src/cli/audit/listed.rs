//! The artifacts of all that was named.

use std::ffi::OsString;

use super::super::Failure;
use super::super::answer::CheckFailure;
use super::super::asked::{Asked, Lot};
use crate::audit::{Auditor, Entry, Listed, Subject};
use crate::roll::Roll;
use crate::verify::{Artifacts, Orphan};

/// What is to be audited, and what is said of the places that could not be looked at.
pub(super) fn of(
    auditor: &Auditor,
    lots: impl IntoIterator<Item = Lot>,
) -> Result<(Vec<Listed>, Vec<Entry>), Failure> {
    let (mut all, mut unknown) = (Vec::new(), Vec::new());
    let mut named = Artifacts::default();
    for lot in lots {
        let Asked { told, artifact } = match lot {
            Lot::Named(asked) => asked,
            Lot::Found(place, artifacts) => {
                all.push(Listed { place: 0, artifacts: std::mem::take(&mut named) });
                all.push(Listed { place, artifacts });
                continue;
            }
        };
        match artifact {
            Ok(artifact) => named.push(artifact, told.kind),
            Err(CheckFailure::Other(failure)) => return Err(failure),
            Err(CheckFailure::Check(error)) => unknown.push(Entry {
                step: None,
                subject: Subject::Artifact { path: told.name, output: None },
                finding: auditor.failed(&error, told.kind),
                accepted: None,
            }),
        }
    }
    all.push(Listed { place: 0, artifacts: named });
    Ok((all, unknown))
}

/// The names of all artifacts, for those attestations that name some.
pub(super) fn names(all: &[Listed], attestations: &[Orphan]) -> Roll {
    if attestations.is_empty() {
        return Roll::default();
    }
    all.iter().flat_map(|listed| listed.artifacts.names()).map(OsString::into_encoded_bytes).collect()
}
