//! The scripts within a file for a CI system: GitHub's `run`, GitLab's `script`.

use serde_json::Value;

/// Every script of a YAML text, in its order.
pub(crate) fn of(yaml: &str) -> Vec<String> {
    let mut found = Vec::new();
    for document in serde_saphyr::from_multiple::<Value>(yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}")) {
        look(&document, &mut found);
    }
    found
}

fn look(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("run", Value::String(script)) => found.push(script.clone()),
                    ("script", Value::Array(lines)) => {
                        found.extend(lines.iter().filter_map(|line| line.as_str().map(str::to_owned)));
                    }
                    _ => look(value, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| look(value, found)),
        _ => {}
    }
}
