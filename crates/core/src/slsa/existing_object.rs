//! Build type `existing-object/v1`: an object that was in a store already when
//! `argo-attest attest` read it. Specified field by field in
//! `docs/buildtypes/existing-object/v1.md`.
//!
//! It says that these bytes were there, and who says so. It says nothing of how
//! they were made: there was no build to watch.

use jiff::Timestamp;
use serde_json::Map;

use super::argo_step::{insert_object, insert_text, texts};
use super::{BuildDefinition, BuildMetadata, Builder, PodIdentity, Provenance, RunDetails, place_byproduct};
use crate::intoto::ResourceDescriptor;
use crate::store_address::StoreAddress;

/// `buildType` of an object that `argo-attest attest` found.
pub const EXISTING_OBJECT_BUILD_TYPE: &str = "https://argo-attest.github.io/buildtypes/existing-object/v1";

/// An object that was read, and by whom.
#[derive(Debug, Clone)]
pub struct ExistingObject<'a> {
    /// Its address, `s3://bucket/key`.
    pub uri: &'a str,
    /// Whose bucket it is.
    pub store: Option<&'a StoreAddress>,
    /// Its size in bytes.
    pub size: u64,
    /// The store's own text for its state; S3's `ETag`, with its quotes.
    pub etag: &'a str,
    /// Its version, where the store keeps versions.
    pub version_id: Option<&'a str>,
    /// Which pod read it, where that was in one.
    pub identity: &'a PodIdentity,
    /// URI of the builder.
    pub builder_id: &'a str,
    /// Names this run where no pod does.
    pub run_id: &'a str,
    /// When reading it began.
    pub started_on: Timestamp,
    /// When it had been read and was still the same.
    pub finished_on: Timestamp,
}

impl ExistingObject<'_> {
    /// The predicate.
    pub fn provenance(&self) -> Provenance {
        Provenance {
            build_definition: BuildDefinition {
                build_type: EXISTING_OBJECT_BUILD_TYPE.into(),
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
                byproducts: self.place(),
            },
        }
    }

    fn place(&self) -> Vec<ResourceDescriptor> {
        self.store.map(|store| place_byproduct(self.uri, store)).into_iter().collect()
    }

    fn external_parameters(&self) -> Map<String, serde_json::Value> {
        let mut external = Map::new();
        let mut object = Map::new();
        insert_text(&mut object, "uri", self.uri);
        insert_text(&mut object, "endpoint", self.store.map(StoreAddress::as_str).unwrap_or_default());
        insert_object(&mut external, "object", object);
        let workflow =
            texts(&[("name", &self.identity.workflow_name), ("namespace", &self.identity.pod_namespace)]);
        insert_object(&mut external, "workflow", workflow);
        external
    }

    fn internal_parameters(&self) -> Map<String, serde_json::Value> {
        let mut internal = self.identity.internal_parameters();
        let mut object = Map::new();
        // As text: readers of JSON differ on integers above 2^53.
        insert_text(&mut object, "size", &self.size.to_string());
        insert_text(&mut object, "etag", self.etag);
        insert_text(&mut object, "versionId", self.version_id.unwrap_or_default());
        insert_object(&mut internal, "object", object);
        internal
    }
}

/// The pod's, or the run's where no pod is known.
pub(super) fn invocation_id(identity: &PodIdentity, run_id: &str) -> String {
    let known = |part: &Option<String>| part.as_deref().is_some_and(|text| !text.is_empty());
    if [&identity.workflow_uid, &identity.node_id, &identity.pod_uid].into_iter().any(known) {
        identity.invocation_id()
    } else {
        run_id.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provenance(identity: &PodIdentity) -> Provenance {
        ExistingObject {
            uri: "s3://data/base.csv",
            store: Some(&"https://s3.example.com".parse().unwrap()),
            size: u64::MAX,
            etag: "\"abc\"",
            version_id: None,
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
        let alone = provenance(&PodIdentity::default());
        let json = serde_json::to_string_pretty(&alone).unwrap();
        insta::assert_snapshot!(json.replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r#"
        {
          "buildDefinition": {
            "buildType": "https://argo-attest.github.io/buildtypes/existing-object/v1",
            "externalParameters": {
              "object": {
                "endpoint": "https://s3.example.com",
                "uri": "s3://data/base.csv"
              }
            },
            "internalParameters": {
              "object": {
                "etag": "\"abc\"",
                "size": "18446744073709551615"
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
            },
            "byproducts": [
              {
                "name": "stored-object",
                "uri": "s3://data/base.csv",
                "annotations": {
                  "endpoint": "https://s3.example.com"
                }
              }
            ]
          }
        }
        "#);
    }

    #[test]
    fn says_which_pod_read_it() {
        let some = |text: &str| Some(text.to_owned());
        let identity = PodIdentity {
            pod_uid: some("p"),
            pod_namespace: some("ci"),
            workflow_name: some("import-1"),
            ..PodIdentity::default()
        };
        let told = provenance(&identity);
        assert_eq!(told.run_details.metadata.invocation_id, "-/-/p");
        assert_eq!(told.build_definition.external_parameters["workflow"]["namespace"], "ci");
        assert_eq!(told.build_definition.external_parameters["workflow"]["name"], "import-1");
        assert_eq!(told.build_definition.internal_parameters["podUid"], "p");
    }
}
