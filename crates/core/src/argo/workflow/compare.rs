//! Two templates side by side, as JSON: the stored one and the text.
//!
//! Both were written by the same encoder, Go's, from the same types: the controller
//! stores the whole Workflow each time it stores its status, whatever the user's YAML
//! looked like. So they have the same members, lists of the same length and the same
//! kinds of values, and only strings may differ, where a tag stands.

use serde_json::{Map, Value};

use super::error::{Path, WorkflowDifference};
use super::pattern;

/// Whether `text` is what `stored` says.
pub(super) fn compare(stored: &Value, text: &Value) -> Result<(), WorkflowDifference> {
    values(stored, text, Path::Root)
}

fn values(stored: &Value, text: &Value, path: Path<'_>) -> Result<(), WorkflowDifference> {
    let same = match (stored, text) {
        (Value::Object(stored), Value::Object(text)) => return objects(stored, text, path),
        (Value::Array(stored), Value::Array(text)) => return lists(stored, text, path),
        (Value::String(stored), Value::String(text)) => pattern::fits(stored, text),
        (Value::Number(_) | Value::Bool(_), Value::String(text)) => {
            is_any_string(path) && is_text_of(stored, text)
        }
        _ => stored == text,
    };
    if same { Ok(()) } else { Err(WorkflowDifference::value(&path, stored, text)) }
}

fn lists(stored: &[Value], text: &[Value], path: Path<'_>) -> Result<(), WorkflowDifference> {
    if stored.len() != text.len() {
        return Err(WorkflowDifference::count(&path, stored.len(), text.len()));
    }
    for (index, (stored, text)) in stored.iter().zip(text).enumerate() {
        values(stored, text, Path::Item(&path, index))?;
    }
    Ok(())
}

fn objects(
    stored: &Map<String, Value>,
    text: &Map<String, Value>,
    path: Path<'_>,
) -> Result<(), WorkflowDifference> {
    for (name, value) in text {
        let path = Path::Member(&path, name);
        match stored.get(name) {
            Some(stored) if !stored.is_null() => values(stored, value, path)?,
            _ if says_nothing(name, value) || is_timeout_of_plugin(value, path) => {}
            _ => return Err(WorkflowDifference::added(&path)),
        }
    }
    for (name, value) in stored {
        // Go leaves out what has become empty.
        let is_empty = || value.as_str().is_some_and(|stored| pattern::fits(stored, ""));
        if !text.contains_key(name) && !says_nothing(name, value) && !is_empty() {
            return Err(WorkflowDifference::missing(&Path::Member(&path, name)));
        }
    }
    Ok(())
}

/// Whether a member means the same as no such member. Go leaves most empty values
/// out, but writes some; and YAML that no controller has stored again may have either.
/// Where Argo or Kubernetes has a pointer, an empty value does mean something
/// (`archive: {}`, `runAsUser: 0`), and is not in these lists.
fn says_nothing(name: &str, value: &Value) -> bool {
    /// Objects that Go always writes, and maps.
    const OBJECTS: [&str; 16] = [
        "inputs",
        "outputs",
        "metadata",
        "resources",
        "arguments",
        "annotations",
        "labels",
        "nodeSelector",
        "limits",
        "requests",
        "matchLabels",
        "status",
        "spec",
        "basicAuth",
        "clientCert",
        "oauth2",
    ];
    /// Numbers that are not pointers.
    const NUMBERS: [&str; 13] = [
        "connectionTimeoutSeconds",
        "containerPort",
        "failureThreshold",
        "hostPort",
        "initialDelaySeconds",
        "markDeletionAfterDays",
        "markInfrequentAccessAfterDays",
        "partition",
        "periodSeconds",
        "successThreshold",
        "timeoutSeconds",
        "weight",
        "port",
    ];
    /// Truth values that are not pointers, anywhere.
    const BOOLS: [&str; 14] = [
        "deleted",
        "disableSubmodules",
        "enableEncryption",
        "force",
        "insecureIgnoreHostKey",
        "insecureSkipTLS",
        "objectLocking",
        "recurseMode",
        "setOwnerReference",
        "singleBranch",
        "stdin",
        "stdinOnce",
        "tty",
        "useSDKCreds",
    ];
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || (name == "divisor" && text == "0"),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => {
            OBJECTS.contains(&name) && members.iter().all(|(name, value)| says_nothing(name, value))
        }
        Value::Bool(value) => !value && (BOOLS.contains(&name) || matches!(name, "optional" | "readOnly")),
        Value::Number(number) => number.as_u64() == Some(0) && NUMBERS.contains(&name),
    }
}

/// Argo's `AnyString`, which takes numbers and truth values for their text.
fn is_any_string(path: Path<'_>) -> bool {
    match path.name() {
        "value" | "default" | "description" => matches!(path.parent(), "parameters" | "valueFrom"),
        "enum" => path.parent() == "parameters",
        _ => false,
    }
}

fn is_text_of(scalar: &Value, text: &str) -> bool {
    let written = scalar.to_string();
    written == text
}

/// `populateAllPluginArtifactTimeouts` in workflow/controller/workflowpod.go: where
/// an artifact's plugin has no timeout, the controller's configuration gives one.
fn is_timeout_of_plugin(value: &Value, path: Path<'_>) -> bool {
    value.is_number() && path.name() == "connectionTimeoutSeconds" && path.parent() == "plugin"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_has_become_empty_is_left_out() {
        let stored = |value| json!({"env": [{"name": "A", "value": value}]});
        let text = json!({"env": [{"name": "A"}]});
        for value in ["{{inputs.parameters.a}}", "{{a}}{{b}}", ""] {
            compare(&stored(value), &text).unwrap();
        }
        for value in ["x{{a}}", "{{a}}x", " "] {
            compare(&stored(value), &text).unwrap_err();
        }
        compare(&json!({"env": [{"name": "A", "value": 1}]}), &text).unwrap_err();
    }

    #[test]
    fn only_strings_with_tags_are_free() {
        let stored =
            json!({"name": "t", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/{{v}}"}}]}, "n": 1});
        for text in [
            json!({"name": "t", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/1"}}]}, "n": 1}),
            json!({"name": "t", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/\",\""}}]}, "n": 1, "inputs": {}}),
        ] {
            compare(&stored, &text).unwrap();
        }
        for (text, where_) in [
            (
                json!({"name": "u", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/1"}}]}, "n": 1}),
                "name is `u`",
            ),
            (
                json!({"outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/1"}}]}, "n": 1}),
                "name is in the stored",
            ),
            (
                json!({"name": "t", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "l/1"}}]}, "n": 1}),
                "outputs.artifacts[0].s3.key is `l/1`",
            ),
            (
                json!({"name": "t", "outputs": {"artifacts": []}, "n": 1}),
                "outputs.artifacts has 0 items, stored are 1",
            ),
            (
                json!({"name": "t", "outputs": {"artifacts": [{"name": "a", "s3": {"key": ["k/"]}}]}, "n": 1}),
                "key is a list",
            ),
            (
                json!({"name": "t", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/1"}}]}, "n": 2}),
                "n has another value",
            ),
            (
                json!({"name": "t", "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/1"}, "archive": {}}]}, "n": 1}),
                "outputs.artifacts[0].archive is not in",
            ),
            (json!([]), "is a list"),
        ] {
            let error = compare(&stored, &text).unwrap_err().to_string();
            assert!(error.contains(where_), "{error}: {where_}");
        }
    }

    #[test]
    fn what_says_nothing_may_be_left_out() {
        let full = json!({
            "inputs": {"parameters": []}, "metadata": {}, "container": {"name": "", "resources": {"limits": {}}, "args": [], "tty": false},
            "volumes": null,
        });
        let bare = json!({"container": {}});
        compare(&full, &bare).unwrap();
        compare(&bare, &full).unwrap();
        for (name, value) in [
            ("archive", json!({})),
            ("runAsUser", json!(0)),
            ("insecure", json!(false)),
            ("mode", json!(0)),
            ("x", json!(true)),
        ] {
            let with = json!({ name: value });
            compare(&json!({}), &with).unwrap_err();
            compare(&with, &json!({})).unwrap_err();
        }
    }

    #[test]
    fn parameters_take_any_scalar_for_text() {
        let stored =
            json!({"outputs": {"parameters": [{"name": "p", "value": 1, "valueFrom": {"default": true}}]}});
        compare(&stored, &json!({"outputs": {"parameters": [{"name": "p", "value": "1", "valueFrom": {"default": "true"}}]}})).unwrap();
        compare(&json!({"name": 1}), &json!({"name": "1"})).unwrap_err();
    }

    #[test]
    fn a_plugin_may_be_given_a_timeout() {
        let stored = json!({"outputs": {"artifacts": [{"plugin": {"name": "p"}}]}});
        compare(
            &stored,
            &json!({"outputs": {"artifacts": [{"plugin": {"name": "p", "connectionTimeoutSeconds": 5}}]}}),
        )
        .unwrap();
        compare(
            &stored,
            &json!({"outputs": {"artifacts": [{"plugin": {"name": "p", "connectionTimeoutSeconds": "5"}}]}}),
        )
        .unwrap_err();
    }
}
