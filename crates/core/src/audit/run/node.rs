//! One node of a workflow: whether it ran a container, and what it made and took.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::key_format::{MAX_KEY, Names, OfNode};
use super::spot::{Repository, Spot};
use super::wire;
use crate::argo::workflow::{named_template, template_of_node};

/// What the messages of nodes begin with that were taken over from a resubmitted workflow
/// (`FormulateResubmitWorkflow` in workflow/util/util.go).
const ORIGINAL_POD: &str = "original pod: ";

/// How a node or a workflow stands, as Argo says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// It waits.
    Pending,
    /// It runs.
    Running,
    /// It ended well.
    Succeeded,
    /// It was not run.
    Skipped,
    /// It ended badly.
    Failed,
    /// Argo could not run it, or lost it.
    Error,
    /// It was not run, since others did not end as it depends on.
    Omitted,
    /// None, or one that is not known here; not printable.
    Other(String),
}

/// What a node answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// It ran a container, or may have: its outcome and its objects.
    Ran,
    /// It ran Argo's own program, and no container of its template's author: objects, if it says
    /// that it made any.
    ArgosOwn,
    /// It took over another run's result: the objects of that.
    TakenOver,
    /// It was not run.
    Skipped,
    /// It ran none of its own: others beneath it did, or none does.
    Frame,
}

/// An artifact that a node made or took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Its name in the template.
    pub name: String,
    /// Where it is.
    pub spot: Spot,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The template that it ran; empty for one that stands inline.
    pub template: String,
    /// Its type, as Argo says.
    pub kind: String,
    /// How it stands.
    pub phase: Phase,
    /// What it made.
    pub outputs: Vec<Made>,
    /// What it took.
    pub inputs: Vec<Made>,
    /// Where its own objects may lie that have no key of their own, its outcome among them:
    /// bucket, and what the keys begin with, `/` at the end.
    pub places: BTreeSet<(String, String)>,
    account: Account,
}

impl Made {
    fn new(artifact: &wire::Artifact, repository: &Repository) -> Self {
        Self { name: artifact.name.clone(), spot: Spot::of(artifact, repository) }
    }

    /// Whether it is a container's log, which Argo's executor writes as it does artifacts
    /// (`saveContainerLogs` in workflow/executor/executor.go): its name and the end of its key.
    pub fn is_log(&self) -> bool {
        let Some(container) = self.name.strip_suffix("-logs") else { return false };
        let Spot::Object { key, .. } = &self.spot else { return false };
        let file = key.rsplit('/').next().unwrap_or_default();
        !container.is_empty() && file.strip_suffix(".log") == Some(container)
    }
}

impl Node {
    pub(super) fn new(
        id: String,
        wire: wire::Node,
        repository: &Repository,
        own: &Template,
        names: &Names<'_>,
    ) -> Self {
        let repository = own.location.as_ref().unwrap_or(repository);
        let made = |artifacts: &wire::Artifacts| -> Vec<_> {
            artifacts.artifacts.iter().map(|artifact| Made::new(artifact, repository)).collect()
        };
        let (outputs, inputs) = (made(&wire.outputs), made(&wire.inputs));
        let template = match &wire.template_ref {
            Some(reference) if !reference.template.is_empty() => reference.template.clone(),
            _ => wire.template_name.clone(),
        };
        let account = match account(&wire) {
            Account::Ran if own.is_argos_own => Account::ArgosOwn,
            account => account,
        };
        let mut places = BTreeSet::new();
        if account == Account::Ran {
            if let Repository::S3 { bucket, format } = repository {
                let of_node = OfNode { id: &id, name: &wire.name, template: &template };
                if let Some(key) = names.resolve(format, of_node) {
                    places.insert((bucket.clone(), format!("{}/", key.trim_end_matches('/'))));
                }
            }
            for made in &outputs {
                let Spot::Object { bucket, key } = &made.spot else { continue };
                if let Some((directory, _)) = key.trim_end_matches('/').rsplit_once('/') {
                    places.insert((bucket.clone(), format!("{directory}/")));
                }
            }
            // No pod has such a name, and a store's answer about it could not be read as XML.
            places.retain(|(_, prefix)| prefix.len() <= MAX_KEY && !prefix.chars().any(char::is_control));
        }
        Self {
            id,
            name: wire.name,
            template,
            kind: wire.kind,
            phase: Phase::of(&wire.phase),
            outputs,
            inputs,
            places,
            account,
        }
    }

    /// What it answers for.
    pub fn account(&self) -> Account {
        self.account
    }
}

/// `NodeType`, and what the controller leaves on nodes that it did not run.
fn account(node: &wire::Node) -> Account {
    let has_outputs = !node.outputs.artifacts.is_empty();
    if node.memoization_status.hit {
        return Account::TakenOver;
    }
    match node.kind.as_str() {
        "Skipped" if node.message.starts_with(ORIGINAL_POD) || has_outputs => Account::TakenOver,
        "Skipped" => Account::Skipped,
        "Pod" if matches!(node.phase.as_str(), "Skipped" | "Omitted") && !has_outputs => Account::Skipped,
        // A container of a set runs in its set's pod. HTTP and plugin nodes run in Argo's own
        // agent, and have no artifacts.
        "Container" | "Steps" | "StepGroup" | "DAG" | "TaskGroup" | "Retry" | "Suspend" | "HTTP"
        | "Plugin" => Account::Frame,
        _ => Account::Ran,
    }
}

impl Phase {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Skipped" => Self::Skipped,
            "Failed" => Self::Failed,
            "Error" => Self::Error,
            "Omitted" => Self::Omitted,
            other => Self::Other(other.to_owned()),
        }
    }

    /// Whether it ended well.
    pub fn is_success(&self) -> bool {
        *self == Self::Succeeded
    }

    /// Whether it ended badly.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }

    /// Whether it has not ended.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// Argo's word; not printable, if it is none.
impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Skipped => "Skipped",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Omitted => "Omitted",
            Self::Other(other) => other,
        })
    }
}

/// Bytes of a workflow that are gone through for its templates, for all of its nodes together.
const LOOKED_THROUGH: usize = 256 * 1024 * 1024;

/// What in a workflow's text may make a template one of which more has to be known.
const TELLING: [&str; 3] = ["\"archiveLocation\"", "\"resource\"", "\"data\""];

/// What the text of a workflow has whose table of nodes is packed.
const PACKED: &str = "\"compressedNodes\"";

/// What a template says that its nodes do not.
#[derive(Debug, Clone, Default)]
pub(super) struct Template {
    /// Where its artifacts go, if it does not leave that to the workflow's repository.
    location: Option<Repository>,
    /// Whether no container of its author's runs in its pod (`resource`, `data`).
    is_argos_own: bool,
}

/// The templates of a workflow, as far as its nodes name them.
pub(super) struct Templates<'a> {
    /// The workflow, if anything in it is worth to be looked for.
    text: Option<&'a str>,
    known: RefCell<BTreeMap<[String; 3], Template>>,
    left: RefCell<usize>,
}

impl<'a> Templates<'a> {
    pub(super) fn of(workflow: &'a str) -> Self {
        Self {
            text: TELLING.iter().any(|word| workflow.contains(word)).then_some(workflow),
            known: RefCell::default(),
            left: RefCell::new(LOOKED_THROUGH),
        }
    }

    /// What the node's template says; nothing if there are too many to be looked for, or if it stands inline and
    /// the table of nodes is packed, to be unpacked for each: the node is then asked after as any other.
    pub(super) fn of_node(&self, id: &str, node: &wire::Node) -> Template {
        self.find(id, node).unwrap_or_default()
    }

    fn find(&self, id: &str, node: &wire::Node) -> Option<Template> {
        let text = self.text?;
        let reference = node.template_ref.as_ref();
        let key = match reference {
            Some(of) => [of.cluster_scope.to_string(), of.name.clone(), of.template.clone()],
            None => [node.template_scope.clone(), String::new(), node.template_name.clone()],
        };
        // Without a name it stands inline, where this node's parent has it.
        let is_inline = matches!(&key, [.., template] if template.is_empty());
        if is_inline && text.contains(PACKED) {
            return None;
        }
        let key = if is_inline { [String::new(), String::new(), id.to_owned()] } else { key };
        if let Some(known) = self.known.borrow().get(&key) {
            return Some(known.clone());
        }
        let left = self.left.borrow().checked_sub(text.len())?;
        *self.left.borrow_mut() = left;
        let found = if is_inline {
            template_of_node(text, id)
        } else {
            let reference = reference.map(|of| (of.name.as_str(), of.template.as_str(), of.cluster_scope));
            named_template(text, reference, &node.template_name, &node.template_scope)
        };
        let template = found.map(Template::new).unwrap_or_default();
        self.known.borrow_mut().insert(key, template.clone());
        Some(template)
    }
}

impl Template {
    fn new(mut text: Map<String, Value>) -> Self {
        let has = |name: &str| text.get(name).is_some_and(|value| !value.is_null());
        let is_argos_own = (has("resource") || has("data"))
            && !["container", "containerSet", "script"].iter().any(|name| has(name));
        let location = text.remove("archiveLocation");
        let location = location.and_then(|location| serde_json::from_value::<wire::Location>(location).ok());
        Self { location: location.and_then(|location| Repository::of_template(&location)), is_argos_own }
    }
}
