//! Prefixes that a workflow takes as a directory, and whose attestations would be taken with it.
//!
//! What an attested output is stored as is one object or several; its attestation lies beside
//! them unless something else is asked for. Whoever takes a prefix of it as an input, or lists
//! it in a `data` template, gets the attestation, too. Only keys that stand in the same file
//! are seen, and compared as they are written, expressions and all.

use super::step::Step;
use super::workflow::{Spec, Template};
use super::yaml::Value;
use crate::argo::Placement;

/// A prefix that is taken, with attestations in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPrefix {
    /// The template that takes it, as far as it has a name.
    pub taken_by: String,
    /// The prefix, as it is written.
    pub prefix: String,
    /// The template that writes there.
    pub written_by: String,
    /// Its output.
    pub output: String,
}

/// Those of one workflow. `all`: whether every template is attested.
pub(super) fn shared(spec: &Spec<'_>, all: bool) -> Vec<SharedPrefix> {
    let templates = spec.templates();
    let taken: Vec<_> = templates.iter().flat_map(taken).collect();
    let mut found = Vec::new();
    for template in &templates {
        let defaults = spec.value.get("templateDefaults");
        let step = Step { template: template.value, defaults, spec: spec.value };
        let attested = step.kind().is_some() && (all || step.asks().is_ok_and(|asks| asks));
        let apart = match step.placement() {
            Some(placement) => placement == Placement::Apart,
            // Then they lie apart by themselves.
            None => is_only_fanned_out(&template.name, &templates),
        };
        if !attested || apart {
            continue;
        }
        for output in template.value.find(&["outputs"]).map_or(&[][..], |outputs| outputs.items("artifacts"))
        {
            let Some(key) = output.text_at(&["s3", "key"]) else { continue };
            let within = taken.iter().filter(|(_, prefix)| is_beneath(key, prefix));
            found.extend(within.map(|(by, prefix)| SharedPrefix {
                taken_by: by.clone(),
                prefix: (*prefix).to_owned(),
                written_by: template.name.clone(),
                output: output.text_at(&["name"]).unwrap_or_default().to_owned(),
            }));
        }
    }
    found.dedup();
    found
}

/// The keys that a template takes something from, each with the template's name.
fn taken<'v>(template: &Template<'v>) -> Vec<(String, &'v str)> {
    let mut keys = Vec::new();
    let mut inputs = |of: Option<&'v Value>| {
        let artifacts = of.map_or(&[][..], |of| of.items("artifacts"));
        keys.extend(artifacts.iter().filter_map(|artifact| artifact.text_at(&["s3", "key"])));
    };
    inputs(template.value.get("inputs"));
    for call in calls(template.value) {
        inputs(call.get("arguments"));
    }
    keys.extend(template.value.text_at(&["data", "source", "artifactPaths", "s3", "key"]));
    keys.into_iter().map(|key| (template.name.clone(), key)).collect()
}

/// The steps or tasks of a template, at whatever depth of its lists.
fn calls(template: &Value) -> Vec<&Value> {
    let tasks = template.get("dag").map_or(&[][..], |dag| dag.items("tasks")).iter();
    let steps = template.items("steps").iter().flat_map(|group| match group {
        Value::List(steps) => steps.as_slice(),
        one => std::slice::from_ref(one),
    });
    tasks.chain(steps).collect()
}

fn is_only_fanned_out(name: &str, templates: &[Template<'_>]) -> bool {
    let calls = templates.iter().flat_map(|template| calls(template.value));
    let mut calls = calls.filter(|call| call.text_at(&["template"]) == Some(name)).peekable();
    let fans = ["withItems", "withParam", "withSequence"];
    calls.peek().is_some() && calls.all(|call| fans.iter().any(|fan| call.get(fan).is_some()))
}

/// Whether an object lies in a directory of objects. What is only taken by its own key is none.
fn is_beneath(key: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    prefix.is_empty() || key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
}
