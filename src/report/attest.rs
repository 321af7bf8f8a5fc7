//! What `argo-attest attest` tells. Fields of the JSON object are added, never
//! renamed or removed; `docs/reports.md` documents it.

use std::fmt::{self, Write as _};

use argo_attest_core::text::shell_word;
use indicatif::HumanBytes;
use serde::Serialize;

use super::KeyUsed;
use crate::attest::Receipt;
use crate::attest::existing_object::Sighting;

/// One object, at the end.
#[derive(Debug)]
pub struct Vouched {
    /// As named on the command line, printable.
    pub object: String,
    /// What was read, if it was.
    pub seen: Option<Sighting>,
    /// The receipt; or why there is none, and what to do.
    pub outcome: Result<Receipt, (String, Option<String>)>,
}

/// What happened, for people.
pub fn vouched_text(key: &KeyUsed, all: &[Vouched]) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write(&mut out, key, all);
    out
}

fn write(out: &mut String, key: &KeyUsed, all: &[Vouched]) -> fmt::Result {
    for vouched in all {
        match (&vouched.outcome, &vouched.seen) {
            (Ok(receipt), Some(seen)) => {
                writeln!(out, "attested      {} ({})", vouched.object, HumanBytes(seen.info().size))?;
                writeln!(out, "              sha256:{}", seen.digest())?;
                writeln!(out, "              {}", receipt.bundle_uri())?;
                if let Some(lines) = receipt.lines_uri() {
                    writeln!(out, "              {lines}")?;
                }
            }
            (Ok(_), None) => {}
            (Err((reason, remedy)), _) => {
                writeln!(out, "not attested  {}: {reason}", vouched.object)?;
                if let Some(remedy) = remedy {
                    writeln!(out, "              help: {remedy}")?;
                }
            }
        }
    }
    let Some(first) = all.iter().find(|vouched| vouched.outcome.is_ok()) else { return Ok(()) };
    writeln!(out, "signed with   {}", key.id)?;
    let file = key.public_file.as_deref().map_or_else(|| "FILE.pub".to_owned(), shell_word);
    if let (None, Some(private)) = (&key.public_file, &key.private) {
        writeln!(out, "public key    argo-attest public-key --key {} > FILE.pub", shell_word(private))?;
    }
    let object = shell_word(&first.object);
    writeln!(out, "verify with   argo-attest verify --key {file} {object}")
}

/// The same as one JSON object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VouchedJson<'a> {
    key: KeyJson<'a>,
    artifacts: Vec<ArtifactJson<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyJson<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key_file: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactJson<'a> {
    artifact: &'a str,
    attested: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation_lines: Option<&'a str>,
}

impl<'a> VouchedJson<'a> {
    /// The object.
    pub fn new(key: &'a KeyUsed, all: &'a [Vouched]) -> Self {
        let key = KeyJson { id: &key.id, public_key_file: key.public_file.as_deref() };
        Self { key, artifacts: all.iter().map(ArtifactJson::from).collect() }
    }
}

impl<'a> From<&'a Vouched> for ArtifactJson<'a> {
    fn from(vouched: &'a Vouched) -> Self {
        let seen = vouched.seen.as_ref();
        let (receipt, no) = match &vouched.outcome {
            Ok(receipt) => (Some(receipt), None),
            Err(no) => (None, Some(no)),
        };
        Self {
            artifact: &vouched.object,
            attested: receipt.is_some(),
            reason: no.map(|(reason, _)| reason.as_str()),
            remedy: no.and_then(|(_, remedy)| remedy.as_deref()),
            digest: seen.map(|s| format!("sha256:{}", s.digest())),
            size: seen.map(|s| s.info().size),
            etag: seen.map(|s| s.info().revision.as_str()),
            version_id: seen.and_then(|s| s.info().version_id.as_deref()),
            attestation: receipt.map(Receipt::bundle_uri),
            attestation_lines: receipt.and_then(Receipt::lines_uri),
        }
    }
}
