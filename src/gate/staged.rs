//! Where Argo staged an input, and what lies there.
//!
//! Paths are resolved from `/` without following any link: a link on a volume that
//! other steps write to would lead somewhere else here than in main.

use std::fs::File;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::Path;

use argo_attest_core::argo::InputArtifact;
use argo_attest_core::digest::{FileDigests, Sha256Digest};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::verify::Content;

use crate::mirror::{Mirror, Seen, Unseen};
use crate::observe::{
    Cancel, Entry, Kind, NoProgress, ObserverError, Presence, Refusal, Root, RootError, digest_tree,
};

/// Why the staged bytes cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum StagedError {
    /// Argo would refuse it, too.
    #[error("the template gives it no path that can be used")]
    NoPath,
    /// Main would not see it.
    #[error("main has no volume at its path, so it cannot be staged for it")]
    NotInMain,
    /// What main sees there cannot be seen from here.
    #[error(transparent)]
    Unseen(#[from] Unseen),
    /// It should be there.
    #[error("nothing is staged at {0}")]
    Nothing(String),
    /// It should not be there.
    #[error("nothing was supplied for it, and something lies at {0}")]
    Unsupplied(String),
    /// An entry that no attestation can speak of.
    #[error("{path} is staged, and cannot be verified: {refusal}")]
    Refused {
        /// Which.
        path: String,
        /// Why not.
        refusal: Refusal,
    },
    /// Somebody writes to it while it is read.
    #[error("{0} changed while it was read")]
    Changed(String),
    /// The root directory cannot be opened.
    #[error(transparent)]
    Root(#[from] RootError),
    /// No thread.
    #[error(transparent)]
    Observer(#[from] ObserverError),
}

/// Where an input is staged.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    root: Root,
    path: RelPath,
    own_mount: bool,
}

impl Spot {
    /// The place, which must be seen here as main sees it; `None` where main has no volume
    /// that it could be staged on.
    pub(super) fn of(input: &InputArtifact, mirror: &Mirror) -> Result<Option<Self>, StagedError> {
        let path = input.path.as_deref().ok_or(StagedError::NoPath)?;
        if mirror.look(path)? == Seen::Image {
            return Ok(None);
        }
        let path = beneath_root(path).ok_or(StagedError::NoPath)?;
        Ok(Some(Self { root: Root::open(Path::new("/"))?, path, own_mount: input.mount.is_none() }))
    }

    /// The path in main.
    pub(super) fn shown(&self) -> String {
        shown(&self.path)
    }

    /// Whether nothing is staged. Where an input has a mount of its own, the kubelet makes an
    /// empty directory for what Argo did not find, with the mode of the volume that it is on
    /// (`makeMounts` in `pkg/kubelet/kubelet_pods.go`): everybody may write to an emptyDir. An
    /// empty directory that was stored Argo makes anew with mode 0755 (`untar`, `unzip` in its
    /// workflow/executor/executor.go).
    pub(super) fn is_empty(&self) -> bool {
        match self.root.entry(&self.path) {
            Err(Refusal::Vanished) => true,
            Ok(entry) if self.own_mount && entry.kind == Kind::Directory && is_for_all(&entry) => {
                let mut listed = std::fs::read_dir(self.root.absolute(&self.path));
                listed.as_mut().is_ok_and(|entries| entries.next().is_none())
            }
            _ => false,
        }
    }

    /// Digests all that is staged. Blocks.
    pub(super) fn content(&self, workers: NonZeroUsize) -> Result<Content, StagedError> {
        let seen = digest_tree(&self.root, &self.path, workers, &NoProgress, &Cancel::new())?;
        if let Some((path, refusal)) = seen.refused.iter().next() {
            return Err(StagedError::Refused { path: shown(path), refusal: refusal.clone() });
        }
        if !seen.complete {
            return Err(StagedError::Refused { path: self.shown(), refusal: Refusal::Unfinished });
        }
        match seen.interests.get(&self.path).copied() {
            Some(Presence::File) | None => {}
            Some(Presence::Directory) => return Ok(Content::Directory(seen.into_tree(&self.path))),
            Some(Presence::Missing | Presence::Refused) => return Err(StagedError::Nothing(self.shown())),
        }
        let file = seen.files.get(&self.path).ok_or_else(|| StagedError::Nothing(self.shown()))?;
        Ok(Content::File(file.digest))
    }

    /// All digests of the staged file, or of the one at this path in the staged directory: they
    /// are read once more, and have to be the bytes that were read before. Blocks.
    pub(super) fn longer(&self, within: &RelPath, known: Sha256Digest) -> Result<FileDigests, StagedError> {
        let path = self.path.concat(within);
        let refused = |refusal| StagedError::Refused { path: shown(&path), refusal };
        let (file, _) = self.root.open_file(&path).map_err(refused)?;
        let digests = FileDigests::read(File::from(file))
            .map_err(|e| refused(Refusal::Io { code: e.raw_os_error().unwrap_or_default() }))?;
        if digests.sha256() == known { Ok(digests) } else { Err(StagedError::Changed(shown(&path))) }
    }

    /// Whether a staged file begins as gzip does (RFC 1952 section 2.3.1).
    pub(super) fn is_gzip(&self) -> Result<bool, StagedError> {
        let refused = |refusal| StagedError::Refused { path: self.shown(), refusal };
        let (file, _) = self.root.open_file(&self.path).map_err(refused)?;
        let mut head = Vec::new();
        let read = File::from(file).take(2).read_to_end(&mut head);
        read.map_err(|e| refused(Refusal::Io { code: e.raw_os_error().unwrap_or_default() }))?;
        Ok(head == [0x1f, 0x8b])
    }

    /// The first bytes of a file in the staged directory, up to `limit`; `None` if there
    /// is no such file.
    pub(super) fn read(&self, path: &RelPath, limit: u64) -> Result<Option<Vec<u8>>, StagedError> {
        let path = self.path.concat(path);
        let refused = |refusal| StagedError::Refused { path: shown(&path), refusal };
        let file = match self.root.open_file(&path) {
            Ok((file, _)) => File::from(file),
            Err(Refusal::Vanished) => return Ok(None),
            Err(refusal) => return Err(refused(refusal)),
        };
        let mut bytes = Vec::new();
        let read = file.take(limit).read_to_end(&mut bytes);
        read.map_err(|e| refused(Refusal::Io { code: e.raw_os_error().unwrap_or_default() }))?;
        Ok(Some(bytes))
    }
}

/// Whether everybody may write to it.
fn is_for_all(entry: &Entry) -> bool {
    entry.mode & 0o002 != 0
}

/// An absolute, clean path, from `/`; `None` for anything else and for `/` itself.
fn beneath_root(path: &str) -> Option<RelPath> {
    let path = RelPath::from_bytes(path.strip_prefix('/')?.trim_end_matches('/').as_bytes()).ok()?;
    (!path.is_root()).then_some(path)
}

fn shown(path: &RelPath) -> String {
    format!("/{}", path.escaped())
}
