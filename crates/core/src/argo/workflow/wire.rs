//! The parts of a Workflow that are used, as its JSON has them. What is large stays
//! text until it is known to be needed.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

#[derive(Deserialize)]
pub(super) struct Workflow<'a> {
    #[serde(borrow, default)]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) metadata: Option<Metadata<'a>>,
    #[serde(borrow, default)]
    pub(super) spec: Option<Spec<'a>>,
    #[serde(borrow, default)]
    pub(super) status: Option<Status<'a>>,
}

#[derive(Deserialize, Default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow, default)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) uid: Option<Cow<'a, str>>,
}

/// `WorkflowSpec`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Spec<'a> {
    #[serde(borrow, default)]
    pub(super) templates: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) template_defaults: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) pod_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) entrypoint: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) archive_logs: Option<bool>,
    #[serde(default)]
    pub(super) workflow_template_ref: Option<IgnoredAny>,
}

/// `WorkflowStatus`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status<'a> {
    #[serde(borrow, default)]
    pub(super) nodes: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) compressed_nodes: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) offload_node_status_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) stored_templates: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) stored_workflow_template_spec: Option<Spec<'a>>,
    #[serde(borrow, default)]
    pub(super) artifact_repository_ref: Option<RepositoryRef<'a>>,
}

/// `ArtifactRepositoryRefStatus`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RepositoryRef<'a> {
    #[serde(borrow, default)]
    pub(super) artifact_repository: Option<&'a RawValue>,
}

/// `NodeStatus`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Node {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) template_name: Option<String>,
    #[serde(default)]
    pub(super) template_ref: Option<TemplateRef>,
    #[serde(default)]
    pub(super) template_scope: Option<String>,
    #[serde(default, rename = "boundaryID")]
    pub(super) boundary_id: Option<String>,
    #[serde(default, rename = "nodeFlag")]
    pub(super) flag: Option<NodeFlag>,
    #[serde(default)]
    pub(super) inputs: Option<Box<RawValue>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct TemplateRef {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) template: String,
    #[serde(default)]
    pub(super) cluster_scope: bool,
}

#[derive(Deserialize, Default)]
pub(super) struct NodeFlag {
    #[serde(default)]
    pub(super) retried: bool,
}

/// `SetType` and `GetType` of Argo's `Template`: the members of which one says what
/// kind of template it is, in the order in which Argo looks for them.
pub(super) const TYPES: [&str; 10] =
    ["container", "containerSet", "steps", "dag", "script", "resource", "data", "suspend", "http", "plugin"];
