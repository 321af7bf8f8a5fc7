//! An image layout (OCI Image 1.1, "Image Layout Specification").

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::entries::{self, Entries, path};
use super::found::{Found, StoredManifest};
use crate::digest::Sha256Digest;
use crate::image::{BlobDigest, Descriptor, ImageReference, MAX_MANIFEST, Manifest, ManifestKind, Tag};
use crate::json;
use crate::relpath::RelPath;
use crate::secret::shown;
use crate::text::brief;

/// The file by which a layout is known.
pub const LAYOUT: &str = "oci-layout";
/// The file that lists what is in it.
pub(super) const INDEX: &str = "index.json";
/// The directory of everything else.
pub(super) const BLOBS: &str = "blobs";
/// The version that all layouts have.
const VERSION: &str = "1.0.0";
/// Bytes of the file that holds it.
const MAX_LAYOUT: usize = 4096;
/// The annotation by which `index.json` says what an image is called.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// Indexes in one another, below `index.json`.
const MAX_DEPTH: usize = 4;
/// Manifests that are read, over all.
pub(super) const MAX_MANIFESTS: usize = 256;
/// Bytes of all manifests that are read.
const MAX_BYTES: u64 = 64 << 20;
/// Descriptors that are looked up, over all.
const MAX_BLOBS: usize = 32_768;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    image_layout_version: String,
}

/// Where content of this digest is.
pub(super) fn blob_path(digest: Sha256Digest) -> Option<RelPath> {
    path(&format!("{BLOBS}/sha256/{digest}"))
}

/// Reads what `index.json` lists.
pub(super) fn read(entries: &mut dyn Entries, found: &mut Found) {
    let index = match index(entries) {
        Ok(index) => index,
        Err(why) => return found.leave_out(INDEX, why),
    };
    let listed: Vec<_> = index.index().map(|index| index.manifests.clone()).unwrap_or_default();
    let mut walk = Walk {
        entries,
        known: BTreeMap::new(),
        reached: BTreeSet::new(),
        order: Vec::new(),
        bytes: 0,
        blobs: 0,
    };
    for descriptor in &listed {
        match walk.manifest(descriptor, 0) {
            Ok(digest) => {
                if let Some(Ok(manifest)) = walk.known.get_mut(&digest) {
                    manifest.listed = true;
                    manifest.reference = manifest.reference.take().or_else(|| reference(descriptor));
                }
            }
            Err(why) => found.leave_out(descriptor.digest.to_string(), why),
        }
    }
    // What `index.json` lists comes first.
    let Walk { known, reached, order, .. } = walk;
    let reached = |digest: &&Sha256Digest| reached.contains(digest);
    let complete = || order.iter().filter(reached).filter_map(|digest| known.get(digest)?.as_ref().ok());
    found.manifests = complete().filter(|manifest| manifest.listed).cloned().collect();
    found.manifests.extend(complete().filter(|manifest| !manifest.listed).cloned());
}

fn index(entries: &mut dyn Entries) -> Result<Manifest, String> {
    let (Some(layout), Some(index)) = (path(LAYOUT), path(INDEX)) else { return Err(String::new()) };
    let version = entries::read(entries, &layout, MAX_LAYOUT)?;
    let Wire { image_layout_version } =
        json::parse(&version, MAX_LAYOUT).map_err(|e| format!("{LAYOUT} is none: {e}"))?;
    if image_layout_version != VERSION {
        return Err(format!("its layout has version {:?}", brief(&image_layout_version, 30)));
    }
    let bytes = entries::read(entries, &index, MAX_MANIFEST)?;
    let index = Manifest::read(&bytes).map_err(|e| e.to_string())?;
    if index.index().is_none() {
        return Err("it is an image, and no list of images".to_owned());
    }
    Ok(index)
}

/// What an image is called, if that is a tag or a name, and no key.
fn reference(descriptor: &Descriptor) -> Option<String> {
    let text = descriptor.annotations.get(REFERENCE)?;
    let is_one = text.parse::<Tag>().is_ok() || text.parse::<ImageReference>().is_ok();
    (is_one && shown(text.as_bytes()) == *text).then(|| text.clone())
}

struct Walk<'a> {
    entries: &'a mut dyn Entries,
    /// What is said of each manifest that was looked at.
    known: BTreeMap<Sha256Digest, Result<StoredManifest, String>>,
    /// Those to which something points that does not lie of them.
    reached: BTreeSet<Sha256Digest>,
    order: Vec<Sha256Digest>,
    bytes: u64,
    blobs: usize,
}

impl Walk<'_> {
    /// The manifest that a descriptor points to, if all of it is there.
    fn manifest(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Sha256Digest, String> {
        let digest = sha256(descriptor)?;
        if !self.known.contains_key(&digest) {
            if self.known.len() >= MAX_MANIFESTS {
                return Err(format!("there are more than {MAX_MANIFESTS} manifests"));
            }
            let read = self.read(descriptor, digest, depth);
            self.order.push(digest);
            self.known.insert(digest, read);
        }
        let Some(known) = self.known.get(&digest) else { return Err("it was not looked at".to_owned()) };
        let manifest = known.as_ref().map_err(Clone::clone)?;
        // Each that points to it may lie on its own.
        if ManifestKind::of(&descriptor.media_type) != Some(manifest.kind) {
            let said = brief(&descriptor.media_type, 100);
            return Err(format!("it is listed as {said:?}, and is {:?}", manifest.kind.media_type()));
        }
        if descriptor.size != manifest.size {
            return Err(format!("it is listed with {} bytes, and has {}", descriptor.size, manifest.size));
        }
        self.reached.insert(digest);
        Ok(digest)
    }

    fn read(
        &mut self,
        descriptor: &Descriptor,
        digest: Sha256Digest,
        depth: usize,
    ) -> Result<StoredManifest, String> {
        if ManifestKind::of(&descriptor.media_type).is_none() {
            return Err(format!("it is no image, but {:?}", brief(&descriptor.media_type, 100)));
        }
        let size = self.blob(descriptor)?;
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > MAX_BYTES {
            return Err(format!("its manifests have more than {MAX_BYTES} bytes"));
        }
        let path = blob_path(digest).ok_or("it has no name")?;
        let bytes = entries::read(self.entries, &path, MAX_MANIFEST)?;
        let manifest = Manifest::read(&bytes).map_err(|e| e.to_string())?;
        let (config, parts) = match (manifest.image(), manifest.index()) {
            (Some(image), _) => {
                self.blob(&image.config)?;
                for layer in &image.layers {
                    self.blob(layer)?;
                }
                let parts = image.layers.iter().map(sha256).collect::<Result<_, _>>()?;
                (Some(sha256(&image.config)?), parts)
            }
            (None, Some(_)) if depth >= MAX_DEPTH => {
                return Err(format!("indexes are in one another more than {MAX_DEPTH} times"));
            }
            (None, Some(index)) => {
                let part = |entry| {
                    let of = |why| format!("its manifest {}: {why}", shown_digest(entry));
                    self.manifest(entry, depth + 1).map_err(of)
                };
                (None, index.manifests.iter().map(part).collect::<Result<_, _>>()?)
            }
            (None, None) => return Err("it is neither an image nor an index".to_owned()),
        };
        let (kind, listed) = (manifest.kind(), false);
        Ok(StoredManifest { digest, size, kind, reference: None, listed, config, parts })
    }

    /// Content that is there under its own digest, and its size.
    fn blob(&mut self, descriptor: &Descriptor) -> Result<u64, String> {
        self.blobs += 1;
        if self.blobs > MAX_BLOBS {
            return Err(format!("there are more than {MAX_BLOBS} blobs"));
        }
        let digest = sha256(descriptor)?;
        let there = blob_path(digest).and_then(|path| self.entries.blob(&path));
        let there = there.ok_or_else(|| format!("its blob sha256:{digest} is not there"))?;
        if there.digest != digest {
            return Err(format!("what is there as its blob sha256:{digest} has SHA-256 {}", there.digest));
        }
        if there.size != descriptor.size {
            let (said, size) = (descriptor.size, there.size);
            return Err(format!("its blob sha256:{digest} has {size} bytes, and should have {said}"));
        }
        Ok(there.size)
    }
}

fn sha256(descriptor: &Descriptor) -> Result<Sha256Digest, String> {
    match &descriptor.digest {
        BlobDigest::Sha256(digest) => Ok(*digest),
        BlobDigest::Other(other) => Err(format!("it is named by another digest than SHA-256, {other}")),
    }
}

fn shown_digest(descriptor: &Descriptor) -> String {
    descriptor.digest.to_string()
}
