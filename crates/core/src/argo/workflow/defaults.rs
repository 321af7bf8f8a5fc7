//! `spec.templateDefaults` and `spec.podMetadata`, merged into a template as Argo
//! does it (`mergedTemplateDefaultsInto` in workflow/controller/operator.go,
//! `addPodMetadata` in workflow/templateresolution/context.go).
//!
//! The first is Kubernetes' strategic merge patch
//! (k8s.io/apimachinery/pkg/util/strategicpatch): the defaults are what is patched,
//! the template is the patch. Objects are merged member by member, and some lists
//! item by item, by a key.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::error::WorkflowError;
use super::wire::TYPES;
use crate::text::brief;

type Object = Map<String, Value>;

/// The template with what the defaults add to it.
pub(super) fn merge(defaults: Object, template: Object) -> Result<Object, WorkflowError> {
    let own = TYPES.into_iter().find(|kind| template.get(*kind).is_some_and(|value| !value.is_null()));
    let before = template.clone();
    let mut merged = overlay(before, merge_objects(Level::Template, defaults, template)?);
    // Defaults for other types of template do not apply.
    merged.retain(|name, _| own == Some(name.as_str()) || !TYPES.contains(&name.as_str()));
    Ok(merged)
}

/// Argo decodes what was merged over the template as it was. Go keeps what stands
/// there already: where a default comes in front of an item of the template's, that
/// item's other members stay behind at its place.
fn overlay(mut before: Object, merged: Object) -> Object {
    for (name, new) in merged {
        let value = match (before.remove(&name), new) {
            (Some(old), new) => overlay_value(old, new),
            (None, new) => new,
        };
        before.insert(name, value);
    }
    before
}

fn overlay_value(old: Value, new: Value) -> Value {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => Value::Object(overlay(old, new)),
        (Value::Array(old), Value::Array(new)) => {
            let mut old = old.into_iter();
            let item = |new| match old.next() {
                Some(old) => overlay_value(old, new),
                None => new,
            };
            Value::Array(new.into_iter().map(item).collect())
        }
        (_, new) => new,
    }
}

/// Adds annotations and labels that the template does not have itself.
pub(super) fn add_pod_metadata(pod_metadata: Object, template: &mut Object) {
    let mut metadata = taken(template, "metadata");
    for (group, members) in pod_metadata {
        let Value::Object(members) = members else { continue };
        if members.is_empty() || !matches!(group.as_str(), "annotations" | "labels") {
            continue;
        }
        let mut own = taken(&mut metadata, &group);
        for (name, value) in members {
            own.entry(name).or_insert(value);
        }
        metadata.insert(group, Value::Object(own));
    }
    template.insert("metadata".to_owned(), Value::Object(metadata));
}

/// Takes the object that a member is out of its parent; an empty one if there is
/// none.
fn taken(parent: &mut Object, name: &str) -> Object {
    match parent.remove(name) {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    }
}

/// What of Argo's and Kubernetes' types decides how lists are merged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// `Template`.
    Template,
    /// `Inputs`, `Outputs`.
    Puts,
    /// `Container`, `UserContainer`, `ScriptTemplate`.
    Container,
    /// No list in it is merged.
    Plain,
}

impl Level {
    fn of_member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Template, "inputs" | "outputs") => Self::Puts,
            (Self::Template, "container" | "script" | "initContainers" | "sidecars") => Self::Container,
            _ => Self::Plain,
        }
    }

    /// `patchMergeKey` of a list whose `patchStrategy` is `merge`.
    fn merge_key(self, list: &str) -> Option<&'static str> {
        match (self, list) {
            (Self::Template, "volumes" | "initContainers" | "sidecars")
            | (Self::Puts, "parameters" | "artifacts")
            | (Self::Container, "env") => Some("name"),
            (Self::Template, "tolerations") => Some("key"),
            (Self::Template, "hostAliases") => Some("ip"),
            (Self::Container, "ports") => Some("containerPort"),
            (Self::Container, "volumeMounts") => Some("mountPath"),
            (Self::Container, "volumeDevices") => Some("devicePath"),
            _ => None,
        }
    }
}

/// `mergeMap`.
fn merge_objects(level: Level, mut original: Object, patch: Object) -> Result<Object, WorkflowError> {
    for (name, value) in patch {
        if value.is_null() {
            original.remove(&name);
            continue;
        }
        let merged = match (original.remove(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                Value::Object(merge_objects(level.of_member(&name), old, new)?)
            }
            (Some(Value::Array(old)), Value::Array(new)) => match level.merge_key(&name) {
                Some(key) => Value::Array(merge_lists(level.of_member(&name), &name, key, old, new)?),
                None => Value::Array(new),
            },
            (_, new) => new,
        };
        original.insert(name, merged);
    }
    Ok(original)
}

/// `mergeSlice`: items of equal key are merged; the patch's come in its order, and
/// what only the original has stays in front of those that followed it there.
fn merge_lists(
    level: Level,
    list: &str,
    key: &str,
    original: Vec<Value>,
    patch: Vec<Value>,
) -> Result<Vec<Value>, WorkflowError> {
    let items = |items: Vec<Value>| {
        items.into_iter().map(|item| keyed(item, key)).collect::<Option<Vec<_>>>().ok_or_else(|| {
            WorkflowError::Defaults { what: brief(&format!("an item of {list} has no {key}"), 120) }
        })
    };
    let (mut merged, patch) = (items(original)?, items(patch)?);
    let places = |items: &[(String, Object)]| {
        let mut places = HashMap::new();
        for (place, (key, _)) in items.iter().enumerate() {
            places.entry(key.clone()).or_insert(place);
        }
        places
    };
    let (original_places, patch_places) = (places(&merged), places(&patch));
    for (key, new) in patch {
        match original_places.get(&key).and_then(|place| merged.get_mut(*place)) {
            Some((_, old)) => *old = merge_objects(level, std::mem::take(old), new)?,
            None => merged.push((key, new)),
        }
    }
    let (mut ours, theirs): (Vec<_>, Vec<_>) =
        merged.into_iter().partition(|(key, _)| patch_places.contains_key(key));
    ours.sort_by_key(|(key, _)| patch_places.get(key));
    let mut theirs = theirs.into_iter().peekable();
    let mut all = Vec::new();
    for (key, item) in ours {
        let place = original_places.get(&key);
        while let Some((_, item)) = theirs.next_if(|(key, _)| original_places.get(key) < place) {
            all.push(Value::Object(item));
        }
        all.push(Value::Object(item));
    }
    all.extend(theirs.map(|(_, item)| Value::Object(item)));
    Ok(all)
}

/// An item with its key, as text; `None` if it has none.
fn keyed(item: Value, key: &str) -> Option<(String, Object)> {
    match item {
        Value::Object(item) => item.get(key).map(ToString::to_string).map(|key| (key, item)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(object) => object,
            other => panic!("{other}"),
        }
    }

    fn merged(defaults: Value, template: Value) -> Value {
        Value::Object(merge(object(defaults), object(template)).unwrap())
    }

    #[test]
    fn merges_objects_and_keyed_lists() {
        let defaults = json!({
            "container": {"name": "", "image": "default", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "args": ["x"]},
            "volumes": [{"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}],
            "nodeSelector": {"zone": "a", "disk": "ssd"},
            "timeout": "1m",
        });
        let template = json!({
            "name": "t",
            "container": {"name": "", "image": "own", "env": [{"name": "C", "value": "3"}, {"name": "B", "value": "4"}], "args": ["y", "z"]},
            "volumes": [{"name": "u", "emptyDir": {}}],
            "nodeSelector": {"zone": "b"},
        });
        let expected = json!({
            "name": "t",
            "container": {"name": "", "image": "own", "args": ["y", "z"], "env": [
                {"name": "C", "value": "3"}, {"name": "A", "value": "1"}, {"name": "B", "value": "4"},
            ]},
            "volumes": [{"name": "u", "emptyDir": {}}, {"name": "v", "emptyDir": {}}, {"name": "w", "emptyDir": {}}],
            "nodeSelector": {"zone": "b", "disk": "ssd"},
            "timeout": "1m",
        });
        assert_eq!(merged(defaults, template), expected);
    }

    #[test]
    fn what_go_leaves_behind_stays() {
        let defaults = json!({"volumes": [{"name": "key", "secret": {}}, {"name": "own", "emptyDir": {}}]});
        let template = json!({"volumes": [{"name": "own", "emptyDir": {"medium": "Memory"}}]});
        assert_eq!(
            merged(defaults, template),
            json!({"volumes": [
                {"name": "key", "secret": {}, "emptyDir": {"medium": "Memory"}},
                {"name": "own", "emptyDir": {"medium": "Memory"}},
            ]})
        );
    }

    #[test]
    fn leaves_out_defaults_for_other_types() {
        let defaults = json!({"container": {"image": "a"}, "steps": [[]], "script": {"image": "b"}});
        assert_eq!(
            merged(defaults, json!({"script": {"source": "x"}})),
            json!({"script": {"source": "x", "image": "b"}})
        );
    }

    #[test]
    fn lists_without_a_key_are_replaced() {
        let defaults = json!({"containerSet": {"volumeMounts": [{"mountPath": "/a"}]}, "imagePullSecrets": [{"name": "a"}]});
        let template = json!({"containerSet": {"volumeMounts": [{"mountPath": "/b"}]}, "imagePullSecrets": [{"name": "b"}]});
        assert_eq!(merged(defaults, template.clone()), template);
    }

    #[test]
    fn refuses_items_without_their_key() {
        let with = object(json!({"container": {"env": [{"name": "A"}]}}));
        let without = object(json!({"container": {"env": [{"value": "1"}]}}));
        let error = merge(with, without).unwrap_err();
        assert!(error.to_string().ends_with("an item of env has no name"), "{error}");
    }

    #[test]
    fn pod_metadata_gives_way() {
        let mut template = object(json!({"metadata": {"annotations": {"a": "own"}}}));
        add_pod_metadata(
            object(json!({"annotations": {"a": "x", "b": "y"}, "labels": {"l": "z"}})),
            &mut template,
        );
        assert_eq!(
            Value::Object(template),
            json!({"metadata": {"annotations": {"a": "own", "b": "y"}, "labels": {"l": "z"}}})
        );
    }
}
