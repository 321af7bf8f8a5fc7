//! One finding as a JSON object; what is in it is documented in `docs/reports.md`.

use std::os::unix::ffi::OsStrExt as _;

use argo_attest_core::audit::{Finding, Narrowing};
use argo_attest_core::relpath::escaped;
use argo_attest_core::secret::redacted;
use argo_attest_core::verify::Reason;
use serde::Serialize;

use super::told::shown;
use crate::audit::{Entry, Step, Subject};
use crate::report::Accepted;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EntryJson<'a> {
    /// In the form from which its bytes can be had: two names are never one.
    artifact: String,
    /// What the artifact is.
    about: &'static str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<NodeJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    narrowed_by: Option<&'a Narrowing>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accepted: Option<&'a Accepted>,
}

/// The step, as the workflow or, without one, its outcome says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workflow: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
}

impl<'a> EntryJson<'a> {
    pub(super) fn new(entry: &'a Entry) -> Self {
        Self {
            artifact: artifact(entry),
            about: about(entry),
            verdict: entry.finding.standing().verdict(),
            reason: entry.finding.reason().map(Reason::code),
            message: entry.finding.message().map(|message| redacted(&message).into_owned()),
            remedy: entry.finding.remedy().map(|remedy| shown(&remedy)),
            node: entry.step.as_deref().map(NodeJson::new),
            output: entry.output(),
            narrowed_by: match &entry.finding {
                Finding::Narrowed(by) => Some(by),
                _ => None,
            },
            accepted: entry.accepted.as_deref(),
        }
    }
}

impl<'a> NodeJson<'a> {
    fn new(step: &'a Step) -> Self {
        let Step { workflow, namespace, uid, node_id, node, template, phase } = step;
        Self {
            id: node_id.as_deref(),
            name: node.as_deref(),
            template: template.as_deref(),
            phase: phase.as_deref(),
            workflow: workflow.as_deref(),
            namespace: namespace.as_deref(),
            uid: uid.as_deref(),
        }
    }
}

/// What it is about, in a form that can be read back.
pub(super) fn artifact(entry: &Entry) -> String {
    let artifact = entry.artifact();
    match &entry.subject {
        // It is printable already.
        Subject::Input(uri) => uri.clone(),
        _ => redacted(&escaped(artifact.as_os_str().as_bytes())).into_owned(),
    }
}

/// What the artifact is.
pub(super) fn about(entry: &Entry) -> &'static str {
    match entry.subject {
        Subject::Step => "step",
        Subject::Output(_) => "output",
        Subject::Artifact { .. } => "artifact",
        Subject::Input(_) => "input",
        Subject::Attestation(_) => "attestation",
        Subject::Audit => "audit",
    }
}
