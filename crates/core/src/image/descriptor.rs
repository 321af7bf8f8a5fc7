//! What points to content (OCI Image 1.1, "Descriptor").

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::Platform;
use crate::digest::Sha256Digest;
use crate::json;
use crate::text::brief;

/// A digest by which content is named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BlobDigest {
    /// By SHA-256, as all registries in use do it.
    Sha256(Sha256Digest),
    /// By something else, which nothing here checks; short and printable.
    Other(String),
}

/// Which content, of what kind, how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What kind of content.
    pub media_type: String,
    /// Its digest.
    pub digest: BlobDigest,
    /// Its bytes.
    pub size: u64,
    /// What it runs on, if it is an image of an index.
    #[serde(default, deserialize_with = "json::object_or_none")]
    pub platform: Option<Platform>,
    /// What kind of artifact it is, if it is a manifest in a list of referrers.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub artifact_type: String,
    /// Text about it.
    #[serde(default, deserialize_with = "json::or_unset")]
    pub annotations: BTreeMap<String, String>,
}

impl BlobDigest {
    /// The SHA-256, if it is one.
    pub fn sha256(&self) -> Option<Sha256Digest> {
        match self {
            Self::Sha256(digest) => Some(*digest),
            Self::Other(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for BlobDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let sha256 = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        Ok(sha256.map_or_else(|| Self::Other(brief(&text, 150)), Self::Sha256))
    }
}

impl std::fmt::Display for BlobDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sha256(digest) => write!(f, "sha256:{digest}"),
            Self::Other(text) => f.write_str(text),
        }
    }
}
