//! Steps that the gate lets through at once, with no policy, no credentials, no store.

use serde_json::{Value, json};

use crate::consumer::{Consumer, Input};
use crate::s3::S3;

/// Opted in, with one input, and nothing that a check would need.
fn bare() -> Consumer {
    let consumer = Consumer::bare(&S3::new());
    std::fs::remove_dir_all(consumer.at("secrets")).unwrap();
    consumer.takes(&Input::new("wf/a"))
}

#[track_caller]
fn lets_through(consumer: &Consumer, why: &str) {
    let ended = consumer.opens();
    assert_eq!(ended.message, format!("no inputs to check: {why}"));
    let line: Value = serde_json::from_str(&ended.log).unwrap();
    assert_eq!((&line["level"], &line["reason"]), (&json!("INFO"), &json!(why)));
    assert_eq!(consumer.evidence(), None);
}

const NOT_ASKED: &str = "the template does not ask for it (annotation argo-attest.io/attest: \"true\")";
const SAYS_NO: &str = "the template says so (annotation argo-attest.io/verify-inputs: \"false\")";

#[test]
fn a_step_that_does_not_ask() {
    lets_through(&bare().annotations(&json!({})), NOT_ASKED);
    lets_through(&bare().annotations(&json!({"argo-attest.io/attest": "yes"})), NOT_ASKED);
}

/// Its own annotation decides for the gate alone, whatever else is asked.
#[test]
fn a_step_that_wants_attestations_only() {
    let no = json!({"argo-attest.io/attest": "true", "argo-attest.io/verify-inputs": "false"});
    lets_through(&bare().annotations(&no), SAYS_NO);
    lets_through(&bare().annotations(&no).env("ARGO_ATTEST_ALL", "true"), SAYS_NO);
}

#[test]
fn a_step_without_inputs() {
    lets_through(&Consumer::bare(&S3::new()), "the template has no input artifacts");
}

#[test]
fn a_template_without_main() {
    for kind in ["resource", "data"] {
        let mut consumer = bare().argument("--all");
        consumer.template.as_object_mut().unwrap().remove("container");
        consumer.template[kind] = json!({});
        lets_through(&consumer, "a template of this kind runs no main container");
    }
}

/// Those that do ask, each in its way, need the policy.
#[test]
fn a_step_that_asks() {
    let asks = json!({"argo-attest.io/verify-inputs": "true"});
    for consumer in [bare(), bare().annotations(&asks), bare().annotations(&json!({})).argument("--all")] {
        let policy = consumer.at("policy/policy.yaml");
        consumer.ends_with(
            66,
            &format!(
                "the inputs could not be checked: cannot read the policy {}: No such file or directory \
                 (os error 2) (help: check the path, and that the user this runs as may read it)",
                policy.display()
            ),
        );
    }
}

/// What it says is not clear, so main does not start.
#[test]
fn a_step_that_says_neither_yes_nor_no() {
    bare().annotations(&json!({"argo-attest.io/verify-inputs": "True"})).ends_with(
        65,
        "the inputs could not be checked: the annotation argo-attest.io/verify-inputs is \"True\", \
         not \"true\" or \"false\" (help: write \"true\" or \"false\", in quotes)",
    );
}
