//! What others added to an attestation is kept, told, and decides nothing.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use argo_attest_core::bundle::Bundle;
use serde_json::{Value, json};

use crate::program::Desk;

/// An attested file whose bundle was given these members of `verificationMaterial`.
fn with(members: &[(&str, Value)]) -> Desk {
    let desk = Desk::new();
    desk.attest(&["out"], "echo hi > out").with(0);
    let mut bundle: Value = serde_json::from_slice(&desk.read("out.sigstore.json")).unwrap();
    for (name, value) in members {
        bundle["verificationMaterial"][name] = value.clone();
    }
    desk.write("out.sigstore.json", bundle.to_string());
    desk
}

fn verified(desk: &Desk) -> Value {
    let ended = desk.run(["verify", "--json", "out"]).with(0);
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn what_was_not_judged_is_said() {
    let entries = json!([{"logIndex": "1", "canonicalizedBody": "AA=="}, {"logIndex": "2"}]);
    let stamps = json!({"rfc3161Timestamps": [{"signedTimestamp": "MAA="}]});
    let desk = with(&[("tlogEntries", entries), ("timestampVerificationData", stamps.clone())]);
    let said = desk.accepted(["out"]).out;
    assert!(said.ends_with("\n  not judged: 2 log entries, 1 timestamp\n"), "{said}");
    assert_eq!(verified(&desk)["notJudged"], json!({"logEntries": 2, "timestamps": 1}));
    let inspected = desk.run(["inspect", "out.sigstore.json"]).with(0);
    inspected.says("\nnot judged: 2 log entries, 1 timestamp\n");

    let desk = with(&[("timestampVerificationData", stamps)]);
    let said = desk.accepted(["out"]).out;
    assert!(said.ends_with("\n  not judged: 1 timestamp\n"), "{said}");

    let desk = with(&[]);
    assert_eq!(desk.accepted(["out"]).out.lines().count(), 3);
    assert_eq!(verified(&desk).get("notJudged"), None);
}

#[test]
fn no_evidence_makes_up_for_a_signature() {
    let entry = json!([{"logIndex": "1", "canonicalizedBody": "AA=="}]);
    let stamps = json!({"rfc3161Timestamps": [{"signedTimestamp": "MAA="}]});
    let desk = with(&[("tlogEntries", entry), ("timestampVerificationData", stamps)]);
    desk.write("out", "something else");
    desk.rejected(["out"], "is not one that is attested");
    let other = with(&[]);
    let foreign = other.own_key().with_extension("pub");
    desk.rejected(["--key", foreign.to_str().unwrap(), "out"], "not signed with a trusted key");
}

#[test]
fn a_bundle_with_a_certificate_is_shown_and_not_verified() {
    let desk = with(&[]);
    let mut bundle: Value = serde_json::from_slice(&desk.read("out.sigstore.json")).unwrap();
    // They hold the same, signed with the key.
    std::fs::remove_file(desk.path("out.intoto.jsonl")).unwrap();
    let certificate = json!({"rawBytes": "MAA="});
    for (member, refused) in [
        (json!({"certificate": certificate}), "it carries a certificate for another key"),
        (
            json!({"x509CertificateChain": {"certificates": [certificate]}}),
            "the certificate is not written as",
        ),
    ] {
        bundle["verificationMaterial"] = member;
        desk.write("out.sigstore.json", bundle.to_string());
        desk.rejected(["out"], refused);
        desk.run(["inspect", "out.sigstore.json"]).with(0).says("\nnot judged: 1 certificate\n");
        let whole = Bundle::whole(&desk.read("out.sigstore.json")).unwrap();
        assert_eq!(Bundle::whole(&whole.to_json()).unwrap(), whole);
        Bundle::from_json(&whole.to_json()).unwrap_err();
    }
}
