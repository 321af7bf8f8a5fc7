//! How cosign 2 keeps attestations of an image: an image under a tag that is made of the
//! image's digest, of which each layer is an envelope (cosign's `spec/SIGNATURE_SPEC.md`, `.att`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::referrers::{Carried, ENVELOPE_TYPE};
use super::{MAX_MANIFEST, ManifestKind};
use crate::digest::Sha256Digest;
use crate::json::{self, JsonError};

const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// Cosign's readers want it of every layer; an envelope has its signatures in itself.
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// The envelopes under such a tag.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaggedEnvelopes {
    /// As they are written: what is added to is otherwise left as it is.
    document: BTreeMap<String, Value>,
    layers: Vec<Value>,
}

/// What is put under the tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTagged {
    /// The manifest.
    pub manifest: Vec<u8>,
    /// The configuration that it names.
    pub config: Vec<u8>,
}

#[derive(Serialize)]
struct Layer<'a> {
    #[serde(rename = "mediaType")]
    media_type: &'static str,
    size: usize,
    digest: String,
    annotations: BTreeMap<&'static str, &'a str>,
}

impl TaggedEnvelopes {
    /// Reads a manifest.
    pub fn read(bytes: &[u8]) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct Manifest {
            #[serde(default, deserialize_with = "json::or_unset")]
            layers: Vec<Value>,
            #[serde(flatten)]
            document: BTreeMap<String, Value>,
        }
        let Manifest { layers, document } = json::parse(bytes, MAX_MANIFEST)?;
        Ok(Self { document, layers })
    }

    /// How many envelopes there are.
    pub fn count(&self) -> usize {
        let is_envelope = |layer: &&Value| {
            let media_type = layer.get("mediaType").and_then(Value::as_str).unwrap_or_default();
            Carried::of(media_type) == Some(Carried::Envelope)
        };
        self.layers.iter().filter(is_envelope).count()
    }

    /// Whether one of them has this digest.
    pub fn lists(&self, digest: Sha256Digest) -> bool {
        self.digests().any(|known| known == format!("sha256:{digest}"))
    }

    fn digests(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| layer.get("digest")?.as_str())
    }

    /// The same with one more.
    pub fn with(&self, envelope: &[u8], predicate_type: &str) -> NewTagged {
        let digest = format!("sha256:{}", Sha256Digest::of(envelope));
        let layer = Layer {
            media_type: ENVELOPE_TYPE,
            size: envelope.len(),
            digest: digest.clone(),
            annotations: BTreeMap::from([(SIGNATURE, ""), ("predicateType", predicate_type)]),
        };
        // None of them is compressed, so that each is named by the same digest here.
        let diff_ids: Vec<_> = self.digests().chain([digest.as_str()]).collect();
        let config = json!({
            "architecture": "",
            "config": {},
            "created": "0001-01-01T00:00:00Z",
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
        .to_string()
        .into_bytes();
        let mut document = self.document.clone();
        document.insert("schemaVersion".into(), 2.into());
        document.insert("mediaType".into(), ManifestKind::OciImage.media_type().into());
        let of_config = json!({"mediaType": CONFIG_TYPE, "size": config.len(), "digest": format!("sha256:{}", Sha256Digest::of(&config))});
        document.insert("config".into(), of_config);
        let mut layers = self.layers.clone();
        layers.extend(serde_json::to_value(layer).ok());
        document.insert("layers".into(), Value::Array(layers));
        NewTagged { manifest: serde_json::to_vec(&document).unwrap_or_default(), config }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Manifest;

    #[test]
    fn what_is_there_stays_and_one_is_added() {
        let first = TaggedEnvelopes::default().with(b"one", "https://example.com/p");
        let read = TaggedEnvelopes::read(&first.manifest).unwrap();
        assert!(read.lists(Sha256Digest::of(b"one")) && !read.lists(Sha256Digest::of(b"two")));
        let theirs =
            String::from_utf8(first.manifest).unwrap().replacen('{', r#"{"annotations":{"x":"y"},"#, 1);
        let second = TaggedEnvelopes::read(theirs.as_bytes()).unwrap().with(b"two", "https://example.com/p");
        let manifest = Manifest::read(&second.manifest).unwrap();
        assert_eq!(manifest.kind(), ManifestKind::OciImage);
        let image = manifest.image().unwrap();
        assert_eq!(image.config.digest.sha256(), Some(Sha256Digest::of(&second.config)));
        let layers: Vec<_> = image.layers.iter().map(|layer| layer.digest.sha256()).collect();
        assert_eq!(layers, [Some(Sha256Digest::of(b"one")), Some(Sha256Digest::of(b"two"))]);
        assert_eq!(image.layers[1].annotations[SIGNATURE], "");
        assert_eq!(TaggedEnvelopes::read(&second.manifest).unwrap().count(), 2);
        assert!(String::from_utf8(second.manifest).unwrap().contains(r#"{"x":"y"}"#));
        let config: Value = serde_json::from_slice(&second.config).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"].as_array().unwrap().len(), 2);
        TaggedEnvelopes::read(b"[]").unwrap_err();
    }
}
