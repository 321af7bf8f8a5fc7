//! A key that a service has: what a step leaves while it signs, and when it does not any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use argo_attest_core::bundle::Bundle;
use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::nobody::Nobody;
use crate::output::{Output, PREFIX};
use crate::pod::{POD_UID, Pod};
use crate::s3::S3;
use crate::scripted::{Act, Plain, Request, Scripted, reply};

/// Nobody's.
const TOKEN: &str = "hvs.the-token-of-a-pod";

/// How Vault behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Signs,
    Hangs,
    IsSealed,
    Revoked,
    OtherKey,
    OtherVersion,
}

/// Vault with an Ed25519 key, which behaves as it is told to at any time.
struct Vault {
    server: Scripted,
    key: PrivateKey,
    mood: Arc<AtomicUsize>,
}

const MOODS: [Mood; 6] =
    [Mood::Signs, Mood::Hangs, Mood::IsSealed, Mood::Revoked, Mood::OtherKey, Mood::OtherVersion];

impl Vault {
    fn new() -> Self {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let again = PrivateKey::from_pem(key.to_pkcs8_pem().as_bytes()).unwrap();
        let mood = Arc::new(AtomicUsize::new(0));
        let now = Arc::clone(&mood);
        let server = Scripted::choosing(Plain, move |request| {
            Some(answer(request, &again, MOODS[now.load(Ordering::SeqCst)]))
        });
        Self { server, key, mood }
    }

    fn turns(&self, mood: Mood) {
        let at = MOODS.iter().position(|known| *known == mood).unwrap();
        self.mood.store(at, Ordering::SeqCst);
    }
}

fn answer(request: &Request, key: &PrivateKey, mood: Mood) -> Act {
    let json = |status: u16, body: &Value| {
        Act::Reply(reply(status, &[("Content-Type", "application/json")], body.to_string().as_bytes()))
    };
    if request.method == "GET" {
        let public = STANDARD.encode(&key.public().to_spki_der()[12..]);
        let keys = json!({"1": {"public_key": public}});
        return json(200, &json!({"data": {"type": "ed25519", "latest_version": 1, "keys": keys}}));
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let input = STANDARD.decode(body["input"].as_str().unwrap()).unwrap();
    let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let (signer, version) = match mood {
        Mood::Hangs => return Act::Hang,
        Mood::IsSealed => return json(503, &json!({"errors": ["Vault is sealed"]})),
        Mood::Revoked => return json(403, &json!({"errors": [format!("no {TOKEN}: permission denied")]})),
        Mood::Signs => (key, 1),
        Mood::OtherKey => (&other, 1),
        Mood::OtherVersion => (key, 2),
    };
    let signature = STANDARD.encode(signer.sign(&input).as_bytes());
    json(
        200,
        &json!({"data": {"signature": format!("vault:v{version}:{signature}"), "key_version": version}}),
    )
}

fn pod(vault: &Vault, s3: &S3) -> Pod {
    Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("b")])
        .key("hashivault://ci")
        .env("VAULT_ADDR", &vault.server.endpoint())
        .env("VAULT_TOKEN", TOKEN)
        .env("ARGO_ATTEST_KEY_ID", &vault.key.public().key_id().to_string())
}

#[test]
fn a_service_signs_all_that_a_step_leaves() {
    let (vault, s3) = (Vault::new(), S3::new());
    let pod = pod(&vault, &s3);
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", sidecar.logged());
    let attestations = pod.outputs.iter().map(|output| format!("{}.sigstore.json", output.key()));
    let outcome = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json");
    for key in attestations.chain([outcome]) {
        let bundle = Bundle::from_json(&s3.get(&key).unwrap()).unwrap();
        bundle.envelope().verify(&[vault.key.public()]).unwrap();
    }
    // Statements go there, and no byte of what main wrote.
    for request in vault.server.requests() {
        assert!(
            matches!(request.path.as_str(), "/v1/transit/keys/ci" | "/v1/transit/sign/ci"),
            "{request:?}"
        );
    }
    assert!(!sidecar.logged().contains(TOKEN));
}

#[test]
fn a_service_that_stops_signing_in_mid_step_attests_nothing_and_is_told() {
    for (mood, why) in [
        (Mood::Hangs, ""),
        (Mood::IsSealed, ""),
        (Mood::Revoked, "403"),
        (Mood::OtherKey, "no signature by the key"),
        (Mood::OtherVersion, "another version"),
    ] {
        let (vault, s3) = (Vault::new(), S3::new());
        let pod = pod(&vault, &s3).grace(6);
        let mut sidecar = pod.start_ready();
        vault.turns(mood);
        let (code, message) = pod.succeed_within(Duration::from_secs(6), &s3, &mut sidecar);
        assert_eq!((code, &message["state"]), (Some(0), &"done".into()), "{mood:?}: {message}");
        assert_eq!(
            (&message["attested"], &message["notAttested"]),
            (&0.into(), &2.into()),
            "{mood:?}: {message}"
        );
        let said = format!("{message}{}", sidecar.logged());
        assert!(said.contains(why) && !said.contains(TOKEN), "{mood:?}: {said}");
        for output in &pod.outputs {
            assert!(s3.get(&format!("{}.sigstore.json", output.key())).is_none(), "{mood:?}");
        }
    }
}

#[test]
fn a_service_with_another_key_or_none_holds_no_step() {
    // Another key than the platform says; nobody there.
    let (vault, s3) = (Vault::new(), S3::new());
    let other = PrivateKey::generate(KeyType::Ed25519).unwrap().public().key_id();
    let expecting = pod(&vault, &s3).env("ARGO_ATTEST_KEY_ID", &other.to_string());
    let nobody = Nobody::new();
    let away = pod(&vault, &s3).env("VAULT_ADDR", &format!("http://{}", nobody.address()));
    for (pod, why) in [(expecting, "is expected"), (away, "hashivault://ci cannot be used")] {
        let began = Instant::now();
        let mut sidecar = pod.start();
        let message = sidecar.reaches("unattested");
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        assert!(message["reason"].as_str().unwrap().contains(why), "{message}");
        assert!(message["remedy"].is_string(), "{message}");
        sidecar.terminate();
        assert_eq!(sidecar.ends().0, Some(0));
    }
}
