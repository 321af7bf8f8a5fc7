//! The report as one JSON object; `docs/reports.md` documents it. Fields are
//! added, never renamed or removed.

use std::borrow::Cow;

use argo_attest_core::secret::redacted;
use jiff::Timestamp;
use serde::Serialize;

use super::RunReport;
use crate::attest::Receipt;
use crate::attest::{FileSeen, Outcome, Verdict};
use crate::report::IdentityJson;

/// The object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunJson<'a> {
    command: CommandJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<IdentityJson<'a>>,
    artifacts: Vec<ArtifactJson<'a>>,
    metrics: MetricsJson,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CommandJson {
    exit_code: u8,
    ended_on: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyJson<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key_file: Option<&'a str>,
    created: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactJson<'a> {
    name: String,
    attested: bool,
    unchanged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation_lines: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_vouched: Vec<Cow<'a, str>>,
    files: Vec<FileJson>,
    refused: Vec<RefusedJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FileJson {
    name: String,
    size: u64,
    sha256: String,
    /// Milliseconds from the command's end; negative: while it ran.
    digested_relative_to_end_ms: i64,
}

#[derive(Debug, Serialize)]
struct RefusedJson {
    name: String,
    reason: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricsJson {
    files_digested_before_end: u64,
    files_digested_after_end: u64,
    bytes_digested_before_end: u64,
    bytes_digested_after_end: u64,
    store_retries: u64,
}

impl<'a> From<&'a RunReport> for RunJson<'a> {
    fn from(report: &'a RunReport) -> Self {
        let stats = &report.stats;
        Self {
            command: CommandJson { exit_code: report.end.code(), ended_on: report.ended },
            identity: report.key.as_ref().and_then(|key| key.identity.as_ref()).map(IdentityJson::from),
            key: report.key.as_ref().filter(|key| key.identity.is_none()).map(|key| KeyJson {
                id: &key.id,
                public_key_file: key.public_file.as_deref(),
                created: key.created,
            }),
            artifacts: report.outcomes.iter().map(|o| artifact(o, report.ended)).collect(),
            metrics: MetricsJson {
                files_digested_before_end: stats.files_before_end,
                files_digested_after_end: stats.files_after_end,
                bytes_digested_before_end: stats.bytes_before_end,
                bytes_digested_after_end: stats.bytes_after_end,
                store_retries: report.store_retries,
            },
        }
    }
}

fn artifact(outcome: &Outcome, ended: Timestamp) -> ArtifactJson<'_> {
    let (receipt, kept, reason) = match &outcome.verdict {
        Verdict::Attested(receipt) => (Some(receipt), None, None),
        Verdict::Unchanged { attestation } => (None, Some(attestation.as_str()), None),
        Verdict::NotAttested { reason, .. } => (None, None, Some(redacted(reason))),
    };
    ArtifactJson {
        name: outcome.told(),
        attested: receipt.is_some(),
        unchanged: kept.is_some(),
        reason,
        digest: outcome.digest.as_deref(),
        attestation: receipt.map(Receipt::bundle_uri).or(kept),
        attestation_lines: receipt.and_then(Receipt::lines_uri),
        not_vouched: receipt.into_iter().flat_map(Receipt::unvouched).map(|why| redacted(why)).collect(),
        files: outcome.files().map(|f| file(f, ended)).collect(),
        refused: outcome
            .refused
            .iter()
            .map(|(name, refusal)| RefusedJson { name: name.clone(), reason: refusal.to_string() })
            .collect(),
    }
}

fn file(file: FileSeen, ended: Timestamp) -> FileJson {
    FileJson {
        name: file.name,
        size: file.size,
        sha256: file.digest.to_string(),
        digested_relative_to_end_ms: i64::try_from(file.digested.duration_since(ended).as_millis())
            .unwrap_or(i64::MAX),
    }
}
