//! What is accepted, and what the next statement then says of it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::consumer::{Consumer, Input};
use crate::init::Archive;
use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{BUILDER, Pod};
use crate::s3::S3;
use crate::servers::BUCKET;
use crate::upstream::Upstream;

fn digest(bytes: &[u8]) -> String {
    argo_attest::digest::Sha256Digest::of(bytes).to_string()
}

#[test]
fn says_so_and_leaves_evidence() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&upstream.key()));
    let ended = consumer.opens();
    assert_eq!(ended.message, "inputs accepted: \"app\"");
    assert_eq!(
        consumer.evidence().unwrap(),
        json!({
            "schema": "https://argo-attest.github.io/input-evidence/v1",
            "inputs": [{
                "name": "app",
                "finding": "accepted",
                "digest": {"sha256": digest(&s3.get(&upstream.key()).unwrap())},
                "attestation": {
                    "uri": format!("s3://{BUCKET}/{}", upstream.bundle_key()),
                    "sha256": digest(&s3.get(&upstream.bundle_key()).unwrap()),
                },
            }],
        })
    );
    let mode = consumer.at("evidence/inputs.json").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o444);
    let line: Value = serde_json::from_str(ended.log.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&line["level"], &line["input"], &line["verdict"], &line["key"], &line["builder"]),
        (&json!("INFO"), &json!("app"), &json!("accepted"), &json!("ci"), &json!(BUILDER))
    );
}

/// The object's digest goes on record, and not that of what was in it.
#[test]
fn of_a_packed_input_the_object_is_on_record() {
    let s3 = S3::new();
    let upstream =
        Upstream::new(&s3, vec![Output::new("a", (Place::Volume, Packing::Tar, Shape::Directory))]);
    let input = Input::new(&upstream.key()).archive(Archive::Unsaid).own_mount();
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
    consumer.opens();
    let evidence = consumer.evidence().unwrap();
    assert_eq!(evidence["inputs"][0]["digest"], json!({"sha256": digest(&s3.get(&upstream.key()).unwrap())}));
}

/// Where only the lines are left, the digest is that of the bundle they can be made
/// into: the one that was there.
#[test]
fn an_attestation_found_in_the_lines() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let bundle = s3.get(&upstream.bundle_key()).unwrap();
    s3.delete(&upstream.bundle_key());
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&upstream.key()));
    consumer.opens();
    let attestation = &consumer.evidence().unwrap()["inputs"][0]["attestation"];
    assert_eq!(attestation["sha256"], digest(&bundle));
    assert_eq!(attestation["uri"], format!("s3://{BUCKET}/{}", upstream.bundle_key()));
}

/// Gate, then sidecar: the statement of the second step names the attestation of the
/// first.
#[test]
fn the_next_statement_names_its_upstream() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&upstream.key()));
    consumer.opens();
    let mut next = Pod::new(s3.address(), vec![Output::plain("next")])
        .env("ARGO_ATTEST_EVIDENCE", consumer.at("evidence").to_str().unwrap());
    next.template["inputs"] = consumer.template["inputs"].clone();
    let mut sidecar = next.start_ready();
    let (code, message) = next.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
    let told = next.signed(&s3.get(&format!("{}.sigstore.json", next.outputs[0].key())).unwrap());
    let dependencies = told["predicate"]["buildDefinition"]["resolvedDependencies"].as_array().unwrap();
    let input = dependencies.iter().find(|d| d["name"] == "inputs/app").unwrap();
    assert_eq!(input["uri"], format!("s3://{BUCKET}/{}", upstream.key()));
    assert_eq!(input["digest"], json!({"sha256": digest(&s3.get(&upstream.key()).unwrap())}));
    assert_eq!(
        input["annotations"]["attestation"],
        json!({
            "uri": format!("s3://{BUCKET}/{}", upstream.bundle_key()),
            "sha256": digest(&s3.get(&upstream.bundle_key()).unwrap()),
        })
    );
}
