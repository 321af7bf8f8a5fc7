//! Keys in a mounted Kubernetes Secret, as kubelet lays it out:
//! `attest.key -> ..data/attest.key`, where `..data -> ..2026_11_23_10_00_00.1` is a
//! directory beside it.
//!
//! An update makes a new directory, exchanges the link `..data` in one step and removes
//! the old directory. Whoever follows the links twice may see two generations.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::key_file::KeyFileError;

/// How often reading starts again because the Secret was replaced meanwhile. Kubelet
/// replaces it once a minute at most.
const ATTEMPTS: usize = 64;

const DATA: &str = "..data";

/// What the private key in a Secret of ours is called, and in one that cosign made
/// (`cosign generate-key-pair k8s://…`).
const OURS: &str = "attest.key";
const COSIGNS: &str = "cosign.key";

/// The key's file: in a mounted Secret that has none of our name, the one of cosign's.
pub(super) fn named(path: &Path) -> Cow<'_, Path> {
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    match path.parent() {
        Some(directory)
            if path.file_name() == Some(OsStr::new(OURS))
                && !is_there(path)
                && generation(directory).is_some()
                && is_there(&directory.join(COSIGNS)) =>
        {
            directory.join(COSIGNS).into()
        }
        _ => path.into(),
    }
}

/// A file of a mounted Secret.
pub(super) struct Mounted {
    directory: PathBuf,
    name: OsString,
}

impl Mounted {
    /// Whether a file is one, judged by the links alone. Kubelet sets the modes there
    /// (0644 by default), and who else is in the container is the pod's affair.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?;
        let mounted = Self { directory: path.parent()?.into(), name: name.into() };
        let link = fs::read_link(path).ok()?;
        (link == Path::new(DATA).join(name) && mounted.generation().is_some()).then_some(mounted)
    }

    fn generation(&self) -> Option<PathBuf> {
        generation(&self.directory)
    }

    /// Reads with the file's path inside one generation: whatever lies beside that is of
    /// the same generation. Starts again if that one was removed meanwhile.
    pub(super) fn read<T>(&self, read: impl Fn(&Path) -> Result<T, KeyFileError>) -> Result<T, KeyFileError> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            let before = self.generation();
            let directory = before.clone().unwrap_or_else(|| self.directory.join(DATA));
            match read(&directory.join(&self.name)) {
                Err(_) if self.generation() != before && attempts.next().is_some() => {}
                result => return result,
            }
        }
    }
}

/// The directory that `..data` names now, if this is where a Secret is mounted.
pub(super) fn generation(directory: &Path) -> Option<PathBuf> {
    let target = fs::read_link(directory.join(DATA)).ok()?;
    let mut components = target.components();
    let (Some(Component::Normal(name)), None) = (components.next(), components.next()) else {
        return None;
    };
    name.as_encoded_bytes().starts_with(b"..").then(|| directory.join(&target))
}
