//! Envelopes, bundles and lines in other shapes than ours: read, or refused with the
//! reason.

use std::num::NonZeroUsize;

use argo_attest_core::bundle::{Bundle, BundleError, lines};
use argo_attest_core::dsse::{self, Envelope, EnvelopeError};
use argo_attest_core::json::JsonError;
use argo_attest_core::keys::KeyType;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::signing::Sign as _;
use crate::tampering::{STATEMENT, key, signed};

pub(crate) fn json_reason(error: &EnvelopeError) -> String {
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
    let spaced = [b"\n\r\n", envelope(7).to_json().as_slice(), b"\r\n\n"].concat();
    let file = lines::append(&spaced, &envelope(8), three).unwrap();
    assert_eq!(payloads(&file), [r#"{"n":7}"#, r#"{"n":8}"#]);
    assert_eq!(file.split(|b| *b == b'\n').count(), 3);

    // Others' lines stay where they are, byte for byte; what has nothing else is not written into.
    let damaged = [file.as_slice(), b"\n{}\n"].concat();
    match lines::parse(&damaged).unwrap_err() {
        lines::LinesError::Line { number: 4, .. } => {}
        error => panic!("{error:?}"),
    }
    let others = [b"# a note\r\n", file.as_slice(), b" {\"payloadType\": \"t\"}"].concat();
    let mut added = others.clone();
    for n in 9..=20 {
        added = lines::append(&added, &envelope(n), three).unwrap();
        assert_eq!(lines::append(&added, &envelope(n), three).unwrap(), added);
    }
    let newest: Vec<_> = (18..=20).flat_map(|n| [envelope(n).to_json(), b"\n".to_vec()].concat()).collect();
    assert_eq!(added, [&b"# a note\r\n {\"payloadType\": \"t\"}\n"[..], &newest].concat());
    for foreign in [&b"mine\n"[..], b"{}\n", b" "] {
        assert!(!lines::takes(foreign));
        lines::append(foreign, &envelope(9), three).unwrap_err();
    }
    assert!(lines::takes(b"") && lines::takes(b"\n\r\n") && lines::takes(&others));
    assert_eq!(lines::parse(b"\n\r\n").unwrap_err(), lines::LinesError::Empty);
    // White space is no part of a line: the line's own end cannot be changed into it.
    let line = envelope(7).to_json();
    for (before, after) in [("", " "), ("", "\r"), ("", "\t\n"), (" ", "\n"), ("\r", "\n"), ("\n \n", "\n")] {
        let file = [before.as_bytes(), &line, after.as_bytes()].concat();
        assert!(
            matches!(lines::parse(&file).unwrap_err(), lines::LinesError::Blank { .. }),
            "{before:?} {after:?}"
        );
    }
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
