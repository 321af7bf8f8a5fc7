//! in-toto `ResourceDescriptor`.
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::DigestSet;
use crate::json;

/// A thing that a statement speaks of: a subject, a dependency, a by-product.
///
/// Its fields are all that the specification has: strict readers refuse any
/// other, so what is ours goes into `annotations`. As a reader others are passed over
/// (in-toto, "Parsing rules"), and what is `null` is not set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceDescriptor {
    /// What it is called; a path of a volume in the form of [`crate::relpath::RelPath::escaped`].
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it is, globally.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub uri: String,
    /// Digests of its bytes.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "DigestSet::is_empty")]
    pub digest: DigestSet,
    /// Its bytes, base64.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub content: String,
    /// Where to fetch it, if not at `uri`.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub download_location: String,
    /// Its media type.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "String::is_empty")]
    pub media_type: String,
    /// Anything else, by names of one's own.
    #[serde(default, deserialize_with = "json::or_unset", skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

impl ResourceDescriptor {
    /// A named thing with its digests.
    pub fn named(name: impl Into<String>, digest: impl Into<DigestSet>) -> Self {
        Self { name: name.into(), digest: digest.into(), ..Self::default() }
    }
}
