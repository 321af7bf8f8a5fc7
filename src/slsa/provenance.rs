//! The predicate's fields, as the specification names them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::intoto::ResourceDescriptor;

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
    pub build_definition: BuildDefinition,
    /// What happened.
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
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub internal_parameters: Map<String, Value>,
    /// What went in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// Who built, when, and what else came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunDetails {
    /// Who built.
    pub builder: Builder,
    /// When, and under which id.
    #[serde(default)]
    pub metadata: BuildMetadata,
    /// What came out beside the subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// The builder. A verifier trusts (key, `id`) pairs, nothing else in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Builder {
    /// URI under which the builder is known.
    pub id: String,
    /// Versions of its parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// Times are the builder's own word: they are shown and may bound an
/// attestation's age, but nothing is trusted because of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// Names this run of the builder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
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
pub struct InvalidProvenance(#[source] serde_json::Error);

impl Provenance {
    /// Reads a statement's predicate, JSON text.
    pub fn from_predicate(predicate: &str) -> Result<Self, InvalidProvenance> {
        serde_json::from_str(predicate).map_err(InvalidProvenance)
    }
}
