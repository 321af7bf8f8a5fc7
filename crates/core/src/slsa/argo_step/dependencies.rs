//! `resolvedDependencies`, and the by-products that the template tells of.
//!
//! A digest is given only where it is known: an image that is named by a tag, or
//! a git revision that is a branch, may have been anything.

use serde_json::Map;

use super::StepRun;
use crate::argo::{Container, InputArtifact, InputSource, ObjectRef, Step};
use crate::digest::Sha256Digest;
use crate::intoto::{DigestSet, ResourceDescriptor};

pub(super) fn resolved(run: &StepRun<'_>) -> Vec<ResourceDescriptor> {
    let images = run.step.containers.iter().filter_map(|container| image(run, container));
    images.chain(run.step.inputs.iter().filter_map(|input| artifact(run, input))).collect()
}

/// The logs that Argo stores, as far as their objects are known. They are still
/// being written, so they have no digest.
pub(super) fn logs(step: &Step) -> impl Iterator<Item = ResourceDescriptor> {
    step.logs.iter().filter_map(|log| {
        let object = log.object.as_ref().ok()?;
        Some(object_descriptor(format!("logs/{}", log.container), object))
    })
}

/// An image, by the reference that the template has. What the tag of a reference
/// meant, the kubelet knows and we do not: what the gate saw a tag point to is not said.
fn image(run: &StepRun<'_>, container: &Container) -> Option<ResourceDescriptor> {
    if container.image.is_empty() {
        return None;
    }
    let pinned = pinned(&container.image);
    let mut descriptor = ResourceDescriptor {
        name: format!("containers/{}", container.name),
        uri: format!("oci://{}", container.image),
        digest: pinned.map(DigestSet::from).unwrap_or_default(),
        ..ResourceDescriptor::default()
    };
    let evidence = run.image_evidence.get(&container.name);
    if let Some(evidence) = evidence.filter(|found| pinned.is_some() && found.digest.sha256() == pinned)
        && let Some(attestation) = &evidence.attestation
    {
        attestation.annotate(&mut descriptor);
    }
    Some(descriptor)
}

fn pinned(reference: &str) -> Option<Sha256Digest> {
    reference.rsplit_once("@sha256:")?.1.parse().ok()
}

fn artifact(run: &StepRun<'_>, input: &InputArtifact) -> Option<ResourceDescriptor> {
    let name = format!("inputs/{}", input.name);
    let mut descriptor = match &input.source {
        InputSource::Object(object) => object_descriptor(name, object),
        InputSource::Http { url } => ResourceDescriptor { name, uri: url.clone(), ..Default::default() },
        InputSource::Git { repository, revision } => ResourceDescriptor {
            name,
            uri: git_uri(repository, revision),
            digest: DigestSet::git_commit(revision).unwrap_or_default(),
            ..Default::default()
        },
        InputSource::Raw { digest, .. } => ResourceDescriptor::named(name, *digest),
        InputSource::NotSupplied | InputSource::Unknown(_) => return None,
    };
    if let Some(evidence) = run.input_evidence.get(&input.name) {
        if descriptor.digest.is_empty() {
            descriptor.digest = evidence.digest.clone();
        }
        if let Some(attestation) = &evidence.attestation {
            attestation.annotate(&mut descriptor);
        }
    }
    Some(descriptor)
}

/// The bucket alone does not say whose it is, so the endpoint goes with it.
fn object_descriptor(name: String, object: &ObjectRef) -> ResourceDescriptor {
    let mut annotations = Map::new();
    if let Some(url) = object.store.endpoint_url() {
        annotations.insert("endpoint".into(), url.into());
    }
    ResourceDescriptor { name, uri: object.to_string(), annotations, ..Default::default() }
}

/// As SPDX 2.3 (section 7.7, "Package download location") names a place in a
/// repository; the short form of ssh becomes a URI.
fn git_uri(repository: &str, revision: &str) -> String {
    let base = match repository.split_once(':') {
        Some((host, path)) if !repository.contains("://") => format!("git+ssh://{host}/{path}"),
        _ => format!("git+{repository}"),
    };
    if revision.is_empty() { base } else { format!("{base}@{revision}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_a_digest_only_if_its_reference_does() {
        let digest = Sha256Digest::of(b"");
        for (reference, found) in [
            (format!("alpine@sha256:{digest}"), Some(digest)),
            (format!("r.example.com:5000/a/b:1@sha256:{digest}"), Some(digest)),
            ("alpine:3".to_owned(), None),
            ("alpine@sha256:1234".to_owned(), None),
            (format!("alpine@sha256:{}", digest.to_string().to_uppercase()), None),
        ] {
            assert_eq!(pinned(&reference), found, "{reference}");
        }
    }

    #[test]
    fn repositories_have_uris() {
        for (repository, revision, uri) in [
            ("https://h/x.git", "v1", "git+https://h/x.git@v1"),
            ("https://h:8443/x.git", "", "git+https://h:8443/x.git"),
            ("git@h.example.com:org/x.git", "main", "git+ssh://git@h.example.com/org/x.git@main"),
        ] {
            assert_eq!(git_uri(repository, revision), uri);
        }
    }
}
