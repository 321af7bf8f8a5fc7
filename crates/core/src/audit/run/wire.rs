//! The parts of a Workflow that are used, as its JSON has them
//! (`pkg/apis/workflow/v1alpha1/workflow_types.go` of Argo). What is large stays text.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::json::{self, object_or_none, object_or_unset, objects_or_unset, or_unset};

/// A document: one object, or a list of them.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow, default)]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) items: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Workflow<'a> {
    #[serde(borrow, default)]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "object_or_unset")]
    pub(super) metadata: Metadata,
    #[serde(borrow, default)]
    pub(super) status: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    #[serde(deserialize_with = "or_unset")]
    pub(super) name: String,
    #[serde(deserialize_with = "or_unset")]
    pub(super) namespace: String,
    #[serde(deserialize_with = "or_unset")]
    pub(super) uid: String,
    pub(super) creation_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "object_or_unset")]
    pub(super) annotations: Annotations,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Annotations {
    /// `common.AnnotationKeyPodNameVersion`.
    #[serde(rename = "workflows.argoproj.io/pod-name-format")]
    pub(super) pod_name_format: Option<String>,
}

/// `WorkflowStatus`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status<'a> {
    #[serde(deserialize_with = "or_unset")]
    pub(super) phase: String,
    pub(super) finished_at: Option<Timestamp>,
    #[serde(borrow)]
    pub(super) nodes: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) compressed_nodes: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) offload_node_status_version: Option<Cow<'a, str>>,
    #[serde(deserialize_with = "object_or_unset")]
    pub(super) artifact_repository_ref: RepositoryRef,
}

/// `ArtifactRepositoryRefStatus`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RepositoryRef {
    #[serde(deserialize_with = "object_or_none")]
    pub(super) artifact_repository: Option<Location>,
}

/// `NodeStatus`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Node {
    #[serde(deserialize_with = "or_unset")]
    pub(super) name: String,
    #[serde(rename = "type", deserialize_with = "or_unset")]
    pub(super) kind: String,
    #[serde(deserialize_with = "or_unset")]
    pub(super) template_name: String,
    #[serde(deserialize_with = "object_or_none")]
    pub(super) template_ref: Option<TemplateRef>,
    #[serde(deserialize_with = "or_unset")]
    pub(super) template_scope: String,
    #[serde(deserialize_with = "or_unset")]
    pub(super) phase: String,
    #[serde(deserialize_with = "or_unset")]
    pub(super) message: String,
    #[serde(deserialize_with = "object_or_unset")]
    pub(super) inputs: Artifacts,
    #[serde(deserialize_with = "object_or_unset")]
    pub(super) outputs: Artifacts,
    #[serde(deserialize_with = "object_or_unset")]
    pub(super) memoization_status: MemoizationStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TemplateRef {
    #[serde(deserialize_with = "or_unset")]
    pub(super) name: String,
    #[serde(deserialize_with = "or_unset")]
    pub(super) template: String,
    #[serde(deserialize_with = "or_unset")]
    pub(super) cluster_scope: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct MemoizationStatus {
    #[serde(deserialize_with = "or_unset")]
    pub(super) hit: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Artifacts {
    #[serde(deserialize_with = "objects_or_unset")]
    pub(super) artifacts: Vec<Artifact>,
}

/// `Artifact`, with its location spelt out: what is flattened would be held in memory first.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Artifact {
    #[serde(deserialize_with = "or_unset")]
    pub(super) name: String,
    #[serde(deserialize_with = "object_or_none")]
    pub(super) s3: Option<S3>,
    pub(super) git: Option<IgnoredAny>,
    pub(super) http: Option<IgnoredAny>,
    pub(super) raw: Option<IgnoredAny>,
    pub(super) artifactory: Option<IgnoredAny>,
    pub(super) hdfs: Option<IgnoredAny>,
    pub(super) oss: Option<IgnoredAny>,
    pub(super) gcs: Option<IgnoredAny>,
    pub(super) azure: Option<IgnoredAny>,
    pub(super) plugin: Option<IgnoredAny>,
}

/// `ArtifactRepository` and `ArtifactLocation`: which kind of store, and of S3 where in it.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Location {
    #[serde(deserialize_with = "object_or_none")]
    pub(super) s3: Option<S3>,
    pub(super) artifactory: Option<IgnoredAny>,
    pub(super) hdfs: Option<IgnoredAny>,
    pub(super) oss: Option<IgnoredAny>,
    pub(super) gcs: Option<IgnoredAny>,
    pub(super) azure: Option<IgnoredAny>,
    pub(super) plugin: Option<IgnoredAny>,
}

/// `S3Artifact` and `S3ArtifactRepository`.
#[derive(Deserialize, Default, Clone)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct S3 {
    #[serde(deserialize_with = "json::or_unset")]
    pub(super) endpoint: String,
    #[serde(deserialize_with = "json::or_unset")]
    pub(super) bucket: String,
    #[serde(deserialize_with = "json::or_unset")]
    pub(super) key: String,
    #[serde(deserialize_with = "json::or_unset")]
    pub(super) key_format: String,
    #[serde(deserialize_with = "json::or_unset")]
    pub(super) key_prefix: String,
}
