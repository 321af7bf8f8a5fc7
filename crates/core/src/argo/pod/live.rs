//! The pod as the API server has it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::super::asked::is_ours;
use super::super::bounded::List;
use super::spec::{Phase, PodContainer, PodMount, PodSpec};

/// Argo's annotation of the node's id.
const NODE_ID: &str = "workflows.argoproj.io/node-id";

/// The pod as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivePod {
    /// Its UID.
    pub uid: String,
    /// The Workflow that it belongs to; what Argo's controller wrote there, nobody can
    /// make the pod's who may not create pods.
    pub owner: Option<Owner>,
    /// Argo's id of the node, from the pod's annotation.
    pub node_id: Option<String>,
    /// Its containers.
    pub spec: PodSpec,
    /// The values of `ARGO_TEMPLATE` in Argo's own containers.
    pub(super) templates: Vec<String>,
}

/// A Workflow that a pod belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
}

/// Why what the API server answered is no pod.
#[derive(Debug, thiserror::Error)]
#[error("the API server's answer is no pod")]
pub struct LivePodError(#[from] serde_json::Error);

fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

type Words = List<String, 65_536>;

#[derive(Deserialize)]
struct WirePod {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    uid: String,
    #[serde(default, deserialize_with = "nullable")]
    annotations: Annotations,
    #[serde(default, deserialize_with = "nullable")]
    owner_references: List<OwnerReference, 1024>,
}

/// Ours and, beside them, Argo's name of the node.
#[derive(Default)]
struct Annotations {
    own: BTreeMap<String, String>,
    node_id: Option<String>,
}

impl<'de> Deserialize<'de> for Annotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Kubernetes takes 256 KiB of all of a pod's annotations together.
        let mut all = BTreeMap::<String, String>::deserialize(deserializer)?;
        let node_id = all.remove(NODE_ID);
        all.retain(|name, _| is_ours(name));
        Ok(Self { own: all, node_id })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnerReference {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default, deserialize_with = "nullable")]
    init_containers: List<WireContainer, 1024>,
    containers: List<WireContainer, 1024>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireContainer {
    name: String,
    #[serde(default)]
    image: String,
    #[serde(default, deserialize_with = "nullable")]
    command: Words,
    #[serde(default, deserialize_with = "nullable")]
    args: Words,
    #[serde(default, deserialize_with = "nullable")]
    volume_mounts: List<WireMount, 4096>,
    #[serde(default, deserialize_with = "nullable")]
    env: List<Variable, 65_536>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMount {
    name: String,
    mount_path: String,
    #[serde(default)]
    sub_path: String,
    #[serde(default)]
    sub_path_expr: String,
    #[serde(default)]
    read_only: bool,
}

/// Of all but the template's the value is dropped at once: it may be a secret.
struct Variable {
    template: Option<String>,
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            name: String,
            #[serde(default)]
            value: Option<String>,
        }
        let Wire { name, value } = Wire::deserialize(deserializer)?;
        Ok(Self { template: value.filter(|_| name == "ARGO_TEMPLATE") })
    }
}

impl LivePod {
    /// Reads a pod's JSON; the caller bounds its length.
    pub fn from_json(bytes: &[u8]) -> Result<Self, LivePodError> {
        let WirePod { metadata, spec } = serde_json::from_slice(bytes)?;
        let owner = metadata
            .owner_references
            .0
            .into_iter()
            .find(|owner| owner.kind == "Workflow" && owner.api_version.starts_with("argoproj.io/"));
        let init = spec.init_containers.0.into_iter().map(|container| (Phase::Init, container));
        let main = spec.containers.0.into_iter().map(|container| (Phase::Main, container));
        let (mut containers, mut templates) = (Vec::new(), Vec::new());
        for (phase, container) in init.chain(main) {
            if is_argos(phase, &container.name) {
                templates.extend(container.env.0.into_iter().filter_map(|variable| variable.template));
            }
            containers.push(PodContainer {
                phase,
                name: container.name,
                image: container.image,
                command: container.command.0,
                args: container.args.0,
                mounts: container.volume_mounts.0.into_iter().map(PodMount::from).collect(),
            });
        }
        Ok(Self {
            uid: metadata.uid,
            owner: owner.map(|OwnerReference { name, uid, .. }| Owner { name, uid }),
            node_id: metadata.annotations.node_id,
            spec: PodSpec { containers, annotations: metadata.annotations.own },
            templates,
        })
    }
}

/// The containers by which Argo itself reads the template: of pods with init
/// containers `init`, of those without (4.1) `supervisor`.
fn is_argos(phase: Phase, name: &str) -> bool {
    matches!((phase, name), (Phase::Init, "init") | (Phase::Main, "supervisor"))
}

impl From<WireMount> for PodMount {
    fn from(wire: WireMount) -> Self {
        let WireMount { name, mount_path: path, sub_path, sub_path_expr, read_only } = wire;
        Self { name, path, sub_path, sub_path_expr, read_only }
    }
}
