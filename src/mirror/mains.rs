//! What is mounted into main.

use std::collections::{BTreeMap, BTreeSet};

use argo_attest_core::argo::{InputSource, Kind, Mount, Step};
use argo_attest_core::relpath::RelPath;

use super::table::{above, beneath};
use super::{Unseen, from_root, shown};

/// The volume that Argo stages inputs into which are on none of main's (`inputArtifactsVolumeName`
/// in its workflow/controller/workflowpod.go).
pub(super) const INPUT_ARTIFACTS: &str = "input-artifacts";
/// What Argo mounts into every container that it runs for the step.
const ARGO_DIR: (&str, &str) = ("var-run-argo", "/var/run/argo");
/// What it mounts for the text of a script template.
const SCRIPT_DIR: (&str, &str) = ("argo-staging", "/argo/staging");
/// The container that is given inputs.
const MAIN: &str = "main";

/// The mounts of each container that the step runs.
#[derive(Debug, Clone)]
pub struct MainMounts {
    /// Main first, if there is one.
    containers: Vec<Mounts>,
    has_main: bool,
}

/// The mounts of one container, by their places.
#[derive(Debug, Clone, Default)]
pub(super) struct Mounts {
    at: BTreeMap<RelPath, Mount>,
    /// Where there is more than one.
    ambiguous: BTreeSet<RelPath>,
}

impl Mounts {
    fn of<'m>(mounts: impl IntoIterator<Item = &'m Mount>) -> Self {
        let mut all = Self::default();
        for mount in mounts {
            // What has no such place cannot be mounted.
            let Some(at) = from_root(&mount.path) else { continue };
            if all.at.insert(at.clone(), mount.clone()).is_some() {
                all.ambiguous.insert(at);
            }
        }
        all
    }

    /// The one that a path is on, and where it is.
    pub(super) fn covering(&self, path: &RelPath) -> Result<Option<(RelPath, &Mount)>, Unseen> {
        let Some((at, mount)) = above(path).find_map(|at| Some((at.clone(), self.at.get(&at)?))) else {
            return Ok(None);
        };
        if self.ambiguous.contains(&at) {
            return Err(Unseen::Ambiguous { mount: shown(&at) });
        }
        Ok(Some((at, mount)))
    }

    /// Those beneath a path.
    pub(super) fn beneath<'a>(&'a self, path: &'a RelPath) -> impl Iterator<Item = (&'a RelPath, &'a Mount)> {
        beneath(&self.at, path)
    }

    /// Whether one is there, of this volume.
    pub(super) fn has(&self, at: &RelPath, volume: &str) -> bool {
        self.at.get(at).is_some_and(|mount| mount.volume == volume)
    }

    /// Whether one is there.
    pub(super) fn is_at(&self, at: &RelPath) -> bool {
        self.at.contains_key(at)
    }
}

impl MainMounts {
    /// As Argo's controller makes them of the template (`addVolumeReferences` and
    /// `addInputArtifactsVolumes` in workflowpod.go).
    pub fn of_template(step: &Step) -> Self {
        let script = (step.kind == Kind::Script).then_some(SCRIPT_DIR);
        let argos = [ARGO_DIR].into_iter().chain(script).map(|(volume, path)| mount(volume, path, ""));
        let inputs = step.inputs.iter().filter(|i| i.mount.is_none());
        // An optional input that nothing was supplied for gets no mount.
        let inputs = inputs.filter(|i| !(i.optional && i.source == InputSource::NotSupplied));
        let inputs = inputs.filter_map(|i| Some(mount(INPUT_ARTIFACTS, i.path.as_deref()?, &i.name)));
        let (argos, inputs) = (argos.collect::<Vec<_>>(), inputs.collect::<Vec<_>>());
        let main = |mounts: &[Mount]| Mounts::of(mounts.iter().chain(&argos).chain(&inputs));
        let mut containers: Vec<_> =
            step.main().into_iter().map(|container| main(&container.mounts)).collect();
        // Argo runs the other kinds itself, in a container of this name.
        if step.containers.is_empty() {
            containers.push(main(&[]));
        }
        let others = step.containers.iter().filter(|container| container.name != MAIN);
        let has_main = !containers.is_empty();
        containers.extend(others.map(|container| Mounts::of(container.mounts.iter().chain(&argos))));
        Self { containers, has_main }
    }

    /// Container by container, main first.
    pub(super) fn containers(&self) -> impl Iterator<Item = &Mounts> {
        self.containers.iter()
    }

    /// Whether the first is main; a container set may have none.
    pub(super) fn has_main(&self) -> bool {
        self.has_main
    }
}

fn mount(volume: &str, path: &str, sub_path: &str) -> Mount {
    Mount {
        volume: volume.into(),
        path: path.into(),
        sub_path: sub_path.into(),
        sub_path_expr: String::new(),
    }
}
