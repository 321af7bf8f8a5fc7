//! What main wrote that can tell the digest of an image: small files of its outputs, and the
//! parameters that Argo saved.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use argo_attest_core::argo::{ParameterFile, Step};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::layout::WrittenImages;
use argo_attest_core::image::{ImageReference, MAX_DIGEST_FILE, Manifest, digests_of_files, tells_digest};
use argo_attest_core::relpath::RelPath;
use tokio::task::spawn_blocking;

use crate::observe::{Artifact, Root, SealedArtifact};
use crate::regular_file::{Links, read, read_all};
use crate::sidecar::packed;
use crate::sidecar::planned::Way;

/// Files that are read for one image.
const MAX_FILES: usize = 256;
/// Bytes of a packed output that is looked into.
const MAX_PACKED: u64 = 64 * 1024;
/// Where Argo saves parameters, in its own directory (`saveParameter` of its emissary).
const PARAMETERS: &str = "outputs/parameters";

/// What main wrote, as far as it may tell of images.
#[derive(Debug, Default)]
pub(in crate::sidecar) struct Written {
    files: Vec<WrittenFile>,
    /// Of files in what Argo packed: the output, and the file's digest.
    packed: Vec<(String, Sha256Digest)>,
    parameters: Vec<SavedParameter>,
    /// Images that are there in full.
    images: WrittenImages,
}

#[derive(Debug)]
struct WrittenFile {
    output: String,
    artifact: Artifact,
    path: RelPath,
    digest: Sha256Digest,
}

#[derive(Debug, Clone)]
struct SavedParameter {
    name: String,
    /// Where its value may be, the likeliest first.
    places: Vec<PathBuf>,
}

impl Written {
    /// Of the outputs of a step as they were sealed, and its parameters. What changed after `ended` is
    /// not main's.
    pub(in crate::sidecar) async fn of(
        outputs: impl Iterator<Item = (&Way, &SealedArtifact)>,
        step: &Step,
        argo_dir: &Path,
        ended: i64,
    ) -> Self {
        let outputs: Vec<_> = outputs.collect();
        let mut packed = Vec::new();
        for (way, sealed) in &outputs {
            let digests = packed::digests(way, sealed, MAX_PACKED).await;
            let named = |digest| (sealed.artifact().name.clone(), digest);
            packed.extend(digests.into_iter().take(MAX_FILES).map(named));
        }
        let small = |size: u64| usize::try_from(size).is_ok_and(|size| size <= MAX_DIGEST_FILE);
        let plain = outputs.iter().filter(|(way, _)| !way.packed);
        let files = plain.flat_map(|(_, sealed)| {
            let small =
                sealed.files().iter().filter(move |(_, seen)| small(seen.size) && seen.changed <= ended);
            small.take(MAX_FILES).map(|(path, seen)| WrittenFile {
                output: sealed.artifact().name.clone(),
                artifact: sealed.artifact().clone(),
                path: path.clone(),
                digest: seen.digest,
            })
        });
        let saved = argo_dir.join(PARAMETERS);
        let parameters = step.parameter_files.iter().map(|ParameterFile { name, path }| SavedParameter {
            name: format!("parameter {name}"),
            places: vec![saved.join(path.trim_start_matches('/')), PathBuf::from(path)],
        });
        let parameters = parameters.take(MAX_FILES).collect();
        let (files, images) = (files.take(MAX_FILES).collect(), WrittenImages::default());
        Self { files, packed, parameters, images }
    }

    /// With the images that were found in outputs.
    pub(in crate::sidecar) fn with_images(self, images: WrittenImages) -> Self {
        Self { images, ..self }
    }

    /// In which output this image is in full: its manifest, or, in a tar for `docker load`, which has
    /// none, its configuration and these very layers.
    pub(in crate::sidecar) fn holds(&self, manifest: &Manifest) -> Option<&str> {
        self.images.holds(manifest.digest()).or_else(|| {
            let image = manifest.image()?;
            let layers: Option<Vec<_>> = image.layers.iter().map(|layer| layer.digest.sha256()).collect();
            self.images.holds_config(image.config.digest.sha256()?, &layers?)
        })
    }

    /// Which output or parameter has the digest of this image, if one does.
    pub(super) async fn tells(&self, image: &ImageReference, digest: Sha256Digest) -> Option<String> {
        // A file of one line is known by its own digest, and need not be read.
        let known = digests_of_files(image, digest);
        if let Some(file) = self.files.iter().find(|file| known.contains(&file.digest)) {
            return Some(file.output.clone());
        }
        if let Some((output, _)) = self.packed.iter().find(|(_, file)| known.contains(file)) {
            return Some(output.clone());
        }
        let by_root = self.by_root();
        let parameters = self.parameters.clone();
        let image = image.clone();
        let told = move || {
            let tells = |bytes: &[u8]| tells_digest(bytes, &image, digest);
            by_root
                .into_iter()
                .find_map(|(root, files)| told_by_file(&root, &files, tells))
                .or_else(|| told_by_parameter(&parameters, tells))
        };
        spawn_blocking(told).await.ok().flatten()
    }

    /// By the directory that they are beneath: their paths there, digests, outputs.
    fn by_root(&self) -> BTreeMap<PathBuf, Vec<(RelPath, Sha256Digest, String)>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for file in &self.files {
            let path = file.artifact.path.concat(&file.path);
            let entry = (path, file.digest, file.output.clone());
            all.entry(file.artifact.root.clone()).or_default().push(entry);
        }
        all
    }
}

/// The bytes are those that were digested, or nothing is said of them. Blocks.
fn told_by_file(
    root: &Path,
    files: &[(RelPath, Sha256Digest, String)],
    tells: impl Fn(&[u8]) -> bool,
) -> Option<String> {
    let root = Root::open(root).ok()?;
    let is_told = |(path, digest, _): &&(RelPath, Sha256Digest, String)| {
        let Ok((file, _)) = root.open_file(path) else { return false };
        let bytes = read_all(std::fs::File::from(file), MAX_DIGEST_FILE).unwrap_or_default();
        Sha256Digest::of(&bytes) == *digest && tells(&bytes)
    };
    files.iter().find(is_told).map(|(_, _, output)| output.clone())
}

fn told_by_parameter(parameters: &[SavedParameter], tells: impl Fn(&[u8]) -> bool) -> Option<String> {
    let is_told =
        |place: &PathBuf| read(place, Links::Refused, MAX_DIGEST_FILE).is_ok_and(|value| tells(&value));
    parameters.iter().find(|saved| saved.places.iter().any(is_told)).map(|saved| saved.name.clone())
}
