//! The predicate's fields, as the specification names them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::intoto::ResourceDescriptor;
use crate::json::{self, Object};

/// `predicateType` of SLSA provenance v1 (the same for SLSA 1.0, 1.1 and 1.2).
pub const PROVENANCE_V1: &str = "https://slsa.dev/provenance/v1";

/// How an artifact was made.
///
/// As a reader unknown fields are passed over: the specification lets producers
/// add some, and what decides (builder, parameters) is checked by the policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What was asked for.
    #[serde(deserialize_with = "json::object")]
    pub build_definition: BuildDefinition,
    /// What happened.
    #[serde(deserialize_with = "json::object")]
    pub run_details: RunDetails,
}

/// The inputs of the build.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// URI of the page that says what the parameters mean.
    pub build_type: String,
    /// What a tenant could choose.
    pub external_parameters: Map<String, Value>,
    /// What the platform chose or saw.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "Map::is_empty")]
    pub internal_parameters: Map<String, Value>,
    /// What went in.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "json::objects_or_unset")]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// Who built, when, and what else came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunDetails {
    /// Who built.
    #[serde(deserialize_with = "json::object")]
    pub builder: Builder,
    /// When, and under which id.
    #[serde(default, deserialize_with = "json::object_or_unset")]
    pub metadata: BuildMetadata,
    /// What came out beside the subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "json::objects_or_unset")]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// The builder. A verifier trusts (key, `id`) pairs, nothing else in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// URI under which the builder is known.
    pub id: String,
    /// Versions of its parts.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// Times are the builder's own word: they are shown and may bound an
/// attestation's age, but nothing is trusted because of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// Names this run of the builder.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub invocation_id: String,
    /// When it began, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// When it ended, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
}

/// The predicate is not SLSA provenance v1.
#[derive(Debug, thiserror::Error)]
#[error("the predicate is not well-formed SLSA provenance")]
pub struct InvalidProvenance(#[source] pub(super) serde_json::Error);

impl Provenance {
    /// Reads a statement's predicate, JSON text. What has to be an object is one, and
    /// no array of its fields' values.
    pub fn from_predicate(predicate: &str) -> Result<Self, InvalidProvenance> {
        bounded(predicate)?;
        let Object(provenance) = serde_json::from_str(predicate).map_err(InvalidProvenance)?;
        Ok(provenance)
    }
}

/// That it has no more values than anything is built of: a statement may, whose predicate nobody
/// looks into.
pub(super) fn bounded(predicate: &str) -> Result<(), InvalidProvenance> {
    let within = json::raw(predicate.as_bytes(), predicate.len());
    within.map(drop).map_err(|error| InvalidProvenance(serde::de::Error::custom(error)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Everything that has a type, each with something in it.
    fn whole() -> Value {
        json!({
            "buildDefinition": {
                "buildType": "t",
                "externalParameters": {"free": [1]},
                "internalParameters": {"free": [1]},
                "resolvedDependencies": [{"name": "d", "digest": {"gitCommit": "00"}, "annotations": {"free": [1]}}],
            },
            "runDetails": {
                "builder": {"id": "b", "version": {"v": "1"}},
                "metadata": {
                    "invocationId": "i",
                    "startedOn": "2026-11-01T00:00:00Z",
                    "finishedOn": "2026-11-01T00:00:00Z",
                },
                "byproducts": [{
                    "name": "p", "uri": "u", "digest": {"sha256": "00"}, "content": "YQ==",
                    "downloadLocation": "l", "mediaType": "m", "annotations": {"free": [1]},
                }],
            },
        })
    }

    /// Pointers (RFC 6901) to all that has a type; what parameters and annotations hold is free.
    fn typed(value: &Value, at: &str, all: &mut Vec<String>) {
        all.push(at.to_owned());
        let free = ["externalParameters", "internalParameters", "annotations"];
        if free.iter().any(|name| at.ends_with(name)) {
            return;
        }
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, v)| typed(v, &format!("{at}/{name}"), all));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(n, v)| typed(v, &format!("{at}/{n}"), all));
            }
            _ => {}
        }
    }

    /// What cannot be unset: what the specification requires, and what is in a list.
    const REQUIRED: [&str; 12] = [
        "",
        "/buildDefinition",
        "/buildDefinition/buildType",
        "/buildDefinition/externalParameters",
        "/buildDefinition/resolvedDependencies/0",
        "/buildDefinition/resolvedDependencies/0/digest/gitCommit",
        "/runDetails",
        "/runDetails/builder",
        "/runDetails/builder/id",
        "/runDetails/builder/version/v",
        "/runDetails/byproducts/0",
        "/runDetails/byproducts/0/digest/sha256",
    ];

    fn kind(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Number(_) => 2,
            Value::String(_) => 3,
            Value::Array(_) => 4,
            Value::Object(_) => 5,
        }
    }

    #[test]
    fn nothing_that_has_a_type_may_be_of_another() {
        let whole = whole();
        let read: Provenance = Provenance::from_predicate(&whole.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), whole, "all of it is read");
        let mut all = Vec::new();
        typed(&whole, "", &mut all);
        assert!(all.len() > 25, "{all:?}");
        for at in &all {
            let there = whole.pointer(at).unwrap();
            // What serde takes for a struct: the values of its fields, one after the other.
            let values = there.as_object().map(|o| Value::Array(o.values().cloned().collect()));
            let others =
                [json!(null), json!(true), json!(7), json!("x"), json!([]), json!([1]), json!({"0": 1})];
            for other in others.into_iter().chain(values) {
                if kind(&other) == kind(there) {
                    continue;
                }
                // Null is how protobuf's JSON says that something is not set.
                let unset = other.is_null() && !REQUIRED.contains(&at.as_str());
                let mut changed = whole.clone();
                *changed.pointer_mut(at).unwrap() = other;
                let read = Provenance::from_predicate(&changed.to_string());
                assert_eq!(read.is_ok(), unset, "{at:?}: {changed}");
            }
        }
    }
}
