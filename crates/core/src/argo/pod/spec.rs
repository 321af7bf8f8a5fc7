//! What is compared of a pod.

use std::collections::BTreeMap;

/// A pod's containers, as it was created, and what was asked of us in its annotations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodSpec {
    /// Init containers first, each list in the pod's order.
    pub containers: Vec<PodContainer>,
    /// The annotations that begin with `argo-attest.io/`.
    pub annotations: BTreeMap<String, String>,
}

/// In which of the pod's lists a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// `initContainers`.
    Init,
    /// `containers`.
    Main,
}

/// One container of the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodContainer {
    /// The list that it is in.
    pub phase: Phase,
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Its command, Argo's wrapper included.
    pub command: Vec<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it mounts.
    pub mounts: Vec<PodMount>,
}

/// One mount of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodMount {
    /// The volume's name.
    pub name: String,
    /// Where it is mounted.
    pub path: String,
    /// Which part of the volume; empty for all of it.
    pub sub_path: String,
    /// The same as an expression, which the kubelet expands; empty for none.
    pub sub_path_expr: String,
    /// Whether it is read-only.
    pub read_only: bool,
}
