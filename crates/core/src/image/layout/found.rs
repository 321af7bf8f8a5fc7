//! What was found: images, and what was left out.

use std::fmt;

use super::entries::{Entries, path};
use super::{docker, oci};
use crate::digest::Sha256Digest;
use crate::image::ManifestKind;

/// How many of what is left out are named; the rest is counted.
const MAX_LEFT_OUT: usize = 16;

/// A manifest that is there with all that it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// The SHA-256 of its bytes, which is the image's name.
    pub digest: Sha256Digest,
    /// Bytes.
    pub size: u64,
    /// An image or an index, and in whose words.
    pub kind: ManifestKind,
    /// Under which name or tag `index.json` lists it, if it does so and that is one.
    pub reference: Option<String>,
    /// Whether `index.json` lists it itself.
    pub listed: bool,
    /// An image's configuration.
    pub config: Option<Sha256Digest>,
    /// An image's layers as they are stored, or an index's manifests.
    pub parts: Vec<Sha256Digest>,
}

/// A configuration of an image for `docker load`, with all of its layers there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredConfig {
    /// The SHA-256 of its bytes.
    pub digest: Sha256Digest,
    /// Bytes.
    pub size: u64,
    /// The digests of its layers as they are unpacked.
    pub diff_ids: Vec<Sha256Digest>,
}

/// An image that is not as it says, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Which, printable.
    pub what: String,
    /// Why it was left out, printable.
    pub why: String,
}

/// The images of a directory or a tar.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Those of an image layout: what `index.json` lists, in its order, then what is in that.
    pub manifests: Vec<StoredManifest>,
    /// Those for `docker load` of which no manifest is there.
    pub configs: Vec<StoredConfig>,
    /// What is no subject of anything.
    pub left_out: Vec<LeftOut>,
    /// How many more were left out.
    pub more_left_out: usize,
    /// Whether there is an `oci-layout`, whatever became of it.
    pub is_layout: bool,
    /// Whether there is a list of images for `docker load`.
    pub is_docker_archive: bool,
}

impl Found {
    /// Whether there is nothing that says it was meant to be an image.
    pub fn is_empty(&self) -> bool {
        !self.is_layout && !self.is_docker_archive
    }

    /// What may hold images, and could not be read to its end.
    pub fn unreadable(why: impl Into<String>) -> Self {
        let mut found = Self::default();
        found.leave_out("all of it", why);
        found
    }

    pub(super) fn leave_out(&mut self, what: impl Into<String>, why: impl Into<String>) {
        if self.left_out.len() < MAX_LEFT_OUT {
            self.left_out.push(LeftOut { what: what.into(), why: why.into() });
        } else {
            self.more_left_out += 1;
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

/// Looks for images. An error of any kind leaves an image out, and is said there.
pub fn images(entries: &mut dyn Entries) -> Found {
    let is_layout = path(oci::LAYOUT).is_some_and(|path| entries.blob(&path).is_some());
    let mut found = Found { is_layout, ..Found::default() };
    if found.is_layout {
        oci::read(entries, &mut found);
    }
    // In a directory it is anybody's file of that name.
    if entries.is_tar() {
        docker::read(entries, &mut found);
    }
    found
}
