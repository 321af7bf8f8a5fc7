//! Which steps the gate lets through unchecked, with no policy, no credentials, no store:
//! only those that the platform lets through, and those that have nothing to check.

use serde_json::{Value, json};

use crate::consumer::{Consumer, Input};
use crate::s3::S3;

const ATTEST: &str = "argo-attest.io/attest";
const VERIFY: &str = "argo-attest.io/verify-inputs";

/// Asks for nothing, with one input, and nothing that a check would need.
fn bare() -> Consumer {
    let consumer = Consumer::bare(&S3::new());
    std::fs::remove_dir_all(consumer.at("secrets")).unwrap();
    consumer.takes(&Input::new("wf/a")).annotations(&json!({}))
}

#[track_caller]
fn lets_through(consumer: &Consumer, why: &str) {
    let ended = consumer.opens();
    assert_eq!(ended.message, format!("no inputs to check: {why}"));
    let line: Value = serde_json::from_str(ended.log.lines().last().unwrap()).unwrap();
    assert_eq!((&line["level"], &line["reason"]), (&json!("INFO"), &json!(why)));
    assert_eq!(consumer.evidence(), None);
}

/// It would check, and lacks the policy.
#[track_caller]
fn checks(consumer: &Consumer) {
    let policy = consumer.at("policy/policy.yaml");
    consumer.ends_with(
        66,
        &format!(
            "the inputs could not be checked: cannot read the policy: {} does not exist \
             (help: check the path)",
            policy.display()
        ),
    );
}

const NOT_ASKED: &str =
    "the step does not ask for it, and only steps that do are checked here (--check opt-in)";
const SAYS_NO: &str = "the step says so (annotation argo-attest.io/verify-inputs: \"false\"), and that counts here (--check opt-out)";

/// All that a template can say, under all that the platform can.
#[test]
fn a_gate_that_is_there_checks_unless_the_platform_says_otherwise() {
    for check in [None, Some("always"), Some("opt-out"), Some("opt-in")] {
        for attest in [None, Some("false"), Some("true")] {
            for verify in [None, Some("false"), Some("true")] {
                let said = [(ATTEST, attest), (VERIFY, verify)];
                let said =
                    said.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
                let mut consumer = bare().annotations(&Value::Object(said.collect()));
                if let Some(check) = check {
                    consumer = consumer.argument("--check").argument(check);
                }
                match (check, attest, verify) {
                    (Some("opt-out"), _, Some("false")) => lets_through(&consumer, SAYS_NO),
                    (Some("opt-in"), _, Some("false")) | (Some("opt-in"), None | Some("false"), None) => {
                        lets_through(&consumer, NOT_ASKED);
                    }
                    _ => checks(&consumer),
                }
            }
        }
    }
    lets_through(&bare().env("ARGO_ATTEST_CHECK", "opt-in"), NOT_ASKED);
    // The switch of the sidecar is none of the gate.
    checks(&bare().env("ARGO_ATTEST_ALL", "false"));
}

#[test]
fn a_step_without_inputs() {
    let consumer = Consumer::bare(&S3::new());
    lets_through(&consumer, "the template has no input artifacts");
    let consumer = consumer.annotations(&json!({VERIFY: "true"}));
    lets_through(&consumer, "the template has no input artifacts");
}

/// What was asked for and is misspelt is never taken for nothing, whatever the platform lets
/// through, and even where there is nothing to check.
#[test]
fn annotations_that_are_misspelt_open_no_gate() {
    let names = ["atest", "Attest", "verify-input", "verify_inputs", "verify-inputs ", ""];
    let unknown = names.map(|name| (format!("argo-attest.io/{name}"), "true".to_owned()));
    let values = ["True", "TRUE", "1", "yes", "on", "true ", "", "False", "no", "{{x}}"];
    let values =
        values.iter().flat_map(|value| [ATTEST, VERIFY].map(|name| (name.to_owned(), (*value).to_owned())));
    for (name, value) in unknown.into_iter().chain(values) {
        for check in ["always", "opt-out", "opt-in"] {
            for consumer in [bare(), Consumer::bare(&S3::new())] {
                let ended = consumer
                    .annotations(&json!({name.as_str(): value}))
                    .argument("--check")
                    .argument(check)
                    .gate();
                assert_eq!(ended.code, Some(65), "{name:?} {value:?} {check}: {ended:#?}");
                let start =
                    "the inputs could not be checked: the step's template has the annotation argo-attest.io/";
                assert!(ended.message.starts_with(start), "{}", ended.message);
            }
        }
    }
}

/// What the pod is known to ask for counts, and not what the text says, which may be forged.
#[test]
fn the_pods_own_annotations_count_before_the_texts() {
    let told = |consumer: Consumer, attest: &str, verify: &str| {
        consumer
            .env("ARGO_ATTEST_ASKED_ATTEST", attest)
            .env("ARGO_ATTEST_ASKED_VERIFY_INPUTS", verify)
            .argument("--check")
    };
    let forged = || bare().annotations(&json!({VERIFY: "false"}));
    checks(&told(forged(), "", "true").argument("opt-out"));
    checks(&told(forged(), "", "true").argument("opt-in"));
    checks(&told(forged(), "true", "").argument("opt-in"));
    checks(&told(forged(), "true", "").argument("opt-out"));
    let asks = || bare().annotations(&json!({VERIFY: "true"}));
    lets_through(&told(asks(), "", "").argument("opt-in"), NOT_ASKED);
    lets_through(&told(asks(), "true", "false").argument("opt-out"), SAYS_NO);
    let ended = told(asks(), "", "yes").argument("opt-in").gate();
    assert_eq!(ended.code, Some(65), "{ended:#?}");
}

/// Argo runs these itself, in a pod, and takes inputs for them.
#[test]
fn a_template_that_argo_runs_itself() {
    for (kind, content) in [
        ("resource", json!({"action": "apply", "manifestFrom": {"artifact": {"name": "app"}}})),
        ("data", json!({"source": {}, "transformation": []})),
    ] {
        let mut consumer = bare();
        consumer.template.as_object_mut().unwrap().remove("container");
        consumer.template[kind] = content;
        checks(&consumer);
        lets_through(&consumer.argument("--check").argument("opt-in"), NOT_ASKED);
    }
}

/// These run in no pod, so text that describes one is not this pod's, whatever is checked.
#[test]
fn a_template_that_runs_in_no_pod() {
    for (kind, content) in [
        ("steps", "[]"),
        ("dag", "{\"tasks\":[]}"),
        ("suspend", "{}"),
        ("http", "{\"url\":\"http://h\"}"),
        ("plugin", "{}"),
    ] {
        for check in ["always", "opt-out", "opt-in"] {
            let text =
                format!(r#"{{"name":"t","inputs":{{}},"outputs":{{}},"metadata":{{}},"{kind}":{content}}}"#);
            let mut consumer = Consumer::bare(&S3::new()).argument("--check").argument(check);
            consumer.template_text = Some(text);
            let ended = consumer.gate();
            assert_eq!(ended.code, Some(65), "{kind}: {ended:#?}");
            assert!(ended.message.contains("is not what Argo 3.7 to 4.1 writes"), "{}", ended.message);
        }
    }
}

/// What somebody else left for evidence is no finding of this gate's.
#[test]
fn evidence_that_was_there_before_is_taken_away() {
    let planted = |consumer: &Consumer| {
        std::fs::write(consumer.at("evidence/inputs.json"), "{\"planted\":true}").unwrap();
    };
    let consumer = bare().argument("--check").argument("opt-in");
    planted(&consumer);
    lets_through(&consumer, NOT_ASKED);
    let consumer = bare();
    planted(&consumer);
    checks(&consumer);
}
