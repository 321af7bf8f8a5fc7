//! The Workflow as it is stored, against the text of a step's template.
//!
//! `ARGO_TEMPLATE` reaches a container through Argo's own substitution, which puts
//! values unescaped into JSON that stands in a string: who gives a parameter can
//! close objects, add items and swallow members. No look at the text alone tells that
//! from what the author wrote. The Workflow object does: it holds the template before
//! substitution. Given that object as the API server answers it, and the id of our
//! node, this module works out the template that the node runs, with all that Argo's
//! controller adds, and compares: the same members everywhere, lists of the same
//! length, literal text equal, free text only where a tag (`{{…}}`) stands.
//! `docs/template.md` says what that closes and what it does not.
//!
//! It follows the controller of Argo Workflows 3.7 to 4.1; comments name the file of
//! Argo's that a rule comes from. Nothing here asks for anything over a network, and
//! every input is bounded: both the Workflow and the text hold values of strangers.

mod compare;
mod defaults;
mod error;
mod expected;
mod location;
mod lookup;
mod manifest;
mod nodes;
mod offloaded;
mod pattern;
mod resolve;
mod value;
mod wire;

use serde_json::Value;

use self::expected::{Expected, Which};
use self::nodes::Nodes;
use self::offloaded::Offloaded;
use self::resolve::Templates;
use super::TEMPLATE_LIMIT;
use crate::text::brief;

pub use self::error::{WorkflowDifference, WorkflowError};

/// A Workflow of more bytes is not read. The API server's own limit for an object is
/// 1.5 MiB by default.
pub const WORKFLOW_LIMIT: usize = 16 * 1024 * 1024;

/// What the Workflow says of one of its nodes.
#[derive(Debug)]
pub struct StoredWorkflow {
    name: String,
    uid: String,
    expected: Expected,
}

impl StoredWorkflow {
    /// Reads a Workflow as `GET …/workflows/NAME` answers it, and finds what the node
    /// of this id (`ARGO_NODE_ID`) runs.
    pub fn from_json(bytes: &[u8], node_id: &str) -> Result<Self, WorkflowError> {
        if bytes.len() > WORKFLOW_LIMIT {
            return Err(WorkflowError::TooLarge);
        }
        let workflow: wire::Workflow<'_> = serde_json::from_slice(bytes)?;
        if let Some(kind) = workflow.kind.as_deref().filter(|kind| *kind != "Workflow") {
            return Err(WorkflowError::AnotherKind { kind: brief(kind, 40) });
        }
        let metadata = workflow.metadata.unwrap_or_default();
        let spec = workflow.spec.unwrap_or_default();
        let status = workflow.status.unwrap_or_default();
        let templates = Templates::new(&spec, &status);
        let shown = || brief(node_id, 80);
        let which = match templates.nodes.find(node_id)? {
            Some(node) if node.kind == "Pod" => {
                let template = templates.of_node(&node)?;
                Which::of_node(&node, template)?
            }
            Some(node) => return Err(WorkflowError::NotAPod { node: shown(), kind: brief(&node.kind, 40) }),
            None if matches!(templates.nodes, Nodes::Elsewhere) => Which::ByName(Offloaded::new(&templates)?),
            None => return Err(WorkflowError::NotYet { node: shown() }),
        };
        let repository =
            status.artifact_repository_ref.as_ref().and_then(|reference| reference.artifact_repository);
        let expected = Expected {
            which,
            repository: repository.map(resolve::object).transpose()?.map(Value::Object),
            archives_logs: templates.spec.archive_logs,
        };
        let text = |text: Option<std::borrow::Cow<'_, str>>| text.unwrap_or_default().into_owned();
        Ok(Self { name: text(metadata.name), uid: text(metadata.uid), expected })
    }

    /// The Workflow's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The Workflow's uid.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// Whether the text of `ARGO_TEMPLATE`, as a container of the node's pod has it,
    /// is what the stored template says.
    pub fn compare(&self, text: &str) -> Result<(), WorkflowDifference> {
        if text.len() > TEMPLATE_LIMIT {
            return Err(WorkflowDifference::too_large());
        }
        let value =
            value::read(text, value::VALUES_LIMIT).map_err(|error| WorkflowDifference::not_json(&error))?;
        compare::compare(&self.expected.of(text, &value)?, &value)?;
        self.expected.own_inputs(&value)
    }
}

/// The template that a node names by this reference (resource, template, whether it is the
/// cluster's), or by this name in this scope, as it is stored; `None` if the Workflow holds none.
pub(crate) fn named_template(
    workflow: &str,
    reference: Option<(&str, &str, bool)>,
    name: &str,
    scope: &str,
) -> Option<serde_json::Map<String, Value>> {
    let workflow: wire::Workflow<'_> = serde_json::from_str(workflow).ok()?;
    let (spec, status) = (workflow.spec.unwrap_or_default(), workflow.status.unwrap_or_default());
    let template_ref = reference.map(|(name, template, cluster_scope)| wire::TemplateRef {
        name: name.to_owned(),
        template: template.to_owned(),
        cluster_scope,
    });
    let node = wire::Node {
        name: String::new(),
        kind: "Pod".to_owned(),
        template_name: Some(name.to_owned()),
        template_ref,
        template_scope: Some(scope.to_owned()),
        boundary_id: None,
        flag: None,
        inputs: None,
    };
    Templates::new(&spec, &status).of_node(&node).ok()
}

/// The template of a node of this id, wherever it stands, also inline in a step or task of its parent; `None` if the
/// Workflow holds none.
pub(crate) fn template_of_node(workflow: &str, node_id: &str) -> Option<serde_json::Map<String, Value>> {
    let workflow: wire::Workflow<'_> = serde_json::from_str(workflow).ok()?;
    let (spec, status) = (workflow.spec.unwrap_or_default(), workflow.status.unwrap_or_default());
    let templates = Templates::new(&spec, &status);
    let node = templates.nodes.find(node_id).ok()??;
    templates.of_node(&node).ok()
}

#[cfg(test)]
mod tests;
