//! What a statement about an output calls the images in it.
//!
//! `OUTPUT//NAME@sha256:DIGEST`, where `NAME` is what the image is called in there. An empty
//! component is in no path, so no file of any directory has such a name; and with its media
//! type it is known for what it is: no file either that was digested by itself.

use super::found::Found;
use crate::digest::Sha256Digest;
use crate::image::ManifestKind;
use crate::intoto::ResourceDescriptor;

/// What stands between an output and an image in it.
const WITHIN: &str = "//";
/// What stands before the digest.
const AT: &str = "@sha256:";
/// What a configuration is, in Docker's words and those of OCI.
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// The subjects for what was found in an output, the images that are listed there first.
pub fn subjects(output: &str, found: &Found) -> Vec<ResourceDescriptor> {
    let subject = |called: &str, media_type: &str, digest| ResourceDescriptor {
        media_type: media_type.to_owned(),
        ..ResourceDescriptor::named(format!("{output}{WITHIN}{called}{AT}{digest}"), digest)
    };
    let manifests = found.manifests.iter().map(|manifest| {
        let plain = if manifest.kind.is_index() { "index" } else { "image" };
        let called = manifest.reference.as_deref().unwrap_or(plain);
        subject(called, manifest.kind.media_type(), manifest.digest)
    });
    let configs = found.configs.iter().map(|config| subject("config", CONFIG, config.digest));
    manifests.chain(configs).collect()
}

/// Whether a subject is an image in an output, and neither the output nor a file of it.
pub fn is_image(subject: &ResourceDescriptor) -> bool {
    let named = || {
        let (_, image) = subject.name.split_once(WITHIN)?;
        let (_, digest) = image.rsplit_once(AT)?;
        Some(digest.parse::<Sha256Digest>().ok()? == subject.digest.sha256()?)
    };
    let is_kind = ManifestKind::of(&subject.media_type).is_some() || subject.media_type == CONFIG;
    is_kind && named() == Some(true)
}
