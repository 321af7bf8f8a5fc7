//! What the gate found, for the sidecar. Specified in `docs/gate.md`.
//!
//! The sidecar reads it before main starts, and takes nothing that it does not know:
//! an inputs' evidence becomes part of what is signed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::intoto::DigestSet;
use crate::json::{self, AtMost, JsonError, Object};
use crate::slsa::AttestationRef;

/// Bytes that are read of it.
pub const EVIDENCE_LIMIT: usize = 4 * 1024 * 1024;
/// The schema, whose version is a part of its name.
const SCHEMA: &str = "https://argo-attest.github.io/input-evidence/v1";
/// Inputs that a template can declare.
const MAX_INPUTS: usize = 4096;
/// Bytes of a name and of an address.
const MAX_TEXT: usize = 8 * 1024;

/// What became of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// Its attestation was accepted for the staged bytes.
    Accepted,
    /// It has no attestation, and what is known of it is on record.
    Recorded,
    /// It has no attestation, which the policy lets pass.
    Missing,
    /// It is optional and not there.
    Absent,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The artifact's name in the template.
    pub name: String,
    /// What became of it.
    pub finding: Finding,
    /// Digests of the object, of a directory of objects, or of a commit; may be empty.
    pub digest: DigestSet,
    /// The attestation that was accepted; only of [`Finding::Accepted`], and always.
    pub attestation: Option<AttestationRef>,
}

/// The image of one container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRecord {
    /// As the pod names it.
    pub image: String,
    /// What became of it, by the container's name.
    pub found: Record,
}

/// All inputs of a step that were checked, and the images of its containers, if those were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    records: Vec<Record>,
    images: Vec<ImageRecord>,
}

/// Why bytes are not evidence.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEvidence {
    /// Not JSON, or not of its shape.
    #[error("the gate's evidence is malformed")]
    Json(#[from] JsonError),
    /// Another schema, or another version of it.
    #[error("the gate's evidence has a schema that is not {SCHEMA}")]
    Schema,
    /// Something in it contradicts the rest, or itself.
    #[error("the gate's evidence of input {name:?}: {why}")]
    Record {
        /// Which input, printable.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The same of a container's image.
    #[error("the gate's evidence of the image of container {name:?}: {why}")]
    Image {
        /// Which container, printable.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
}

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    inputs: Vec<WrittenRecord<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<WrittenRecord<'a>>,
}

#[derive(Serialize)]
struct WrittenRecord<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<&'a str>,
    finding: Finding,
    #[serde(skip_serializing_if = "DigestSet::is_empty")]
    digest: &'a DigestSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<WrittenAttestation<'a>>,
}

#[derive(Serialize)]
struct WrittenAttestation<'a> {
    uri: &'a str,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    schema: String,
    inputs: AtMost<Object<WireRecord>, MAX_INPUTS>,
    #[serde(default)]
    images: AtMost<Object<WireRecord>, MAX_INPUTS>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRecord {
    name: String,
    image: Option<String>,
    finding: Finding,
    #[serde(default)]
    digest: DigestSet,
    attestation: Option<Object<WireAttestation>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireAttestation {
    uri: String,
    sha256: String,
}

impl Evidence {
    /// Evidence of these inputs, each named once.
    pub fn new(records: Vec<Record>) -> Result<Self, InvalidEvidence> {
        let mut names = BTreeSet::new();
        for record in &records {
            let why = record.contradiction().or_else(|| {
                (!names.insert(record.name.as_str())).then_some("there is more than one of that name")
            });
            if let Some(why) = why {
                return Err(InvalidEvidence::Record { name: crate::text::brief(&record.name, 200), why });
            }
        }
        drop(names);
        Ok(Self { records, images: Vec::new() })
    }

    /// The same with these images, one for each container.
    pub fn with_images(self, images: Vec<ImageRecord>) -> Result<Self, InvalidEvidence> {
        let mut names = BTreeSet::new();
        for ImageRecord { image, found } in &images {
            let unfit = image.is_empty() || image.len() > MAX_TEXT;
            let why = unfit.then_some("its name is empty or too long").or_else(|| found.contradiction());
            let why = why.or_else(|| {
                (!names.insert(found.name.as_str())).then_some("there is more than one of that name")
            });
            if let Some(why) = why {
                return Err(InvalidEvidence::Image { name: crate::text::brief(&found.name, 200), why });
            }
        }
        drop(names);
        Ok(Self { images, ..self })
    }

    /// The inputs.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The images of containers.
    pub fn images(&self) -> &[ImageRecord] {
        &self.images
    }

    /// Reads what [`Self::to_json`] wrote, and nothing else.
    pub fn from_json(bytes: &[u8]) -> Result<Self, InvalidEvidence> {
        let wire: Wire = json::parse(bytes, EVIDENCE_LIMIT)?;
        if wire.schema != SCHEMA {
            return Err(InvalidEvidence::Schema);
        }
        let input = |Object(wire): Object<WireRecord>| match wire.image {
            None => wire.record(),
            Some(_) => Err(InvalidEvidence::Record {
                name: crate::text::brief(&wire.name, 200),
                why: "an input is no image",
            }),
        };
        let image = |Object(wire): Object<WireRecord>| {
            let image = wire.image.clone().unwrap_or_default();
            Ok(ImageRecord { image, found: wire.record()? })
        };
        let inputs = wire.inputs.0.into_iter().map(input).collect::<Result<_, InvalidEvidence>>()?;
        let images = wire.images.0.into_iter().map(image).collect::<Result<_, InvalidEvidence>>()?;
        Self::new(inputs)?.with_images(images)
    }

    /// The JSON, on one line. The same evidence always gives the same bytes.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let inputs = self.records.iter().map(|record| record.written(None)).collect();
        let images = self.images.iter().map(|of| of.found.written(Some(&of.image))).collect();
        let mut bytes = serde_json::to_vec(&Written { schema: SCHEMA, inputs, images })?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl WireRecord {
    fn record(self) -> Result<Record, InvalidEvidence> {
        let attestation = self.attestation.map(|Object(WireAttestation { uri, sha256 })| {
            let parsed = sha256.parse::<Sha256Digest>();
            parsed.map(|sha256| AttestationRef { uri, sha256 })
        });
        let malformed = |_| InvalidEvidence::Record {
            name: crate::text::brief(&self.name, 200),
            why: "the attestation's digest is not 64 hexadecimal digits",
        };
        let attestation = attestation.transpose().map_err(malformed)?;
        Ok(Record { name: self.name, finding: self.finding, digest: self.digest, attestation })
    }
}

impl Record {
    fn written<'a>(&'a self, image: Option<&'a str>) -> WrittenRecord<'a> {
        WrittenRecord {
            name: &self.name,
            image,
            finding: self.finding,
            digest: &self.digest,
            attestation: self
                .attestation
                .as_ref()
                .map(|a| WrittenAttestation { uri: &a.uri, sha256: a.sha256.to_string() }),
        }
    }

    fn contradiction(&self) -> Option<&'static str> {
        let uri = self.attestation.as_ref().map(|a| a.uri.as_str()).unwrap_or_default();
        if self.name.is_empty() || self.name.len() > MAX_TEXT || uri.len() > MAX_TEXT {
            return Some("a name or an address is empty or too long");
        }
        if (self.finding == Finding::Accepted) != self.attestation.is_some() {
            return Some("what is accepted has an attestation, and nothing else has");
        }
        let known = |algorithm: &str, digest: &str| match algorithm {
            "sha256" => self.digest.sha256().is_some(),
            "dirHash" => self.digest.dir_hash().is_some(),
            "gitCommit" => DigestSet::git_commit(digest).is_some(),
            _ => false,
        };
        if !self.digest.iter().all(|(algorithm, digest)| known(algorithm, digest)) {
            return Some("a digest is malformed or of an unknown kind");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(name: &str, finding: Finding) -> Record {
        Record { name: name.into(), finding, digest: DigestSet::default(), attestation: None }
    }

    fn accepted(name: &str, uri: &str) -> Record {
        let sha256 = Sha256Digest::of(uri.as_bytes());
        let attestation = Some(AttestationRef { uri: uri.into(), sha256 });
        Record { digest: sha256.into(), attestation, ..record(name, Finding::Accepted) }
    }

    #[test]
    fn refuses_what_it_would_not_write() {
        let good = Evidence::new(vec![accepted("a", "s3://b/k")]).unwrap().to_json().unwrap();
        let good = String::from_utf8(good).unwrap();
        let twice = good.replace("}}]", "}},{\"name\":\"a\",\"finding\":\"absent\"}]");
        let image = |text: &str| good.replace("}}]}", &format!("}}}}],\"images\":[{text}]}}"));
        let one = "{\"name\":\"main\",\"image\":\"a\",\"finding\":\"missing\"}";
        Evidence::from_json(image(one).as_bytes()).unwrap();
        for (text, why) in [
            (good.replace("/v1", "/v2"), "a schema that is not"),
            (good.replace("\"name\"", "\"x\":1,\"name\""), "malformed"),
            (good.replace("accepted", "fine"), "malformed"),
            (good.replace("accepted", "missing"), "what is accepted has an attestation"),
            (good.replace("\"a\"", "\"\""), "a name or an address is empty"),
            (good.replace("digest\":{\"sha256", "digest\":{\"sha512"), "of an unknown kind"),
            (good.replace("digest\":{\"sha256\":\"", "digest\":{\"sha256\":\"x"), "a digest is malformed"),
            (
                good.replace("s3://b/k\",\"sha256\":\"", "s3://b/k\",\"sha256\":\"x"),
                "not 64 hexadecimal digits",
            ),
            (twice, "more than one of that name"),
            (good.replace("\"name\":\"a\"", "\"name\":\"a\",\"image\":\"b\""), "an input is no image"),
            (image("{\"name\":\"main\",\"finding\":\"missing\"}"), "its name is empty"),
            (image(&format!("{one},{one}")), "the image of container \"main\": there is more than one"),
            (image(&one.replace("missing", "accepted")), "what is accepted has an attestation"),
            (String::new(), "malformed"),
            (format!("{good}{good}"), "malformed"),
            (" ".repeat(EVIDENCE_LIMIT + 1), "malformed"),
        ] {
            let error = Evidence::from_json(text.as_bytes()).unwrap_err();
            assert!(crate::text::causes(&error).contains(why), "{why}: {error:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_wrote(
            names in proptest::collection::btree_set("[^\\x00]{1,20}", 0..8),
            kinds in proptest::collection::vec(0..4, 8),
        ) {
            let records = names.iter().zip(kinds).map(|(name, kind)| match kind {
                0 => accepted(name, name),
                1 => Record {
                    digest: DigestSet::git_commit(&"a".repeat(40)).unwrap(),
                    ..record(name, Finding::Recorded)
                },
                2 => record(name, Finding::Missing),
                _ => record(name, Finding::Absent),
            });
            let records: Vec<_> = records.collect();
            let images = records.iter().map(|found| ImageRecord { image: "r/a:1".into(), found: found.clone() });
            let evidence = Evidence::new(records.clone()).unwrap().with_images(images.collect()).unwrap();
            prop_assert_eq!(Evidence::from_json(&evidence.to_json().unwrap()).unwrap(), evidence);
        }
    }
}
