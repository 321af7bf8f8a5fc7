//! A list of Workflows as the API server gives it, page by page: what cannot be read of one says
//! nothing of the others.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::{Status, Workflow};
use super::{LIMITS, RunError, WorkflowRun, shaped, shaped_any};
use crate::json::{self, object_or_unset, or_unset};

/// One page of a list.
#[derive(Debug)]
pub struct WorkflowPage {
    /// Each Workflow, by name.
    pub workflows: Vec<Listed>,
    /// By what the next page is asked for, if there is one.
    pub next: Option<String>,
}

/// One Workflow of a list.
#[derive(Debug)]
pub struct Listed {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// What ran, or why that is not known; `None` while it has not ended.
    pub run: Option<Result<WorkflowRun, RunError>>,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(default, deserialize_with = "object_or_unset")]
    metadata: PageMetadata,
    #[serde(borrow, default)]
    items: Option<&'a RawValue>,
}

/// `ListMeta`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct PageMetadata {
    #[serde(rename = "continue", deserialize_with = "or_unset")]
    next: String,
}

impl WorkflowPage {
    /// Reads a page. Of a Workflow that has not ended no more is read than that. `left` is how many nodes
    /// may still be read of this page and all others: [`NODES_LIMIT`](super::NODES_LIMIT) before the first.
    ///
    /// Errors: [`RunError`], where it is no list.
    pub fn read(bytes: &[u8], left: &mut usize) -> Result<Self, RunError> {
        let page: Page<'_> = shaped(json::raw(bytes, LIMITS)?.get())?;
        let kind = page.kind.as_deref().unwrap_or_default();
        if !kind.ends_with("List") {
            return Err(RunError::another_kind(kind));
        }
        let items: Vec<&RawValue> = match page.items {
            Some(items) => shaped_any(items.get())?,
            None => Vec::new(),
        };
        let workflows = items.into_iter().map(|item| Listed::read(item, left)).collect::<Result<_, _>>()?;
        Ok(Self { workflows, next: Some(page.metadata.next).filter(|next| !next.is_empty()) })
    }
}

impl Listed {
    fn read(item: &RawValue, left: &mut usize) -> Result<Self, RunError> {
        let workflow: Workflow<'_> = shaped(item.get())?;
        let (namespace, name) = (workflow.metadata.namespace, workflow.metadata.name);
        let status: Status<'_> = match workflow.status {
            Some(status) => shaped(status.get())?,
            None => Status::default(),
        };
        let has_ended = matches!(status.phase.as_str(), "Succeeded" | "Failed" | "Error");
        let run = has_ended.then(|| WorkflowRun::read(item, left));
        Ok(Self { namespace, name, run })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_of_a_list_is_read_by_itself() {
        let workflow = |name: &str, status: &serde_json::Value| json!({"metadata": {"name": name, "namespace": "ci", "uid": "u"}, "status": status});
        let mut left = 1;
        let nodes = json!({"a": {"name": "a", "type": "Pod", "phase": "Succeeded"}});
        let list = json!({
            "kind": "WorkflowList", "metadata": {"continue": "token"},
            "items": [
                workflow("done", &json!({"phase": "Succeeded", "nodes": nodes})),
                workflow("runs", &json!({"phase": "Running", "nodes": nodes})),
                workflow("new", &json!({})),
                workflow("large", &json!({"phase": "Succeeded", "offloadNodeStatusVersion": "fnv:1"})),
            ],
        });
        let page = WorkflowPage::read(list.to_string().as_bytes(), &mut left).unwrap();
        assert_eq!(page.next.as_deref(), Some("token"));
        let [done, running, new, large] = page.workflows.as_slice() else { panic!("{page:?}") };
        assert_eq!(done.run.as_ref().unwrap().as_ref().unwrap().nodes.len(), 1);
        assert!(running.run.is_none() && new.run.is_none());
        assert!(matches!(large.run, Some(Err(RunError::Offloaded { .. }))));
        assert_eq!((large.namespace.as_str(), large.name.as_str()), ("ci", "large"));
        // What one page holds, others cannot hold as well.
        let more = WorkflowPage::read(list.to_string().as_bytes(), &mut left).unwrap();
        assert!(matches!(more.workflows[0].run, Some(Err(RunError::TooManyNodes { .. }))), "{more:?}");
        let end = json!({"kind": "WorkflowList", "metadata": {}, "items": null});
        let page = WorkflowPage::read(end.to_string().as_bytes(), &mut left).unwrap();
        assert!(page.next.is_none() && page.workflows.is_empty());
        for none in [json!({"kind": "Status"}), json!({"kind": "Workflow"}), json!([])] {
            WorkflowPage::read(none.to_string().as_bytes(), &mut left).unwrap_err();
        }
    }
}
