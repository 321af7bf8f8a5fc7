//! What a step runs: its kind of template and its containers.

use super::wire;
use crate::digest::Sha256Digest;

/// Kinds of template that have a pod: those for which Argo calls `createWorkflowPod`
/// (in its `workflow/controller`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One container.
    Container,
    /// Several containers in one pod.
    ContainerSet,
    /// One container that runs a script.
    Script,
    /// A Kubernetes resource.
    Resource,
    /// A transformation that argoexec does itself.
    Data,
}

impl Kind {
    /// Whether containers of the user's run, and so outputs can be watched.
    pub fn runs_containers(self) -> bool {
        matches!(self, Self::Container | Self::ContainerSet | Self::Script)
    }

    /// The field of the template that makes it this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::ContainerSet => "containerSet",
            Self::Script => "script",
            Self::Resource => "resource",
            Self::Data => "data",
        }
    }

    pub(super) fn from_wire(template: &wire::Template) -> Option<Self> {
        [
            (template.container.is_some(), Self::Container),
            (template.container_set.is_some(), Self::ContainerSet),
            (template.script.is_some(), Self::Script),
            (template.resource.is_some(), Self::Resource),
            (template.data.is_some(), Self::Data),
        ]
        .into_iter()
        .find_map(|(found, kind)| found.then_some(kind))
    }
}

/// A container that the step runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name in the pod: `main`, or what a container set calls it.
    pub name: String,
    /// The image, as the template names it.
    pub image: String,
    /// The command; empty if the image's own is used.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Names of its environment variables. Their values are never read: they may
    /// be secrets.
    pub env_names: Vec<String>,
    /// The script that the command runs, of a script template.
    pub script: Option<Script>,
    /// Containers of the same set that must end first.
    pub dependencies: Vec<String>,
    /// The volumes that the template mounts into it; of a container set, those of all its
    /// containers and then its own.
    pub mounts: Vec<Mount>,
}

/// A volume's mount, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The volume's name.
    pub volume: String,
    /// Where it is mounted.
    pub path: String,
    /// What of the volume; empty for all of it.
    pub sub_path: String,
    /// The same, with variables of the container in it.
    pub sub_path_expr: String,
}

/// The source of a script template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// The digest of its text.
    pub digest: Sha256Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// The name that Argo gives the container of a container or script template.
const MAIN: &str = "main";

pub(super) fn containers(kind: Kind, template: &wire::Template) -> Vec<Container> {
    match kind {
        Kind::Container => template.container.iter().map(|c| container(c, MAIN, false, &[])).collect(),
        Kind::Script => template.script.iter().map(|c| container(c, MAIN, true, &[])).collect(),
        Kind::ContainerSet => {
            let set = template.container_set.iter();
            let each = set.flat_map(|set| set.containers.0.iter().map(|c| (c, &set.volume_mounts.0)));
            each.map(|(c, shared)| container(c, &c.name, false, shared)).collect()
        }
        _ => Vec::new(),
    }
}

fn container(wire: &wire::Container, name: &str, script: bool, shared: &[wire::VolumeMount]) -> Container {
    Container {
        name: name.to_owned(),
        image: wire.image.clone(),
        command: wire.command.0.clone(),
        args: wire.args.0.clone(),
        env_names: wire.env.0.iter().map(|env| env.name.clone()).collect(),
        script: script.then(|| Script {
            digest: Sha256Digest::of(wire.source.as_bytes()),
            size: u64::try_from(wire.source.len()).unwrap_or(u64::MAX),
        }),
        dependencies: wire.dependencies.0.clone(),
        mounts: shared.iter().chain(&wire.volume_mounts.0).map(mount).collect(),
    }
}

fn mount(wire: &wire::VolumeMount) -> Mount {
    Mount {
        volume: wire.name.clone(),
        path: wire.mount_path.clone(),
        sub_path: wire.sub_path.clone(),
        sub_path_expr: wire.sub_path_expr.clone(),
    }
}

/// Where main's volumes are, as the rules for outputs see it (`GetVolumeMounts` in
/// `workflow_types.go`): of a container set only the mounts that all its containers
/// share. Kubernetes takes no pod with an empty mount path.
pub(super) fn mounts(template: &wire::Template) -> Vec<&str> {
    let mounts = template
        .container
        .as_ref()
        .or(template.script.as_ref())
        .map(|container| &container.volume_mounts)
        .or_else(|| template.container_set.as_ref().map(|set| &set.volume_mounts));
    let paths = mounts.iter().flat_map(|list| &list.0).map(|mount| mount.mount_path.as_str());
    paths.filter(|path| !path.is_empty()).collect()
}
