//! What a template's text has to be: the stored template with what the controller
//! changes of it for the pod (`createWorkflowPod` in
//! workflow/controller/workflowpod.go).

use serde_json::{Map, Value, json};

use super::compare;
use super::error::{WorkflowDifference, WorkflowError};
use super::location;
use super::manifest;
use super::offloaded::Offloaded;
use super::resolve;
use super::wire::Node;
use crate::text::brief;

type Object = Map<String, Value>;

/// What is known of the template and of what the controller changes in it.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) which: Which,
    /// The artifact repository that the workflow uses.
    pub(super) repository: Option<Value>,
    /// The workflow's own setting.
    pub(super) archives_logs: Option<bool>,
}

/// Which template it is.
#[derive(Debug)]
pub(super) enum Which {
    /// The one that the node names, with the node's input artifacts: those that the
    /// caller gave are in them.
    Known { template: Object, inputs: Vec<Value> },
    /// One that the text names.
    ByName(Offloaded),
}

/// Members of an input artifact that stay the template's where a caller gives the
/// artifact (`ProcessArgs` in workflow/common/util.go).
const KEPT: [&str; 4] = ["name", "path", "mode", "recurseMode"];

impl Which {
    /// Takes the inputs from `status.nodes[…].inputs`: the controller writes them when
    /// it has put the caller's arguments in, and before it makes the pod.
    pub(super) fn of_node(node: &Node, template: Object) -> Result<Self, WorkflowError> {
        let declared = artifacts(template.get("inputs"));
        let inputs = node.inputs.as_deref().map(resolve::object).transpose()?.map(Value::Object);
        let noted = if inputs.is_some() { artifacts(inputs.as_ref()) } else { declared };
        let agree = noted.len() == declared.len()
            && declared
                .iter()
                .zip(noted)
                .all(|(declared, noted)| compare::compare(&only_kept(declared), &only_kept(noted)).is_ok());
        if !agree {
            return Err(WorkflowError::Inputs { node: brief(&node.name, 80) });
        }
        let inputs = noted.to_vec();
        Ok(Self::Known { template, inputs })
    }
}

fn only_kept(artifact: &Value) -> Value {
    let kept = KEPT.iter().filter_map(|name| Some(((*name).to_owned(), artifact.get(name)?.clone())));
    Value::Object(kept.collect())
}

/// The list of artifacts in `inputs` or `outputs`.
fn artifacts(puts: Option<&Value>) -> &[Value] {
    puts.and_then(|puts| puts.get("artifacts")).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl Expected {
    /// The template that this text is to be compared with.
    pub(super) fn of(&self, text: &str, value: &Value) -> Result<Value, WorkflowDifference> {
        let (mut template, inputs) = match &self.which {
            Which::Known { template, inputs } => (template.clone(), inputs.clone()),
            Which::ByName(offloaded) => {
                let (template, name) = offloaded.template_of(text)?;
                let inputs = given_inputs(offloaded, name, &template, value);
                (template, inputs)
            }
        };
        // `simplifiedTmpl`: of the inputs, only artifacts are handed over.
        let mut puts = Object::new();
        if !inputs.is_empty() {
            puts.insert("artifacts".to_owned(), Value::Array(inputs));
        }
        template.insert("inputs".to_owned(), Value::Object(puts));
        if !artifacts(value.get("inputs")).is_empty() {
            for kind in ["container", "script", "containerSet"] {
                let mounts = template.get_mut(kind).and_then(|kind| kind.get_mut("volumeMounts"));
                let text = value.get(kind).and_then(|kind| kind.get("volumeMounts"));
                if let (Some(Value::Array(mounts)), Some(Value::Array(text))) = (mounts, text) {
                    reorder(mounts, text);
                }
            }
        }
        let all: Vec<&Value> = artifacts(value.get("inputs"))
            .iter()
            .chain(artifacts(value.get("outputs")))
            .chain(value.pointer("/data/source/artifactPaths"))
            .collect();
        let own = template.remove("archiveLocation").filter(|own| !own.is_null());
        if let Some(location) =
            location::archive_location(own.as_ref(), self.repository.as_ref(), self.archives_logs, &all)
        {
            template.insert("archiveLocation".to_owned(), location);
        }
        if let (Some(Value::Object(resource)), Some(text)) =
            (template.get_mut("resource"), value.pointer("/resource/manifest"))
        {
            manifest::own(resource, text);
        }
        Ok(Value::Object(template))
    }

    /// An input artifact that the node has as the template does has to be that in the text
    /// as well. What the node has holds values, and several of them together can be a
    /// placeholder, in which text stood that the template has as it is.
    pub(super) fn own_inputs(&self, value: &Value) -> Result<(), WorkflowDifference> {
        let Which::Known { template, inputs } = &self.which else { return Ok(()) };
        let text = artifacts(value.get("inputs"));
        let expected = artifacts(template.get("inputs")).iter().zip(inputs).zip(text).map(
            |((declared, noted), text)| {
                if compare::compare(declared, noted).is_ok() { declared.clone() } else { text.clone() }
            },
        );
        let put = |artifacts| json!({"inputs": {"artifacts": artifacts}});
        compare::compare(&put(expected.collect::<Vec<_>>()), &put(text.to_vec()))
    }
}

/// Brings mounts into the text's order, if they are the same in another one:
/// `FindOverlappingVolume` in workflow/common/util.go, which looks for the volume of
/// an input artifact, sorts the template's own list, by length and not stably.
fn reorder(mounts: &mut Vec<Value>, text: &[Value]) {
    /// More mounts than a container has; each is compared with each.
    const LIMIT: usize = 256;

    if mounts.len() != text.len() || mounts.len() > LIMIT {
        return;
    }
    let mut left: Vec<&Value> = mounts.iter().collect();
    let mut ordered = Vec::new();
    for mount in text {
        let Some(place) = left.iter().position(|stored| compare::compare(stored, mount).is_ok()) else {
            return;
        };
        ordered.push(left.remove(place).clone());
    }
    *mounts = ordered;
}

/// The text's input artifacts where a caller gives them, with what stays the
/// template's; else the template's own.
fn given_inputs(offloaded: &Offloaded, name: &str, template: &Object, value: &Value) -> Vec<Value> {
    let mut text = artifacts(value.get("inputs")).iter();
    let input = |declared: &Value| {
        let given = text.next().and_then(Value::as_object);
        let artifact = declared.get("name").and_then(Value::as_str).unwrap_or_default();
        match given {
            Some(given) if offloaded.is_given(name, artifact) => {
                let mut given = given.clone();
                given.retain(|member, _| !KEPT.contains(&member.as_str()));
                if let Value::Object(kept) = only_kept(declared) {
                    given.extend(kept);
                }
                Value::Object(given)
            }
            _ => declared.clone(),
        }
    };
    artifacts(template.get("inputs")).iter().map(input).collect()
}
