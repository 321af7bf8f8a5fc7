//! A key in a token: what a step leaves while it signs, and when its module does not any more.

use std::time::{Duration, Instant};

use argo_attest_core::bundle::Bundle;
use argo_attest_core::keys::KeyType;

use crate::output::{Output, PREFIX};
use crate::pod::{POD_UID, Pod};
use crate::s3::S3;
use crate::softhsm::{PIN, Token};

fn pod(token: &Token, name: &str, s3: &S3) -> Pod {
    let outputs = vec![Output::plain("a"), Output::plain("b")];
    let pod = Pod::new(s3.address(), outputs).key(name);
    token.environment().iter().fold(pod, |pod, (name, value)| pod.env(name, value))
}

#[test]
fn a_token_signs_all_that_a_step_leaves() {
    let Some(token) = Token::new() else { return };
    for (kind, id) in [(KeyType::Ed25519, "01"), (KeyType::EcdsaP256, "02")] {
        let key = token.key(kind, kind.as_str(), id);
        let s3 = S3::new();
        let pod = pod(&token, &token.name(&format!("object={kind}")), &s3)
            .env("ARGO_ATTEST_KEY_ID", &key.public().key_id().to_string());
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", sidecar.logged());
        let attestations = pod.outputs.iter().map(|output| format!("{}.sigstore.json", output.key()));
        let outcome = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json");
        for name in attestations.chain([outcome]) {
            let bundle = Bundle::from_json(&s3.get(&name).unwrap()).unwrap();
            bundle.envelope().verify(&[key.public()]).unwrap();
        }
        assert!(!sidecar.logged().contains(PIN));
    }
}

#[test]
fn a_token_that_stops_signing_in_mid_step_attests_nothing_and_is_told() {
    let Some(token) = Token::new() else { return };
    token.key(KeyType::EcdsaP256, "ci", "01");
    for (mood, why) in [
        ("hangs", ""),
        ("removed", ""),
        ("denied", "CKR_PIN_INCORRECT"),
        ("lies", "no signature by the key"),
        ("short", "no signature by the key"),
    ] {
        token.is("");
        let s3 = S3::new();
        let pod = pod(&token, &token.stubborn("object=ci"), &s3).grace(6);
        let mut sidecar = pod.start_ready();
        token.is(mood);
        let (code, message) = pod.succeed_within(Duration::from_secs(6), &s3, &mut sidecar);
        assert_eq!((code, &message["state"]), (Some(0), &"done".into()), "{mood}: {message}");
        let counts = (&message["attested"], &message["notAttested"]);
        assert_eq!(counts, (&0.into(), &2.into()), "{mood}: {message}");
        let said = format!("{message}{}", sidecar.logged());
        assert!(said.contains(why) && !said.contains(PIN), "{mood}: {said}");
        for output in &pod.outputs {
            assert!(s3.get(&format!("{}.sigstore.json", output.key())).is_none(), "{mood}");
        }
    }
}

#[test]
fn a_token_that_is_not_there_or_hangs_holds_no_step() {
    let Some(token) = Token::new() else { return };
    token.key(KeyType::EcdsaP256, "ci", "01");
    for (name, mood, why) in [
        (token.stubborn("object=ci"), "hangs", "cannot be used"),
        (token.stubborn("object=none"), "", "no private key of that name"),
        (token.stubborn("object=ci;serial=none"), "", "no token as the key's name says"),
        ("pkcs11:object=ci?module-path=/none.so".to_owned(), "", "the module /none.so cannot be used"),
    ] {
        token.is(mood);
        let s3 = S3::new();
        let pod = pod(&token, &name, &s3);
        let began = Instant::now();
        let mut sidecar = pod.start();
        let message = sidecar.reaches("unattested");
        assert!(began.elapsed() < Duration::from_secs(30), "{name}: {:?}", began.elapsed());
        assert!(message["reason"].as_str().unwrap().contains(why), "{message}");
        assert!(message["remedy"].is_string(), "{message}");
        sidecar.terminate();
        assert_eq!(sidecar.ends().0, Some(0), "{name}");
    }
}
