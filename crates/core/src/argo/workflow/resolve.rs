//! Which template a node runs, and where the Workflow holds it.
//!
//! What the node says is what the controller wrote: `templateRef`, or `templateName`
//! within `templateScope`, or neither for a template that stands inline where it is
//! called. Templates of a `WorkflowTemplate` lie in `status.storedTemplates` under the
//! keys of `resolveTemplateReference` (Argo's `workflow_types.go`); those of the
//! Workflow itself in its spec, which is `status.storedWorkflowTemplateSpec` if it was
//! made from a `WorkflowTemplate` as a whole.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::defaults;
use super::error::WorkflowError;
use super::lookup;
use super::nodes::Nodes;
use super::value::{self, CALLERS_LIMIT, VALUES_LIMIT};
use super::wire::{Node, Spec, Status};
use crate::argo::TEMPLATE_LIMIT;
use crate::text::brief;

/// More templates within templates than any author writes.
const DEPTH_LIMIT: usize = 32;

/// Longer names are cut when shown.
const SHOWN: usize = 80;

/// A Workflow's templates.
pub(super) struct Templates<'a> {
    /// The spec that is executed.
    pub(super) spec: &'a Spec<'a>,
    /// Where Argo looks after that, if the spec is the Workflow's own.
    pub(super) second: Option<&'a Spec<'a>>,
    pub(super) stored: Option<&'a RawValue>,
    pub(super) nodes: Nodes<'a>,
}

impl<'a> Templates<'a> {
    pub(super) fn new(own: &'a Spec<'a>, status: &'a Status<'a>) -> Self {
        let of_template = status.stored_workflow_template_spec.as_ref();
        let (spec, second) = match (&own.workflow_template_ref, of_template) {
            (None, second) => (own, second),
            (Some(_), Some(spec)) => (spec, None),
            // It is stored together with the first node.
            (Some(_), None) => (own, None),
        };
        Self { spec, second, stored: status.stored_templates, nodes: Nodes::of(status) }
    }

    /// The template that `node` runs, with what the Workflow's defaults add to it.
    pub(super) fn of_node(&self, node: &Node) -> Result<Map<String, Value>, WorkflowError> {
        let template = self.bare(node, DEPTH_LIMIT, VALUES_LIMIT)?;
        self.with_defaults(template)
    }

    /// `templateDefaults` merged into a template.
    pub(super) fn with_defaults(
        &self,
        template: Map<String, Value>,
    ) -> Result<Map<String, Value>, WorkflowError> {
        match self.spec.template_defaults.map(object).transpose()? {
            Some(defaults) if !defaults.is_empty() => defaults::merge(defaults, template),
            _ => Ok(template),
        }
    }

    /// A template of the spec, with the spec's `podMetadata`, as Argo takes it from
    /// there.
    pub(super) fn of_spec(
        &self,
        mut template: Map<String, Value>,
    ) -> Result<Map<String, Value>, WorkflowError> {
        if let Some(metadata) = self.spec.pod_metadata.map(object).transpose()? {
            defaults::add_pod_metadata(metadata, &mut template);
        }
        Ok(template)
    }

    fn bare(&self, node: &Node, depth: usize, limit: usize) -> Result<Map<String, Value>, WorkflowError> {
        let scope = Scope::of(node.template_scope.as_deref().unwrap_or_default());
        let name = node.template_name.as_deref().filter(|name| !name.is_empty());
        match (&node.template_ref, name, scope) {
            (Some(reference), ..) => {
                let scope = if reference.cluster_scope { "cluster" } else { "namespaced" };
                self.stored(node, &format!("{scope}/{}/{}", reference.name, reference.template), limit)
            }
            (None, Some(name), Scope::Template { scope, resource }) => {
                self.stored(node, &format!("{scope}/{resource}/{name}"), limit)
            }
            (None, Some(name), Scope::Workflow) => self.named(node, name, limit),
            (None, None, Scope::Template { scope, resource }) => {
                let caller = self.caller(node)?;
                self.stored(node, &format!("{scope}/{resource}/inline/{}", caller.name), limit)
            }
            (None, None, Scope::Workflow) => {
                let caller = self.caller(node)?;
                let Some(depth) = depth.checked_sub(1) else {
                    return Err(missing(node, "templates are nested too deeply".to_owned()));
                };
                let parent = self.bare(&caller.boundary, depth, CALLERS_LIMIT)?;
                inline(parent, caller.declared_name()).ok_or_else(|| {
                    missing(
                        node,
                        format!("no step or task {} with a template inline", shown(caller.declared_name())),
                    )
                })
            }
        }
    }

    /// A template of `status.storedTemplates`.
    fn stored(&self, node: &Node, key: &str, limit: usize) -> Result<Map<String, Value>, WorkflowError> {
        let found =
            self.stored.map(|stored| lookup::member::<&RawValue>(stored.get(), key)).transpose()?.flatten();
        match found {
            Some(template) => object_of(template.get(), limit),
            None => Err(missing(node, format!("status.storedTemplates has no {}", shown(key)))),
        }
    }

    /// A template of the spec.
    fn named(&self, node: &Node, name: &str, limit: usize) -> Result<Map<String, Value>, WorkflowError> {
        for spec in [Some(self.spec), self.second].into_iter().flatten() {
            let mut found = None;
            each_template(spec, &mut |own, template| {
                if found.is_none() && own == name {
                    found = Some(template);
                }
                Ok(())
            })?;
            if let Some(template) = found {
                return self.of_spec(object_of(template.get(), limit)?);
            }
        }
        Err(missing(node, format!("spec.templates has no {}", shown(name))))
    }

    /// Who calls the node, by the name that the controller gave it.
    fn caller(&self, node: &Node) -> Result<Caller, WorkflowError> {
        let boundary = node.boundary_id.as_deref().filter(|id| !id.is_empty());
        let boundary = boundary.map(|id| self.nodes.find(id)).transpose()?.flatten();
        let Some(boundary) = boundary else {
            return Err(missing(node, "the node that calls it is not in the table".to_owned()));
        };
        match own_name(node, &boundary) {
            Some(name) => Ok(Caller { name: name.to_owned(), boundary }),
            None => Err(missing(node, "the node's name does not begin with its caller's".to_owned())),
        }
    }
}

/// The step or task that a node is, and the node whose template it stands in.
struct Caller {
    name: String,
    boundary: Node,
}

impl Caller {
    /// The name as it is declared: one of many by `withItems` has its item behind it,
    /// in brackets, and no declared name has a bracket.
    fn declared_name(&self) -> &str {
        self.name.split('(').next().unwrap_or_default()
    }
}

/// `GetTemplateScope` of Argo's `NodeStatus`.
enum Scope<'a> {
    /// The Workflow's own templates.
    Workflow,
    /// A `WorkflowTemplate`'s or `ClusterWorkflowTemplate`'s.
    Template { scope: &'a str, resource: &'a str },
}

impl<'a> Scope<'a> {
    fn of(text: &'a str) -> Self {
        match text.split_once('/') {
            None if text.is_empty() => Self::Workflow,
            None => Self::Template { scope: "namespaced", resource: text },
            Some(("local", _)) => Self::Workflow,
            Some((scope, rest)) => {
                Self::Template { scope, resource: rest.split('/').next().unwrap_or_default() }
            }
        }
    }
}

/// The end of a node's name: `[2].step` of a step, `.task` of a task, behind the name
/// of the node that it is in; `(0)` behind all that is the number of a retry.
fn own_name<'n>(node: &'n Node, boundary: &Node) -> Option<&'n str> {
    let rest = node.name.strip_prefix(&boundary.name)?;
    let rest = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.1,
        None => rest,
    };
    let name = rest.strip_prefix('.')?;
    if node.flag.as_ref().is_some_and(|flag| flag.retried) {
        return name.rsplit_once('(').map(|(name, _)| name);
    }
    Some(name)
}

/// The template that stands inline in the step or task of this name.
fn inline(mut parent: Map<String, Value>, name: &str) -> Option<Map<String, Value>> {
    let steps = match parent.remove("steps") {
        Some(Value::Array(groups)) => groups,
        _ => Vec::new(),
    };
    let tasks = parent.get_mut("dag").and_then(|dag| dag.get_mut("tasks")).map(Value::take);
    let callers = steps.into_iter().chain(tasks).flat_map(|group| match group {
        Value::Array(callers) => callers,
        _ => Vec::new(),
    });
    let mut inlines = callers.filter(|caller| caller.get("name").and_then(Value::as_str) == Some(name));
    match inlines.next()?.get_mut("inline")?.take() {
        Value::Object(template) => Some(template),
        _ => None,
    }
}

/// Hands each template of a spec to `look`, with its name.
pub(super) fn each_template<'a>(
    spec: &Spec<'a>,
    look: &mut dyn FnMut(&str, &'a RawValue) -> serde_json::Result<()>,
) -> Result<(), WorkflowError> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        name: String,
    }

    let Some(templates) = spec.templates else { return Ok(()) };
    Ok(lookup::each(templates.get(), &mut |_, template| {
        let named: Named = serde_json::from_str(template.get())?;
        look(&named.name, template)
    })?)
}

/// Reads a JSON object of a bounded size, in which no key is twice.
pub(super) fn object(text: &RawValue) -> Result<Map<String, Value>, WorkflowError> {
    object_of(text.get(), VALUES_LIMIT)
}

/// Reads a JSON object of a bounded size and number of values, in which no key is twice.
pub(super) fn object_of(text: &str, limit: usize) -> Result<Map<String, Value>, WorkflowError> {
    if text.len() > TEMPLATE_LIMIT {
        return Err(WorkflowError::Unbounded { what: "a template".to_owned() });
    }
    match value::read(text, limit)? {
        Value::Object(object) => Ok(object),
        Value::Null => Ok(Map::new()),
        _ => Err(<serde_json::Error as serde::de::Error>::custom("expected an object").into()),
    }
}

fn missing(node: &Node, what: String) -> WorkflowError {
    WorkflowError::NoTemplate { node: shown(&node.name), what }
}

fn shown(name: &str) -> String {
    format!("`{}`", brief(name, SHOWN))
}
