//! How an attestation lies with an image: a manifest whose `subject` is the image's, whose one
//! layer is the Sigstore bundle (OCI Image 1.1, "Image Manifest", `subject`; cosign's
//! `BUNDLE_SPEC`), and the list by which a registry, or a tag in its place, names all such.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BlobDigest, Descriptor, MAX_MANIFEST, ManifestKind, Tag};
use crate::bundle::MEDIA_TYPE as BUNDLE_MEDIA_TYPE;
use crate::digest::Sha256Digest;
use crate::json::{self, JsonError, Object};

/// The configuration of what is no image to run (OCI Image 1.1, "Guidance for an Empty
/// Descriptor").
pub const EMPTY_CONFIG: &[u8] = b"{}";
const EMPTY_MEDIA_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// What every type of a bundle begins with, whichever version.
const BUNDLE_TYPES: &str = "application/vnd.dev.sigstore.bundle";
/// What a layer of cosign 2's `.att` manifests is.
pub(super) const ENVELOPE_TYPE: &str = "application/vnd.dsse.envelope.v1+json";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
const CREATED: &str = "org.opencontainers.image.created";

/// What carries an attestation to an image.
#[derive(Debug, Clone)]
pub struct NewReferrer<'a> {
    /// The manifest that it is about.
    pub subject: &'a Descriptor,
    /// The bundle's bytes.
    pub bundle: &'a [u8],
    /// What the bundle's statement claims.
    pub predicate_type: &'a str,
    /// When the statement was made, for those who want the newest first.
    pub created: Option<Timestamp>,
}

/// What a layer carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// A Sigstore bundle.
    Bundle,
    /// A bare envelope, as cosign 2 kept them.
    Envelope,
}

/// All that refer to one manifest, as a registry lists them or a fallback tag does.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferrersIndex {
    /// As they are written: what is added to is otherwise left as it is.
    document: BTreeMap<String, Value>,
    manifests: Vec<Value>,
    read: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    schema_version: u8,
    media_type: &'static str,
    artifact_type: &'static str,
    config: Pointer<'static>,
    layers: [Pointer<'static>; 1],
    subject: Pointer<'a>,
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pointer<'a> {
    media_type: &'a str,
    digest: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a BTreeMap<&'static str, String>>,
}

impl<'a> Pointer<'a> {
    fn to(media_type: &'a str, bytes: &[u8]) -> Self {
        Self {
            media_type,
            digest: format!("sha256:{}", Sha256Digest::of(bytes)),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            artifact_type: None,
            annotations: None,
        }
    }
}

impl NewReferrer<'_> {
    /// The manifest. The same attestation of the same image gives the same bytes.
    pub fn manifest(&self) -> Vec<u8> {
        let subject = Pointer {
            media_type: &self.subject.media_type,
            digest: self.subject.digest.to_string(),
            size: self.subject.size,
            artifact_type: None,
            annotations: None,
        };
        let wire = Wire {
            schema_version: 2,
            media_type: ManifestKind::OciImage.media_type(),
            artifact_type: BUNDLE_MEDIA_TYPE,
            config: Pointer::to(EMPTY_MEDIA_TYPE, EMPTY_CONFIG),
            layers: [Pointer::to(BUNDLE_MEDIA_TYPE, self.bundle)],
            subject,
            annotations: self.annotations(),
        };
        // Text and numbers alone: it cannot fail.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    fn annotations(&self) -> BTreeMap<&'static str, String> {
        let mut annotations = BTreeMap::from([
            (CONTENT, "dsse-envelope".to_owned()),
            (PREDICATE_TYPE, self.predicate_type.to_owned()),
        ]);
        annotations.extend(self.created.map(|at| (CREATED, format!("{at:.0}"))));
        annotations
    }
}

impl Carried {
    /// What a layer of this type carries, if that is an attestation.
    pub fn of(media_type: &str) -> Option<Self> {
        if media_type.starts_with(BUNDLE_TYPES) {
            return Some(Self::Bundle);
        }
        (media_type == ENVELOPE_TYPE).then_some(Self::Envelope)
    }
}

/// The tag at which a registry without a list of referrers keeps one (OCI Distribution 1.1,
/// "Referrers Tag Schema").
pub fn fallback_tag(subject: Sha256Digest) -> Tag {
    Tag::of_ours(format!("sha256-{subject}"))
}

/// The tag at which cosign 2 keeps the envelopes of attestations of an image.
pub fn cosign_tag(subject: Sha256Digest) -> Tag {
    Tag::of_ours(format!("sha256-{subject}.att"))
}

impl ReferrersIndex {
    /// Reads a list. An entry that is not understood hides none of the others.
    pub fn read(bytes: &[u8]) -> Result<Self, JsonError> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default, deserialize_with = "json::or_unset")]
            manifests: Vec<Value>,
            #[serde(flatten)]
            document: BTreeMap<String, Value>,
        }
        let List { manifests, document } = json::parse(bytes, MAX_MANIFEST)?;
        let read = manifests
            .iter()
            .filter_map(|entry| Object::<Descriptor>::deserialize(entry).ok().map(|Object(entry)| entry))
            .collect();
        Ok(Self { document, manifests, read })
    }

    /// What may carry an attestation, in the order of the list: manifests whose digest can be
    /// checked. What kind of artifact an entry is said to be is not asked: some registries tell the
    /// type of its configuration instead.
    pub fn candidates(&self) -> impl Iterator<Item = Sha256Digest> {
        let may_be =
            |entry: &&Descriptor| ManifestKind::of(&entry.media_type).is_some_and(|kind| !kind.is_index());
        self.read.iter().filter(may_be).filter_map(|entry| entry.digest.sha256())
    }

    /// Whether a manifest is in it.
    pub fn lists(&self, digest: Sha256Digest) -> bool {
        self.read.iter().any(|entry| entry.digest == BlobDigest::Sha256(digest))
    }

    /// The same list with one more in it, as the fallback tag wants it. `manifest` are the bytes of
    /// `referrer`.
    pub fn with(&self, referrer: &NewReferrer<'_>, manifest: &[u8]) -> Vec<u8> {
        let annotations = referrer.annotations();
        let entry = Pointer {
            artifact_type: Some(BUNDLE_MEDIA_TYPE),
            annotations: Some(&annotations),
            ..Pointer::to(ManifestKind::OciImage.media_type(), manifest)
        };
        let mut document = self.document.clone();
        document.insert("schemaVersion".into(), 2.into());
        document.insert("mediaType".into(), ManifestKind::OciIndex.media_type().into());
        let mut manifests = self.manifests.clone();
        manifests.extend(serde_json::to_value(entry).ok());
        document.insert("manifests".into(), Value::Array(manifests));
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Manifest;

    fn subject() -> Descriptor {
        let text = r#"{"schemaVersion":2,"manifests":[]}"#;
        Manifest::read(text.as_bytes()).unwrap().descriptor()
    }

    fn referrer<'a>(subject: &'a Descriptor, bundle: &'a [u8]) -> NewReferrer<'a> {
        let created = Some("2026-11-26T08:00:00.5Z".parse().unwrap());
        NewReferrer { subject, bundle, predicate_type: "https://slsa.dev/provenance/v1", created }
    }

    #[test]
    fn the_manifest_is_what_cosign_writes() {
        let subject = subject();
        let made = referrer(&subject, b"{\"a\":1}").manifest();
        let read = Manifest::read(&made).unwrap();
        assert_eq!(read.kind(), ManifestKind::OciImage);
        let image = read.image().unwrap();
        assert_eq!(image.subject.as_ref(), Some(&subject));
        assert_eq!(image.artifact_type, BUNDLE_MEDIA_TYPE);
        assert_eq!(image.config.digest.sha256(), Some(Sha256Digest::of(b"{}")));
        assert_eq!(image.layers[0].digest.sha256(), Some(Sha256Digest::of(b"{\"a\":1}")));
        assert_eq!(Carried::of(&image.layers[0].media_type), Some(Carried::Bundle));
        insta::assert_snapshot!(String::from_utf8(made).unwrap(), @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","digest":"sha256:015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862","size":7}],"subject":{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:bc5857ac9458293d5111ab85c952172cd7f56bceb4e3014ddc4cafac8927b313","size":34},"annotations":{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://slsa.dev/provenance/v1","org.opencontainers.image.created":"2026-11-26T08:00:00Z"}}"#);
    }

    #[test]
    fn a_list_keeps_what_it_does_not_know_and_is_added_to() {
        let (subject, text) = (
            subject(),
            r#"{"schemaVersion":2,"x":{"y":1},"manifests":[{"odd":true},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha512:00","size":1}]}"#,
        );
        let list = ReferrersIndex::read(text.as_bytes()).unwrap();
        assert_eq!(list.candidates().count(), 0);
        let new = referrer(&subject, b"b");
        let manifest = new.manifest();
        let digest = Sha256Digest::of(&manifest);
        assert!(!list.lists(digest));
        let more = list.with(&new, &manifest);
        let read = ReferrersIndex::read(&more).unwrap();
        assert!(read.lists(digest));
        assert_eq!(read.candidates().collect::<Vec<_>>(), [digest]);
        let shown = String::from_utf8(more).unwrap();
        assert!(shown.contains(r#"{"odd":true}"#) && shown.contains(r#""x":{"y":1}"#), "{shown}");
    }

    #[test]
    fn only_what_may_be_an_attestation_is_looked_at() {
        let entry = |kind: &str, artifact: &str| {
            format!(r#"{{"mediaType":"{kind}","digest":"sha256:{}","size":1{artifact}}}"#, "0".repeat(64))
        };
        let image = ManifestKind::OciImage.media_type();
        let list = [
            entry(image, r#","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json""#),
            entry(image, r#","artifactType":"application/vnd.oci.empty.v1+json""#),
            entry(ManifestKind::OciIndex.media_type(), ""),
            entry("text/plain", ""),
        ];
        let text = format!(r#"{{"manifests":[{}]}}"#, list.join(","));
        assert_eq!(ReferrersIndex::read(text.as_bytes()).unwrap().candidates().count(), 2);
        assert_eq!(ReferrersIndex::read(b"{}").unwrap().candidates().count(), 0);
        ReferrersIndex::read(b"[]").unwrap_err();
    }
}
