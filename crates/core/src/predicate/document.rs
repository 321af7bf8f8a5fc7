//! A document that looks like what it is named.

use std::fmt;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::PredicateType;
use crate::digest::Sha256Digest;
use crate::json::{self, JsonError, Limits};
use crate::secret::is_private_key;

/// Bytes of a document. With its subjects it fits into an envelope, and while it is signed and stored
/// it is in memory some ten times.
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;
/// Values in one. A component of a bill of materials has some fifty.
pub const MAX_VALUES: usize = 200_000;

/// JSON that is within the limits, and looks like what its type says; its text is kept byte for byte.
/// Only [`Document::read`] makes one.
#[derive(Clone)]
pub struct Document {
    kind: PredicateType,
    json: Box<RawValue>,
    digest: Sha256Digest,
}

/// Why bytes are no document of a type. Nothing is signed of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotADocument {
    /// Not JSON, too large, not an object, or a name in it twice.
    #[error("it is no JSON document that can be signed: {0}")]
    Json(JsonError),
    /// Something else than it is named.
    #[error("it does not look like {wanted}: {why}")]
    Other {
        /// What it is named.
        wanted: &'static str,
        /// What is missing.
        why: String,
    },
    /// Whoever may read the statement could sign with it.
    #[error("it holds what is evidently a private key")]
    Secret,
}

impl Document {
    /// Reads a document that is said to be of this type.
    ///
    /// Errors: [`NotADocument`].
    pub fn read(kind: &PredicateType, bytes: &[u8]) -> Result<Self, NotADocument> {
        let limits = Limits { bytes: MAX_DOCUMENT, values: MAX_VALUES, depth: Limits::DEPTH };
        let json = json::raw(bytes, limits).map_err(NotADocument::Json)?.to_owned();
        looks_like(kind, json.get())?;
        if is_private_key(json.get().as_bytes()) {
            return Err(NotADocument::Secret);
        }
        Ok(Self { kind: kind.clone(), json, digest: Sha256Digest::of(bytes) })
    }

    /// What it is.
    pub fn kind(&self) -> &PredicateType {
        &self.kind
    }

    /// The SHA-256 of the bytes that were read.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }
}

/// The document itself, as it was written.
impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("kind", &self.kind)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// `CycloneDX` 1.x, JSON (<https://cyclonedx.org/docs/1.6/json/>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CycloneDx {
    bom_format: String,
    #[serde(rename = "specVersion")]
    _spec_version: String,
}

/// SPDX 2.x, JSON (<https://spdx.github.io/spdx-spec/v2.3/document-creation-information/>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spdx {
    spdx_version: String,
    #[serde(rename = "SPDXID")]
    id: String,
}

/// SARIF 2.1.0, section 3.13 (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).
#[derive(Deserialize)]
struct Sarif {
    version: String,
    #[serde(rename = "runs")]
    _runs: Vec<IgnoredAny>,
}

/// in-toto's `test-result` v0.1.
#[derive(Deserialize)]
struct TestResult {
    result: String,
    #[serde(rename = "configuration")]
    _configuration: Vec<IgnoredAny>,
}

/// cosign's `COSIGN_VULN_ATTESTATION_SPEC`.
#[derive(Deserialize)]
struct Vulnerabilities {
    #[serde(rename = "scanner", deserialize_with = "json::object")]
    _scanner: Any,
    #[serde(rename = "metadata", deserialize_with = "json::object")]
    _metadata: Any,
}

/// An object, whatever is in it.
#[derive(Deserialize)]
struct Any {}

/// `OpenVEX` 0.2 (<https://github.com/openvex/spec>).
#[derive(Deserialize)]
struct OpenVex {
    #[serde(rename = "@context")]
    context: String,
    #[serde(rename = "statements")]
    _statements: Vec<IgnoredAny>,
}

/// By the type, of whatever version.
fn looks_like(kind: &PredicateType, json: &str) -> Result<(), NotADocument> {
    let is = |base: &str| {
        kind.as_str().strip_prefix(base).is_some_and(|version| version.is_empty() || version.starts_with('/'))
    };
    if is("https://cyclonedx.org/bom") {
        let wanted = "CycloneDX";
        let CycloneDx { bom_format, .. } = fields(wanted, json)?;
        said(wanted, "bomFormat", &bom_format, "CycloneDX", bom_format == "CycloneDX")
    } else if is("https://spdx.dev/Document") {
        let wanted = "SPDX 2";
        let Spdx { spdx_version, id } = fields(wanted, json)?;
        said(wanted, "spdxVersion", &spdx_version, "SPDX-2.…", spdx_version.starts_with("SPDX-2."))?;
        said(wanted, "SPDXID", &id, "SPDXRef-DOCUMENT", id == "SPDXRef-DOCUMENT")
    } else if is("https://docs.oasis-open.org/sarif/sarif") {
        let wanted = "SARIF";
        let Sarif { version, .. } = fields(wanted, json)?;
        said(wanted, "version", &version, "2.1.0", version == "2.1.0")
    } else if is("https://in-toto.io/attestation/test-result") {
        let wanted = "an in-toto test result";
        let TestResult { result, .. } = fields(wanted, json)?;
        let known = ["PASSED", "WARNED", "FAILED"].contains(&result.as_str());
        said(wanted, "result", &result, "PASSED, WARNED or FAILED", known)
    } else if is("https://cosign.sigstore.dev/attestation/vuln") {
        fields::<Vulnerabilities>("cosign's record of a scan", json).map(drop)
    } else if is("https://openvex.dev/ns") {
        let wanted = "OpenVEX";
        let OpenVex { context, .. } = fields(wanted, json)?;
        let known = context.starts_with("https://openvex.dev/ns");
        said(wanted, "@context", &context, "https://openvex.dev/ns…", known)
    } else {
        // Of a type of one's own nothing is known but that a predicate is an object.
        fields::<Any>("the predicate of a statement", json).map(drop)
    }
}

fn fields<T: DeserializeOwned>(wanted: &'static str, json: &str) -> Result<T, NotADocument> {
    let limits = Limits { bytes: MAX_DOCUMENT, values: MAX_VALUES, depth: Limits::DEPTH };
    json::parse(json.as_bytes(), limits)
        .map_err(|error| NotADocument::Other { wanted, why: error.to_string() })
}

fn said(
    wanted: &'static str,
    field: &str,
    found: &str,
    expected: &str,
    is_so: bool,
) -> Result<(), NotADocument> {
    let why = || format!("its {field} is {:?}, not {expected}", crate::text::brief(found, 60));
    if is_so { Ok(()) } else { Err(NotADocument::Other { wanted, why: why() }) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(kind: &str, bytes: &[u8]) -> Result<Document, NotADocument> {
        Document::read(&kind.parse().unwrap(), bytes)
    }

    /// One of each kind, with no more than it has to have.
    fn each() -> [(&'static str, Value); 6] {
        [
            ("cyclonedx", json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1})),
            ("spdx", json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x"})),
            ("sarif", json!({"version": "2.1.0", "runs": []})),
            ("test-result", json!({"result": "PASSED", "configuration": [], "passedTests": ["a"]})),
            ("vuln", json!({"invocation": {}, "scanner": {"uri": "x"}, "metadata": {"scanStartedOn": "y"}})),
            ("openvex", json!({"@context": "https://openvex.dev/ns/v0.2.0", "statements": []})),
        ]
    }

    #[test]
    fn each_is_taken_for_what_it_is_and_for_nothing_else() {
        for (kind, document) in each() {
            for (other, _) in each() {
                let read = read(other, document.to_string().as_bytes());
                assert_eq!(read.is_ok(), kind == other, "{kind} as {other}: {read:?}");
            }
            read("https://example.com/own/v1", document.to_string().as_bytes()).unwrap();
            let fields = document.as_object().unwrap();
            for field in fields.keys().filter(|f| {
                !["version", "name", "invocation", "passedTests"].contains(&f.as_str())
                    || (kind == "sarif" && f.as_str() == "version")
            }) {
                let mut without = fields.clone();
                without.remove(field);
                let error = read(kind, Value::from(without).to_string().as_bytes()).unwrap_err().to_string();
                assert!(error.starts_with("it does not look like"), "{kind} without {field}: {error}");
                let mut odd = fields.clone();
                odd.insert(field.clone(), json!(7));
                read(kind, Value::from(odd).to_string().as_bytes()).unwrap_err();
            }
        }
        // A type of a version is held to the same.
        for kind in ["https://cyclonedx.org/bom/v1.4", "https://spdx.dev/Document/v2.3"] {
            read(kind, b"{}").unwrap_err();
        }
        let spdx3 = br#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#;
        assert!(read("spdx", spdx3).unwrap_err().to_string().contains("SPDX 2"));
    }

    #[test]
    fn what_is_signed_is_the_documents_own_text() {
        let text =
            "{ \"bomFormat\":\"CycloneDX\",\n \"specVersion\":\"1.6\", \"n\": 1.10, \"s\":\"\\u0041\" }\n";
        let document = read("cyclonedx", text.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), text.trim_end());
        assert_eq!(document.digest(), Sha256Digest::of(text.as_bytes()));
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_reason() {
        let own = "https://example.com/own/v1";
        for (bytes, why) in [
            (&b"<testsuite/>"[..], "no JSON document"),
            (b"", "no JSON document"),
            (b"\xef\xbb\xbf{}", "no JSON document"),
            (b"{} {}", "no JSON document"),
            (br#"{"a":1,"a":2}"#, "duplicate field"),
            (b"[1]", "expected an object"),
            (b"7", "expected an object"),
        ] {
            let error = read(own, bytes).unwrap_err().to_string();
            assert!(error.contains(why) && error.len() < 400, "{error}");
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(read(own, deep.as_bytes()).unwrap_err().to_string().contains("levels deep"));
        let wide = format!(r#"{{"a":[{}0]}}"#, "0,".repeat(MAX_VALUES));
        assert!(read(own, wide.as_bytes()).unwrap_err().to_string().contains("more than 200000 values"));
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_DOCUMENT));
        assert!(read(own, large.as_bytes()).unwrap_err().to_string().contains("at most"));
        // A scanner that found a key quotes it.
        let key = crate::keys::PrivateKey::generate(crate::keys::KeyType::Ed25519).unwrap();
        let pem = key.to_pkcs8_pem();
        let quoted = json!({"version": "2.1.0", "runs": [{"snippet": pem.as_str()}]}).to_string();
        let error = read("sarif", quoted.as_bytes()).unwrap_err();
        assert_eq!(error, NotADocument::Secret);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for (kind, _) in each() {
                let _ = read(kind, &bytes);
            }
        }
    }
}
