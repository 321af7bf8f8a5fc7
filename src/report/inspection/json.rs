//! The object that `inspect --json` prints; documented in `docs/reports.md`.

use argo_attest_core::attestation_file::{
    AttestationFile, CertificateSummary, Claimed, Found, Item, Unusable,
};
use argo_attest_core::intoto::{LIMITS, ResourceDescriptor};
use argo_attest_core::json;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::outline;
use crate::report::NotJudged;

/// A file, as what it says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectedJson<'a> {
    file: &'a str,
    format: &'a str,
    /// Always false: to look is not to verify.
    signatures_checked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<NotJudged>,
    attestations: Items<'a>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    passed_over: Vec<PassedOver<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    passed_over_more: usize,
}

#[derive(Serialize)]
struct PassedOver<'a> {
    at: &'a str,
    reason: &'a str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl<'a> InspectedJson<'a> {
    /// `name`: the file's, printable.
    pub fn new(name: &'a str, file: &'a AttestationFile) -> Self {
        let passed_over = |Unusable { at, why }: &'a Unusable| PassedOver { at, reason: why };
        Self {
            file: name,
            format: file.form(),
            signatures_checked: false,
            not_judged: NotJudged::of_all(file.items().iter().map(|item| item.found.unjudged())),
            attestations: Items(file.items()),
            passed_over: file.passed_over().iter().map(passed_over).collect(),
            passed_over_more: file.unnamed(),
        }
    }
}

/// Each made when it is written: one statement at a time is held.
struct Items<'a>(&'a [Item]);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Written))
    }
}

struct Written<'a>(&'a Item);

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Fields<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    at: &'a str,
    form: &'static str,
    key_ids: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    certificates: Vec<Certificate<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<NotJudged>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    malformed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    products: Option<&'a [ResourceDescriptor]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    identities: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_after: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    malformed: Option<String>,
}

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Item { at, found } = self.0;
        let claimed = found.claimed();
        let base = Fields {
            at,
            form: found.form(),
            key_ids: claimed.iter().filter_map(key).collect(),
            certificates: claimed.iter().filter_map(certificate).collect(),
            not_judged: NotJudged::new(found.unjudged()),
            ..Fields::default()
        };
        let fields = match found {
            Found::Attestation(signed) => {
                let payload = signed.content.unverified_payload();
                match (outline(payload), raw(payload)) {
                    (Ok(read), Some(statement)) if read.is_statement() => {
                        Fields { kind: "attestation", statement: Some(statement.to_owned()), ..base }
                    }
                    (Ok(_), payload) => Fields { kind: "envelope", payload, ..base },
                    (Err(why), _) => Fields { kind: "attestation", malformed: Some(why), ..base },
                }
            }
            Found::Other(signed) => Fields {
                kind: "envelope",
                payload_type: Some(&signed.content.payload_type),
                payload: raw(&signed.content.payload),
                ..base
            },
            Found::FileSignature(signature) => {
                Fields { kind: "fileSignature", digest: signature.digest.as_deref(), ..base }
            }
            Found::Statement(statement) => {
                let text = statement.text.as_json().to_owned();
                Fields { kind: "statement", statement: RawValue::from_string(text).ok(), ..base }
            }
            Found::Metablock(block) => {
                let content = &block.content;
                Fields {
                    kind: "metablock",
                    name: told(&content.name),
                    expires: told(&content.expires),
                    steps: (!content.steps.is_empty()).then_some(&content.steps),
                    products: (!content.products.is_empty()).then_some(&content.products),
                    ..base
                }
            }
            Found::Manifest(manifest) => Fields { kind: "manifest", files: Some(manifest.files), ..base },
            _ => base,
        };
        fields.serialize(serializer)
    }
}

/// A payload that is JSON of which readers cannot see two documents.
fn raw(payload: &[u8]) -> Option<&RawValue> {
    json::raw(payload, LIMITS).ok()
}

fn told(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn key(claimed: &Claimed) -> Option<&str> {
    match claimed {
        Claimed::Key(name) => Some(name),
        Claimed::Certificate(_) => None,
    }
}

fn certificate(claimed: &Claimed) -> Option<Certificate<'_>> {
    let Claimed::Certificate(read) = claimed else { return None };
    Some(match read.as_ref() {
        Ok(CertificateSummary { identities, subject, issuer, oidc_issuer, not_before, not_after }) => {
            Certificate {
                identities,
                subject: told(subject),
                issuer: told(issuer),
                oidc_issuer: oidc_issuer.as_deref(),
                not_before: *not_before,
                not_after: *not_after,
                malformed: None,
            }
        }
        Err(error) => Certificate {
            identities: &[],
            subject: None,
            issuer: None,
            oidc_issuer: None,
            not_before: None,
            not_after: None,
            malformed: Some(error.to_string()),
        },
    })
}
