//! The sidecar and the gate's evidence.

use serde_json::json;

use crate::output::Output;
use crate::pod::Pod;
use crate::s3::S3;

const SCHEMA: &str = "https://argo-attest.github.io/input-evidence/v1";

fn pod(s3: &S3, evidence: &str) -> Pod {
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let directory = pod.at("evidence");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("inputs.json"), evidence).unwrap();
    let mut pod = pod.env("ARGO_ATTEST_EVIDENCE", directory.to_str().unwrap());
    pod.template["inputs"] = json!({"artifacts": [
        {"name": "source", "path": "/src", "git": {"repo": "https://h/x.git", "revision": "main"}},
    ]});
    pod
}

#[test]
fn nothing_is_attested_with_evidence_that_is_none() {
    let s3 = S3::new();
    let other = json!({"schema": SCHEMA, "inputs": [{"name": "other", "finding": "absent"}]}).to_string();
    let unknown = json!({"schema": SCHEMA, "inputs": [], "more": 1}).to_string();
    for (evidence, why) in [
        ("", "the gate's evidence is malformed"),
        (&unknown, "unknown field `more`"),
        ("{\"schema\":\"x\",\"inputs\":[]}", "the gate's evidence has a schema that is not"),
        (&other, "the gate's evidence of input \"other\": the step has no such input"),
    ] {
        let pod = pod(&s3, evidence);
        let mut sidecar = pod.start_ready();
        let message = sidecar.reaches("unready");
        assert!(message["reason"].as_str().unwrap().contains(why), "{why}: {message}");
        let (_, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((&message["attested"], &message["notAttested"]), (&0.into(), &1.into()), "{message}");
        let outcome = pod.outcome(&s3)["predicate"].to_string();
        assert!(outcome.contains("the gate's evidence"), "{outcome}");
    }
}

/// The commit that the gate read goes into the statement, though the template names a
/// branch.
#[test]
fn a_commit_reaches_the_statement() {
    let s3 = S3::new();
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let record = json!({"name": "source", "finding": "recorded", "digest": {"gitCommit": commit}});
    let pod = pod(&s3, &json!({"schema": SCHEMA, "inputs": [record]}).to_string());
    let mut sidecar = pod.start_ready();
    let (_, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(message["attested"], 1, "{message}");
    let told = pod.signed(&s3.get(&format!("{}.sigstore.json", pod.outputs[0].key())).unwrap());
    let dependencies = told["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    let source = dependencies.iter().find(|d| d["name"] == "inputs/source").unwrap();
    assert_eq!(
        *source,
        json!({
            "name": "inputs/source",
            "uri": "git+https://h/x.git@main",
            "digest": {"gitCommit": commit},
        })
    );
}
