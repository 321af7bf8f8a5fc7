//! The one image that a directory or a tar stands for, whoever reads it.

use super::docker::{MANIFEST, REPOSITORIES};
use super::entries::Entries;
use super::found::Found;
use super::oci::{BLOBS, INDEX, LAYOUT};
use crate::digest::Sha256Digest;

/// Which image it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// What has this manifest.
    Manifest(Sha256Digest),
    /// What has this configuration; it has no manifest until somebody pushes it.
    Config(Sha256Digest),
}

/// Why it does not stand for one image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOne {
    /// Something in it is not as it says.
    #[error("{0}")]
    LeftOut(String),
    /// Nothing is listed.
    #[error("it lists no image")]
    None,
    /// More than one is listed.
    #[error("it lists {0} images, and an attestation is of one")]
    Many(usize),
    /// Some programs would take another image out of it than others.
    #[error("`docker load` would take an image out of it that {INDEX} does not list")]
    Two,
    /// Something that is no part of a layout.
    #[error("it has `{0}`, which no image layout has")]
    Stray(String),
}

impl Only {
    /// The digest by which the image is known.
    pub fn digest(self) -> Sha256Digest {
        let (Self::Manifest(digest) | Self::Config(digest)) = self;
        digest
    }
}

/// The only image of what was found among these entries. Beneath `blobs` there may be what no
/// manifest reaches: nobody who reads the image comes there.
pub fn only(found: &Found, entries: &dyn Entries) -> Result<Only, NotOne> {
    if let Some(first) = found.left_out.first() {
        return Err(NotOne::LeftOut(first.to_string()));
    }
    if !found.is_layout {
        return match found.configs.as_slice() {
            [] => Err(NotOne::None),
            [one] => Ok(Only::Config(one.digest)),
            many => Err(NotOne::Many(many.len())),
        };
    }
    if !found.configs.is_empty() {
        return Err(NotOne::Two);
    }
    let is_part = |name: &str| match name {
        LAYOUT | INDEX | BLOBS => true,
        MANIFEST | REPOSITORIES => found.is_docker_archive,
        _ => false,
    };
    let first = |path: &'_ crate::relpath::RelPath| path.components().next().map(<[u8]>::to_vec);
    let mut tops = entries.names().filter_map(first);
    if let Some(stray) = tops.find(|top| !std::str::from_utf8(top).is_ok_and(is_part)) {
        return Err(NotOne::Stray(crate::text::brief(&crate::relpath::escaped(&stray), 100)));
    }
    let mut listed = found.manifests.iter().filter(|manifest| manifest.listed);
    match (listed.next(), listed.count()) {
        (None, _) => Err(NotOne::None),
        (Some(one), 0) => Ok(Only::Manifest(one.digest)),
        (Some(_), more) => Err(NotOne::Many(more + 1)),
    }
}
