//! The template's text against the pod.

use std::path::Path;

use super::super::path::clean;
use super::super::{InputSource, Kind, Source, Step, TemplateText};
use super::described::{Described, described};
use super::difference::{Field, PodDifference};
use super::dollars::same;
use super::live::LivePod;
use super::spec::{Phase, PodContainer, PodMount, PodSpec};
use crate::text::brief;

/// Bytes of a name or a path in a message.
const SHOWN: usize = 100;

/// Where Argo's program is in a container that it starts: of pods with init containers,
/// and of those without (4.1).
const WRAPPERS: [&str; 2] = ["/var/run/argo/argoexec", "/argo-bin/bin/argoexec"];

/// Argo's own volumes (`workflow/controller/workflowpod.go`), which main mounts beside
/// what its template lists. No volume of a workflow can have one of these names: a pod
/// with two is refused by Kubernetes.
const ARGOS_VOLUMES: [&str; 6] =
    ["var-run-argo", "argo-staging", "tmp-dir-argo", INPUT_ARTIFACTS, "argo-env-config", "argoexec-bin"];

/// Argo's volume of input artifacts.
const INPUT_ARTIFACTS: &str = "input-artifacts";

/// Where main mounts all of it in a pod without init containers
/// (`ExecutorArtifactBaseDir` in Argo's workflow/common/common.go).
const ALL_INPUTS: &str = "/argo/inputs/artifacts";

/// Where Kubernetes mounts service accounts into every container.
const SERVICE_ACCOUNTS: &str = "/var/run/secrets";

/// What `ARGO_TEMPLATE` says of a template that is too long for a variable.
const OFFLOADED: &str = "offloaded";

impl PodSpec {
    /// Whether this is the pod that Argo makes of such a template. The first difference
    /// is told.
    pub fn compare(&self, step: &Step, text: &TemplateText) -> Result<(), PodDifference> {
        let all = described(step.kind, text.as_str())?;
        self.unambiguous(&all)?;
        if step.kind.runs_containers() {
            for one in &all {
                self.container(one)?;
            }
            self.nothing_unlisted(&all)?;
            self.artifacts(step, &all)?;
        } else {
            self.no_containers(step.kind)?;
        }
        for (name, value) in &step.annotations {
            if self.annotations.get(name) != Some(value) {
                return Err(PodDifference::Annotation { annotation: shown(name) });
            }
        }
        Ok(())
    }

    /// Fills in what the template leaves open: the image, which the controller's own
    /// defaults may name, and commands with their arguments, which it looks up.
    pub fn complete(&self, step: &mut Step) {
        for container in &mut step.containers {
            let Some(of_pod) = self.find(Phase::Main, &container.name) else { continue };
            if container.image.is_empty() {
                container.image.clone_from(&of_pod.image);
            }
            if container.command.is_empty()
                && let Some(command) = unwrapped(of_pod)
            {
                container.command = command.to_vec();
                if container.args.is_empty() && container.script.is_none() {
                    container.args.clone_from(&of_pod.args);
                }
            }
        }
    }

    fn find(&self, phase: Phase, name: &str) -> Option<&PodContainer> {
        self.containers.iter().find(|container| container.phase == phase && container.name == name)
    }

    /// No name of the template's stands for two containers, here or there.
    fn unambiguous(&self, all: &[Described]) -> Result<(), PodDifference> {
        for one in all {
            let twice = |place| PodDifference::Twice { place, container: shown(&one.name) };
            if all.iter().filter(|other| other.name == one.name).count() > 1 {
                return Err(twice("the template's text"));
            }
            if self.containers.iter().filter(|other| other.name == one.name).count() > 1 {
                return Err(twice("the pod"));
            }
        }
        Ok(())
    }

    fn container(&self, described: &Described) -> Result<(), PodDifference> {
        let container = shown(&described.name);
        let Some(of_pod) = self.find(described.phase, &described.name) else {
            return Err(PodDifference::Missing { container });
        };
        let other = |field, detail| Err(PodDifference::Other { container: container.clone(), field, detail });
        if !described.image.is_empty() && !same(&of_pod.image, &described.image) {
            let detail = format!(" ({}, and {})", shown(&of_pod.image), shown(&described.image));
            return other(Field::Image, detail);
        }
        // `spec.initContainers` are started as they are.
        let command = match described.phase {
            Phase::Init => of_pod.command.as_slice(),
            Phase::Main => match unwrapped(of_pod) {
                Some(command) => command,
                None => return Err(PodDifference::Unwrapped { container }),
            },
        };
        // Of regular containers the controller looks up what the template leaves to the image.
        let looked_up = described.command.is_empty() && described.phase == Phase::Main;
        if !looked_up && !all_same(command, &described.command) {
            return other(Field::Command, String::new());
        }
        let args_too = looked_up && described.args.is_empty();
        if !args_too && !all_same(&of_pod.args, &described.args) {
            if of_pod.args.is_empty() && described.is_offloaded() {
                return Err(PodDifference::Offloaded { container });
            }
            return other(Field::Args, String::new());
        }
        for mount in &described.mounts {
            if !of_pod.mounts.iter().any(|of_pod| is_mount(of_pod, mount)) {
                return Err(PodDifference::Mount { container, path: shown(&mount.path) });
            }
        }
        Ok(())
    }

    /// What Argo starts comes from a template. What others add to the pod, a service
    /// mesh for one, is not started by Argo, and is let be.
    fn nothing_unlisted(&self, all: &[Described]) -> Result<(), PodDifference> {
        let listed = |container: &PodContainer| {
            all.iter().any(|one| (one.phase, one.name.as_str()) == (container.phase, container.name.as_str()))
        };
        let unlisted = |container: &&PodContainer| {
            container.phase == Phase::Main && unwrapped(container).is_some() && !listed(container)
        };
        match self.containers.iter().find(unlisted) {
            Some(container) => Err(PodDifference::Unlisted { container: shown(&container.name) }),
            None => Ok(()),
        }
    }

    /// Where artifacts are, main mounts what the text says that it mounts.
    fn artifacts(&self, step: &Step, all: &[Described]) -> Result<(), PodDifference> {
        for described in all.iter().filter(|one| one.main) {
            let Some(of_pod) = self.find(Phase::Main, &described.name) else { continue };
            let more = of_pod.mounts.iter().filter(|mount| {
                !ARGOS_VOLUMES.contains(&mount.name.as_str())
                    && !Path::new(&clean(&mount.path)).starts_with(SERVICE_ACCOUNTS)
                    && !described.mounts.iter().any(|known| is_mount(mount, known))
            });
            for mount in more {
                if let Some(artifact) = touched(step, &mount.path) {
                    return Err(PodDifference::MountOfArtifact {
                        container: shown(&described.name),
                        path: shown(&mount.path),
                        artifact: shown(artifact),
                    });
                }
            }
            if described.name == "main" {
                inputs(step, of_pod)?;
            }
        }
        Ok(())
    }

    /// Argo's own program is main of a template that describes a resource or data
    /// (`executeResource`, `executeData` in Argo's workflow/controller/operator.go); of
    /// the other kinds there is no pod.
    fn no_containers(&self, kind: Kind) -> Result<(), PodDifference> {
        let runs = self.find(Phase::Main, "main").and_then(unwrapped);
        match (kind, runs) {
            (Kind::Resource | Kind::Data, Some([program, what, ..]))
                if program == "argoexec" && what == kind.name() =>
            {
                Ok(())
            }
            _ => Err(PodDifference::Kind { kind: kind.name() }),
        }
    }
}

impl LivePod {
    /// The same of the pod as the API server has it, where Argo's own containers show
    /// which text they were given.
    pub fn compare(&self, step: &Step, text: &TemplateText) -> Result<(), PodDifference> {
        self.spec.compare(step, text)?;
        if self.templates.is_empty() {
            return Err(PodDifference::NoTemplate);
        }
        for given in &self.templates {
            let here = match (given.as_str(), text.source()) {
                // In that case ours is the file that it stands for, or what was read from it.
                (OFFLOADED, source) => source != Source::Env,
                (given, _) => same(given, text.as_str()),
            };
            if !here {
                return Err(PodDifference::Template);
            }
        }
        Ok(())
    }
}

/// `addInputArtifactsVolumes` in `workflow/controller/workflowpod.go`: each input that is
/// on none of main's volumes has a mount of its own.
fn inputs(step: &Step, main: &PodContainer) -> Result<(), PodDifference> {
    let mounts: Vec<&PodMount> = main.mounts.iter().filter(|mount| mount.name == INPUT_ARTIFACTS).collect();
    if mounts.iter().any(|mount| mount.path == ALL_INPUTS && mount.sub_path.is_empty()) {
        return Ok(());
    }
    let is_of = |mount: &PodMount, name: &str, path: &str| mount.sub_path == name && mount.path == path;
    for mount in &mounts {
        let listed = step.inputs.iter().any(|input| {
            input.mount.is_none() && input.path.as_deref().is_some_and(|path| is_of(mount, &input.name, path))
        });
        if !listed {
            return Err(PodDifference::UnlistedInput { path: shown(&mount.path) });
        }
    }
    for input in &step.inputs {
        let absent = input.optional && input.source == InputSource::NotSupplied;
        let Some(path) = input.path.as_deref().filter(|_| input.mount.is_none() && !absent) else { continue };
        if !mounts.iter().any(|mount| is_of(mount, &input.name, path)) {
            return Err(PodDifference::MissingInput { artifact: shown(&input.name), path: shown(path) });
        }
    }
    Ok(())
}

/// The artifact that a mount is at, above, or below.
fn touched<'a>(step: &'a Step, mount: &str) -> Option<&'a str> {
    let mount = clean(mount);
    let touches = |path: &str| {
        let path = clean(&format!("/{path}"));
        Path::new(&path).starts_with(&mount) || Path::new(&mount).starts_with(&path)
    };
    let inputs = step.inputs.iter().filter(|input| input.path.as_deref().is_some_and(touches));
    let outputs = step.outputs.iter().filter(|output| touches(&output.declared_path));
    inputs.map(|input| input.name.as_str()).chain(outputs.map(|output| output.name.as_str())).next()
}

/// A container's command behind Argo's program: `argoexec emissary OPTIONS -- COMMAND`.
fn unwrapped(container: &PodContainer) -> Option<&[String]> {
    let [program, emissary, rest @ ..] = container.command.as_slice() else { return None };
    if !WRAPPERS.contains(&program.as_str()) || emissary != "emissary" {
        return None;
    }
    let end = rest.iter().position(|word| word == "--")?;
    rest.get(end + 1..)
}

/// Read-only or not is not compared: the controller's own defaults may set it.
fn is_mount(of_pod: &PodMount, of_text: &PodMount) -> bool {
    of_pod.name == of_text.name
        && same(&of_pod.path, &of_text.path)
        && same(&of_pod.sub_path, &of_text.sub_path)
        && same(&of_pod.sub_path_expr, &of_text.sub_path_expr)
}

fn all_same(of_pod: &[String], of_text: &[String]) -> bool {
    of_pod.len() == of_text.len() && of_pod.iter().zip(of_text).all(|(one, other)| same(one, other))
}

fn shown(text: &str) -> String {
    brief(text, SHOWN)
}
