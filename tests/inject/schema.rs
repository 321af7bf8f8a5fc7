//! Results held against Argo's own JSON schema, where it is at hand: `ARGO_SCHEMA`, or the
//! copy beside a developer's checkout.
//!
//! The schema uses few words of JSON Schema; one that is not known here fails the test. What
//! we add is held to more than the schema says: no field that it does not name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use argo_attest_core::inject::{Mode, Settings};
use serde_json::Value;

use super::oracle::{read, spec, templates};
use super::{injected, settings};
use crate::skip::skip;

static SCHEMA: LazyLock<Option<Value>> = LazyLock::new(|| {
    let beside =
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/argo-workflows-v4.1.2.schema.json");
    let path = std::env::var_os("ARGO_SCHEMA").map_or_else(beside, PathBuf::from);
    let Ok(bytes) = std::fs::read(&path) else {
        skip("ARGO_SCHEMA, Argo's api/jsonschema/schema.json");
        return None;
    };
    Some(serde_json::from_slice(&bytes).unwrap())
});

const PREFIX: &str = "#/definitions/";

struct Schema<'s> {
    definitions: &'s Value,
    /// Whether fields must be named.
    closed: bool,
    errors: Vec<String>,
}

impl Schema<'_> {
    fn check(&mut self, schema: &Value, value: &Value, at: &str) {
        for (word, says) in schema.as_object().unwrap() {
            match word.as_str() {
                "$ref" => {
                    let name = says.as_str().unwrap().strip_prefix(PREFIX).unwrap();
                    self.check(&self.definitions[name].clone(), value, at);
                }
                "type" => {
                    let fits = match says.as_str().unwrap() {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "boolean" => value.is_boolean(),
                        "integer" => value.is_i64() || value.is_u64(),
                        "number" => value.is_number(),
                        other => panic!("a type {other}"),
                    };
                    if !fits {
                        self.errors.push(format!("{at}: {value} is no {says}"));
                    }
                }
                "properties" => {
                    for (key, value) in value.as_object().into_iter().flatten() {
                        match says.get(key) {
                            Some(schema) => self.check(schema, value, &format!("{at}.{key}")),
                            None if self.closed => self.errors.push(format!("{at}: no field {key}")),
                            None => {}
                        }
                    }
                }
                "required" => {
                    for key in says.as_array().unwrap().iter().filter_map(Value::as_str) {
                        if value.is_object() && value.get(key).is_none() {
                            self.errors.push(format!("{at}: lacks {key}"));
                        }
                    }
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(says, item, &format!("{at}[{index}]"));
                    }
                }
                "additionalProperties" => {
                    for (key, value) in value.as_object().into_iter().flatten() {
                        self.check(says, value, &format!("{at}.{key}"));
                    }
                }
                "const" if says != value => self.errors.push(format!("{at}: {value} is not {says}")),
                "enum" if !says.as_array().unwrap().contains(value) => {
                    self.errors.push(format!("{at}: {value} is none of {says}"));
                }
                "const" | "enum" | "description" | "title" | "format" | "default" => {}
                word if word.starts_with("x-kubernetes-") => {}
                word => panic!("a schema with the word {word}"),
            }
        }
    }
}

fn errors(of: &str, value: &Value, closed: bool) -> Option<Vec<String>> {
    let definitions = &SCHEMA.as_ref()?["definitions"];
    let mut schema = Schema { definitions, closed, errors: Vec::new() };
    let name = format!("{PREFIX}{of}");
    schema.check(&serde_json::json!({ "$ref": name }), value, "");
    Some(schema.errors)
}

/// A changed workflow breaks no rule that the unchanged one did not break, and what is ours
/// breaks none at all.
pub(crate) fn check(before: &Value, after: &Value) {
    let kind = format!("io.argoproj.workflow.v1alpha1.{}", after["kind"].as_str().unwrap());
    let Some(found) = errors(&kind, after, false) else { return };
    let known = errors(&kind, before, false).unwrap();
    assert!(found.len() <= known.len(), "{found:#?}\nbefore: {known:#?}");
    let mut places = templates(after);
    places.extend([spec(after), &spec(after)["templateDefaults"]]);
    for place in places {
        let lists: BTreeMap<_, _> = [
            ("initContainers", "io.argoproj.workflow.v1alpha1.UserContainer"),
            ("sidecars", "io.argoproj.workflow.v1alpha1.UserContainer"),
            ("volumes", "io.k8s.api.core.v1.Volume"),
        ]
        .into();
        for (list, of) in lists {
            for item in place[list].as_array().into_iter().flatten() {
                if item["name"].as_str().is_some_and(|name| name.starts_with("argo-attest")) {
                    assert_eq!(errors(of, item, true).unwrap(), Vec::<String>::new());
                }
            }
        }
    }
}

#[test]
fn every_kind_and_mode_is_as_argo_has_it() {
    for kind in ["Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate"] {
        let before = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: {kind}\nmetadata: {{name: w}}\nspec:\n  templates:\n  - name: t\n    \
             metadata: {{annotations: {{argo-attest.io/attest: \"true\"}}}}\n    inputs: {{artifacts: [{{name: a, path: /a}}]}}\n    \
             container: {{image: alpine}}\n"
        );
        for (mode, all) in
            [(Mode::Native, false), (Mode::Native, true), (Mode::Sidecar, false), (Mode::Sidecar, true)]
        {
            let done =
                injected(&before, &Settings { mode, all, grace_period: Some(60), ..settings() }).unwrap();
            check(&read(&before)[0], &read(&done.text)[0]);
        }
    }
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let volume = serde_json::json!({"name": 1, "emptydir": {}});
    if let Some(found) = errors("io.k8s.api.core.v1.Volume", &volume, true) {
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
