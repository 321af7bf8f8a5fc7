//! What must hold of every result, judged by other means than those of the code: another
//! reader of YAML (serde's), and plain comparison of lines.

use serde_json::{Map, Value};

/// All documents, as JSON.
pub(crate) fn read(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple::<Value>(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The lines of `after` that are not in `before`. Panics if a line of `before` is lost.
pub(crate) fn added_lines<'t>(before: &str, after: &'t str) -> Vec<&'t str> {
    let mut old = before.lines().peekable();
    let mut added = Vec::new();
    for line in after.lines() {
        if old.peek() == Some(&line) {
            old.next();
        } else {
            added.push(line);
        }
    }
    assert_eq!(old.next(), None, "a line is lost or changed:\n{after}");
    added
}

/// Whole lines were added, and pieces between brackets of lines that have some.
pub(crate) fn only_added(before: &str, after: &str) {
    let mut old = before.lines().peekable();
    for line in after.lines() {
        let grown = |old: &str| {
            let mut new = line.chars();
            old == line || (old.contains(['[', '{']) && old.chars().all(|c| new.any(|n| n == c)))
        };
        let _ = old.next_if(|old| grown(old));
    }
    assert_eq!(old.next(), None, "a line is lost or changed:\n{after}");
    let ends = |text: &str, end| text.matches(end).count();
    if ends(before, '\r') > 0 && ends(before, '\r') == ends(before, '\n') {
        assert_eq!(ends(after, '\r'), ends(after, '\n'), "a line has another end than all others");
    }
}

/// Without what is ours, `after` means what `before` means.
pub(crate) fn means_the_same(before: &str, after: &str) {
    let (before, after) = (read(before), read(after));
    let stripped: Vec<_> = after.iter().map(strip).collect();
    let before: Vec<_> = before.iter().map(strip).collect();
    assert_eq!(stripped, before);
}

const OURS: &str = "argo-attest";

fn is_ours(item: &Value) -> bool {
    item["name"].as_str().is_some_and(|name| name.starts_with(OURS))
}

/// Without our containers, volumes and grace period; lists and mappings that are then empty
/// are as good as absent.
pub(crate) fn strip(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(strip).collect()),
        Value::Object(entries) => {
            let mut kept = Map::new();
            for (key, value) in entries {
                let value = match (key.as_str(), value) {
                    ("initContainers" | "sidecars" | "volumes", Value::Array(items)) => {
                        let others = items.iter().filter(|item| !is_ours(item)).map(strip).collect();
                        Value::Array(others)
                    }
                    // Whose these are is only known from the containers: they are judged by what is
                    // left once ours are taken out.
                    ("imagePullSecrets", _) => continue,
                    ("podSpecPatch", Value::String(text)) if text.starts_with("{\"terminationGrace") => {
                        continue;
                    }
                    _ => strip(value),
                };
                let listed = matches!(
                    key.as_str(),
                    "initContainers" | "sidecars" | "volumes" | "templateDefaults" | "imagePullSecrets"
                );
                let empty = value.is_null()
                    || value.as_array().is_some_and(Vec::is_empty)
                    || value.as_object().is_some_and(Map::is_empty);
                if !(listed && empty) {
                    kept.insert(key.clone(), value);
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

/// The specification of a workflow of any kind.
pub(crate) fn spec(document: &Value) -> &Value {
    match &document["spec"]["workflowSpec"] {
        Value::Null => &document["spec"],
        spec => spec,
    }
}

/// All templates of a workflow, inline ones too.
pub(crate) fn templates(document: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    for template in spec(document)["templates"].as_array().into_iter().flatten() {
        collect(template, &mut found);
    }
    found
}

fn collect<'v>(template: &'v Value, found: &mut Vec<&'v Value>) {
    found.push(template);
    let steps =
        template["steps"].as_array().into_iter().flatten().flat_map(|group| group.as_array().unwrap());
    for call in steps.chain(template["dag"]["tasks"].as_array().into_iter().flatten()) {
        if call["inline"].is_object() {
            collect(&call["inline"], found);
        }
    }
}

/// The names in a list.
pub(crate) fn names<'v>(value: &'v Value, list: &str) -> Vec<&'v str> {
    let items = value[list].as_array().into_iter().flatten();
    items.map(|item| item["name"].as_str().unwrap_or_default()).collect()
}
