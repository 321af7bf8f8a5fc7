//! `externalParameters`: what the workflow's author and whoever started it chose.

use serde_json::{Map, Value};

use super::{StepRun, bounded, digest_and_size, insert_list, insert_object, insert_text, texts};
use crate::argo::{Container, InputArtifact, InputSource, Parameters, Step};

pub(super) fn parameters(run: &StepRun<'_>) -> Map<String, Value> {
    let mut external = Map::new();
    let workflow =
        texts(&[("name", &run.identity.workflow_name), ("namespace", &run.identity.pod_namespace)]);
    insert_object(&mut external, "workflow", workflow);
    insert_object(&mut external, "template", template(run.step));
    let mut inputs = Map::new();
    insert_object(&mut inputs, "parameters", run.parameters.map(values).unwrap_or_default());
    insert_list(&mut inputs, "artifacts", run.step.inputs.iter().map(artifact).collect());
    insert_object(&mut external, "inputs", inputs);
    external
}

fn template(step: &Step) -> Map<String, Value> {
    let mut template = Map::new();
    insert_text(&mut template, "name", &step.name);
    template.insert("kind".into(), step.kind.name().into());
    insert_list(&mut template, "containers", step.containers.iter().map(container).collect());
    template
}

fn container(container: &Container) -> Value {
    let words = |list: &[String]| list.iter().map(|word| bounded(word)).collect();
    let mut told = Map::new();
    insert_text(&mut told, "name", &container.name);
    insert_text(&mut told, "image", &container.image);
    insert_list(&mut told, "command", words(&container.command));
    insert_list(&mut told, "args", words(&container.args));
    if let Some(script) = &container.script {
        told.insert("script".into(), digest_and_size(&script.digest, script.size));
    }
    insert_list(&mut told, "env", words(&container.env_names));
    insert_list(&mut told, "dependencies", words(&container.dependencies));
    Value::Object(told)
}

/// Values by name. Of two parameters of one name the first counts, as it does for
/// Argo (`GetParameterByName` in its `workflow_types.go`).
fn values(parameters: &Parameters) -> Map<String, Value> {
    let mut values = Map::new();
    for parameter in &parameters.0 {
        if let Some(value) = &parameter.value {
            values.entry(parameter.name.as_str()).or_insert_with(|| bounded(value));
        }
    }
    values
}

fn artifact(input: &InputArtifact) -> Value {
    let mut told = Map::new();
    insert_text(&mut told, "name", &input.name);
    insert_text(&mut told, "path", input.path.as_deref().unwrap_or_default());
    match &input.source {
        InputSource::Object(object) => insert_text(&mut told, "uri", &object.to_string()),
        InputSource::Http { url } => insert_text(&mut told, "uri", url),
        InputSource::Git { repository, revision } => {
            let mut git = Map::new();
            insert_text(&mut git, "repository", repository);
            insert_text(&mut git, "revision", revision);
            insert_object(&mut told, "git", git);
        }
        InputSource::Raw { digest, size } => {
            told.insert("raw".into(), digest_and_size(digest, *size));
        }
        InputSource::NotSupplied => {
            told.insert("supplied".into(), false.into());
        }
        InputSource::Unknown(reason) => insert_text(&mut told, "unknown", &reason.to_string()),
    }
    Value::Object(told)
}
