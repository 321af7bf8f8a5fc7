//! What is accepted, and what the next statement then says of it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::consumer::{Consumer, Input};
use crate::init::Archive;
use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{BUILDER, Pod};
use crate::process::binary;
use crate::s3::S3;
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};
use crate::upstream::Upstream;

fn digest(bytes: &[u8]) -> String {
    argo_attest_core::digest::Sha256Digest::of(bytes).to_string()
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
    let line = ended.log.lines().find(|line| line.contains("\"input\"")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
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

/// An object that no step made, and that somebody vouches for where it is.
#[test]
fn an_object_attested_by_itself() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    s3.put("data/base.csv", b"1,2,3");
    let mut command = binary();
    command
        .args(["attest", "--builder-id", BUILDER, "--key"])
        .arg(upstream.pod.at("keys/attest.key"))
        .arg(format!("s3://{BUCKET}/data/base.csv"))
        .envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let input = Input::new("data/base.csv").archive(Archive::Unsaid).own_mount();
    Consumer::new(&s3, &upstream).stages(&s3, &input).opens();
    for suffix in ["", ".sigstore.json", ".intoto.jsonl"] {
        s3.put(&format!("data/copy.csv{suffix}"), &s3.get(&format!("data/base.csv{suffix}")).unwrap());
    }
    let ended = Consumer::new(&s3, &upstream).stages(&s3, &Input::new("data/copy.csv")).gate();
    assert!(ended.message.contains("both were moved here"), "{}", ended.message);
}

/// The consumer's chain, from its own statement to the first step's.
#[test]
fn the_chain_holds_from_the_last_step_to_the_first() {
    let s3 = S3::new();
    let kinds = [
        (Place::Volume, Packing::Tar, Shape::Directory),
        (Place::Volume, Packing::None, Shape::Directory),
        (Place::Base, Packing::Tar, Shape::File),
    ];
    let outputs = kinds.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind)).collect();
    let upstream = Upstream::new(&s3, outputs);
    let mut consumer = Consumer::new(&s3, &upstream);
    for output in &upstream.pod.outputs {
        let archive = if output.packing == Packing::None { Archive::None } else { Archive::Unsaid };
        consumer = consumer.stages(&s3, &Input::new(&output.key()).named(&output.name).archive(archive));
    }
    consumer.opens();
    let mut next = Pod::new(s3.address(), vec![Output::plain("next")])
        .env("ARGO_ATTEST_EVIDENCE", consumer.at("evidence").to_str().unwrap());
    next.template["inputs"] = consumer.template["inputs"].clone();
    for name in ["attest.key", "attest.pub"] {
        std::fs::copy(upstream.pod.at("keys").join(name), next.at("keys").join(name)).unwrap();
    }
    let mut sidecar = next.start_ready();
    next.succeed(&s3, &mut sidecar);
    let mut command = binary();
    command
        .args(["verify", "--chain", "--builder-id", BUILDER, "--key"])
        .arg(next.public_key())
        .arg(format!("s3://{BUCKET}/{}", next.outputs[0].key()))
        .envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    let ran = command.output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    for output in &upstream.pod.outputs {
        assert!(said.contains(&format!("verified  inputs/{}", output.name)), "{said}");
    }
}
