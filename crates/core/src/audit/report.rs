//! What an auditor signs of an audit: <https://argo-attest.github.io/audit/v1>, which
//! `docs/formats.md` specifies. The findings one by one are in the report itself, whose digest is
//! the statement's subject.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Finding, Narrowing, Totals};
use crate::consulted::{Consulted, digest};
use crate::intoto::{DigestSet, ResourceDescriptor};
use crate::text::brief;
use crate::verify::Reason;

/// The predicate's type.
pub const AUDIT_V1: &str = "https://argo-attest.github.io/audit/v1";
/// As many are named of each kind of thing; of more it is said how many there are.
const NAMED: usize = 1_000;
/// Bytes of a name that an unsigned text chose.
const SHOWN: usize = 600;
/// Bytes of an address: the longest key of an object, each byte escaped, and its bucket fit.
const ADDRESS: usize = 3_500;

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
    #[serde(skip_serializing_if = "Narrowing::is_none")]
    narrowed_by: Narrowing,
    complete: bool,
    totals: Vec<Counted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<ResourceDescriptor>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unmet: Vec<Unmet>,
    #[serde(skip_serializing_if = "Unnamed::is_none")]
    unnamed: Unnamed,
}

/// How many more there are than are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Unnamed {
    #[serde(skip_serializing_if = "is_none")]
    workflows: usize,
    #[serde(skip_serializing_if = "is_none")]
    places: usize,
    #[serde(skip_serializing_if = "is_none")]
    outputs: usize,
    #[serde(skip_serializing_if = "is_none")]
    unmet: usize,
}

/// What an audit gathers for its signed report while it goes on. What it is of may have no end, and this has one.
#[derive(Debug, Default)]
pub struct Gathering {
    workflows: Vec<AuditedRun>,
    unmet: Vec<Unmet>,
    unnamed: Unnamed,
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
struct Unmet {
    /// What it is about, in the form that the report has.
    artifact: String,
    /// The step's node, if it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
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
    fn of(finding: &Finding, artifact: impl FnOnce() -> String, node: Option<&str>) -> Option<Self> {
        finding.fault()?;
        Some(Self {
            artifact: brief(&artifact(), ADDRESS),
            node: node.map(|node| brief(node, SHOWN)),
            verdict: finding.standing().verdict(),
            reason: finding.reason().map(Reason::code),
        })
    }
}

impl Unnamed {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Gathering {
    /// A workflow that is audited.
    pub fn workflow(&mut self, run: &AuditedRun) {
        if self.workflows.len() >= NAMED {
            self.unnamed.workflows = self.unnamed.workflows.saturating_add(1);
            return;
        }
        let AuditedRun { namespace, name, uid, phase } = run;
        let [namespace, name, uid, phase] = [namespace, name, uid, phase].map(|text| brief(text, SHOWN));
        self.workflows.push(AuditedRun { namespace, name, uid, phase });
    }

    /// A finding: what it is about is asked for only if it is named.
    pub fn finding(&mut self, finding: &Finding, artifact: impl FnOnce() -> String, node: Option<&str>) {
        if self.unmet.len() < NAMED {
            self.unmet.extend(Unmet::of(finding, artifact, node));
        } else if finding.fault().is_some() {
            self.unnamed.unmet = self.unnamed.unmet.saturating_add(1);
        }
    }

    /// The workflows, but for those that are counted only.
    pub fn workflows(&self) -> &[AuditedRun] {
        &self.workflows
    }
}

/// The first of them, and how many more there are.
fn first<T>(mut all: Vec<T>) -> (Vec<T>, usize) {
    let more = all.len().saturating_sub(NAMED);
    all.truncate(NAMED);
    (all, more)
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
            narrowed_by: Narrowing::default(),
            complete: false,
            totals: Vec::new(),
            outputs: Vec::new(),
            unmet: Vec::new(),
            unnamed: Unnamed::default(),
        }
    }

    /// Whom it trusts.
    #[must_use]
    pub fn trusting(self, policy: Option<Consulted>, trusted_keys: Vec<String>) -> Self {
        Self { policy, trusted_keys, ..self }
    }

    /// What it is of, beside workflows, and by what it was narrowed.
    #[must_use]
    pub fn about(self, places: Vec<String>, narrowed_by: Narrowing) -> Self {
        let (mut places, more) = first(places);
        places
            .iter_mut()
            .filter(|place| place.len() > ADDRESS)
            .for_each(|place| *place = brief(place, ADDRESS));
        Self { places, narrowed_by, unnamed: Unnamed { places: more, ..self.unnamed }, ..self }
    }

    /// What it found.
    #[must_use]
    pub fn found(self, totals: &Totals, outputs: &[Output], found: &Gathering) -> Self {
        let counted = totals.each().map(|(standing, reason, count)| Counted {
            verdict: standing.verdict(),
            reason: reason.map(Reason::code),
            count,
        });
        let Gathering { workflows, unmet, unnamed } = found;
        // A name that is cut short could be another's.
        let nameable = outputs.iter().filter(|output| output.name.len() <= ADDRESS);
        let named: Vec<_> = nameable.take(NAMED).map(Output::descriptor).collect();
        Self {
            complete: totals.is_complete(),
            totals: counted.collect(),
            workflows: workflows.clone(),
            unmet: unmet.clone(),
            unnamed: Unnamed {
                places: self.unnamed.places,
                outputs: outputs.len().saturating_sub(named.len()),
                ..*unnamed
            },
            outputs: named,
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
        let (mut totals, mut found) = (Totals::default(), Gathering::default());
        totals.count(&Finding::Attested);
        found.finding(&Finding::Attested, || unreachable!("it is met"), None);
        for at in 0..NAMED + 3 {
            totals.count(&Finding::ObjectGone);
            found.finding(&Finding::ObjectGone, || format!("s3://b/{at}"), Some("wf-1"));
            found.finding(&Finding::Attested, || unreachable!("it is met"), None);
        }
        let digest = Sha256Digest::of(b"x");
        let output = Output { name: "s3://b/app".into(), digest: format!("sha256:{digest}") };
        let narrowing = Narrowing { not_ours: vec!["main.log".into()], ..Narrowing::default() };
        let report = AuditReport::new("https://a.example.com".into(), "1.2.3", Timestamp::UNIX_EPOCH)
            .trusting(None, vec!["SHA256:k".into()])
            .about(Vec::new(), narrowing)
            .found(&totals, &[output], &found);
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
            "narrowedBy": {"notOurs": ["main.log"]},
            "complete": false,
            "totals": [
                {"verdict": "attested", "count": 1},
                {"verdict": "refused", "reason": "object-gone", "count": NAMED + 3},
            ],
            "outputs": [{"name": "s3://b/app", "digest": {"sha256": digest.to_string()}}],
            "unmet": null,
            "unnamed": {"unmet": 3},
        });
        assert_eq!(json, expected);
    }

    /// Whoever writes the text of a workflow writes these names, as many and as long as they like.
    #[test]
    fn nothing_in_it_is_without_end() {
        let long = "n".repeat(100_000);
        let mut found = Gathering::default();
        let run = AuditedRun {
            namespace: long.clone(),
            name: long.clone(),
            uid: long.clone(),
            phase: long.clone(),
        };
        for _ in 0..=NAMED {
            found.workflow(&run);
        }
        found.finding(&Finding::ObjectGone, || long.clone(), Some(&long));
        let mut outputs = vec![Output { name: "s3://b/app".into(), digest: "sha256:00".into() }; NAMED + 3];
        outputs.insert(0, Output { name: long.clone(), digest: "sha256:00".into() });
        let mut places = vec!["s3://b/p/".to_owned(); NAMED + 1];
        places.insert(0, long.clone());
        let report = AuditReport::new(String::new(), "1", Timestamp::UNIX_EPOCH)
            .about(places, Narrowing::default())
            .found(&Totals::default(), &outputs, &found);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!(json["unnamed"], json!({"workflows": 1, "places": 2, "outputs": 4}));
        for (list, count) in [("workflows", NAMED), ("places", NAMED), ("outputs", NAMED), ("unmet", 1)] {
            assert_eq!(json[list].as_array().unwrap().len(), count, "{list}");
        }
        assert!(serde_json::to_vec(&report).unwrap().len() < NAMED * 5 * SHOWN);
        assert!(!json.to_string().contains(&"n".repeat(ADDRESS + 1)));
    }
}
