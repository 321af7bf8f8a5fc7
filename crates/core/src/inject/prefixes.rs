//! Prefixes that a workflow takes as a directory, and whose attestations would be taken with it.
//!
//! What an attested output is stored as is one object or several; its attestation lies beside
//! them unless something else is asked for. Whoever takes a prefix of it as an input, or lists
//! it in a `data` template, gets the attestation, too. Only keys that stand in the same file
//! are seen, and compared as they are written, expressions and all.

use std::collections::BTreeMap;

use super::settings::Settings;
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

/// Prefixes of one workflow that are told.
const MOST: usize = 50;

/// Those of one workflow, each with the first template that takes it.
pub(super) fn shared(spec: &Spec<'_>, settings: &Settings) -> Vec<SharedPrefix> {
    let templates = spec.templates();
    let mut taken = BTreeMap::new();
    for template in &templates {
        for key in keys_taken(template.value) {
            taken.entry(key.strip_suffix('/').unwrap_or(key)).or_insert(template.name.as_str());
        }
    }
    if taken.is_empty() {
        return Vec::new();
    }
    let fanned_out = fanned_out(&templates);
    let mut found = Vec::new();
    for template in &templates {
        let defaults = spec.value.get("templateDefaults");
        let step = Step { template: template.value, defaults, spec: spec.value };
        let attested = step.kind().is_some()
            && template.is_among(&settings.templates)
            && (settings.all || step.asks().is_ok_and(|asks| asks));
        let apart = match step.placement() {
            Some(placement) => placement == Placement::Apart,
            // Then they lie apart by themselves.
            None => fanned_out.get(template.name.as_str()).is_some_and(|only| *only),
        };
        if !attested || apart {
            continue;
        }
        for output in template.value.find(&["outputs"]).map_or(&[][..], |outputs| outputs.items("artifacts"))
        {
            let Some(key) = output.text_at(&["s3", "key"]) else { continue };
            // What is taken by the whole key is the object, and nothing beside it.
            let above = key.match_indices('/').filter_map(|(at, _)| key.get(..at)).chain([""]);
            let Some((prefix, by)) = above.into_iter().find_map(|above| taken.get_key_value(above)) else {
                continue;
            };
            found.push(SharedPrefix {
                taken_by: (*by).to_owned(),
                prefix: (*prefix).to_owned(),
                written_by: template.name.clone(),
                output: output.text_at(&["name"]).unwrap_or_default().to_owned(),
            });
            if found.len() == MOST {
                return found;
            }
        }
    }
    found
}

/// The templates that are called, and whether each call makes a node an item.
fn fanned_out<'v>(templates: &[Template<'v>]) -> BTreeMap<&'v str, bool> {
    let mut only = BTreeMap::new();
    for call in templates.iter().flat_map(|template| calls(template.value)) {
        let Some(name) = call.text_at(&["template"]) else { continue };
        let fans = ["withItems", "withParam", "withSequence"].iter().any(|fan| call.get(fan).is_some());
        *only.entry(name).or_insert(true) &= fans;
    }
    only
}

/// The keys that a template takes something from.
fn keys_taken(template: &Value) -> Vec<&str> {
    let mut keys = Vec::new();
    let called = calls(template).into_iter().filter_map(|call| call.get("arguments"));
    for of in template.get("inputs").into_iter().chain(called) {
        keys.extend(of.items("artifacts").iter().filter_map(|artifact| artifact.text_at(&["s3", "key"])));
    }
    keys.extend(template.text_at(&["data", "source", "artifactPaths", "s3", "key"]));
    keys
}

/// The steps or tasks of a template.
fn calls(template: &Value) -> Vec<&Value> {
    let tasks = template.get("dag").map_or(&[][..], |dag| dag.items("tasks")).iter();
    let steps = template.items("steps").iter().flat_map(|group| match group {
        Value::List(steps) => steps.as_slice(),
        one => std::slice::from_ref(one),
    });
    tasks.chain(steps).collect()
}
