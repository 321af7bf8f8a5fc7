//! An attestation in which anything was changed is refused, or says the same.

use argo_attest_core::bundle::{Bundle, BundleError, lines};
use argo_attest_core::dsse::{self, Envelope, SignatureError};
use argo_attest_core::keys::{KeyType, PrivateKey, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::foreign::json_reason;
use crate::share::is_tried;
use crate::signing::Sign as _;

pub(crate) const STATEMENT: &[u8] =
    br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a"}]}"#;

pub(crate) fn key(key_type: KeyType) -> PrivateKey {
    PrivateKey::generate(key_type).unwrap()
}

pub(crate) fn signed(key: &PrivateKey) -> Envelope {
    Envelope::sign(STATEMENT.to_vec(), key).unwrap()
}

/// Every flip of one bit, and every replacement by a byte that means something in JSON
/// or base64.
fn changes(byte: u8) -> impl Iterator<Item = u8> {
    let flips = (0..8).map(move |bit| byte ^ (1 << bit));
    flips.chain(*b" \n\"\\,:{}[]0Aa+/-_=").filter(move |other| *other != byte)
}

/// Where a changed byte is not noticed. What passes must have the payload that was
/// signed.
fn unnoticed(original: &[u8], public: &PublicKey, read: impl Fn(&[u8]) -> Option<Envelope>) -> Vec<usize> {
    let mut places = Vec::new();
    let mut bytes = original.to_vec();
    for at in (0..bytes.len()).filter(|at| is_tried(*at)) {
        let before = bytes[at];
        for other in changes(before) {
            bytes[at] = other;
            let Some(envelope) = read(&bytes) else { continue };
            if let Ok(valid) = envelope.verify(&[public]) {
                assert_eq!(valid.payload(), STATEMENT, "byte {at} changed to {other}");
                places.push(at);
            }
        }
        bytes[at] = before;
    }
    places.dedup();
    places
}

#[test]
fn every_changed_byte_of_a_bundle_is_noticed() {
    for key_type in KeyType::ALL {
        let key = key(key_type);
        let json = Bundle::new(signed(&key)).unwrap().to_json();
        let places =
            unnoticed(&json, key.public(), |bytes| Bundle::from_json(bytes).ok().map(Bundle::into_envelope));
        assert_eq!(places, [0; 0], "{}", String::from_utf8_lossy(&json));
    }
}

/// The name itself is left to [`argo_attest_core::verify`], which knows who signed.
#[test]
fn a_changed_byte_of_an_envelope_is_noticed_except_in_the_hint() {
    for key_type in KeyType::ALL {
        let key = key(key_type);
        let json = signed(&key).to_json();
        let text = String::from_utf8(json.clone()).unwrap();
        let keyid = text.find("SHA256:").unwrap()..text.len() - r#""}]}"#.len();
        let places = unnoticed(&json, key.public(), |bytes| Envelope::from_json(bytes).ok());
        assert!(places.iter().all(|at| keyid.contains(at)), "{places:?} of {text}");
        assert!(places.iter().any(|at| keyid.contains(at)), "the hint is free text");
    }
}

#[test]
fn a_cut_or_lengthened_bundle_is_refused() {
    let json = Bundle::new(signed(&key(KeyType::Ed25519))).unwrap().to_json();
    for end in 0..json.len() {
        Bundle::from_json(&json[..end]).unwrap_err();
    }
    for tail in ["x", "{}", "\0", ",", "}", "\n{}"] {
        Bundle::from_json(&[&json, tail.as_bytes()].concat()).unwrap_err();
    }
}

/// Every field removed, made null, repeated, replaced by another valid attestation's.
#[test]
fn fields_that_are_missing_repeated_or_swapped() {
    let (one, two) = (key(KeyType::Ed25519), key(KeyType::Ed25519));
    let other = Envelope::sign(br#"{"other":1}"#.to_vec(), &one).unwrap();
    let json: Value = serde_json::from_slice(&signed(&one).to_json()).unwrap();
    let other: Value = serde_json::from_slice(&other.to_json()).unwrap();

    for field in ["payload", "payloadType", "signatures"] {
        for replacement in [None, Some(Value::Null), Some(json!([])), Some(json!({})), Some(json!(1))] {
            let mut altered = json.clone();
            match &replacement {
                None => drop(altered.as_object_mut().unwrap().remove(field)),
                Some(value) => altered[field] = value.clone(),
            }
            Envelope::from_json(altered.to_string().as_bytes()).unwrap_err();
        }
        let repeated = json.to_string().replacen('{', &format!(r#"{{"{field}":{},"#, json[field]), 1);
        let error = Envelope::from_json(repeated.as_bytes()).unwrap_err();
        assert!(json_reason(&error).contains("duplicate field"), "{error:?}");
    }
    for field in ["payload", "signatures"] {
        let mut swapped = json.clone();
        swapped[field] = other[field].clone();
        let envelope = Envelope::from_json(swapped.to_string().as_bytes()).unwrap();
        assert_eq!(
            envelope.verify(&[two.public(), one.public()]).unwrap_err(),
            SignatureError::Altered { key: one.public().key_id() }
        );
    }
}

/// One trusted key is enough; a name neither helps nor hinders.
#[test]
fn whose_signature_counts() {
    let (ours, theirs, third) = (key(KeyType::EcdsaP256), key(KeyType::Ed25519), key(KeyType::Ed25519));
    let envelope = signed(&ours);
    let valid = envelope.verify(&[theirs.public(), ours.public()]).unwrap();
    assert_eq!((valid.key_index(), valid.key()), (1, ours.public()));
    assert!(valid.is_named());
    assert_eq!(envelope.verify(&[]).unwrap_err(), SignatureError::NoKeys);
    assert_eq!(
        envelope.verify(&[theirs.public()]).unwrap_err(),
        SignatureError::Untrusted { claimed: vec![ours.public().key_id().to_string()] }
    );

    // Two signatures, the names exchanged: still the second one's.
    let sig = |k: &PrivateKey| STANDARD.encode(k.sign(&dsse::pae(dsse::PAYLOAD_TYPE, STATEMENT)).as_bytes());
    let json = json!({
        "payload": STANDARD.encode(STATEMENT),
        "payloadType": dsse::PAYLOAD_TYPE,
        "signatures": [
            {"sig": sig(&theirs), "keyid": ours.public().key_id()},
            {"sig": sig(&ours), "keyid": theirs.public().key_id()},
        ],
    });
    let two = Envelope::from_json(json.to_string().as_bytes()).unwrap();
    let valid = two.verify(&[ours.public()]).unwrap();
    assert_eq!(valid.key(), ours.public());
    assert!(!valid.is_named());
    assert_eq!(
        two.verify(&[third.public()]).unwrap_err(),
        SignatureError::Untrusted {
            claimed: vec![ours.public().key_id().to_string(), theirs.public().key_id().to_string()]
        }
    );
    assert_eq!(Bundle::new(two).unwrap_err(), BundleError::Signatures { count: 2 });
}

/// A signature over the payload itself, or over another type, is no signature.
#[test]
fn only_the_encoding_with_the_type_is_signed() {
    let key = key(KeyType::Ed25519);
    for message in [STATEMENT.to_vec(), dsse::pae("text/plain", STATEMENT), dsse::pae("", STATEMENT)] {
        let json = json!({
            "payload": STANDARD.encode(STATEMENT),
            "payloadType": dsse::PAYLOAD_TYPE,
            "signatures": [{"sig": STANDARD.encode(key.sign(&message).as_bytes())}],
        });
        let envelope = Envelope::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(
            envelope.verify(&[key.public()]).unwrap_err(),
            SignatureError::Untrusted { claimed: vec![] }
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_payload_survives(payload: Vec<u8>, p256: bool) {
        let key = key(if p256 { KeyType::EcdsaP256 } else { KeyType::Ed25519 });
        let envelope = Envelope::sign(payload.clone(), &key).unwrap();
        prop_assert_eq!(&Envelope::sign(payload.clone(), &key).unwrap(), &envelope);
        let again = Envelope::from_json(&envelope.to_json()).unwrap();
        prop_assert_eq!(&again, &envelope);
        prop_assert_eq!(again.verify(&[key.public()]).unwrap().payload(), &payload);
        let bundle = Bundle::new(envelope).unwrap();
        prop_assert_eq!(Bundle::from_json(&bundle.to_json()).unwrap(), bundle);
    }

    #[test]
    fn random_bytes_are_never_accepted(bytes: Vec<u8>) {
        prop_assert!(Envelope::from_json(&bytes).is_err());
        prop_assert!(Bundle::from_json(&bytes).is_err());
        prop_assert!(lines::parse(&bytes).is_err());
        prop_assert!(PublicKey::from_spki_pem(&bytes).is_err());
        prop_assert!(PublicKey::from_spki_der(&bytes).is_err());
        prop_assert!(PrivateKey::from_pem(&bytes).is_err());
        prop_assert!(PrivateKey::from_pkcs8_der(&bytes).is_err());
    }

    #[test]
    fn foreign_names_of_keys_survive(name in "[^\\p{Cc}]{1,40}") {
        let key = key(KeyType::Ed25519);
        let sig = key.sign(&dsse::pae(dsse::PAYLOAD_TYPE, STATEMENT));
        let json = json!({
            "payload": STANDARD.encode(STATEMENT),
            "payloadType": dsse::PAYLOAD_TYPE,
            "signatures": [{"sig": STANDARD.encode(sig.as_bytes()), "keyid": name}],
        });
        let envelope = Envelope::from_json(json.to_string().as_bytes()).unwrap();
        prop_assert_eq!(envelope.signatures()[0].keyid(), Some(name.as_str()));
        prop_assert_eq!(Envelope::from_json(&envelope.to_json()).unwrap(), envelope);
    }
}
