//! What an auditor signs of an audit: <https://argo-attest.github.io/audit/v1>, which
//! `docs/formats.md` specifies. The findings one by one are in the report itself, whose digest is
//! the statement's subject.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Finding, Totals};
use crate::consulted::{Consulted, digest};
use crate::intoto::{DigestSet, ResourceDescriptor};
use crate::verify::Reason;

/// The predicate's type.
pub const AUDIT_V1: &str = "https://argo-attest.github.io/audit/v1";
/// Findings that are named of what is not met.
const NAMED: usize = 1_000;

/// An audit, as it is signed.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    auditor: Auditor,
    audited_on: Timestamp,
    /// Without one, whoever has one of these keys was trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Consulted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted_keys: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    workflows: Vec<AuditedRun>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    places: Vec<String>,
    complete: bool,
    totals: Vec<Counted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<ResourceDescriptor>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmet: Vec<Unmet>,
    /// How many more there are than are named.
    #[serde(skip_serializing_if = "is_none")]
    unnamed: usize,
}

#[derive(Debug, Serialize)]
struct Auditor {
    id: String,
    version: BTreeMap<&'static str, &'static str>,
}

/// A workflow that was audited, as its text says; not printable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditedRun {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// How Argo says that it stood.
    pub phase: String,
}

/// How many findings there are of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    count: usize,
}

/// A final output that is attested: its name, and `sha256:…` or `dirHash:…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Output {
    /// The address.
    pub name: String,
    /// The digest that its statement has.
    pub digest: String,
}

/// Something that is missing, or could not be found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unmet {
    /// What it is about, in the form that the report has.
    pub artifact: String,
    /// The step's node, if it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl Output {
    /// As a statement has it.
    pub fn descriptor(&self) -> ResourceDescriptor {
        ResourceDescriptor::named(self.name.clone(), self.digests())
    }

    fn digests(&self) -> DigestSet {
        digest(&self.digest)
    }
}

impl Unmet {
    /// Of a finding; `None` of one that is met.
    pub fn of(finding: &Finding, artifact: impl FnOnce() -> String, node: Option<&str>) -> Option<Self> {
        finding.fault()?;
        Some(Self {
            artifact: artifact(),
            node: node.map(str::to_owned),
            verdict: finding.standing().verdict(),
            reason: finding.reason().map(Reason::code),
        })
    }
}

impl AuditReport {
    /// By whom, with which version of this program, when.
    pub fn new(auditor: String, version: &'static str, audited_on: Timestamp) -> Self {
        Self {
            auditor: Auditor { id: auditor, version: BTreeMap::from([("argo-attest", version)]) },
            audited_on,
            policy: None,
            trusted_keys: Vec::new(),
            workflows: Vec::new(),
            places: Vec::new(),
            complete: false,
            totals: Vec::new(),
            outputs: Vec::new(),
            unmet: Vec::new(),
            unnamed: 0,
        }
    }

    /// Whom it trusts.
    #[must_use]
    pub fn trusting(self, policy: Option<Consulted>, trusted_keys: Vec<String>) -> Self {
        Self { policy, trusted_keys, ..self }
    }

    /// What it is of.
    #[must_use]
    pub fn about(self, workflows: Vec<AuditedRun>, places: Vec<String>) -> Self {
        Self { workflows, places, ..self }
    }

    /// What it found.
    #[must_use]
    pub fn found(self, totals: &Totals, outputs: &[Output], mut unmet: Vec<Unmet>) -> Self {
        let counted = totals.each().map(|(standing, reason, count)| Counted {
            verdict: standing.verdict(),
            reason: reason.map(Reason::code),
            count,
        });
        let unnamed = unmet.len().saturating_sub(NAMED);
        unmet.truncate(NAMED);
        Self {
            complete: totals.is_complete(),
            totals: counted.collect(),
            outputs: outputs.iter().map(Output::descriptor).collect(),
            unmet,
            unnamed,
            ..self
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::digest::Sha256Digest;

    #[test]
    fn it_says_what_was_found_and_counts_what_it_does_not_name() {
        let mut totals = Totals::default();
        totals.count(&Finding::Attested);
        let unmet: Vec<_> = (0..NAMED + 3)
            .filter_map(|at| {
                totals.count(&Finding::ObjectGone);
                Unmet::of(&Finding::ObjectGone, || format!("s3://b/{at}"), Some("wf-1"))
            })
            .collect();
        assert_eq!(Unmet::of(&Finding::Attested, String::new, None), None);
        let digest = Sha256Digest::of(b"x");
        let output = Output { name: "s3://b/app".into(), digest: format!("sha256:{digest}") };
        let report = AuditReport::new("https://a.example.com".into(), "1.2.3", Timestamp::UNIX_EPOCH)
            .trusting(None, vec!["SHA256:k".into()])
            .found(&totals, &[output], unmet);
        let mut json = serde_json::to_value(report).unwrap();
        let named = json["unmet"].take();
        assert_eq!(named.as_array().unwrap().len(), NAMED);
        let first =
            json!({"artifact": "s3://b/0", "node": "wf-1", "verdict": "refused", "reason": "object-gone"});
        assert_eq!(named[0], first);
        let expected = json!({
            "auditor": {"id": "https://a.example.com", "version": {"argo-attest": "1.2.3"}},
            "auditedOn": "1970-01-01T00:00:00Z",
            "trustedKeys": ["SHA256:k"],
            "complete": false,
            "totals": [
                {"verdict": "attested", "count": 1},
                {"verdict": "refused", "reason": "object-gone", "count": NAMED + 3},
            ],
            "outputs": [{"name": "s3://b/app", "digest": {"sha256": digest.to_string()}}],
            "unmet": null,
            "unnamed": 3,
        });
        assert_eq!(json, expected);
    }
}
