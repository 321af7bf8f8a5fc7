//! Many artifacts at once: a directory of separately attested files, a prefix of a bucket.
//!
//! What there is is found out first, all of it and within bounds, by names alone; then some
//! artifacts after the others are checked, each as if it had been named by itself. What a listing leaves out is not
//! attested: an attestation that it hides costs an answer, and never gives one.

mod artifacts;
mod bounded;
mod folder;
mod lanes;
mod looked;
mod objects;
mod one_wait;
mod orphan;
mod part;
mod prefix;
mod surveyed;
mod told;

use std::io::BufRead;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::attestation_file::{AttestationFile, Found, Item};
use argo_attest_core::audit::shard_report::Listing;
use argo_attest_core::image::{ImageReference, Platform};
use argo_attest_core::manifest::Reader;

pub use artifacts::{Artifacts, FoundArtifact};
pub use bounded::{BoundedChecker, Large};
pub use folder::folder;
pub use lanes::Lanes;
pub use one_wait::OneWait;
pub use orphan::Orphan;
pub use part::Part;
pub use prefix::{prefix, prefix_part};

use super::object::check_directory;
use super::{CheckError, Checked, Checker, check_image, check_object, check_path, local, unverifiable};
use crate::observe::Progress;
use crate::registry::Registries;
use crate::store::{ObjectKey, Store, StoreError};

/// Entries of one directory or prefix that are looked at.
pub const MAX_ENTRIES: usize = 1_000_000;
/// Bytes of all their names.
pub(super) const MAX_NAMES: usize = 256 * 1024 * 1024;
/// Artifacts that are checked at the same time.
pub const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// What there is at one place.
#[derive(Debug, Default)]
pub struct Collection {
    /// In the order of their names.
    pub artifacts: Artifacts,
    /// Attestations whose artifacts are not there.
    pub orphans: Vec<Orphan>,
    /// Of what has not changed what may be outcomes of workflows.
    pub old_outcomes: Vec<Orphan>,
    /// How much belongs to this part, and has not changed since the time that was given.
    pub unchanged: u64,
    /// Whether there is something that belongs to another part.
    pub has_others: bool,
    /// All that was listed, whosever part it is, if only a part of it is here.
    pub listing: Option<Listing>,
}

/// Something to be verified.
#[derive(Debug, Clone)]
pub enum Artifact {
    /// A path that somebody named, or what else has no place.
    Path(PathBuf),
    /// A file or a directory that was found, beneath a directory that has this path without
    /// links. No link is followed to it.
    Beneath {
        /// As it is told.
        path: PathBuf,
        /// Without links.
        real: PathBuf,
    },
    /// An object.
    Object(Arc<dyn Store>, ObjectKey),
    /// All objects beneath a directory that is attested as a whole; its key has no `/` at the end.
    Directory(Arc<dyn Store>, ObjectKey, Vec<ObjectKey>),
    /// An image, or of an index the one for a platform.
    Image(Registries, ImageReference, Option<Platform>),
    /// What may be an attestation, or an artifact that is called like one: the store did not
    /// answer, for this reason.
    Unread(Arc<dyn Store>, ObjectKey, Arc<StoreError>),
    /// What was found and cannot be verified.
    Unverifiable {
        /// As it is told.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl Artifact {
    /// Checks it, by itself.
    pub async fn check(
        &self,
        checker: &Checker,
        workers: NonZeroUsize,
        progress: &dyn Progress,
    ) -> Result<Checked, CheckError> {
        match self {
            Self::Path(path) => check_path(checker, path, workers, progress).await,
            Self::Beneath { path, real } => {
                local::check_beneath(checker, path, real, workers, progress).await
            }
            Self::Object(store, key) => check_object(checker, store.as_ref(), key, progress).await,
            Self::Directory(store, key, members) => {
                check_directory(checker, store.as_ref(), key, members, progress).await
            }
            Self::Image(registries, image, platform) => {
                check_image(checker, registries, image, platform.as_ref()).await
            }
            Self::Unread(store, key, why) => Err(why.about_another(&store.uri(key)).into()),
            Self::Unverifiable { path, reason } => Err(unverifiable(path, reason.as_str()).into()),
        }
    }

    /// What it is called: a path, or an address. As it is, not printable.
    pub fn name(&self) -> PathBuf {
        match self {
            Self::Path(path) | Self::Beneath { path, .. } | Self::Unverifiable { path, .. } => path.clone(),
            Self::Object(store, key) | Self::Unread(store, key, _) => address(store.as_ref(), key).into(),
            Self::Image(_, image, _) => format!("oci://{image}").into(),
            Self::Directory(store, key, _) => format!("{}/", address(store.as_ref(), key)).into(),
        }
    }

    /// The object that it is, if it is one.
    pub fn object(&self) -> Option<(&Arc<dyn Store>, &ObjectKey)> {
        match self {
            Self::Object(store, key) => Some((store, key)),
            _ => None,
        }
    }

    /// Whether checking it is mostly waiting for a server.
    pub fn waits(&self) -> bool {
        self.is_stored() || matches!(self, Self::Image(..))
    }

    /// Whether it is in a store.
    pub fn is_stored(&self) -> bool {
        matches!(self, Self::Object(..) | Self::Directory(..) | Self::Unread(..))
    }
}

/// An object's address with its key as it is.
fn address(store: &dyn Store, key: &ObjectKey) -> String {
    let printable = store.uri(key);
    match printable.strip_suffix(&key.to_string()) {
        Some(store) => format!("{store}{}", key.as_str()),
        None => printable,
    }
}

/// What is in a file that is called like an attestation, if it is one, of whatever tool, and
/// nothing else.
fn attestation(bytes: &[u8]) -> Option<AttestationFile> {
    AttestationFile::read(bytes).ok().filter(|file| {
        let is_list = |item: &Item| matches!(item.found, Found::Manifest(_));
        file.passed_over().is_empty() && file.unnamed() == 0 && !file.items().iter().any(is_list)
    })
}

/// Whether what is called like a manifest is a list of files and nothing else.
fn is_manifest(from: impl BufRead) -> bool {
    let mut list = Reader::new(from);
    matches!(list.next_entry(), Ok(Some(_))) && list.finish().is_ok()
}
