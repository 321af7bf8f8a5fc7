//! One line of an audit.

use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::{Finding, Invocation, Narrowing, Node, Unseen, WorkflowRun};
use argo_attest_core::outcome::OutcomeWords;

use crate::report::Accepted;

/// What is said of one thing.
#[derive(Debug)]
pub struct Entry {
    /// The step that it belongs to, where that is known.
    pub step: Option<Arc<Step>>,
    /// What it is about.
    pub subject: Subject,
    /// What is said.
    pub finding: Finding,
    /// By whom it is attested, where it is.
    pub accepted: Option<Box<Accepted>>,
}

/// What something is said of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The step itself.
    Step,
    /// An output of the step that has no object, by its name.
    Output(String),
    /// An object, a file, an image: its address or path, not printable; and the output that it is,
    /// if it is one.
    Artifact {
        /// Where it is.
        path: PathBuf,
        /// The output's name.
        output: Option<String>,
    },
    /// Something that went into the step: its address, as the step's statement says, printable.
    Input(String),
    /// An attestation: its address or path, not printable.
    Attestation(PathBuf),
    /// The audit itself.
    Audit,
}

/// A step, by the names that it has. Not printable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// The workflow's name.
    pub workflow: Option<String>,
    /// The workflow's namespace.
    pub namespace: Option<String>,
    /// The workflow's UID.
    pub uid: Option<String>,
    /// The node's id.
    pub node_id: Option<String>,
    /// The node's name.
    pub node: Option<String>,
    /// The template.
    pub template: Option<String>,
    /// How Argo says that it stands.
    pub phase: Option<String>,
}

impl Step {
    /// A node of a workflow.
    pub(super) fn of(run: &WorkflowRun, node: &Node) -> Self {
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Self {
            workflow: known(&run.name),
            namespace: known(&run.namespace),
            uid: known(&run.uid),
            node_id: known(&node.id),
            node: known(&node.name),
            template: known(&node.template),
            phase: known(&node.phase.to_string()),
        }
    }

    /// A workflow itself: Argo's node for it has its name.
    pub(super) fn of_run(run: &WorkflowRun) -> Self {
        let name = Some(run.name.clone());
        Self {
            workflow: name.clone(),
            namespace: Some(run.namespace.clone()).filter(|namespace| !namespace.is_empty()),
            uid: Some(run.uid.clone()),
            node_id: name.clone(),
            node: name,
            template: None,
            phase: Some(run.phase.to_string()).filter(|phase| !phase.is_empty()),
        }
    }

    /// The step that a signed outcome is of.
    pub(super) fn of_outcome(words: &OutcomeWords) -> Self {
        let invocation = Invocation::parse(&words.invocation_id).unwrap_or_default();
        Self {
            uid: invocation.workflow_uid,
            node_id: invocation.node_id,
            template: Some(words.template.name.clone()).filter(|name| !name.is_empty()),
            ..Self::default()
        }
    }

    /// The step's address: `argo://NAMESPACE/WORKFLOW/NODE`, of what is known. Not printable.
    pub fn address(&self) -> String {
        let known = |text: &Option<String>| text.as_deref().unwrap_or("-").to_owned();
        let workflow = self.workflow.as_ref().or(self.uid.as_ref());
        let workflow = workflow.map_or("-", String::as_str);
        format!("argo://{}/{workflow}/{}", known(&self.namespace), known(&self.node_id))
    }
}

impl Entry {
    /// That so much of a place was not looked at.
    pub fn not_looked_at(place: PathBuf, count: u64, why: Unseen) -> Self {
        let subject = Subject::Artifact { path: place, output: None };
        Self { step: None, subject, finding: Finding::NotLookedAt { count, why }, accepted: None }
    }

    /// That the audit was narrowed.
    pub fn narrowed(by: Narrowing) -> Self {
        Self { step: None, subject: Subject::Audit, finding: Finding::Narrowed(Box::new(by)), accepted: None }
    }

    /// What it is about, in one text that is its own: a path, an address. Not printable.
    pub fn artifact(&self) -> PathBuf {
        let step = || self.step.as_deref().map(Step::address).unwrap_or_default();
        match &self.subject {
            Subject::Step => step().into(),
            Subject::Output(name) => format!("{}#{name}", step()).into(),
            Subject::Artifact { path, .. } | Subject::Attestation(path) => path.clone(),
            Subject::Input(uri) => uri.into(),
            Subject::Audit => "audit".into(),
        }
    }

    /// The output that it is about, if it is one.
    pub fn output(&self) -> Option<&str> {
        match &self.subject {
            Subject::Output(name) => Some(name),
            Subject::Artifact { output, .. } => output.as_deref(),
            Subject::Step | Subject::Input(_) | Subject::Attestation(_) | Subject::Audit => None,
        }
    }
}
