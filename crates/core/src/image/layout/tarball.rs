//! A tar as what an image may be found in.

use super::entries::{Blob, Entries};
use super::oci::BLOBS;
use super::{docker, oci};
use crate::archive::{Limits, TarFiles, TarLimits, first_names};
use crate::digest::Sha256Digest;
use crate::image::MAX_MANIFEST;
use crate::relpath::RelPath;

/// How much of a file is looked at to tell whether it may be the tar of an image.
pub const SNIFFED: usize = 16 * 1024;
/// How many of the first names are looked at: some writers put an empty directory first.
const FIRST: usize = 2;
/// Links in one another that are followed.
const MAX_HOPS: usize = 4;

/// What is read of such a tar at most: 100,000 entries and a tebibyte. Of what is JSON, 16 MiB
/// are kept; gzipped layers are unpacked up to 64 GiB, to be digested.
pub const TAR_LIMITS: TarLimits = TarLimits {
    walk: Limits { entries: 100_000, bytes: 1 << 40, names: 16 << 20 },
    small: MAX_MANIFEST as u64,
    kept: 16 << 20,
    unpacked: 64 << 30,
    unpacks,
};

/// In a layout blobs are known by what they are; elsewhere by what they unpack to.
fn unpacks(path: &RelPath) -> bool {
    path.components().next() != Some(BLOBS.as_bytes())
}

/// Whether a file that begins so may be the tar of an image: its first names are such as those
/// have. Anybody's files may have them, too.
pub fn may_be_image_tar(beginning: &[u8]) -> bool {
    first_names(beginning, FIRST).iter().any(|path| {
        let Some(first) = path.components().next().and_then(|first| std::str::from_utf8(first).ok()) else {
            return false;
        };
        let hex = first.strip_suffix(".json").unwrap_or(first);
        let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
        let hex = hex.strip_suffix(".tar.gz").or_else(|| hex.strip_suffix(".tar")).unwrap_or(hex);
        [oci::LAYOUT, oci::INDEX, BLOBS, docker::MANIFEST, docker::REPOSITORIES].contains(&first)
            || hex.parse::<Sha256Digest>().is_ok()
    })
}

/// A tar that was read.
#[derive(Debug)]
pub struct ImageTar(TarFiles);

impl ImageTar {
    /// Of what a tar holds.
    pub fn new(files: TarFiles) -> Self {
        Self(files)
    }

    /// Where a name leads, through links that `docker save` made of layers that are there twice.
    fn resolved(&self, path: &RelPath) -> Option<RelPath> {
        let mut path = path.clone();
        for _ in 0..MAX_HOPS {
            let Some(target) = self.0.links.get(&path) else { return Some(path) };
            path = beside(&path, target)?;
        }
        None
    }
}

/// Where a link leads; `None` if that is not in the tar.
fn beside(link: &RelPath, target: &[u8]) -> Option<RelPath> {
    let mut at = link.parent()?;
    for component in target.split(|byte| *byte == b'/') {
        at = if component == b".." { at.parent()? } else { at.join(component).ok()? };
    }
    Some(at)
}

impl Entries for ImageTar {
    fn blob(&self, path: &RelPath) -> Option<Blob> {
        let file = self.0.files.get(&self.resolved(path)?)?;
        Some(Blob { digest: file.digest, size: file.size, unpacked: file.unpacked })
    }

    fn read(&mut self, path: &RelPath, _most: usize) -> Result<Vec<u8>, String> {
        let path = self.resolved(path).ok_or("it is a link that leads nowhere")?;
        let content = self.0.files.get(&path).and_then(|file| file.content.clone());
        content.ok_or_else(|| "it is no JSON, or there is too much of it".to_owned())
    }

    fn names(&self) -> Box<dyn Iterator<Item = &RelPath> + '_> {
        Box::new(self.0.files.keys().chain(self.0.links.keys()))
    }

    fn is_tar(&self) -> bool {
        true
    }
}
