//! The locations of artifacts: which are complete by themselves, and the one that
//! the controller fills in from the artifact repository.

use serde_json::{Map, Value};

use super::super::path;

/// `DefaultArchivePattern` in Argo's `artifact_repository_types.go`.
const DEFAULT_KEY: &str = "{{workflow.name}}/{{pod.name}}";

/// Members of a location that name a store, in the order in which Argo looks
/// (`ArtifactLocation.Get`), each with the members that it needs to be a place
/// (`HasLocation` of each type).
const STORES: [(&str, &[&str]); 10] = [
    ("artifactory", &["url", "usernameSecret"]),
    ("azure", &["endpoint", "container", "blob"]),
    ("git", &["repo"]),
    ("gcs", &["bucket", "key"]),
    ("hdfs", &["addresses"]),
    ("http", &["url"]),
    ("oss", &["bucket", "endpoint", "key"]),
    ("raw", &[]),
    ("s3", &["endpoint", "bucket", "key"]),
    ("plugin", &["name", "configuration", "key"]),
];

/// `HasLocation` of Argo's `ArtifactLocation`.
pub(super) fn is_complete(location: &Value) -> bool {
    let store = STORES.iter().find_map(|(store, needs)| {
        let store = location.get(store).filter(|store| !store.is_null())?;
        Some(needs.iter().all(|need| store.get(need).is_some_and(says_something)))
    });
    store.unwrap_or(false)
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

/// The `archiveLocation` that Argo makes of the template's own
/// (`addArchiveLocation` in workflow/controller/workflowpod.go), for a text with
/// these artifacts. `None`: it has none.
pub(super) fn archive_location(
    own: Option<&Value>,
    repository: Option<&Value>,
    spec_archives_logs: Option<bool>,
    artifacts: &[&Value],
) -> Option<Value> {
    if own.is_some_and(is_complete) {
        return own.cloned();
    }
    let logs_of =
        |value: Option<&Value>| value.and_then(|value| value.get("archiveLogs")).and_then(Value::as_bool);
    let archives_logs =
        logs_of(repository) == Some(true) || logs_of(own).or(spec_archives_logs).unwrap_or_default();
    if !archives_logs && artifacts.iter().all(|artifact| is_complete(artifact)) {
        return own.cloned();
    }
    let mut location = repository.map(of_repository).unwrap_or_default();
    location.insert("archiveLogs".to_owned(), Value::Bool(archives_logs));
    Some(Value::Object(location))
}

/// `ToArtifactLocation` of Argo's `ArtifactRepository`: what is configured for the
/// kind of store, and its key's format as the key.
fn of_repository(repository: &Value) -> Map<String, Value> {
    let mut location = Map::new();
    let kinds = ["artifactory", "azure", "gcs", "hdfs", "oss", "plugin", "s3"];
    let configured = kinds.into_iter().find_map(|kind| match repository.get(kind) {
        Some(Value::Object(store)) => Some((kind, store.clone())),
        _ => None,
    });
    let Some((kind, mut store)) = configured else { return location };
    let mut take = |member: &str| match store.remove(member) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let (member, value) = match kind {
        "artifactory" => {
            let mut url = take("repoURL").unwrap_or_default();
            if !url.ends_with('/') {
                url.push('/');
            }
            ("url", url + take("keyFormat").as_deref().unwrap_or(DEFAULT_KEY))
        }
        "azure" => ("blob", take("blobNameFormat").unwrap_or_else(|| DEFAULT_KEY.to_owned())),
        "hdfs" => ("path", take("pathFormat").unwrap_or_else(|| DEFAULT_KEY.to_owned())),
        "s3" => {
            let prefix = take("keyPrefix").unwrap_or_default();
            ("key", take("keyFormat").unwrap_or_else(|| path::join(&prefix, DEFAULT_KEY)))
        }
        _ => ("key", take("keyFormat").unwrap_or_else(|| DEFAULT_KEY.to_owned())),
    };
    store.insert(member.to_owned(), Value::String(value));
    location.insert(kind.to_owned(), Value::Object(store));
    location
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn knows_complete_locations() {
        for complete in [
            json!({"s3": {"endpoint": "e", "bucket": "b", "key": "k"}}),
            json!({"raw": {"data": ""}}),
            json!({"git": {"repo": "r"}}),
            json!({"hdfs": {"addresses": ["a"]}}),
            json!({"gcs": {"bucket": "b", "key": "k"}, "s3": {"key": "k"}}),
        ] {
            assert!(is_complete(&complete), "{complete}");
        }
        for partial in [
            json!({}),
            json!({"s3": {"key": "k"}}),
            json!({"s3": {"endpoint": "", "bucket": "b", "key": "k"}}),
            json!({"http": {"url": ""}}),
            json!({"hdfs": {"addresses": []}}),
            json!({"oss": {"key": "k"}, "s3": {"endpoint": "e", "bucket": "b", "key": "k"}}),
            json!({"s3": null}),
        ] {
            assert!(!is_complete(&partial), "{partial}");
        }
    }

    #[test]
    fn a_repository_becomes_a_location() {
        for (repository, location) in [
            (json!({}), json!({})),
            (
                json!({"archiveLogs": true, "s3": {"bucket": "b", "keyFormat": "f", "keyPrefix": "p"}}),
                json!({"s3": {"bucket": "b", "key": "f"}}),
            ),
            (json!({"s3": {"bucket": "b"}}), json!({"s3": {"bucket": "b", "key": DEFAULT_KEY}})),
            (json!({"s3": {"keyPrefix": "p/"}}), json!({"s3": {"key": "p/{{workflow.name}}/{{pod.name}}"}})),
            (json!({"gcs": {"bucket": "b", "keyFormat": "f"}}), json!({"gcs": {"bucket": "b", "key": "f"}})),
            (
                json!({"artifactory": {"repoURL": "https://a", "keyFormat": "f", "usernameSecret": {"key": "u"}}}),
                json!({"artifactory": {"url": "https://a/f", "usernameSecret": {"key": "u"}}}),
            ),
            (
                json!({"azure": {"container": "c", "blobNameFormat": "f"}}),
                json!({"azure": {"container": "c", "blob": "f"}}),
            ),
            (
                json!({"hdfs": {"addresses": ["a"], "force": true}}),
                json!({"hdfs": {"addresses": ["a"], "force": true, "path": DEFAULT_KEY}}),
            ),
            (
                json!({"plugin": {"name": "n", "configuration": "c", "keyFormat": "f"}}),
                json!({"plugin": {"name": "n", "configuration": "c", "key": "f"}}),
            ),
        ] {
            assert_eq!(Value::Object(of_repository(&repository)), location);
        }
    }

    #[test]
    fn is_filled_in_only_where_it_is_needed() {
        let repository = json!({"s3": {"bucket": "b", "keyFormat": "f"}});
        let filled = |logs: bool| Some(json!({"archiveLogs": logs, "s3": {"bucket": "b", "key": "f"}}));
        let complete = json!({"raw": {"data": "x"}});
        let partial = json!({"s3": {"key": "k"}});
        let location = |own: Option<&Value>, logs, artifacts: &[&Value]| {
            archive_location(own, Some(&repository), logs, artifacts)
        };
        assert_eq!(location(None, None, &[]), None);
        assert_eq!(location(None, None, &[&complete]), None);
        assert_eq!(location(None, None, &[&complete, &partial]), filled(false));
        assert_eq!(location(None, Some(true), &[]), filled(true));
        assert_eq!(
            location(Some(&json!({"archiveLogs": false})), Some(true), &[]),
            Some(json!({"archiveLogs": false}))
        );
        assert_eq!(location(Some(&json!({"archiveLogs": true})), None, &[]), filled(true));
        assert_eq!(location(Some(&complete), Some(true), &[&partial]), Some(complete));
        let logs = json!({"archiveLogs": true, "s3": {"bucket": "b", "keyFormat": "f"}});
        assert_eq!(archive_location(None, Some(&logs), Some(false), &[]), filled(true));
    }
}
