//! What `docker load` reads: a tar with a list of images, `manifest.json`, of which each is a
//! configuration and the layers that it names. Docker writes it (`docker save`), and so do
//! kaniko (`--tar-path`), buildah and go-containerregistry (`tarball`); no specification does.
//! The newer ones are an image layout at the same time.

use serde::Deserialize;

use super::entries::{self, Entries, path};
use super::found::{Found, StoredConfig, StoredManifest};
use crate::digest::Sha256Digest;
use crate::image::{BlobDigest, MAX_MANIFEST, Manifest};
use crate::json::{self, AtMost, Object};
use crate::text::brief;

/// The list of images.
pub(super) const MANIFEST: &str = "manifest.json";
/// What was in its place before Docker 1.10, and is written beside it still.
pub(super) const REPOSITORIES: &str = "repositories";
/// Images of one archive.
const MAX_IMAGES: usize = 256;
/// Layers of one image.
const MAX_LAYERS: usize = 1024;

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "Config")]
    config: String,
    #[serde(rename = "Layers")]
    layers: AtMost<String, MAX_LAYERS>,
}

#[derive(Deserialize)]
struct Config {
    rootfs: Object<RootFs>,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: AtMost<BlobDigest, MAX_LAYERS>,
}

/// Reads the list of images, if it is one.
pub(super) fn read(entries: &mut dyn Entries, found: &mut Found) {
    let Some(list) = path(MANIFEST).filter(|list| entries.blob(list).is_some()) else { return };
    let listed = entries::read(entries, &list, MAX_MANIFEST).and_then(|bytes| {
        let listed = json::parse_list::<Wire, MAX_IMAGES>(&bytes, MAX_MANIFEST);
        listed.map_err(|e| format!("it is no list of images: {e}"))
    });
    let listed = match listed {
        Ok(listed) => listed,
        // Of a tar that is no image it is anybody's file.
        Err(_) if !found.is_layout => return,
        Err(why) => return found.leave_out(MANIFEST, why),
    };
    found.is_docker_archive = true;
    for image in listed {
        match config(entries, &image, &found.manifests) {
            Ok(Some(config)) if !found.configs.contains(&config) => found.configs.push(config),
            Ok(_) => {}
            Err(why) => {
                found.leave_out(format!("{MANIFEST}: {}", brief(&image.config, 100)), why);
            }
        }
    }
}

/// The image's configuration, if all of its layers are there; `None` if a manifest that was
/// found is of the same configuration and the same layers, and so says it better.
fn config(
    entries: &mut dyn Entries,
    image: &Wire,
    manifests: &[StoredManifest],
) -> Result<Option<StoredConfig>, String> {
    let unsafe_name = || "it has a name that could lead out of the tar".to_owned();
    let name = path(&image.config).ok_or_else(unsafe_name)?;
    let bytes = entries::read(entries, &name, MAX_MANIFEST)?;
    let digest = Sha256Digest::of(&bytes);
    let AtMost(layers) = &image.layers;
    let mut blobs = Vec::with_capacity(layers.len());
    for layer in layers {
        let name = path(layer).ok_or_else(unsafe_name)?;
        let blob = entries.blob(&name);
        blobs.push(blob.ok_or_else(|| format!("its layer {} is not there", brief(layer, 100)))?);
    }
    let is_same = |manifest: &StoredManifest| {
        manifest.config == Some(digest) && manifest.parts.iter().eq(blobs.iter().map(|blob| &blob.digest))
    };
    if manifests.iter().any(is_same) {
        return Ok(None);
    }
    // Whoever asks for a manifest by this digest must not be given a configuration.
    if Manifest::read(&bytes).is_ok() {
        return Err("its configuration could be read as a manifest".to_owned());
    }
    let config: Config =
        json::parse(&bytes, MAX_MANIFEST).map_err(|e| format!("its configuration is none: {e}"))?;
    let AtMost(diff_ids) = config.rootfs.0.diff_ids;
    if diff_ids.len() != blobs.len() {
        let (said, there) = (diff_ids.len(), blobs.len());
        return Err(format!("it has {there} layers, and its configuration {said}"));
    }
    let mut known = Vec::with_capacity(diff_ids.len());
    for ((blob, diff_id), layer) in blobs.iter().zip(&diff_ids).zip(layers) {
        let wanted = diff_id.sha256().ok_or("a layer is named by another digest than SHA-256")?;
        if blob.digest != wanted && blob.unpacked != Some(wanted) {
            let layer = brief(layer, 100);
            let unpacked = blob.unpacked.map_or_else(
                || "was not unpacked".to_owned(),
                |unpacked| format!("unpacks to what has SHA-256 {unpacked}"),
            );
            return Err(format!(
                "its layer {layer} has SHA-256 {}, {unpacked}, and its configuration says {wanted}",
                blob.digest
            ));
        }
        known.push(wanted);
    }
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(Some(StoredConfig { digest, size, diff_ids: known }))
}
