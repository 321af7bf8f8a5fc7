//! The termination message: the outcome in the few bytes that the kubelet passes
//! on, for `kubectl get pod` and for scripts. Nobody signs it; it says where the
//! signed outcome is.

use serde::Serialize;

use super::{Fate, OutputOutcome, PredicateOutcome, StepOutcome};
use crate::text::brief;
use crate::text::terminal_json;

/// Bytes of a message, at most.
///
/// The kubelet passes on 4096 bytes of a container, but no more than 12 KiB for
/// the pod, shared out evenly among the containers that its spec lists
/// (`normalizeStatus` in Kubernetes's `pkg/kubelet/status/status_manager.go`); the
/// rest is cut off, and what is left would not be JSON. This is enough for six.
pub const MESSAGE_LIMIT: usize = 2048;

/// Bytes of the outcome's URI; one that is longer is left out.
const URI: usize = 1024;
/// Bytes of a reason.
const REASON: usize = 256;
/// Bytes of a file's name and a reason.
const PREDICATE: usize = 128;
/// Bytes of an artifact's name.
const NAME: usize = 128;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    state: &'static str,
    step: &'static str,
    attested: usize,
    not_attested: usize,
    absent: usize,
    /// Of the attested ones, those of which entries were refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    incomplete: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicates: Option<Predicates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_not_stored: Option<String>,
    artifacts: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
}

/// What became of the files that were to be signed as what they are.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Predicates {
    attested: usize,
    not_attested: usize,
    /// Of the first that is not, its name and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attestation: Option<&'a str>,
}

impl StepOutcome<'_> {
    /// One JSON object of at most [`MESSAGE_LIMIT`] bytes. `stored` is where the
    /// signed outcome is, or why it is nowhere.
    ///
    /// What is amiss comes first, so that it is the last to be left out; outputs
    /// that do not fit are counted in `more`.
    pub fn termination_message(&self, stored: Result<&str, &str>) -> String {
        let count = |is: fn(&Fate) -> bool| self.outputs.iter().filter(|o| is(&o.fate)).count();
        let is_in_part = |o: &&OutputOutcome| matches!(o.fate, Fate::Attested(_)) && !o.is_complete();
        let incomplete = self.outputs.iter().filter(is_in_part).count();
        let (amiss, well): (Vec<_>, Vec<_>) = self.outputs.iter().partition(|o| !o.is_complete());
        let mut message = Message {
            state: "done",
            step: self.state.word(),
            attested: count(|fate| matches!(fate, Fate::Attested(_))),
            not_attested: count(|fate| fate.reason().is_some()),
            absent: count(Fate::is_absent),
            incomplete: Some(incomplete).filter(|count| *count > 0),
            predicates: Predicates::of(&self.predicates),
            reason: self.state.reason().map(|reason| brief(reason, REASON)),
            outcome: stored.ok().filter(|uri| written(uri).len() <= URI),
            outcome_not_stored: stored.err().map(|reason| brief(reason, REASON)),
            artifacts: Vec::new(),
            more: Some(self.outputs.len()),
        };
        let mut length = written(&message).len();
        for output in amiss.into_iter().chain(well) {
            let entry = Entry::new(output);
            length += written(&entry).len() + ",".len();
            if length > MESSAGE_LIMIT {
                break;
            }
            message.artifacts.push(entry);
        }
        message.more = Some(self.outputs.len() - message.artifacts.len()).filter(|more| *more > 0);
        written(&message)
    }
}

impl Predicates {
    /// `None` where there are none.
    fn of(all: &[PredicateOutcome]) -> Option<Self> {
        let count = |is: fn(&Fate) -> bool| all.iter().filter(|one| is(&one.fate)).count();
        let amiss = |one: &PredicateOutcome| {
            one.fate.reason().map(|reason| brief(&format!("{}: {reason}", one.name), PREDICATE))
        };
        (!all.is_empty()).then(|| Self {
            attested: count(|fate| matches!(fate, Fate::Attested(_))),
            not_attested: count(|fate| fate.reason().is_some()),
            reason: all.iter().find_map(amiss),
        })
    }
}

impl<'a> Entry<'a> {
    fn new(outcome: &'a OutputOutcome) -> Self {
        let (attestation, digest) = outcome.fate.attestation().unzip();
        Self {
            name: brief(&outcome.name, NAME),
            verdict: outcome.fate.verdict(),
            reason: outcome.fate.told().map(|reason| brief(reason, REASON)),
            refused: Some(outcome.refused.len()).filter(|count| *count > 0),
            digest: digest.flatten(),
            attestation,
        }
    }
}

fn written(value: &impl Serialize) -> String {
    // Text and numbers always can be written as JSON.
    terminal_json(&serde_json::to_string(value).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::{Attested, StepState};
    use super::*;
    use crate::slsa::PodIdentity;

    fn message(state: StepState, outputs: Vec<OutputOutcome>, stored: Result<&str, &str>) -> String {
        message_of(state, outputs, Vec::new(), stored)
    }

    fn message_of(
        state: StepState,
        outputs: Vec<OutputOutcome>,
        predicates: Vec<PredicateOutcome>,
        stored: Result<&str, &str>,
    ) -> String {
        let identity = PodIdentity::default();
        let outcome = StepOutcome {
            invocation_id: identity.invocation_id(),
            identity: &identity,
            template: "build",
            state,
            outputs,
            predicates,
            builder_id: "https://ci.example.com/argo",
            started_on: None,
            finished_on: None,
        };
        outcome.termination_message(stored)
    }

    fn output(name: &str, fate: Fate) -> OutputOutcome {
        OutputOutcome {
            name: name.to_owned(),
            path: "/p".into(),
            fate,
            refused: Vec::new(),
            set_aside: Vec::new(),
            unvouched: Vec::new(),
            not_stored: Vec::new(),
        }
    }

    fn attested(name: &str) -> OutputOutcome {
        let attestation = format!("s3://artifacts/wf/wf-build-1/{name}.tgz.sigstore.json");
        let digest = Some(format!("sha256:{}", "0".repeat(64)));
        output(name, Fate::Attested(Attested::untrue(digest, attestation)))
    }

    #[test]
    fn says_what_is_amiss_first() {
        let outputs = vec![
            attested("a"),
            output("b", Fate::Refused { reason: "it is a \"FIFO\"\n".into() }),
            output("c", Fate::Absent),
        ];
        let text = message(StepState::Succeeded, outputs, Ok("s3://artifacts/wf/outcome.sigstore.json"));
        assert!(text.starts_with(r#"{"state":"done","step":"succeeded","attested":1,"#), "{text}");
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            json!({
                "state": "done", "step": "succeeded", "attested": 1, "notAttested": 1, "absent": 1,
                "outcome": "s3://artifacts/wf/outcome.sigstore.json",
                "artifacts": [
                    {"name": "b", "verdict": "refused", "reason": "it is a \"FIFO\"%0A"},
                    {"name": "a", "verdict": "attested", "digest": format!("sha256:{}", "0".repeat(64)),
                     "attestation": "s3://artifacts/wf/wf-build-1/a.tgz.sigstore.json"},
                    {"name": "c", "verdict": "absent"},
                ],
            })
        );
    }

    #[test]
    fn says_that_nothing_signed_was_left() {
        let gone = StepState::Unfinished { reason: "no exit code".into() };
        let read: Value = serde_json::from_str(&message(gone, Vec::new(), Err("the store is away"))).unwrap();
        assert_eq!(
            read,
            json!({
                "state": "done", "step": "unfinished", "attested": 0, "notAttested": 0, "absent": 0,
                "reason": "no exit code", "outcomeNotStored": "the store is away", "artifacts": [],
            })
        );
    }

    #[test]
    fn says_what_became_of_files_that_speak_of_outputs() {
        let signed = Fate::Attested(Attested::untrue(None, "s3://b/a.predicate-spdx.sigstore.json".into()));
        let predicate = |name: &str, fate| PredicateOutcome {
            name: name.to_owned(),
            kind: "spdx".parse().unwrap(),
            about: Some("a".into()),
            fate,
            unvouched: Vec::new(),
        };
        let refused = Fate::Refused { reason: "it does not look like SPDX 2".into() };
        let predicates = vec![predicate("sbom", signed), predicate("other", refused)];
        let text = message_of(StepState::Succeeded, Vec::new(), predicates, Ok("s3://b/o"));
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            read["predicates"],
            json!({"attested": 1, "notAttested": 1, "reason": "other: it does not look like SPDX 2"})
        );
    }

    #[test]
    fn counts_what_it_leaves_out() {
        let mut outputs: Vec<_> = (0..50).map(|n| attested(&format!("output-{n}"))).collect();
        outputs.push(output("last", Fate::Refused { reason: "changed".into() }));
        let text = message(StepState::Succeeded, outputs, Ok("s3://b/o"));
        let read: Value = serde_json::from_str(&text).unwrap();
        let named = read["artifacts"].as_array().unwrap().len();
        assert!(named > 5 && text.len() > MESSAGE_LIMIT - 300, "{named} in {} bytes", text.len());
        assert_eq!(read["more"].as_u64().unwrap(), 51 - named as u64);
        assert_eq!(read["artifacts"][0]["name"], "last");
        assert_eq!((&read["attested"], &read["notAttested"]), (&json!(50), &json!(1)));
    }

    fn fates() -> impl Strategy<Value = Fate> {
        let text = || prop_oneof![".{0,40}", "[\"\\\\]{0,500}", any::<String>()];
        prop_oneof![
            (proptest::option::of(text()), text())
                .prop_map(|(digest, attestation)| Fate::Attested(Attested::untrue(digest, attestation))),
            text().prop_map(|reason| Fate::Refused { reason }),
            text().prop_map(|reason| Fate::Unfinished { reason }),
            text().prop_map(|reason| Fate::NotAttempted { reason }),
            text().prop_map(|reason| Fate::NotStored { reason }),
            Just(Fate::Absent),
        ]
    }

    proptest! {
        #[test]
        fn is_json_within_its_limit(
            outputs in vec(("[\"\\\\\u{1b}é日]{0,150}", fates()), 0..12),
            uri in prop_oneof!["[\"\\\\]{0,700}", ".{0,300}"],
            is_stored: bool,
            reason in "[\"\\\\]{0,600}",
            amiss in vec(fates(), 0..3),
        ) {
            let outputs: Vec<_> = outputs.into_iter().map(|(name, fate)| output(&name, fate)).collect();
            let count = outputs.len();
            let stored = if is_stored { Ok(uri.as_str()) } else { Err(uri.as_str()) };
            let predicate = |fate| PredicateOutcome {
                name: "\"".repeat(200),
                kind: "spdx".parse().unwrap(),
                about: None,
                fate,
                unvouched: Vec::new(),
            };
            let predicates = amiss.into_iter().map(predicate).collect();
            let text = message_of(StepState::Unfinished { reason }, outputs, predicates, stored);
            prop_assert!(text.len() <= MESSAGE_LIMIT, "{} bytes", text.len());
            let read: Value = serde_json::from_str(&text).unwrap();
            let more = read.get("more").map_or(0, |more| more.as_u64().unwrap());
            prop_assert_eq!(read["artifacts"].as_array().unwrap().len() as u64 + more, count as u64);
            let sum = ["attested", "notAttested", "absent"].map(|n| read[n].as_u64().unwrap());
            prop_assert_eq!(sum.iter().sum::<u64>(), count as u64);
        }
    }
}
