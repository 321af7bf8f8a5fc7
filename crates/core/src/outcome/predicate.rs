//! The predicate of the signed outcome, bounded whatever main left behind.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{OutputOutcome, PredicateOutcome, StepOutcome, StepState};
use crate::slsa::Builder;
use crate::text::brief;

/// How many entries of one output are named as refused, and how many as not stored.
const NAMED: usize = 100;
/// Bytes of all entries that are named, their reasons included.
const NAMED_BYTES: usize = 1024 * 1024;
/// Bytes of a reason.
const REASON: usize = 1024;

/// The predicate of a step's outcome, ready to be written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomePredicate<'a> {
    invocation_id: &'a str,
    builder: Builder,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    workflow: Fields<'a>,
    template: Fields<'a>,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    node: Fields<'a>,
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pod: Fields<'a>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_codes: Option<&'a BTreeMap<String, i32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_on: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_on: Option<Timestamp>,
    complete: bool,
    outputs: Vec<Output<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    predicates: Vec<Document<'a>>,
}

type Fields<'a> = BTreeMap<&'static str, &'a str>;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    name: &'a str,
    /// An image has none.
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
    #[serde(skip_serializing_if = "is_zero")]
    refused_count: usize,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    set_aside: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_vouched: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_stored: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    not_stored_count: usize,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    name: &'a str,
    predicate_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'a str>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_vouched: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
struct Refused {
    name: String,
    reason: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl<'a> OutcomePredicate<'a> {
    pub(super) fn new(outcome: &'a StepOutcome<'_>) -> Self {
        let identity = outcome.identity;
        let mut left = NAMED_BYTES;
        Self {
            invocation_id: &outcome.invocation_id,
            builder: Builder::this_version(outcome.builder_id),
            workflow: fields([
                ("name", &identity.workflow_name),
                ("namespace", &identity.pod_namespace),
                ("uid", &identity.workflow_uid),
            ]),
            template: Fields::from([("name", outcome.template)]),
            node: fields([("name", &identity.node_name), ("id", &identity.node_id)]),
            pod: fields([
                ("name", &identity.pod_name),
                ("uid", &identity.pod_uid),
                ("serviceAccount", &identity.service_account),
            ]),
            state: outcome.state.word(),
            exit_codes: match &outcome.state {
                StepState::Failed { exit_codes } => Some(exit_codes),
                StepState::Started | StepState::Succeeded | StepState::Unfinished { .. } => None,
            },
            reason: outcome.state.reason().map(|reason| brief(reason, REASON)),
            started_on: outcome.started_on,
            finished_on: outcome.finished_on,
            complete: outcome.is_complete(),
            outputs: outcome.outputs.iter().map(|output| Output::new(output, &mut left)).collect(),
            predicates: outcome.predicates.iter().map(Document::new).collect(),
        }
    }
}

fn fields<'a, const N: usize>(known: [(&'static str, &'a Option<String>); N]) -> Fields<'a> {
    let known = known.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    known.filter(|(_, value)| !value.is_empty()).collect()
}

fn vouched_not(unvouched: &[String]) -> Vec<String> {
    unvouched.iter().map(|why| brief(why, REASON)).collect()
}

impl<'a> Document<'a> {
    fn new(outcome: &'a PredicateOutcome) -> Self {
        Self {
            name: &outcome.name,
            predicate_type: outcome.kind.as_str(),
            about: outcome.about.as_deref(),
            verdict: outcome.fate.verdict(),
            attestation: outcome.fate.attestation().map(|(attestation, _)| attestation),
            reason: outcome.fate.told().map(|reason| brief(reason, REASON)),
            not_vouched: vouched_not(&outcome.unvouched),
        }
    }
}

impl<'a> Output<'a> {
    /// `left` is what may still be spent on entries.
    fn new(outcome: &'a OutputOutcome, left: &mut usize) -> Self {
        let mut refused = Vec::new();
        for (name, reason) in outcome.refused.iter().take(NAMED) {
            let reason = brief(reason, REASON);
            let Some(rest) = left.checked_sub(name.len() + reason.len()) else { break };
            *left = rest;
            refused.push(Refused { name: name.clone(), reason });
        }
        let mut not_stored = Vec::new();
        for name in outcome.not_stored.iter().take(NAMED) {
            let Some(rest) = left.checked_sub(name.len()) else { break };
            *left = rest;
            not_stored.push(name.clone());
        }
        let (attestation, digest) = outcome.fate.attestation().unzip();
        Self {
            name: &outcome.name,
            path: &outcome.path,
            verdict: outcome.fate.verdict(),
            digest: digest.flatten(),
            attestation,
            reason: outcome.fate.told().map(|reason| brief(reason, REASON)),
            refused,
            refused_count: outcome.refused.len(),
            set_aside: &outcome.set_aside,
            not_vouched: vouched_not(&outcome.unvouched),
            not_stored,
            not_stored_count: outcome.not_stored.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Attested, Fate, STEP_OUTCOME_V1};
    use super::*;
    use crate::digest::Sha256Digest;
    use crate::intoto::{Statement, serialize};
    use crate::slsa::PodIdentity;

    fn output(name: &str, fate: Fate, refused: usize) -> OutputOutcome {
        let refused = (0..refused).map(|n| (format!("{name}/{n}"), "a symbolic link".to_owned())).collect();
        let (name, path) = (name.to_owned(), format!("/out/{name}"));
        let (set_aside, unvouched, not_stored) = (Vec::new(), Vec::new(), Vec::new());
        OutputOutcome { name, path, fate, refused, set_aside, unvouched, not_stored }
    }

    fn predicate(identity: &PodIdentity, state: StepState, outputs: Vec<OutputOutcome>) -> Value {
        let outcome = StepOutcome {
            invocation_id: identity.invocation_id(),
            identity,
            template: "build",
            state,
            outputs,
            predicates: Vec::new(),
            builder_id: "https://ci.example.com/argo",
            started_on: Some("2026-11-23T10:15:00Z".parse().unwrap()),
            finished_on: Some("2026-11-23T10:16:00Z".parse().unwrap()),
        };
        let bytes = serialize(&[outcome.subject()], STEP_OUTCOME_V1, &outcome.predicate()).unwrap();
        let statement = Statement::from_json(&bytes).unwrap();
        assert_eq!(
            statement.subjects()[0].digest.sha256(),
            Some(Sha256Digest::of(outcome.invocation_id.as_bytes()))
        );
        serde_json::from_str(statement.predicate()).unwrap()
    }

    #[test]
    fn tells_every_output_and_why_not() {
        let identity = PodIdentity {
            pod_namespace: Some("ci".into()),
            workflow_name: Some("wf".into()),
            workflow_uid: Some("550e8400".into()),
            node_id: Some("wf-1".into()),
            pod_name: Some(String::new()),
            ..PodIdentity::default()
        };
        let attested = Fate::Attested(Attested::untrue(
            Some("sha256:00".into()),
            "s3://b/wf/a.tgz.sigstore.json".into(),
        ));
        let refused = Fate::Refused { reason: "it does\nnot exist".into() };
        let mut outputs =
            vec![output("a", attested, 1), output("b", refused, 0), output("c", Fate::Absent, 0)];
        outputs[0].set_aside = vec!["s3://b/wf/a.tgz.sigstore.json.set-aside-0".into()];
        outputs[0].unvouched = vec!["the log did\nnot answer".into()];
        outputs.push(output("d", Fate::Unfinished { reason: "the object did not appear".into() }, 0));
        let failed = StepState::Failed { exit_codes: [("main".to_owned(), 3)].into() };
        assert_eq!(
            predicate(&identity, failed, outputs),
            json!({
                "invocationId": "550e8400/wf-1/-",
                "builder": {
                    "id": "https://ci.example.com/argo",
                    "version": {"argo-attest": env!("CARGO_PKG_VERSION")},
                },
                "workflow": {"name": "wf", "namespace": "ci", "uid": "550e8400"},
                "template": {"name": "build"},
                "node": {"id": "wf-1"},
                "state": "failed",
                "exitCodes": {"main": 3},
                "startedOn": "2026-11-23T10:15:00Z",
                "finishedOn": "2026-11-23T10:16:00Z",
                "complete": false,
                "outputs": [
                    {
                        "name": "a", "path": "/out/a", "verdict": "attested", "digest": "sha256:00",
                        "attestation": "s3://b/wf/a.tgz.sigstore.json",
                        "refused": [{"name": "a/0", "reason": "a symbolic link"}], "refusedCount": 1,
                        "setAside": ["s3://b/wf/a.tgz.sigstore.json.set-aside-0"],
                        "notVouched": ["the log did%0Anot answer"],
                    },
                    {"name": "b", "path": "/out/b", "verdict": "refused", "reason": "it does%0Anot exist"},
                    {"name": "c", "path": "/out/c", "verdict": "absent"},
                    {"name": "d", "path": "/out/d", "verdict": "unfinished",
                     "reason": "the object did not appear"},
                ],
            })
        );
    }

    #[test]
    fn is_complete_where_nothing_is_amiss() {
        let identity = PodIdentity::default();
        let attested = Fate::Attested(Attested::untrue(None, "u".into()));
        let not_stored = Fate::NotStored { reason: "there is no object".into() };
        let told = predicate(
            &identity,
            StepState::Succeeded,
            vec![output("a", attested, 0), output("b", Fate::Absent, 0), output("c", not_stored, 0)],
        );
        assert_eq!((&told["complete"], &told["state"]), (&json!(true), &json!("succeeded")));
        let expected =
            json!({"name": "c", "path": "/out/c", "verdict": "absent", "reason": "there is no object"});
        assert_eq!(told["outputs"][2], expected);
        let gone = StepState::Unfinished { reason: "no exit code".into() };
        let told =
            predicate(&identity, gone, vec![output("a", Fate::Unfinished { reason: "gone".into() }, 0)]);
        assert_eq!((&told["complete"], &told["reason"]), (&json!(false), &json!("no exit code")));
    }

    /// Also of a step that declares no output, and so has none that is amiss.
    #[test]
    fn what_has_only_started_is_never_complete() {
        let told = predicate(&PodIdentity::default(), StepState::Started, Vec::new());
        assert_eq!((&told["complete"], &told["state"]), (&json!(false), &json!("started")));
    }

    #[test]
    fn tells_of_a_document_who_does_not_vouch_for_it() {
        let identity = PodIdentity::default();
        let document = |unvouched| PredicateOutcome {
            name: "sbom".into(),
            kind: "spdx".parse().unwrap(),
            about: Some("a".into()),
            fate: Fate::Attested(Attested::untrue(None, "u".into())),
            unvouched,
        };
        let outcome = StepOutcome {
            invocation_id: identity.invocation_id(),
            identity: &identity,
            template: "build",
            state: StepState::Succeeded,
            outputs: Vec::new(),
            predicates: vec![document(vec!["the log did\nnot answer".into()]), document(Vec::new())],
            builder_id: "https://ci.example.com/argo",
            started_on: None,
            finished_on: None,
        };
        let told = serde_json::to_value(outcome.predicate()).unwrap();
        assert_eq!(told["predicates"][0]["notVouched"], json!(["the log did%0Anot answer"]));
        assert_eq!((told["predicates"][1].get("notVouched"), &told["complete"]), (None, &json!(true)));
    }

    #[test]
    fn counts_what_it_does_not_name() {
        let refused = || Fate::Refused { reason: "x".repeat(9999) };
        let told =
            predicate(&PodIdentity::default(), StepState::Succeeded, vec![output("a", refused(), 5000)]);
        let output_a = &told["outputs"][0];
        assert_eq!(output_a["refused"].as_array().unwrap().len(), NAMED);
        assert_eq!(output_a["refusedCount"], 5000);
        assert_eq!(output_a["reason"].as_str().unwrap().len(), REASON);

        let attested = Fate::Attested(Attested::untrue(None, "u".into()));
        let mut linked = output("l", attested, 0);
        linked.not_stored = (0..5000).map(|n| n.to_string()).collect();
        let told = predicate(&PodIdentity::default(), StepState::Succeeded, vec![linked]);
        let told_of = &told["outputs"][0];
        assert_eq!(told_of["notStored"].as_array().unwrap().len(), NAMED);
        assert_eq!((&told_of["notStoredCount"], &told["complete"]), (&json!(5000), &json!(true)));

        let mut long = output("b", refused(), 0);
        long.refused = vec![("n".repeat(NAMED_BYTES / 10), "r".into()); 20];
        let told =
            predicate(&PodIdentity::default(), StepState::Succeeded, vec![long, output("c", refused(), 1)]);
        assert_eq!(told["outputs"][0]["refused"].as_array().unwrap().len(), 9);
        assert_eq!(told["outputs"][0]["refusedCount"], 20);
        assert_eq!(told["outputs"][1]["refusedCount"], 1);
    }
}
