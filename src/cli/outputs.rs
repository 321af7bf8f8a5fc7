//! What `--outputs` names: an artifact's place, and what it will be called.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use argo_attest_core::relpath::RelPath;
use argo_attest_core::secret::shown_path;

use super::{Exit, Failure};
use crate::observe::Artifact;

/// Finds the directory that an output is watched from: the nearest that exists
/// now, above the output itself, so that the command may make, remove and make
/// it again.
pub(super) fn artifact(given: &Path, working_directory: &Path) -> Result<Artifact, Failure> {
    let shown = shown_path(given);
    let usage = |why: &str| Failure::new(Exit::Usage, format!("--outputs {shown}: {why}"));
    let named = given.components().next_back().is_some_and(|c| matches!(c, Component::Normal(_)));
    if !named {
        return Err(usage("it names no file or directory of its own")
            .remedy("leave --outputs out to attest the new and changed files of the working directory"));
    }
    let absolute = working_directory.join(given);
    let (root, rest) =
        nearest_directory(&absolute).ok_or_else(|| usage("no directory above it can be read"))?;
    let root = root
        .canonicalize()
        .map_err(|e| Failure::new(Exit::NoInput, format!("--outputs {shown}: {}: {e}", shown_path(&root))))?;
    let path = RelPath::from_bytes(normal(&rest).as_os_str().as_bytes())
        .map_err(|e| usage(&format!("beneath {}: {e}", shown_path(&root))))?;
    let name = if given.is_relative() && !given.components().any(|c| c == Component::ParentDir) {
        RelPath::from_bytes(normal(given).as_os_str().as_bytes())
    } else {
        RelPath::from_bytes(path.file_name().unwrap_or_default())
    }
    .map_err(|e| usage(&e.to_string()))?;
    Ok(Artifact { name: name.escaped(), root, path })
}

/// Without `.` components and repeated or trailing slashes.
fn normal(path: &Path) -> PathBuf {
    path.components().filter(|c| *c != Component::CurDir).collect()
}

fn nearest_directory(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let mut above = path.parent()?;
    while !above.is_dir() {
        above = above.parent()?;
    }
    Some((above.to_owned(), path.strip_prefix(above).ok()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_nearest_directory_and_a_name() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path().canonicalize().unwrap();
        std::fs::create_dir(here.join("there")).unwrap();
        let root = |tail: &str| here.join(tail).canonicalize().unwrap();
        for (given, beneath, path, name) in [
            ("out", "", "out", "out"),
            ("./out/", "", "out", "out"),
            ("there", "", "there", "there"),
            ("there/out", "there", "out", "there/out"),
            ("not/yet/out", "", "not/yet/out", "not/yet/out"),
            ("there/../out", "", "out", "out"),
        ] {
            let found = artifact(Path::new(given), &here).unwrap();
            assert_eq!(
                (found.root, found.path.escaped(), found.name),
                (root(beneath), path.into(), name.into())
            );
        }
        let absolute = artifact(&here.join("there/x"), Path::new("/")).unwrap();
        assert_eq!((absolute.root, absolute.name), (root("there"), "x".to_owned()));
    }

    #[test]
    fn refuses_what_has_no_name() {
        for given in [".", "..", "/", "out/..", ""] {
            assert_eq!(
                artifact(Path::new(given), Path::new("/tmp")).unwrap_err().exit(),
                Exit::Usage,
                "{given}"
            );
        }
    }
}
