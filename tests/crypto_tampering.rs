//! An attestation in which anything was changed is refused, or says the same.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::num::NonZeroUsize;

use argo_attest::bundle::{Bundle, BundleError, lines};
use argo_attest::dsse::{self, Envelope, EnvelopeError, SignatureError};
use argo_attest::sign::{KeyType, PrivateKey, PublicKey};
use argo_attest::strict_json::JsonError;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::{Value, json};

const STATEMENT: &[u8] = br#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a"}]}"#;

fn key(key_type: KeyType) -> PrivateKey {
    PrivateKey::generate(key_type).unwrap()
}

fn signed(key: &PrivateKey) -> Envelope {
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
    for at in 0..bytes.len() {
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

#[test]
fn a_changed_byte_of_an_envelope_is_noticed_except_in_the_hint() {
    for key_type in KeyType::ALL {
        let key = key(key_type);
        let json = signed(&key).to_json();
        let text = String::from_utf8(json.clone()).unwrap();
        let keyid = text.find("SHA256:").unwrap()..text.len() - r#""}]}"#.len();
        let places = unnoticed(&json, key.public(), |bytes| Envelope::from_json(bytes).ok());
        // Base64 may be URL-safe: where `+` or `/` is alone, the other spelling is the same.
        let same = |at: &usize| keyid.contains(at) || matches!(json[*at], b'+' | b'/' | b'-' | b'_');
        assert!(places.iter().all(same), "{places:?} of {text}");
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

fn json_reason(error: &EnvelopeError) -> String {
    match error {
        EnvelopeError::Json(JsonError::Malformed { reason }) => reason.clone(),
        other => panic!("not about the JSON: {other:?}"),
    }
}

#[test]
fn envelopes_that_are_not_ours_to_read() {
    let json: Value = serde_json::from_slice(&signed(&key(KeyType::Ed25519)).to_json()).unwrap();
    let read = |change: &dyn Fn(&mut Value)| {
        let mut altered = json.clone();
        change(&mut altered);
        Envelope::from_json(altered.to_string().as_bytes())
    };
    let signature = json["signatures"][0].clone();

    assert!(json_reason(&read(&|j| j["extra"] = json!(1)).unwrap_err()).contains("unknown field `extra`"));
    assert!(json_reason(&read(&|j| j["signatures"][0]["cert"] = json!("")).unwrap_err()).contains("`cert`"));
    assert!(
        json_reason(&read(&|j| j["signatures"][0] = json!(["sig", "keyid"])).unwrap_err()).contains("object")
    );
    assert_eq!(read(&|j| j["payloadType"] = json!("text/plain")).unwrap_err(), EnvelopeError::PayloadType);
    assert_eq!(read(&|j| j["payload"] = json!("*")).unwrap_err(), EnvelopeError::Base64 { field: "payload" });
    assert_eq!(
        read(&|j| j["signatures"][0]["sig"] = json!("A")).unwrap_err(),
        EnvelopeError::Base64 { field: "sig" }
    );
    assert_eq!(
        read(&|j| j["signatures"][0]["sig"] = json!("")).unwrap_err(),
        EnvelopeError::SignatureSize { number: 1, size: 0 }
    );
    assert_eq!(
        read(&|j| j["signatures"] = json!([signature, {"sig": STANDARD.encode([0; 20_000])}])).unwrap_err(),
        EnvelopeError::SignatureSize { number: 2, size: 20_000 }
    );
    assert_eq!(read(&|j| j["signatures"] = json!([])).unwrap_err(), EnvelopeError::Unsigned);
    assert_eq!(
        read(&|j| j["signatures"][0]["keyid"] = json!("\u{1b}[2J")).unwrap_err(),
        EnvelopeError::KeyName
    );
    read(&|j| j["signatures"] = json!(vec![signature.clone(); dsse::MAX_SIGNATURES])).unwrap();
    let reason = json_reason(
        &read(&|j| j["signatures"] = json!(vec![signature.clone(); dsse::MAX_SIGNATURES + 1])).unwrap_err(),
    );
    assert!(reason.contains("at most 16"), "{reason}");
    let array = json!([json["payload"], json["payloadType"], json["signatures"]]).to_string();
    assert!(json_reason(&Envelope::from_json(array.as_bytes()).unwrap_err()).contains("expected an object"));
}

#[test]
fn all_spellings_of_base64_that_dsse_allows() {
    let key = key(KeyType::Ed25519);
    // `>>>` and `???` give `+` and `/`.
    let payload = br#"{"a":">>>???>>>???"}"#.to_vec();
    let sig = key.sign(&dsse::pae(dsse::PAYLOAD_TYPE, &payload));
    for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
        let json = json!({
            "payload": engine.encode(&payload),
            "payloadType": dsse::PAYLOAD_TYPE,
            "signatures": [{"sig": engine.encode(sig.as_bytes())}],
        });
        let envelope = Envelope::from_json(json.to_string().as_bytes()).unwrap();
        assert_eq!(envelope.verify(&[key.public()]).unwrap().payload(), payload);
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

#[test]
fn bundles_that_are_not_ours_to_read() {
    let key = key(KeyType::Ed25519);
    let json: Value = serde_json::from_slice(&Bundle::new(signed(&key)).unwrap().to_json()).unwrap();
    let read = |change: &dyn Fn(&mut Value)| {
        let mut altered = json.clone();
        change(&mut altered);
        Bundle::from_json(altered.to_string().as_bytes())
    };
    let remove = |j: &mut Value, field: &str| drop(j.as_object_mut().unwrap().remove(field));
    let material = |j: &mut Value, field: &str, value: Value| j["verificationMaterial"][field] = value;

    let v1 = json!("application/vnd.dev.sigstore.bundle+json;version=0.1");
    assert_eq!(read(&|j| j["mediaType"] = v1.clone()).unwrap_err(), BundleError::MediaType);
    for certificate in ["certificate", "x509CertificateChain"] {
        let error = read(&|j| material(j, certificate, json!({"rawBytes": "AA=="}))).unwrap_err();
        assert_eq!(error, BundleError::Certificate);
    }
    assert_eq!(read(&|j| j["messageSignature"] = json!({})).unwrap_err(), BundleError::NotAttestation);
    assert_eq!(read(&|j| remove(j, "dsseEnvelope")).unwrap_err(), BundleError::NotAttestation);
    assert_eq!(
        read(&|j| remove(&mut j["verificationMaterial"], "publicKey")).unwrap_err(),
        BundleError::NoKey
    );
    assert_eq!(
        read(&|j| material(j, "publicKey", json!({"hint": "SHA256:another"}))).unwrap_err(),
        BundleError::Hint
    );
    let url_safe = json!(URL_SAFE_NO_PAD.encode(STATEMENT));
    assert_eq!(
        read(&|j| j["dsseEnvelope"]["payload"] = url_safe.clone()).unwrap_err(),
        BundleError::Envelope(EnvelopeError::Base64 { field: "payload" })
    );
    for change in [
        &(|j: &mut Value| j["extra"] = json!(1)) as &dyn Fn(&mut Value),
        &|j| material(j, "extra", json!(1)),
        &|j| j["verificationMaterial"]["publicKey"]["extra"] = json!(1),
        &|j| material(j, "tlogEntries", json!({})),
        &|j| material(j, "tlogEntries", json!(vec![1; 33])),
        &|j| material(j, "publicKey", json!(["SHA256:"])),
        &|j| remove(j, "verificationMaterial"),
        &|j| remove(j, "mediaType"),
    ] {
        let error = read(change).unwrap_err();
        assert!(matches!(error, BundleError::Json(_)), "{error:?}");
    }
    // What protobuf leaves out when it is empty.
    for change in [
        &(|j: &mut Value| remove(&mut j["verificationMaterial"], "tlogEntries")) as &dyn Fn(&mut Value),
        &|j| material(j, "publicKey", json!({})),
        &|j| material(j, "timestampVerificationData", json!({"rfc3161Timestamps": []})),
    ] {
        read(change).unwrap().envelope().verify(&[key.public()]).unwrap();
    }
}

#[test]
fn lines_are_appended_once_and_the_oldest_dropped() {
    let key = key(KeyType::Ed25519);
    let envelope = |n: u32| Envelope::sign(format!(r#"{{"n":{n}}}"#).into_bytes(), &key).unwrap();
    let three = NonZeroUsize::new(3).unwrap();
    let payloads = |file: &[u8]| -> Vec<String> {
        let envelopes = lines::parse(file).unwrap();
        envelopes.iter().map(|e| String::from_utf8_lossy(e.unverified_payload()).into_owned()).collect()
    };

    let mut file = Vec::new();
    for n in 1..=4 {
        file = lines::append(&file, &envelope(n), three).unwrap();
        assert_eq!(
            lines::append(&file, &envelope(n), three).unwrap(),
            file,
            "the second time nothing changes"
        );
        assert!(file.ends_with(b"}\n"));
    }
    assert_eq!(payloads(&file), [r#"{"n":2}"#, r#"{"n":3}"#, r#"{"n":4}"#]);

    // Blank lines and Windows' line ends are no lines; the lines that stay keep their bytes.
    let spaced = [b"\n\r\n  ", envelope(7).to_json().as_slice(), b" \r\n\n"].concat();
    let file = lines::append(&spaced, &envelope(8), three).unwrap();
    assert_eq!(payloads(&file), [r#"{"n":7}"#, r#"{"n":8}"#]);
    assert_eq!(file.split(|b| *b == b'\n').count(), 3);

    let damaged = [file.as_slice(), b"\n{}\n"].concat();
    for error in
        [lines::parse(&damaged).unwrap_err(), lines::append(&damaged, &envelope(9), three).unwrap_err()]
    {
        assert!(matches!(error, lines::LinesError::Line { number: 4, .. }), "{error:?}");
    }
    assert_eq!(lines::parse(b"\n \n").unwrap_err(), lines::LinesError::Empty);
    let many =
        envelope(1).to_json().iter().chain(b"\n").copied().collect::<Vec<_>>().repeat(lines::MAX_LINES + 1);
    assert_eq!(lines::parse(&many).unwrap_err(), lines::LinesError::TooMany);
    let size = lines::MAX_LINES_FILE + 1;
    assert_eq!(lines::parse(&vec![b'\n'; size]).unwrap_err(), lines::LinesError::TooLarge { size });
}

#[test]
fn sizes_are_bounded_before_anything_is_parsed() {
    let too_large = |size, limit| JsonError::TooLarge { size, limit };
    let size = dsse::MAX_ENVELOPE + 1;
    assert_eq!(
        Envelope::from_json(&vec![b' '; size]).unwrap_err(),
        EnvelopeError::Json(too_large(size, dsse::MAX_ENVELOPE))
    );
    let key = key(KeyType::Ed25519);
    let envelope = Envelope::sign(vec![b'x'; dsse::MAX_PAYLOAD], &key).unwrap();
    let json = envelope.to_json();
    assert_eq!(Envelope::from_json(&json).unwrap(), envelope, "the largest that is written is read");
    let size = dsse::MAX_PAYLOAD + 1;
    assert_eq!(Envelope::sign(vec![b'x'; size], &key).unwrap_err(), EnvelopeError::PayloadTooLarge { size });
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
        prop_assert!(PrivateKey::from_pkcs8_pem(&bytes).is_err());
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
