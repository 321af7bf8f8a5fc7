//! Provenance of earlier versions of SLSA, read as what it would be in v1
//! (<https://slsa.dev/spec/v1.0/provenance>, "Migrating from 0.2"). Others write it; we do
//! not.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::provenance::bounded;
use super::{BuildDefinition, BuildMetadata, Builder, InvalidProvenance, Provenance, RunDetails};
use crate::intoto::{DigestSet, ResourceDescriptor};
use crate::json::{self, Object};

/// `predicateType` of SLSA provenance v0.2 (<https://slsa.dev/spec/v0.2/provenance>).
pub const PROVENANCE_V0_2: &str = "https://slsa.dev/provenance/v0.2";
/// `predicateType` of SLSA provenance v0.1 (<https://slsa.dev/spec/v0.1/provenance>).
pub const PROVENANCE_V0_1: &str = "https://slsa.dev/provenance/v0.1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(default, deserialize_with = "json::object_or_unset")]
    builder: ReadBuilder,
    #[serde(default, deserialize_with = "json::or_unset")]
    build_type: String,
    /// v0.2.
    #[serde(default, deserialize_with = "json::object_or_unset")]
    invocation: Invocation,
    /// v0.1.
    #[serde(default, deserialize_with = "json::object_or_unset")]
    recipe: Recipe,
    #[serde(default, deserialize_with = "json::object_or_unset")]
    metadata: Metadata,
    #[serde(default, deserialize_with = "json::objects_or_unset")]
    materials: Vec<Material>,
}

#[derive(Deserialize, Default)]
struct ReadBuilder {
    #[serde(default, deserialize_with = "json::or_unset")]
    id: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    config_source: Option<Value>,
    parameters: Option<Value>,
    environment: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Recipe {
    #[serde(default, rename = "type", deserialize_with = "json::or_unset")]
    kind: String,
    entry_point: Option<Value>,
    arguments: Option<Value>,
    environment: Option<Value>,
}

#[derive(Deserialize, Default)]
struct Metadata {
    // Both spellings are in use: the specification's, and that of its Go types.
    #[serde(
        default,
        rename = "buildInvocationId",
        alias = "buildInvocationID",
        deserialize_with = "json::or_unset"
    )]
    invocation_id: String,
    #[serde(rename = "buildStartedOn")]
    started_on: Option<Timestamp>,
    #[serde(rename = "buildFinishedOn")]
    finished_on: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Material {
    #[serde(default, deserialize_with = "json::or_unset")]
    uri: String,
    #[serde(default, deserialize_with = "json::or_unset")]
    digest: DigestSet,
}

impl Provenance {
    /// Reads the predicate of a statement of any version of SLSA that is known; `None` if
    /// the type is that of none.
    pub fn of_type(predicate_type: &str, predicate: &str) -> Option<Result<Self, InvalidProvenance>> {
        match predicate_type {
            super::PROVENANCE_V1 => Some(Self::from_predicate(predicate)),
            PROVENANCE_V0_2 | PROVENANCE_V0_1 => Some(earlier(predicate)),
            _ => None,
        }
    }
}

fn earlier(predicate: &str) -> Result<Provenance, InvalidProvenance> {
    bounded(predicate)?;
    let Object(read) = serde_json::from_str::<Object<Read>>(predicate).map_err(InvalidProvenance)?;
    let Read { builder, build_type, invocation, recipe, metadata, materials } = read;
    let build_type = if build_type.is_empty() { recipe.kind } else { build_type };
    let missing =
        |field: &str| InvalidProvenance(serde::de::Error::custom(format_args!("missing field `{field}`")));
    // Who built it, and what the words mean, is required in every version.
    if builder.id.is_empty() {
        return Err(missing("builder.id"));
    }
    if build_type.is_empty() {
        return Err(missing("buildType"));
    }
    let parameters = |known: [(&str, Option<Value>); 4]| {
        let known = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        known.collect::<Map<_, _>>()
    };
    let material =
        |Material { uri, digest }| ResourceDescriptor { uri, digest, ..ResourceDescriptor::default() };
    Ok(Provenance {
        build_definition: BuildDefinition {
            build_type,
            external_parameters: parameters([
                ("configSource", invocation.config_source),
                ("parameters", invocation.parameters),
                ("entryPoint", recipe.entry_point),
                ("arguments", recipe.arguments),
            ]),
            internal_parameters: parameters([
                ("environment", invocation.environment.or(recipe.environment)),
                ("", None),
                ("", None),
                ("", None),
            ]),
            resolved_dependencies: materials.into_iter().map(material).collect(),
        },
        run_details: RunDetails {
            builder: Builder { id: builder.id, version: std::collections::BTreeMap::new() },
            metadata: BuildMetadata {
                invocation_id: metadata.invocation_id,
                started_on: metadata.started_on,
                finished_on: metadata.finished_on,
            },
            byproducts: Vec::new(),
        },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_version_says_who_built_what_of_what() {
        let material = json!([{"uri": "git+https://example.com/r", "digest": {"sha1": "00"}}]);
        let v0_2 = json!({
            "builder": {"id": "https://b.example.com"}, "buildType": "https://t.example.com",
            "invocation": {"configSource": {"uri": "u"}, "parameters": {"workflow": {"name": "x"}}},
            "metadata": {"buildInvocationID": "7", "buildFinishedOn": "2026-11-01T00:00:00Z", "reproducible": false},
            "materials": material,
        });
        let v0_1 = json!({
            "builder": {"id": "https://b.example.com"}, "recipe": {"type": "https://t.example.com"},
            "metadata": {"buildInvocationId": "7", "buildFinishedOn": "2026-11-01T00:00:00Z"}, "materials": material,
        });
        for (version, predicate) in [(PROVENANCE_V0_2, v0_2), (PROVENANCE_V0_1, v0_1)] {
            let read = Provenance::of_type(version, &predicate.to_string()).unwrap().unwrap();
            assert_eq!(read.run_details.builder.id, "https://b.example.com");
            assert_eq!(read.build_definition.build_type, "https://t.example.com");
            assert_eq!(read.run_details.metadata.invocation_id, "7");
            assert!(read.run_details.metadata.finished_on.is_some());
            assert_eq!(read.build_definition.resolved_dependencies[0].uri, "git+https://example.com/r");
            // What a tenant could choose is never where our own build types have their facts.
            assert_eq!(read.build_definition.external_parameters.get("workflow"), None);
        }
        assert!(Provenance::of_type("https://slsa.dev/provenance/v1.1", "{}").is_none());
        for bare in ["[1]", "{}", r#"{"builder":{"id":"b"}}"#, r#"{"builder":{},"buildType":"t"}"#] {
            assert!(Provenance::of_type(PROVENANCE_V0_2, bare).unwrap().is_err(), "{bare}");
        }
    }
}
