//! A Workflow as somebody hands it over, down to what its steps owe.
//!
//! The forms are those in which people have one: `kubectl get workflow -o json`, of one or of
//! several (`List`), `argo get -o json`, `argo archive get -o json`, and a JSON array of any of
//! them. It follows Argo Workflows 3.7 to 4.1; comments name the file of Argo's that a rule comes
//! from. Nobody signed any of it. Whatever is not known is passed over; what is not understood of a
//! node makes it one that ran: it is asked after, and not left out.

mod error;
mod key_format;
mod node;
mod nodes;
mod page;
mod spot;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

pub use self::error::RunError;
pub use self::node::{Account, Made, Node, Phase};
pub use self::page::{Listed, WorkflowPage};
pub use self::spot::Spot;

use self::key_format::Names;
use self::spot::Repository;
use self::wire::{Document, Status, Workflow};
use crate::json::{self, Limits, Object};

/// Bytes of a document of Workflows that are read, and as many of one's table of nodes where it is
/// packed.
pub const WORKFLOWS_LIMIT: usize = 32 * 1024 * 1024;

/// Values in a document: a node has some fifty.
const VALUES: usize = 2_000_000;
/// Levels of a document: a template in a list of Workflows has some thirty.
const DEPTH: usize = 100;
/// Nodes of one document, and of all pages of a list.
pub const NODES_LIMIT: usize = 100_000;

const LIMITS: Limits = Limits { bytes: WORKFLOWS_LIMIT, values: VALUES, depth: DEPTH };

/// One run of a workflow, as its text says.
#[derive(Debug, Clone)]
pub struct WorkflowRun {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`: what a statement has to name.
    pub uid: String,
    /// `status.phase`.
    pub phase: Phase,
    /// `status.finishedAt`: when it ended, so it says.
    pub finished_at: Option<Timestamp>,
    /// The nodes, in the order of their names.
    pub nodes: Vec<Node>,
    /// Which nodes say that they made an object: bucket and key, then the nodes' ids.
    makers: BTreeMap<(String, String), BTreeSet<String>>,
}

impl WorkflowRun {
    /// Reads every Workflow of a document.
    ///
    /// Errors: [`RunError`], where the document is none, or holds a Workflow of which it cannot be
    /// told what ran.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, RunError> {
        let text = json::raw(bytes, LIMITS)?;
        let mut left = NODES_LIMIT;
        let mut runs = Vec::new();
        for workflow in workflows(text)? {
            runs.push(Self::read(workflow, &mut left)?);
        }
        if runs.is_empty() { Err(RunError::None) } else { Ok(runs) }
    }

    /// `left` is how many nodes may still be read.
    fn read(text: &RawValue, left: &mut usize) -> Result<Self, RunError> {
        let workflow: Workflow<'_> = shaped(text.get())?;
        if workflow.kind.as_deref().is_some_and(|kind| kind != "Workflow") {
            return Err(RunError::another_kind(workflow.kind.as_deref().unwrap_or_default()));
        }
        let metadata = workflow.metadata;
        let name = metadata.name;
        if name.is_empty() || metadata.uid.is_empty() {
            return Err(RunError::NotStored { name: error::shown(&name) });
        }
        let status: Status<'_> = match workflow.status {
            Some(status) => shaped(status.get())?,
            None => Status::default(),
        };
        let repository = Repository::of(status.artifact_repository_ref.artifact_repository.as_ref());
        let templates = node::Templates::of(text.get());
        let names = Names {
            workflow: &name,
            namespace: &metadata.namespace,
            uid: &metadata.uid,
            created: metadata.creation_timestamp,
            pods_by_id: metadata.annotations.pod_name_format.as_deref() == Some("v1"),
        };
        let mut nodes = Vec::new();
        nodes::each(&status, &name, &mut |id, wire| {
            *left = left.checked_sub(1).ok_or(RunError::TooManyNodes { limit: NODES_LIMIT })?;
            let own = templates.of_node(&id, &wire);
            nodes.push(Node::new(id, wire, &repository, &own, &names));
            Ok(())
        })?;
        nodes.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        let phase = Phase::of(&status.phase);
        if nodes.is_empty() && !phase.is_failure() {
            return Err(RunError::NotRun { name: error::shown(&name) });
        }
        let mut makers: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for node in nodes.iter().filter(|node| matches!(node.account(), Account::Ran | Account::ArgosOwn)) {
            for made in &node.outputs {
                if let Spot::Object { bucket, key } = &made.spot {
                    makers.entry((bucket.clone(), key.clone())).or_default().insert(node.id.clone());
                }
            }
        }
        let (namespace, uid) = (metadata.namespace, metadata.uid);
        let finished_at = status.finished_at;
        Ok(Self { name, namespace, uid, phase, finished_at, nodes, makers })
    }

    /// Whether it has ended, so it says. One that says nothing of the kind has not.
    pub fn has_ended(&self) -> bool {
        matches!(self.phase, Phase::Succeeded | Phase::Failed | Phase::Error)
    }

    /// Whether it is not known to have ended before this time.
    pub fn may_have_run_since(&self, since: Timestamp) -> bool {
        !self.has_ended() || self.finished_at.is_none_or(|ended| ended >= since)
    }

    /// Whether a node of this id is said to have made the object at this bucket and key.
    pub fn makes(&self, node: &str, (bucket, key): (&str, &str)) -> bool {
        self.makers.get(&(bucket.to_owned(), key.to_owned())).is_some_and(|makers| makers.contains(node))
    }

    /// Whether any node of this run is said to have made the object there.
    pub fn is_made_here(&self, bucket: &str, key: &str) -> bool {
        self.makers.contains_key(&(bucket.to_owned(), key.to_owned()))
    }
}

/// The Workflows of a document: itself, a list's items, or an array's.
fn workflows(text: &RawValue) -> Result<Vec<&RawValue>, RunError> {
    if text.get().starts_with('[') {
        return shaped_any(text.get());
    }
    let Document { kind, items } = shaped(text.get())?;
    match items {
        Some(items) if kind.as_deref().is_none_or(|kind| kind.ends_with("List")) => shaped_any(items.get()),
        _ => Ok(vec![text]),
    }
}

/// A value from JSON text that is an object.
fn shaped<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, RunError> {
    let Object(value) = serde_json::from_str(text).map_err(|e| RunError::malformed(&e))?;
    Ok(value)
}

fn shaped_any<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, RunError> {
    serde_json::from_str(text).map_err(|e| RunError::malformed(&e))
}

/// The same, of text that is gone afterwards.
fn shaped_owned<T: DeserializeOwned>(text: &str) -> Result<T, RunError> {
    let Object(value) = serde_json::from_str(text).map_err(|e| RunError::malformed(&e))?;
    Ok(value)
}

#[cfg(test)]
mod tests;
