//! What is mounted into main.

use crate::argo::{InputSource, Kind, Mount, Step};

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
    containers: Vec<Vec<Mount>>,
    has_main: bool,
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
        let main = |mounts: &[Mount]| [mounts, &argos, &inputs].concat();
        let mut containers: Vec<_> =
            step.main().into_iter().map(|container| main(&container.mounts)).collect();
        // Argo runs the other kinds itself, in a container of this name.
        if step.containers.is_empty() {
            containers.push(main(&[]));
        }
        let others = step.containers.iter().filter(|container| container.name != MAIN);
        let has_main = !containers.is_empty();
        containers.extend(others.map(|container| [container.mounts.as_slice(), &argos].concat()));
        Self { containers, has_main }
    }

    /// Container by container, main first.
    pub(super) fn containers(&self) -> impl Iterator<Item = &[Mount]> {
        self.containers.iter().map(Vec::as_slice)
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
