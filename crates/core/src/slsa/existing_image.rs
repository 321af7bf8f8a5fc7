//! Build type `existing-image/v1`: an image that was in a registry already when
//! `argo-attest attest` resolved it. Specified field by field in
//! `docs/buildtypes/existing-image/v1.md`.
//!
//! It says that a registry had this manifest, by this name, and who says so. It says
//! nothing of how the image was built: there was no build to watch.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::argo_step::{insert_object, insert_text, texts};
use super::existing_object::invocation_id;
use super::{BuildDefinition, BuildMetadata, Builder, PodIdentity, Provenance, RunDetails};
use crate::image::{ImageReference, ImageSubject};

/// `buildType` of an image that `argo-attest attest` found.
pub const EXISTING_IMAGE_BUILD_TYPE: &str = "https://argo-attest.github.io/buildtypes/existing-image/v1";

/// An image that was resolved, and by whom.
#[derive(Debug, Clone)]
pub struct ExistingImage<'a> {
    /// As it was asked for.
    pub reference: &'a ImageReference,
    /// Its manifest or index.
    pub whole: &'a ImageSubject,
    /// Of an index, its images.
    pub images: &'a [ImageSubject],
    /// Which pod asked, where that was in one.
    pub identity: &'a PodIdentity,
    /// URI of the builder.
    pub builder_id: &'a str,
    /// Names this run where no pod does.
    pub run_id: &'a str,
    /// When the registry was asked.
    pub started_on: Timestamp,
    /// When its answer was read.
    pub finished_on: Timestamp,
}

impl ExistingImage<'_> {
    /// The predicate.
    pub fn provenance(&self) -> Provenance {
        Provenance {
            build_definition: BuildDefinition {
                build_type: EXISTING_IMAGE_BUILD_TYPE.into(),
                external_parameters: self.external_parameters(),
                internal_parameters: self.internal_parameters(),
                resolved_dependencies: Vec::new(),
            },
            run_details: RunDetails {
                builder: Builder::this_version(self.builder_id),
                metadata: BuildMetadata {
                    invocation_id: invocation_id(self.identity, self.run_id),
                    started_on: Some(self.started_on),
                    finished_on: Some(self.finished_on),
                },
                byproducts: Vec::new(),
            },
        }
    }

    fn external_parameters(&self) -> Map<String, Value> {
        let mut external = Map::new();
        let mut image = Map::new();
        insert_text(&mut image, "uri", &format!("oci://{}", self.reference));
        insert_text(&mut image, "repository", &self.reference.repository().to_string());
        let tag = self.reference.tag().map(|tag| tag.to_string());
        insert_text(&mut image, "tag", &tag.unwrap_or_default());
        insert_object(&mut external, "image", image);
        let workflow =
            texts(&[("name", &self.identity.workflow_name), ("namespace", &self.identity.pod_namespace)]);
        insert_object(&mut external, "workflow", workflow);
        external
    }

    fn internal_parameters(&self) -> Map<String, Value> {
        let mut internal = self.identity.internal_parameters();
        let mut image = manifest(self.whole);
        if !self.images.is_empty() {
            let images = self.images.iter().map(|image| Value::Object(manifest(image))).collect();
            image.insert("images".to_owned(), Value::Array(images));
        }
        insert_object(&mut internal, "image", image);
        internal
    }
}

fn manifest(of: &ImageSubject) -> Map<String, Value> {
    let mut manifest = Map::new();
    insert_text(&mut manifest, "platform", &of.platform().unwrap_or_default());
    insert_text(&mut manifest, "digest", &format!("sha256:{}", of.digest));
    insert_text(&mut manifest, "mediaType", of.kind.media_type());
    // As text: readers of JSON differ on integers above 2^53.
    insert_text(&mut manifest, "size", &of.size.to_string());
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256Digest;
    use crate::image::ManifestKind;

    fn subject(of: &str, kind: ManifestKind, platform: Option<&str>) -> ImageSubject {
        let platform = platform.map(|text| text.parse().unwrap());
        ImageSubject { digest: Sha256Digest::of(of.as_bytes()), kind, size: 7, platform }
    }

    fn provenance(reference: &str, images: &[ImageSubject], identity: &PodIdentity) -> Provenance {
        ExistingImage {
            reference: &reference.parse().unwrap(),
            whole: &subject("index", ManifestKind::OciIndex, None),
            images,
            identity,
            builder_id: "https://ci.example.com/imports",
            run_id: "urn:uuid:0",
            started_on: "2026-11-23T10:15:00Z".parse().unwrap(),
            finished_on: "2026-11-23T10:15:01Z".parse().unwrap(),
        }
        .provenance()
    }

    #[test]
    fn claims_no_build() {
        let images = [subject("amd64", ManifestKind::OciImage, Some("linux/amd64"))];
        let alone = provenance("r.example/app:1.2", &images, &PodIdentity::default());
        let json = serde_json::to_string_pretty(&alone).unwrap();
        insta::assert_snapshot!(json.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
        {
          "buildDefinition": {
            "buildType": "https://argo-attest.github.io/buildtypes/existing-image/v1",
            "externalParameters": {
              "image": {
                "repository": "r.example/app",
                "tag": "1.2",
                "uri": "oci://r.example/app:1.2"
              }
            },
            "internalParameters": {
              "image": {
                "digest": "sha256:1bc04b5291c26a46d918139138b992d2de976d6851d0893b0476b85bfbdfc6e6",
                "images": [
                  {
                    "digest": "sha256:5861314d7fccb39c2192173240eab44fa35ca66426201ca2acd0630a6258dd51",
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "platform": "linux/amd64",
                    "size": "7"
                  }
                ],
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "size": "7"
              }
            }
          },
          "runDetails": {
            "builder": {
              "id": "https://ci.example.com/imports",
              "version": {
                "argo-attest": "VERSION"
              }
            },
            "metadata": {
              "invocationId": "urn:uuid:0",
              "startedOn": "2026-11-23T10:15:00Z",
              "finishedOn": "2026-11-23T10:15:01Z"
            }
          }
        }
        "#);
    }

    #[test]
    fn says_which_pod_asked_and_no_tag_that_was_not_asked_for() {
        let some = |text: &str| Some(text.to_owned());
        let identity =
            PodIdentity { pod_uid: some("p"), workflow_name: some("import-1"), ..PodIdentity::default() };
        let digest = Sha256Digest::of(b"index");
        let told = provenance(&format!("r.example/app@sha256:{digest}"), &[], &identity);
        assert_eq!(told.run_details.metadata.invocation_id, "-/-/p");
        let definition = told.build_definition;
        assert_eq!(definition.external_parameters["workflow"]["name"], "import-1");
        assert_eq!(definition.internal_parameters["podUid"], "p");
        assert_eq!(definition.external_parameters["image"].get("tag"), None);
        assert_eq!(definition.internal_parameters["image"].get("images"), None);
    }
}
