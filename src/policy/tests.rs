//! The policy file and its evaluation, together: what is written is what is judged.

use std::path::Path;

use serde_json::json;

use super::document::InvalidPolicy;
use super::*;
use crate::sign::{KeyType, PrivateKey, PublicKey};

const POLICY: &str = r#"
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
keys:
  - {name: ci-2026, file: /etc/argo-attest/ci-2026.pub, notAfter: 2027-06-30T00:00:00Z}
  - {name: ci-2027, file: ci-2027.pub, notBefore: 2027-01-01T00:00:00Z}
builders:
  - {id: "https://ci.example.com/argo", keys: [ci-2026, ci-2027]}
  - {id: "https://ci.example.com/other", keys: [ci-2027]}
expect:
  workflow: {namespace: ci, name: "build-*"}
  template: [build, test]
  storedMatch: required
  maxAge: 720h
missing: fail
"#;

fn parse(yaml: &str) -> Result<Policy, InvalidPolicy> {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap().public().clone();
    Policy::from_yaml(yaml.as_bytes(), |_: &Path| Ok::<PublicKey, std::io::Error>(key.clone()))
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn provenance() -> serde_json::Value {
    json!({
        "buildDefinition": {
            "buildType": "https://example.com/t",
            "externalParameters": {
                "workflow": {"name": "build-7", "namespace": "ci"},
                "template": {"name": "test"},
            },
        },
        "runDetails": {
            "builder": {"id": "https://ci.example.com/argo"},
            "metadata": {"finishedOn": "2026-11-01T00:00:00Z"},
            "byproducts": [{"name": "stored-object", "annotations": {"check": "read-back"}}],
        },
    })
}

fn judge(change: impl FnOnce(&mut serde_json::Value), key: usize, now: &str) -> Result<(), PolicyViolation> {
    let mut value = provenance();
    change(&mut value);
    let provenance: Provenance = serde_json::from_value(value).unwrap();
    parse(POLICY).unwrap().judge(key, &provenance, time(now))
}

const NOW: &str = "2026-11-23T00:00:00Z";

#[test]
fn accepts_what_it_describes() {
    judge(|_| (), 0, NOW).unwrap();
}

#[test]
fn says_what_it_does_not_accept() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, usize, &str, &str); 13] = [
        (
            |v| v["runDetails"]["builder"]["id"] = "https://evil.example".into(),
            0,
            NOW,
            "not trusted for builder",
        ),
        (
            |v| v["runDetails"]["builder"]["id"] = "https://ci.example.com/other".into(),
            0,
            NOW,
            "ci-2026 is not",
        ),
        (|_| (), 2, NOW, "not trusted"),
        (|_| (), 1, NOW, "only from 2027-01-01T00:00:00Z"),
        (|_| (), 0, "2027-07-01T00:00:00Z", "only until 2027-06-30T00:00:00Z"),
        (
            |v| v["buildDefinition"]["externalParameters"]["workflow"]["namespace"] = "dev".into(),
            0,
            NOW,
            "namespace is \"dev\"",
        ),
        (
            |v| v["buildDefinition"]["externalParameters"]["workflow"]["name"] = "rebuild-7".into(),
            0,
            NOW,
            "name is \"rebuild-7\"",
        ),
        (|v| v["buildDefinition"]["externalParameters"] = json!({"command": ["x"]}), 0, NOW, "is not stated"),
        (
            |v| v["buildDefinition"]["externalParameters"]["template"]["name"] = "deploy".into(),
            0,
            NOW,
            "template is \"deploy\"",
        ),
        (|v| v["runDetails"]["byproducts"] = json!([{"name": "stored-object"}]), 0, NOW, "does not say"),
        (|v| v["runDetails"]["metadata"]["finishedOn"] = "2026-10-01T00:00:00Z".into(), 0, NOW, "longer ago"),
        (
            |v| v["runDetails"]["metadata"]["finishedOn"] = "2026-11-24T00:00:00Z".into(),
            0,
            NOW,
            "no time that can be",
        ),
        (|v| v["runDetails"]["metadata"] = json!({}), 0, NOW, "absent"),
    ];
    for (change, key, now, why) in cases {
        let violation = judge(change, key, now).unwrap_err();
        assert!(violation.to_string().contains(why), "{violation} / {why}");
    }
}

#[test]
fn a_builders_clock_may_be_a_little_ahead() {
    judge(|v| v["runDetails"]["metadata"]["finishedOn"] = "2026-11-23T00:04:00Z".into(), 0, NOW).unwrap();
}

#[test]
fn refuses_a_file_that_may_mean_something_else() {
    for (from, to, why) in [
        ("missing: fail", "missing: ignore", "not well formed"),
        ("storedMatch:", "storedmatch:", "not well formed"),
        ("missing: fail", "missing: fail\nmissing: warn", "not well formed"),
        ("kind: VerificationPolicy", "kind: Policy", "not argo-attest.io/v1 VerificationPolicy"),
        ("argo-attest.io/v1", "argo-attest.io/v2", "not argo-attest.io/v1"),
        ("keys: [ci-2026, ci-2027]", "keys: [ci-2025]", "does not list"),
        ("name: ci-2027,", "name: ci-2026,", "twice"),
        ("720h", "soon", "maxAge"),
        ("720h", "-720h", "maxAge"),
        ("[build, test]", "[]", "lists no template"),
        ("2027-06-30T00:00:00Z", "2027-06-30", "not well formed"),
    ] {
        let changed = POLICY.replacen(from, to, 1);
        assert_ne!(changed, POLICY);
        let error = parse(&changed).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(why), "{to}: {error}");
    }
    parse("keys: []").map(|_| ()).unwrap_err();
    assert!(matches!(
        Policy::from_yaml(&vec![b' '; 2 << 20], |_: &Path| Err::<PublicKey, _>("no")),
        Err(InvalidPolicy::TooLarge)
    ));
}

#[test]
fn a_key_that_cannot_be_read_is_named() {
    let error =
        Policy::from_yaml(POLICY.as_bytes(), |p: &Path| Err::<PublicKey, _>(format!("no {}", p.display())))
            .map(|_| ())
            .unwrap_err();
    assert_eq!(error.to_string(), "the key \"ci-2026\" of the policy cannot be used");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no /etc/argo-attest/ci-2026.pub");
}
