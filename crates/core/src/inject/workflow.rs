//! Where the templates of Argo's objects are: in `spec`, in `spec.workflowSpec`, and inline
//! in the steps and tasks of other templates.

use super::document::Object;
use super::yaml::{Path, Value};

/// A workflow's specification.
#[derive(Debug)]
pub(super) struct Spec<'v> {
    pub(super) path: Path,
    pub(super) value: &'v Value,
    /// What the object says of itself.
    pub(super) metadata: Option<&'v Value>,
    /// Kind and name of the object.
    pub(super) called: String,
    /// Whether other workflows may take single templates from it, which then come
    /// without the rest of the specification.
    pub(super) reusable: bool,
}

/// A template, wherever it stands.
#[derive(Debug)]
pub(super) struct Template<'v> {
    pub(super) path: Path,
    pub(super) value: &'v Value,
    pub(super) name: String,
}

impl Template<'_> {
    /// Whether it is one of those that are meant, or inline in one; all are if none is named.
    pub(super) fn is_among(&self, names: &[String]) -> bool {
        let own = self.name.split_once(", inline in ").map_or(self.name.as_str(), |(name, _)| name);
        names.is_empty() || names.iter().any(|name| name == own)
    }
}

/// Whether objects of this kind have templates.
pub(super) fn is_workflow(kind: &str) -> bool {
    matches!(kind, "Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate" | "CronWorkflow")
}

/// The specification of an object that is a workflow, if it has one.
pub(super) fn spec<'v>(object: &Object<'v>) -> Option<Spec<'v>> {
    let Object { path, value, kind } = object;
    let keys: &[&str] = if kind == "CronWorkflow" { &["spec", "workflowSpec"] } else { &["spec"] };
    let name = value.text_at(&["metadata", "name"]).or_else(|| value.text_at(&["metadata", "generateName"]));
    Some(Spec {
        path: keys.iter().fold(path.clone(), |path, key| path.key(key)),
        value: value.find(keys)?,
        metadata: value.get("metadata"),
        called: name.map_or_else(|| kind.clone(), |name| format!("{kind} {name}")),
        reusable: matches!(kind.as_str(), "WorkflowTemplate" | "ClusterWorkflowTemplate"),
    })
}

impl<'v> Spec<'v> {
    /// All templates, inline ones after the one that they are in.
    pub(super) fn templates(&self) -> Vec<Template<'v>> {
        let mut found = Vec::new();
        let list = self.path.key("templates");
        for (at, value) in self.value.items("templates").iter().enumerate() {
            let name = value.text_at(&["name"]).map_or_else(|| format!("number {}", at + 1), str::to_owned);
            collect(Template { path: list.index(at), value, name }, &mut found);
        }
        found
    }

    /// Which of these names templates have.
    pub(super) fn named(&self, names: &[String]) -> Vec<String> {
        if names.is_empty() {
            return Vec::new();
        }
        let templates = self.templates();
        let is_there = |name: &&String| templates.iter().any(|template| template.name == **name);
        names.iter().filter(is_there).cloned().collect()
    }

    /// Whether steps are taken from other objects, about which nothing is known here.
    pub(super) fn refers(&self, templates: &[Template<'_>]) -> bool {
        let other = |value: &Value| value.get("templateRef").is_some();
        self.value.get("workflowTemplateRef").is_some()
            || templates.iter().any(|template| {
                calls(template.value).iter().any(|(_, call)| {
                    let hooks = match call.get("hooks") {
                        Some(Value::Map(hooks)) => hooks.as_slice(),
                        _ => &[],
                    };
                    other(call) || hooks.iter().any(|(_, hook)| other(hook))
                })
            })
    }
}

fn collect<'v>(template: Template<'v>, found: &mut Vec<Template<'v>>) {
    let inline: Vec<_> = calls(template.value)
        .into_iter()
        .filter_map(|(keys, call)| {
            let value = call.get("inline")?;
            let path = keys.iter().fold(template.path.clone(), |path, place| match place {
                Step::Key(key) => path.key(key),
                Step::Index(at) => path.index(*at),
            });
            let step = call.text_at(&["name"]).unwrap_or("a step");
            let name = format!("{}, inline in {step}", template.name);
            Some(Template { path: path.key("inline"), value, name })
        })
        .collect();
    found.push(template);
    for template in inline {
        collect(template, found);
    }
}

/// One step of the way from a template to a call.
pub(super) enum Step {
    Key(&'static str),
    Index(usize),
}

/// The steps and tasks that a template calls, and the way to each.
pub(super) fn calls(template: &Value) -> Vec<(Vec<Step>, &Value)> {
    let mut calls = Vec::new();
    for (at, group) in template.items("steps").iter().enumerate() {
        match group {
            Value::List(steps) => calls.extend(
                steps
                    .iter()
                    .enumerate()
                    .map(|(step, call)| (vec![Step::Key("steps"), Step::Index(at), Step::Index(step)], call)),
            ),
            call => calls.push((vec![Step::Key("steps"), Step::Index(at)], call)),
        }
    }
    if let Some(dag) = template.get("dag") {
        calls.extend(
            dag.items("tasks")
                .iter()
                .enumerate()
                .map(|(at, call)| (vec![Step::Key("dag"), Step::Key("tasks"), Step::Index(at)], call)),
        );
    }
    calls
}
