//! Why a template's text is not compared, or not believed.

use crate::trouble::{Fault, Trouble};
use std::fmt;

use serde_json::Value;

use super::WORKFLOW_LIMIT;
use crate::argo::TEMPLATE_LIMIT;
use crate::text::brief;

/// Why the Workflow as it is stored does not say which template a step runs.
#[derive(Debug, thiserror::Error)]
pub enum WorkflowError {
    /// More than [`WORKFLOW_LIMIT`].
    #[error("the Workflow has more than {WORKFLOW_LIMIT} bytes")]
    TooLarge,
    /// Not the JSON of a Workflow.
    #[error("what the API server answered is not a Workflow")]
    Malformed {
        /// What the JSON reader said.
        #[source]
        source: serde_json::Error,
    },
    /// Some other object.
    #[error("what the API server answered is a {kind}, not a Workflow")]
    AnotherKind {
        /// Its kind, fit to be shown.
        kind: String,
    },
    /// The controller makes a pod before it stores the node that the pod is of.
    #[error("the Workflow's status has no node {node} yet")]
    NotYet {
        /// The node, fit to be shown.
        node: String,
    },
    /// The packed table of nodes cannot be read.
    #[error("the Workflow's table of nodes (status.compressedNodes) cannot be read: {why}")]
    Nodes {
        /// Why.
        why: String,
    },
    /// The node is not one that has a pod.
    #[error("the Workflow's node {node} is a {kind}, which has no pod")]
    NotAPod {
        /// The node, fit to be shown.
        node: String,
        /// Its type, fit to be shown.
        kind: String,
    },
    /// The Workflow does not hold the template that the node names.
    #[error("the Workflow does not hold the template that its node {node} runs: {what}")]
    NoTemplate {
        /// The node, fit to be shown.
        node: String,
        /// What is missing.
        what: String,
    },
    /// `templateDefaults` cannot be merged as Argo merges them.
    #[error("the Workflow's templateDefaults cannot be merged into the template: {what}")]
    Defaults {
        /// What stands in the way.
        what: String,
    },
    /// The node's inputs are not those of its template.
    #[error("the inputs of the Workflow's node {node} are not those of its template")]
    Inputs {
        /// The node, fit to be shown.
        node: String,
    },
    /// A template or the node's inputs are larger than what Argo can hand over.
    #[error("{what} is too large to be compared")]
    Unbounded {
        /// What is.
        what: String,
    },
}

impl WorkflowError {
    /// Whether it is a Workflow that was had: what is wrong is what it says, of which a part
    /// comes from whoever gives values.
    pub fn is_of_its_content(&self) -> bool {
        !matches!(self, Self::TooLarge | Self::Malformed { .. } | Self::AnotherKind { .. })
    }

    /// Whether the same question may have another answer in a moment.
    pub fn is_not_yet(&self) -> bool {
        matches!(self, Self::NotYet { .. })
    }
}

impl Trouble for WorkflowError {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotYet { .. } => {
                "ask again in a moment; if it stays so, the pod is not one of this Workflow's"
            }
            Self::TooLarge | Self::Unbounded { .. } => {
                "make the Workflow smaller, or let template-source ask for less than `workflow`"
            }
            Self::Malformed { .. } | Self::AnotherKind { .. } => {
                "the service account needs `get` on workflows.argoproj.io in its namespace"
            }
            Self::Nodes { .. }
            | Self::NotAPod { .. }
            | Self::NoTemplate { .. }
            | Self::Defaults { .. }
            | Self::Inputs { .. } => {
                "look at the Workflow: `kubectl get workflow NAME -o yaml`; it may have been changed while it ran"
            }
        }.to_owned())
    }
}

impl From<serde_json::Error> for WorkflowError {
    fn from(source: serde_json::Error) -> Self {
        Self::Malformed { source }
    }
}

/// Where a template's text is not what the stored template says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowDifference {
    path: String,
    what: What,
}

/// What is different there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    NotJson(String),
    Added,
    Missing,
    Count { stored: usize, text: usize },
    Kind { stored: &'static str, text: &'static str },
    Value { stored: String, text: String },
    Hidden,
    Unnamed(String),
}

/// Longer text is cut.
const SHOWN: usize = 80;

/// Longer paths are cut.
const PATH: usize = 240;

/// Members whose text may be shown. Others may be secret: values of variables,
/// scripts, arguments.
const SHOWABLE: [&str; 15] = [
    "name",
    "path",
    "key",
    "image",
    "bucket",
    "endpoint",
    "region",
    "mountPath",
    "subPath",
    "subPathExpr",
    "action",
    "templateName",
    "mode",
    "workingDir",
    "namespace",
];

impl WorkflowDifference {
    /// Text that is not JSON, or has a key twice.
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self { path: String::new(), what: What::NotJson(brief(&error.to_string(), SHOWN)) }
    }

    /// More text than Argo can hand over.
    pub(super) fn too_large() -> Self {
        let why = format!("more than {TEMPLATE_LIMIT} bytes");
        Self { path: String::new(), what: What::NotJson(why) }
    }

    /// The text names no template, or one of which the Workflow holds none, or
    /// several.
    pub(super) fn unnamed(why: String) -> Self {
        Self { path: "name".to_owned(), what: What::Unnamed(why) }
    }

    /// The text has a member that is not stored.
    pub(super) fn added(path: &Path<'_>) -> Self {
        Self { path: brief(&path.to_string(), PATH), what: What::Added }
    }

    /// A member that is stored is not in the text.
    pub(super) fn missing(path: &Path<'_>) -> Self {
        Self { path: brief(&path.to_string(), PATH), what: What::Missing }
    }

    /// Lists of different length.
    pub(super) fn count(path: &Path<'_>, stored: usize, text: usize) -> Self {
        Self { path: brief(&path.to_string(), PATH), what: What::Count { stored, text } }
    }

    /// Two values, or two kinds of value.
    pub(super) fn value(path: &Path<'_>, stored: &Value, text: &Value) -> Self {
        let what = if kind(stored) != kind(text) {
            What::Kind { stored: kind(stored), text: kind(text) }
        } else if path.is_showable() {
            let shown = |value: &Value| match value {
                Value::String(text) => brief(text, SHOWN),
                other => brief(&other.to_string(), SHOWN),
            };
            What::Value { stored: shown(stored), text: shown(text) }
        } else {
            What::Hidden
        };
        Self { path: brief(&path.to_string(), PATH), what }
    }

    /// Where in the template, as `outputs.artifacts[0].path`; empty if it is the
    /// whole text.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Trouble for WorkflowDifference {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(
            "no parameter may hold `{{`, quotes or braces that end up in the template; \
         look at the pod's ARGO_TEMPLATE, and at who gave the workflow's parameters"
                .to_owned(),
        )
    }
}

impl fmt::Display for WorkflowDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the template's text is not what the Workflow says: ")?;
        if !self.path.is_empty() {
            write!(f, "{} ", self.path)?;
        }
        match &self.what {
            What::NotJson(why) => write!(f, "it cannot be read: {why}"),
            What::Added => f.write_str("is not in the stored template"),
            What::Missing => f.write_str("is in the stored template, but not in the text"),
            What::Count { stored, text } => write!(f, "has {text} items, stored are {stored}"),
            What::Kind { stored, text } => write!(f, "is {text}, stored is {stored}"),
            What::Value { stored, text } => write!(f, "is `{text}`, stored is `{stored}`"),
            What::Hidden => f.write_str("has another value than the stored template allows"),
            What::Unnamed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for WorkflowDifference {}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A place in the template: the way to it, from the innermost outwards.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// The template itself.
    Root,
    /// A member of an object.
    Member(&'a Self, &'a str),
    /// An item of a list.
    Item(&'a Self, usize),
}

impl Path<'_> {
    /// The innermost member's name; that of the list for its items.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Root => "",
            Self::Member(_, name) => name,
            Self::Item(list, _) => list.name(),
        }
    }

    /// The name of the member that this one is in.
    pub(super) fn parent(&self) -> &str {
        match self {
            Self::Root => "",
            Self::Member(parent, _) => parent.name(),
            Self::Item(list, _) => list.parent(),
        }
    }

    fn is_showable(&self) -> bool {
        SHOWABLE.contains(&self.name())
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Path::Root, name) => f.write_str(&brief(name, SHOWN)),
            Self::Member(parent, name) => write!(f, "{parent}.{}", brief(name, SHOWN)),
            Self::Item(list, index) => write!(f, "{list}[{index}]"),
        }
    }
}
