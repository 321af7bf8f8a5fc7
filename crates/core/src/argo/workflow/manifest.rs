//! The manifest of a resource template with `setOwnerReference`: the controller reads
//! it as YAML, adds the Workflow to its owners, and writes it anew (`executeResource`
//! in workflow/controller/operator.go).

use serde_json::{Map, Value};

use super::pattern;
use super::value::VALUES_LIMIT;

/// Sets the stored manifest to the text's if that is the same with an owner added, or
/// if a tag stands in it: YAML that was written anew has its lines in other places.
/// Nothing is attested of a resource template.
pub(super) fn own(resource: &mut Map<String, Value>, text: &Value) {
    if resource.get("setOwnerReference").and_then(Value::as_bool) != Some(true) {
        return;
    }
    if let (Some(Value::String(stored)), Value::String(written)) = (resource.get("manifest"), text)
        && (pattern::is_open(stored) || is_owned(stored, written))
    {
        resource.insert("manifest".to_owned(), text.clone());
    }
}

/// Whether `written` is `stored` with one more owner, a Workflow.
fn is_owned(stored: &str, written: &str) -> bool {
    // What is written anew has no aliases, and theirs could stand for any number of values.
    let options = || {
        serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_anchors: 0, max_aliases: 0, max_nodes: VALUES_LIMIT },
        }
    };
    let read = |text: &str| serde_saphyr::from_str_with_options::<Value>(text, options()).ok();
    let (Some(stored), Some(mut written)) = (read(stored), read(written)) else { return false };
    let Some(metadata) = written.get_mut("metadata").and_then(Value::as_object_mut) else { return false };
    let Some(Value::Array(owners)) = metadata.get_mut("ownerReferences") else { return false };
    let Some(added) = owners.pop() else { return false };
    if owners.is_empty() {
        metadata.remove("ownerReferences");
    }
    if metadata.is_empty() && stored.get("metadata").is_none() {
        written.as_object_mut().map(|written| written.remove("metadata"));
    }
    added.get("kind").and_then(Value::as_str) == Some("Workflow") && stored == written
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const STORED: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {x: \"1\"}\n";
    const OWNED: &str = "apiVersion: v1\ndata:\n  x: \"1\"\nkind: ConfigMap\nmetadata:\n  name: a\n  ownerReferences:\n  - apiVersion: argoproj.io/v1alpha1\n    kind: Workflow\n    name: w\n    uid: u\n";

    fn owned(set: bool, stored: &str, text: &str) -> bool {
        let Value::Object(mut resource) = json!({"setOwnerReference": set, "manifest": stored}) else {
            panic!()
        };
        own(&mut resource, &json!(text));
        resource["manifest"] == text
    }

    #[test]
    fn an_owner_may_be_added_and_nothing_else() {
        assert!(owned(true, STORED, OWNED));
        assert!(!owned(false, STORED, OWNED));
        assert!(!owned(true, STORED, &OWNED.replace("x: \"1\"", "x: \"2\"")));
        assert!(!owned(true, STORED, &OWNED.replace("kind: Workflow", "kind: Pod")));
        assert!(!owned(true, STORED, "["));
        let aliased = OWNED.replace("metadata:", "a: &a [1]\nb: *a\nmetadata:");
        assert!(!owned(true, &aliased, &aliased.replace("uid: u", "uid: v")));
        assert!(owned(true, "name: {{workflow.name}}", "anything"));
    }
}
