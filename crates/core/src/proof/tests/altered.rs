//! Evidence of which a bit is another: it proves nothing else.

use serde_json::{Value, json};

use super::super::*;
use super::given::{Case, Given, folder};
use super::share;

/// One bit of some bytes, the eight in a byte by turns.
fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes
}

fn encoded(bytes: &[u8]) -> Value {
    use ::base64::Engine as _;
    json!(::base64::engine::general_purpose::STANDARD.encode(bytes))
}

/// With base64 of other bytes in this place: what becomes of it. Of what is long, each seventh byte.
fn each_flip(case: &str, place: &str) -> Vec<(usize, Result<Proof, String>)> {
    let mut given = Case::named(case).given().unwrap();
    given.verified().unwrap();
    let bytes = base64(given.json.pointer(place).unwrap().as_str().unwrap()).unwrap();
    let mut found = Vec::new();
    let looked_at = (0..bytes.len()).step_by(if bytes.len() > 300 { 7 } else { 1 });
    for at in looked_at.filter(|at| share::is_tried(*at)) {
        *given.json.pointer_mut(place).unwrap() = encoded(&flipped(&bytes, at));
        found.push((at, Given::verified(&given)));
    }
    assert!(!found.is_empty(), "{place}");
    found
}

fn none_passes(case: &str, place: &str) {
    for (at, outcome) in each_flip(case, place) {
        assert!(outcome.is_err(), "{case} {place} byte {at}");
    }
}

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const CERTIFICATE: &str = "/verificationMaterial/certificate/rawBytes";
const TOKEN: &str = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp";

#[test]
fn of_a_proof() {
    for case in ["happy-path-intoto-in-dsse-v3", "rekor2-dsse-happy-path", "managed-key-and-trusted-root"] {
        none_passes(case, &format!("{ENTRY}/inclusionProof/rootHash"));
        none_passes(case, &format!("{ENTRY}/inclusionProof/hashes/0"));
        none_passes(case, &format!("{ENTRY}/canonicalizedBody"));
    }
}

#[test]
fn of_a_promise() {
    for case in ["happy-path-v0.1", "managed-key-and-trusted-root", "intoto-with-custom-trust-root"] {
        none_passes(case, &format!("{ENTRY}/inclusionPromise/signedEntryTimestamp"));
    }
}

#[test]
fn of_a_certificate() {
    for case in ["happy-path-intoto-in-dsse-v3", "rekor2-happy-path"] {
        none_passes(case, CERTIFICATE);
    }
}

#[test]
fn of_a_checkpoint() {
    for case in ["happy-path-v0.3", "rekor2-happy-path"] {
        let mut given = Case::named(case).given().unwrap();
        let place = format!("{ENTRY}/inclusionProof/checkpoint/envelope");
        let note = given.json.pointer(&place).unwrap().as_str().unwrap().to_owned();
        for at in (0..note.len()).filter(|at| share::is_tried(*at)) {
            let Ok(changed) = String::from_utf8(flipped(note.as_bytes(), at)) else { continue };
            *given.json.pointer_mut(&place).unwrap() = json!(changed);
            assert!(given.verified().is_err(), "{case} byte {at}: {changed:?}");
        }
    }
}

/// Of the answer of an authority not every bit is signed: its status, the names of algorithms,
/// certificates that the trusted root has anyway.
#[test]
fn of_a_timestamp_none_proves_another_time() {
    for case in ["rekor2-happy-path", "rekor2-dsse-happy-path"] {
        let proof = Case::named(case).given().unwrap().verified().unwrap();
        let mut refused = 0;
        let flips = each_flip(case, TOKEN);
        let count = flips.len();
        for (at, outcome) in flips {
            match outcome {
                Ok(same) => assert_eq!(same, proof, "{case} byte {at}"),
                Err(_) => refused += 1,
            }
        }
        // What is said, the signed attributes, the signature, and all that holds it together.
        assert!(refused * 2 > count, "{case}: {refused} of {count}");
    }
}

#[test]
fn of_numbers_and_names() {
    for (case, place, value) in [
        ("happy-path-v0.3", "/logIndex", json!("1")),
        ("happy-path-v0.3", "/integratedTime", json!("1710869187")),
        ("happy-path-v0.3", "/inclusionProof/logIndex", json!("1")),
        ("happy-path-v0.3", "/inclusionProof/treeSize", json!("1")),
        ("happy-path-v0.3", "/inclusionProof", Value::Null),
        ("happy-path-v0.3", "/inclusionPromise", Value::Null),
        ("happy-path-v0.3", "/kindVersion/version", json!("0.0.2")),
        ("happy-path-v0.3", "/kindVersion/kind", json!("dsse")),
        ("rekor2-happy-path", "/logIndex", json!("1")),
        ("rekor2-happy-path", "/inclusionProof/logIndex", json!("1")),
        ("rekor2-happy-path", "/logId/keyId", json!("AAAA")),
    ] {
        let mut given = Case::named(case).given().unwrap();
        *given.json.pointer_mut(&format!("{ENTRY}{place}")).unwrap() = value;
        assert!(given.verified().is_err(), "{case} {place}");
    }
}

/// Without a word on when it came there is no time; an entry of Rekor 1 may come without.
#[test]
fn a_time_that_no_log_promised_is_none() {
    let mut given = Case::named("managed-key-and-trusted-root").given().unwrap();
    let promised = given.verified().unwrap();
    assert_eq!(promised.earliest().unwrap().get().to_string(), "2026-01-07T18:36:05Z");
    assert_eq!(promised.logged()[0].index(), 51_753_644);
    *given.json.pointer_mut(&format!("{ENTRY}/inclusionPromise")).unwrap() = Value::Null;
    let proof = given.verified().unwrap();
    assert_eq!(proof.earliest(), None);
    assert_eq!(proof.logged()[0].index(), 20_071_232);
}

/// What nobody of the trusted root vouches for proves nothing, and is not false.
#[test]
fn strangers_prove_nothing() {
    let mut given = Case::named("managed-key-happy-path").given().unwrap();
    let proof = given.verified().unwrap();
    assert_eq!((proof.logged().len(), proof.stamped().len()), (1, 1));
    let all = Unjudged { log_entries: 1, timestamps: 1, certificates: 0 };
    assert_eq!(proof.unjudged(all), Unjudged::default());
    given.root.timestamp_authorities.clear();
    let proof = given.verified().unwrap();
    assert_eq!((proof.logged().len(), proof.stamped().len()), (1, 0));
    assert_eq!(proof.unjudged(all), Unjudged { timestamps: 1, ..Unjudged::default() });
    given.root.logs.clear();
    assert_eq!(given.verified().unwrap_err(), "no log holds it");
}

#[test]
fn times_that_are_to_come_are_false() {
    let given = Case::named("managed-key-happy-path").given().unwrap();
    let early = given.at("2025-12-18T16:59:38Z");
    assert!(early.unwrap_err().contains("which is to come"));
    given.at("2025-12-18T16:59:40Z").unwrap();
}

#[test]
fn a_log_is_believed_while_the_trusted_root_says_so() {
    for case in ["managed-key-and-trusted-root", "rekor2-dsse-happy-path"] {
        let mut given = Case::named(case).given().unwrap();
        for log in &mut given.root.logs {
            log.window.end = Some("2025-01-01T00:00:00Z".parse().unwrap());
        }
        assert!(given.verified().unwrap_err().contains("does not believe"), "{case}");
    }
}

/// A trusted root that asks for witnesses is not one that asks for none.
#[test]
fn what_a_trusted_root_asks_for_is_not_passed_over() {
    let json = std::fs::read(folder().join("trusted_root.json")).unwrap();
    let root: Value = serde_json::from_slice(&json).unwrap();
    for list in ["tlogs", "ctlogs", "timestampAuthorities", "certificateAuthorities"] {
        let mut demanding = root.clone();
        demanding[list][0]["witnessConfiguration"] = json!({"quorum": 2});
        let refused = TrustedRoot::read(demanding.to_string().as_bytes()).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("{list}[0] says \"witnessConfiguration\"")), "{refused}");
    }
}

/// Whoever has somebody's certificate, and signs with a key of their own.
#[test]
fn a_certificate_of_another_key_is_nobodys() {
    use crate::dsse::Envelope;
    use crate::keys::{KeyType, PrivateKey};

    let given = Case::named("rekor2-happy-path").given().unwrap();
    let leaf = given.leaf().unwrap();
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let envelope = Envelope::signed_by(b"{}".to_vec(), &key).unwrap();
    let keys = [key.public()];
    let valid = envelope.verify(&keys).unwrap();
    let claim = Claim::certified(&valid, &leaf);
    let now = "2026-11-26T12:00:00Z".parse().unwrap();
    let why = judge(&Evidence::default(), &claim, &given.root, now, &mut Effort::default())
        .unwrap_err()
        .to_string();
    assert!(why.contains("the signature is not by its key"), "{why}");
}

/// Whoever repeats what a trusted key signed with ever other evidence costs whoever reads it no more
/// than a file of signatures does.
#[test]
fn what_is_checked_has_an_end() {
    let given = Case::named("managed-key-happy-path").given().unwrap();
    let mut effort = Effort::default();
    let mut judged = 0;
    while given.with("2026-11-26T12:00:00Z", &mut effort).is_ok() {
        judged += 1;
    }
    assert!((100..1000).contains(&judged), "{judged}");
    let why = given.with("2026-11-26T12:00:00Z", &mut effort).unwrap_err();
    assert!(why.contains("more signatures"), "{why}");
}
