//! The step as a whole.

use std::collections::BTreeMap;

use super::container::{self, Container, Kind};
use super::encoder::{self, Foreign};
use super::input::{self, InputArtifact};
use super::location::{ObjectRef, Unlocated};
use super::object_key::Repository;
use super::output::{OutputArtifact, Surroundings};
use super::source::{Source, TemplateError, TemplateText};
use super::wire;

/// A step, as its resolved template describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where the description came from.
    pub source: Source,
    /// The template's name.
    pub name: String,
    /// The kind of template.
    pub kind: Kind,
    /// Annotations of the template's `metadata` that begin with
    /// `argo-attest.io/`.
    pub annotations: BTreeMap<String, String>,
    /// The containers that it runs; none if its kind has none.
    pub containers: Vec<Container>,
    /// Input artifacts, in the template's order.
    pub inputs: Vec<InputArtifact>,
    /// Output artifacts, in the template's order; none if its kind has no
    /// containers.
    pub outputs: Vec<OutputArtifact>,
    /// Output parameters whose values are files of main; none if its kind has no containers.
    pub parameter_files: Vec<ParameterFile>,
    /// Log objects that Argo will write, if it archives logs.
    pub logs: Vec<LogObject>,
    repository: Repository,
}

/// An output parameter whose value main writes into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterFile {
    /// The parameter.
    pub name: String,
    /// The file's path in main.
    pub path: String,
}

/// A container's log, which Argo stores beside the artifacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogObject {
    /// The container.
    pub container: String,
    /// The object, or why it is not known.
    pub object: Result<ObjectRef, Unlocated>,
}

impl Step {
    /// Reads a template. Text that Argo's own encoder cannot have written is
    /// refused, and so are kinds that have no pod (within `inline` of their steps, any
    /// other template would fit) and too many artifacts. An artifact that cannot be
    /// attested is not an error but says so itself.
    pub fn parse(text: &TemplateText) -> Result<Self, TemplateError> {
        let from = text.source();
        encoder::template(text.as_str()).map_err(|source| TemplateError::Foreign { from, source })?;
        let template: wire::Template = serde_json::from_str(text.as_str())
            .map_err(|source| TemplateError::Malformed { from, source })?;
        let kind = Kind::from_wire(&template)
            .ok_or_else(|| TemplateError::Foreign { from, source: Foreign::without_pod() })?;
        let repository = Repository::from_wire(template.archive_location.as_ref());
        let mounts = container::mounts(&template);
        let declared = &template.inputs.artifacts.0;
        let inputs = declared.iter().map(|artifact| input::input(artifact, &mounts, &repository)).collect();
        let containers = container::containers(kind, &template);
        let logs = logs(&template, &containers, &repository);
        let surroundings = Surroundings { mounts, inputs: &template.inputs.artifacts.0, repository };
        // Of other kinds, outputs are those of the templates they call.
        let declared = if kind.runs_containers() { template.outputs.artifacts.0.as_slice() } else { &[] };
        let outputs = declared.iter().map(|artifact| surroundings.output(artifact)).collect();
        let parameter_files = if kind.runs_containers() { parameter_files(&template) } else { Vec::new() };
        let repository = surroundings.repository;
        Ok(Self {
            source: from,
            name: template.name,
            kind,
            annotations: template.metadata.annotations.0,
            containers,
            inputs,
            outputs,
            parameter_files,
            logs,
            repository,
        })
    }

    /// The container whose base-layer outputs Argo packs and whose exit code is
    /// the step's; a container set may have none.
    pub fn main(&self) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == "main")
    }

    /// The object of this name beneath the step's own prefix, where Argo puts
    /// what has no key of its own.
    pub fn own_object(&self, file_name: &str) -> Result<ObjectRef, Unlocated> {
        self.repository.locate(&wire::Location::default(), Some(file_name))
    }
}

fn parameter_files(template: &wire::Template) -> Vec<ParameterFile> {
    let files = template.outputs.parameters.0.iter().filter_map(|parameter| {
        let path = parameter.value_from.as_ref().map(|from| from.path.clone())?;
        (!path.is_empty()).then(|| ParameterFile { name: parameter.name.clone(), path })
    });
    files.collect()
}

/// `SaveLogs` in Argo's workflow/executor/executor.go.
fn logs(template: &wire::Template, containers: &[Container], repository: &Repository) -> Vec<LogObject> {
    if template.archive_location.as_ref().and_then(|location| location.archive_logs) != Some(true) {
        return Vec::new();
    }
    let nowhere = wire::Location::default();
    let log = |container: &Container| LogObject {
        container: container.name.clone(),
        object: repository.locate(&nowhere, Some(&format!("{}.log", container.name))),
    };
    containers.iter().map(log).collect()
}
