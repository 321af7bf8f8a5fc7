//! Which template a step runs where the table of nodes is elsewhere: in a database
//! (`nodeStatusOffLoad`), of which the Workflow holds nothing.
//!
//! The text itself then says its template's name. That is sound for the name alone:
//! it is the first member that Go writes, so nothing that is put in at a tag can stand
//! before it. Still the text may not choose among templates: all that the Workflow
//! holds under that name have to be the same.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::defaults;
use super::error::{WorkflowDifference, WorkflowError};
use super::lookup;
use super::pattern;
use super::resolve::{self, Templates};
use super::value::{self, CALLERS_LIMIT, VALUES_LIMIT};
use crate::text::brief;

type Object = Map<String, Value>;

/// All templates that have a name, and what is needed to finish one.
#[derive(Debug)]
pub(super) struct Offloaded {
    templates: Vec<Named>,
    defaults: Option<Object>,
    pod_metadata: Option<Object>,
    /// Input artifacts that some caller gives: the template's name and theirs.
    given: BTreeSet<(String, String)>,
}

#[derive(Debug)]
struct Named {
    name: String,
    text: Box<str>,
    /// Those get the spec's `podMetadata`.
    of_spec: bool,
}

impl Offloaded {
    pub(super) fn new(templates: &Templates<'_>) -> Result<Self, WorkflowError> {
        let mut named = Vec::new();
        let mut given = BTreeSet::new();
        for spec in [Some(templates.spec), templates.second].into_iter().flatten() {
            resolve::each_template(spec, &mut |name, template| {
                named.push(Named { name: name.to_owned(), text: template.get().into(), of_spec: true });
                Ok(())
            })?;
            if let (Some(entrypoint), Some(arguments)) = (&spec.entrypoint, spec.arguments) {
                note_given(entrypoint, &value::read(arguments.get(), CALLERS_LIMIT)?, &mut given);
            }
        }
        if let Some(stored) = templates.stored {
            lookup::each(stored.get(), &mut |_, template| {
                named.push(Named { name: name_of(template)?, text: template.get().into(), of_spec: false });
                Ok(())
            })?;
        }
        for template in &named {
            note_callers(&Value::Object(resolve::object_of(&template.text, CALLERS_LIMIT)?), &mut given);
        }
        let defaults = templates.spec.template_defaults.map(resolve::object).transpose()?;
        let pod_metadata = templates.spec.pod_metadata.map(resolve::object).transpose()?;
        Ok(Self { templates: named, defaults, pod_metadata, given })
    }

    /// The one template that a text of this beginning can be of.
    pub(super) fn template_of(&self, text: &str) -> Result<(Object, &str), WorkflowDifference> {
        let unnamed = |why: &str| {
            WorkflowDifference::unnamed(format!(
                "{why}, and the Workflow's table of nodes is kept elsewhere (nodeStatusOffLoad)"
            ))
        };
        let name = first_name(text).ok_or_else(|| unnamed("is not what the text begins with"))?;
        let mut found: Option<(Object, &str)> = None;
        for candidate in self.templates.iter().filter(|candidate| candidate.name == name) {
            let template =
                self.finished(candidate).map_err(|error| unnamed(&brief(&error.to_string(), 120)))?;
            match &found {
                Some((other, _)) if *other != template => {
                    return Err(unnamed("is that of several templates which are not the same"));
                }
                _ => found = Some((template, &candidate.name)),
            }
        }
        found.filter(|_| !pattern::is_open(&name)).ok_or_else(|| unnamed("is that of no template"))
    }

    /// Whether a caller gives this input artifact to the template of this name.
    pub(super) fn is_given(&self, template: &str, artifact: &str) -> bool {
        self.given.contains(&(template.to_owned(), artifact.to_owned()))
    }

    fn finished(&self, candidate: &Named) -> Result<Object, WorkflowError> {
        let mut template = resolve::object_of(&candidate.text, VALUES_LIMIT)?;
        if let (true, Some(metadata)) = (candidate.of_spec, &self.pod_metadata) {
            defaults::add_pod_metadata(metadata.clone(), &mut template);
        }
        match &self.defaults {
            Some(defaults) if !defaults.is_empty() => defaults::merge(defaults.clone(), template),
            _ => Ok(template),
        }
    }
}

/// The value of the name that the text begins with.
fn first_name(text: &str) -> Option<String> {
    let rest = text.strip_prefix(r#"{"name":"#)?;
    serde_json::Deserializer::from_str(rest).into_iter().next()?.ok()
}

fn name_of(template: &RawValue) -> serde_json::Result<String> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        name: String,
    }

    Ok(serde_json::from_str::<Named>(template.get())?.name)
}

/// Notes the artifacts that steps, tasks and hooks of a template give, wherever
/// they stand in it.
fn note_callers(value: &Value, given: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| note_callers(item, given)),
        Value::Object(members) => {
            let own = members.get("template").and_then(Value::as_str);
            let other = members.get("templateRef").and_then(|reference| reference.get("template")?.as_str());
            if let (Some(template), Some(arguments)) = (own.or(other), members.get("arguments")) {
                note_given(template, arguments, given);
            }
            members.values().for_each(|member| note_callers(member, given));
        }
        _ => {}
    }
}

fn note_given(template: &str, arguments: &Value, given: &mut BTreeSet<(String, String)>) {
    let artifacts = arguments.get("artifacts").and_then(Value::as_array);
    for artifact in artifacts.into_iter().flatten() {
        if let Some(name) = artifact.get("name").and_then(Value::as_str) {
            given.insert((template.to_owned(), name.to_owned()));
        }
    }
}
