//! Questions and answers, by a log and an authority of which the fixtures hold what they once said.

use serde_json::{Value, json};

use super::*;
use crate::dsse::base64;
use crate::keys::{KeyType, PrivateKey};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/sigstore/own/");
/// When the log took it.
const MARCH: &str = "2026-03-01T00:00:00Z";
const NOW: &str = "2026-11-30T00:00:00Z";

fn read(name: &str) -> Vec<u8> {
    std::fs::read(format!("{FIXTURES}{name}")).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

struct Given {
    bundle: Bundle,
    key: PublicKey,
    root: TrustedRoot,
}

impl Given {
    fn new() -> Self {
        Self {
            bundle: Bundle::whole(&read("all.sigstore.json")).unwrap(),
            key: PublicKey::from_spki_pem(&read("key.pub")).unwrap(),
            root: TrustedRoot::read(&read("trusted_root.json")).unwrap(),
        }
    }

    fn fresh(&self, made: &str) -> Fresh<'_> {
        Fresh::new(self.bundle.envelope(), &self.key, time(made)).unwrap()
    }

    /// What Rekor 1 answered when it took it.
    fn answer(&self) -> Value {
        let entry: Value = serde_json::from_str(self.bundle.evidence().log_entries()[0].as_json()).unwrap();
        let hex = |value: &Value| -> Value {
            super::super::body::hex(&base64(value.as_str().unwrap()).unwrap()).into()
        };
        let number = |value: &Value| -> Value { value.as_str().unwrap().parse::<u64>().unwrap().into() };
        let proof = &entry["inclusionProof"];
        json!({"00ab": {
            "body": entry["canonicalizedBody"],
            "integratedTime": number(&entry["integratedTime"]),
            "logID": hex(&entry["logId"]["keyId"]),
            "logIndex": number(&entry["logIndex"]),
            "attestation": {},
            "verification": {
                "inclusionProof": {
                    "checkpoint": proof["checkpoint"]["envelope"],
                    "hashes": proof["hashes"].as_array().unwrap().iter().map(hex).collect::<Vec<_>>(),
                    "logIndex": number(&proof["logIndex"]),
                    "rootHash": hex(&proof["rootHash"]),
                    "treeSize": number(&proof["treeSize"]),
                },
                "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            },
        }})
    }

    fn word(&self) -> Word {
        Rekor1::answer(self.answer().to_string().as_bytes()).unwrap()
    }

    /// The authority's answer, to a question without a number.
    fn stamp(&self) -> Vec<u8> {
        let stamps: Value =
            serde_json::from_str(self.bundle.evidence().timestamps().unwrap().as_json()).unwrap();
        base64(stamps["rfc3161Timestamps"][0]["signedTimestamp"].as_str().unwrap()).unwrap()
    }
}

#[test]
fn what_a_log_answered_becomes_the_entry_that_it_is() {
    let given = Given::new();
    let fresh = given.fresh(MARCH);
    let vouched = fresh.believe(given.word(), Some(&given.root), time(NOW)).unwrap();
    let evidence = fresh.evidence(vec![vouched], Some(&given.root), time(NOW)).unwrap();
    let bundle = bundle(given.bundle.envelope().clone(), evidence).unwrap();
    let read = Bundle::from_json(&bundle.to_json()).unwrap();
    let was: Value = serde_json::from_str(given.bundle.evidence().log_entries()[0].as_json()).unwrap();
    let is: Value = serde_json::from_str(read.evidence().log_entries()[0].as_json()).unwrap();
    assert_eq!(is, was);
    assert_eq!(read.evidence().timestamps(), None);
    let valid = read.envelope().verify(&[&given.key]).unwrap();
    let proof =
        judge(read.evidence(), &Claim::of(&valid), &given.root, time(NOW), &mut Effort::default()).unwrap();
    assert_eq!(proof.earliest().unwrap().get(), time(MARCH));
}

#[test]
fn nothing_is_believed_without_reason() {
    let given = Given::new();
    let fresh = given.fresh(MARCH);
    assert_eq!(fresh.believe(given.word(), None, time(NOW)), Err(Unbelieved::NoRoot));
    let others = std::fs::read(format!("{FIXTURES}../trusted_root.json")).unwrap();
    let others = TrustedRoot::read(&others).unwrap();
    assert_eq!(fresh.believe(given.word(), Some(&others), time(NOW)), Err(Unbelieved::Stranger));
    // What was signed later cannot have been there then, and what was signed by another not at all.
    let later = "2026-03-01T00:06:00Z";
    let early = Unbelieved::Early { said: time(MARCH), made: time(later) };
    assert_eq!(given.fresh(later).believe(given.word(), Some(&given.root), time(NOW)), Err(early));
    let existing = given.word().existing();
    given.fresh(later).believe(existing.clone(), Some(&given.root), time(NOW)).unwrap();
    let unjudged = given.fresh(later).believe(existing.clone(), None, time(NOW));
    assert_eq!(unjudged, Err(Unbelieved::NoRoot));
    let to_come =
        fresh.believe(existing.clone(), Some(&given.root), time("2026-02-28T23:00:00Z")).unwrap_err();
    assert!(matches!(to_come, Unbelieved::False(FalseEvidence::Future { .. })), "{to_come}");
    given.fresh("2026-03-01T00:04:00Z").believe(given.word(), Some(&given.root), time(NOW)).unwrap();
    let soon = time("2026-02-28T23:00:00Z");
    let to_come = fresh.believe(given.word(), Some(&given.root), soon).unwrap_err();
    assert!(matches!(to_come, Unbelieved::False(FalseEvidence::Future { .. })), "{to_come}");
    let other = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let envelope = Envelope::signed_by(b"{}".to_vec(), &other).unwrap();
    let other = Fresh::new(&envelope, other.public(), time(MARCH)).unwrap();
    for word in [given.word(), existing] {
        let error = other.believe(word, Some(&given.root), time(NOW)).unwrap_err();
        assert!(error.to_string().contains("it is of another signature"), "{error}");
    }
}

#[test]
fn an_answer_that_is_none_is_no_word() {
    let given = Given::new();
    let cases: [fn(&mut Value); 7] = [
        |answer| *answer = json!({}),
        |answer| answer["ff"] = answer["00ab"].clone(),
        |answer| answer["00ab"]["logID"] = json!("AB"),
        |answer| answer["00ab"]["body"] = json!("*"),
        |answer| answer["00ab"]["logIndex"] = json!(-1),
        |answer| drop(answer["00ab"]["verification"].as_object_mut().unwrap().remove("signedEntryTimestamp")),
        |answer| answer["00ab"]["verification"]["inclusionProof"]["hashes"] = json!(vec!["00"; 65]),
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let mut answer = given.answer();
        change(&mut answer);
        assert!(Rekor1::answer(answer.to_string().as_bytes()).is_err(), "{number}");
    }
    for bad in [&b"null"[..], b"[]", b"", b"{\"a\":1,\"a\":2}", b"<html>"] {
        assert!(Rekor1::answer(bad).is_err() && Rekor2::answer(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn version_2_is_asked_for_what_it_takes() {
    for kind in KeyType::ALL {
        let key = PrivateKey::generate(kind).unwrap();
        let envelope = Envelope::signed_by(b"{}".to_vec(), &key).unwrap();
        let fresh = Fresh::new(&envelope, key.public(), time(NOW)).unwrap();
        let request = Rekor2::request(&fresh);
        assert_eq!(request.is_some(), kind == KeyType::EcdsaP256);
        let asked: Value = serde_json::from_str(&Rekor1::request(&fresh)).unwrap();
        let content = &asked["spec"]["proposedContent"];
        assert_eq!(content["envelope"].as_str().unwrap().as_bytes(), envelope.to_json());
        let pem = base64(content["verifiers"][0].as_str().unwrap()).unwrap();
        assert_eq!(PublicKey::from_spki_pem(&pem).unwrap(), *key.public());
    }
}

#[test]
fn a_question_has_one_form() {
    let given = Given::new();
    let fresh = given.fresh(MARCH);
    for nonce in [[0; 8], [0xff; 8]] {
        let query = TimestampQuery::new(&fresh, nonce).to_der();
        assert_eq!(query.len(), 69);
        assert_eq!(query[..5], [0x30, 67, 2, 1, 1]);
        assert_eq!(query[query.len() - 13..query.len() - 11], [2, 8]);
        assert!((0x40..0x80).contains(&query[query.len() - 11]), "{query:?}");
        assert_eq!(query[query.len() - 3..], [1, 1, 0xff]);
    }
}

/// The fixture's was made without a number and holds no certificate.
#[test]
fn a_timestamp_of_another_question_is_no_answer() {
    let given = Given::new();
    let fresh = given.fresh(MARCH);
    let query = TimestampQuery::new(&fresh, [1; 8]);
    assert_eq!(query.answer(&given.stamp()), Err(AnswerError::Nonce));
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let envelope = Envelope::signed_by(b"{}".to_vec(), &key).unwrap();
    let other = Fresh::new(&envelope, key.public(), time(MARCH)).unwrap();
    let query = TimestampQuery::new(&other, [1; 8]);
    assert_eq!(query.answer(&given.stamp()), Err(TokenError::OtherSignature.into()));
    assert_eq!(query.answer(b""), Err(TokenError::Damaged.into()));
    assert_eq!(query.answer(&[0x30, 5, 0x30, 3, 2, 1, 2]), Err(TokenError::NotGranted.into()));
}
