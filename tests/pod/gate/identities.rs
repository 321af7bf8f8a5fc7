//! Inputs that a pod signed without a key: believed by whose it was.

use serde_json::{Value, json};

use crate::consumer::{Consumer, Input};
use crate::fulcio::IDENTITY;
use crate::keyless::Keyless;
use crate::output::Output;
use crate::pod::BUILDER;
use crate::s3::S3;
use crate::upstream::Upstream;

#[test]
fn an_input_is_accepted_as_the_identitys_and_nobody_elses() {
    let (s3, keyless) = (S3::new(), Keyless::new());
    let upstream = Upstream::of(&s3, vec![Output::plain("a")], |pod| keyless.set(pod));
    let takes = |identity: &str| {
        Consumer::bare(&s3).policy(&keyless.policy(identity)).stages(&s3, &Input::new(&upstream.key()))
    };
    let consumer = takes(IDENTITY);
    let ended = consumer.opens();
    assert_eq!(ended.message, "inputs accepted: \"app\"");
    let evidence = consumer.evidence().unwrap();
    assert_eq!(evidence["inputs"][0]["finding"], "accepted", "{evidence}");
    let line = ended
        .log
        .lines()
        .find(|line| line.contains("\"verdict\""))
        .unwrap_or_else(|| panic!("{}", ended.log));
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["verdict"], &line["key"], &line["builder"]),
        (&json!("accepted"), &json!("ci"), &json!(BUILDER))
    );
    let other = takes(&IDENTITY.replace("attestor", "other"));
    let ended = other.gate();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.message.contains("not for an identity that is trusted"), "{}", ended.message);
    assert_eq!(other.evidence(), None);
    // Other bytes are other bytes, whoever signed.
    s3.put(&upstream.key(), b"other bytes");
    let ended = takes(IDENTITY).gate();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    // Without its certificate it is nobody's.
    let mut bundle: Value = serde_json::from_slice(&s3.get(&upstream.bundle_key()).unwrap()).unwrap();
    let material = bundle["verificationMaterial"].as_object_mut().unwrap();
    material.remove("certificate").unwrap();
    let named = bundle["dsseEnvelope"]["signatures"][0]["keyid"].clone();
    bundle["verificationMaterial"]["publicKey"] = json!({"hint": named});
    s3.put(&upstream.bundle_key(), bundle.to_string().as_bytes());
    s3.put(&upstream.key(), &upstream.output().objects(&upstream.pod.work())[0].1);
    let ended = takes(IDENTITY).gate();
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

/// What a step consumed stays in its chain when a later attempt, by another key, took its place.
#[test]
fn the_chain_holds_when_a_newer_attempt_took_its_place() {
    let (s3, keyless) = (S3::new(), Keyless::new());
    let upstream = Upstream::of(&s3, vec![Output::plain("a")], |pod| keyless.set(pod));
    let consumer =
        Consumer::bare(&s3).policy(&keyless.policy(IDENTITY)).stages(&s3, &Input::new(&upstream.key()));
    consumer.opens();
    let mut next = keyless
        .pod(&s3, vec![Output::plain("next")])
        .env("ARGO_ATTEST_EVIDENCE", consumer.at("evidence").to_str().unwrap());
    next.template["inputs"] = consumer.template["inputs"].clone();
    let mut sidecar = next.start_ready();
    let (code, message) = next.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
    let before = s3.get(&upstream.bundle_key()).unwrap();
    upstream.runs(&s3);
    assert_ne!(s3.get(&upstream.bundle_key()).unwrap(), before);
    let next = format!("s3://{}/{}", crate::servers::BUCKET, next.outputs[0].key());
    let ran = keyless.asks(&s3, "verify", &keyless.policy(IDENTITY), &["--chain", &next]);
    let said = String::from_utf8_lossy(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    assert!(said.contains("verified  inputs/app"), "{said}");
}
