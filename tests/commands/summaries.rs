//! `verify --vsa`, from outside: what is summarised, and what never is.

use std::fs;
use std::process::Command;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::keys::{MAX_PEM, PublicKey};
use serde_json::{Value, json};

use crate::program::Ended;
use crate::skip::skip;
use crate::workshop::{BUILDER, Workshop, uri};

const VERIFIER: &str = "https://verify.example.com/release";
const KEY: &str = "r/app.tgz";

async fn released(level: &str) -> Workshop {
    let shop = Workshop::new().await;
    shop.step(KEY, Vec::new()).await;
    shop.desk.run(["keygen", "--out-dir", "verifier"]).with(0);
    shop.desk.write(
        "policy.yaml",
        format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys:\n  - {{name: ci, file: keys/attest.pub}}\n\
             builders:\n  - {{id: \"{BUILDER}\", keys: [ci]{level}}}\n"
        ),
    );
    shop
}

fn summarise(shop: &Workshop, more: &[&str]) -> Ended {
    let arguments = ["verify", "--policy", "policy.yaml", "--vsa", "app.vsa.json", "--vsa-key"];
    let verifier = ["verifier/attest.key", "--vsa-verifier-id", VERIFIER];
    shop.run(&[&arguments[..], &verifier, more].concat())
}

/// What was signed, by whom.
fn signed(shop: &Workshop, file: &str) -> Value {
    let ended = shop.desk.run(["inspect", "--json", file]).with(0);
    serde_json::from_str(&ended.out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_summarised() {
    let shop = released(", level: SLSA_BUILD_LEVEL_2").await;
    let before = jiff::Timestamp::now();
    summarise(&shop, &[&uri(KEY)]).with(0);
    let envelope: Value = serde_json::from_slice(&fs::read(shop.desk.path("app.vsa.json")).unwrap()).unwrap();
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let public = fs::read(shop.desk.path("verifier/attest.pub")).unwrap();
    assert!(public.len() < MAX_PEM);
    let id = PublicKey::from_spki_pem(&public).unwrap().key_id().to_string();
    assert_eq!(envelope["signatures"][0]["keyid"], json!(id));
    let payload = base64_of(envelope["payload"].as_str().unwrap());
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    let predicate = &statement["predicate"];
    let time: jiff::Timestamp = predicate["timeVerified"].as_str().unwrap().parse().unwrap();
    assert!(before <= time && time <= jiff::Timestamp::now());
    let digest = |bytes: &[u8]| Sha256Digest::of(bytes).to_string();
    let of_file = |path: std::path::PathBuf| digest(&fs::read(path).unwrap());
    let expected = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": KEY, "digest": {"sha256": of_file(shop.in_bucket(KEY))}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": VERIFIER},
            "timeVerified": predicate["timeVerified"],
            "resourceUri": uri(KEY),
            "policy": {"digest": {"sha256": of_file(shop.desk.path("policy.yaml"))}},
            "inputAttestations": [{
                "uri": uri(&format!("{KEY}.sigstore.json")),
                "digest": {"sha256": of_file(shop.in_bucket(&format!("{KEY}.sigstore.json")))},
            }],
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_2"],
            "slsaVersion": "1.2",
        },
    });
    assert_eq!(statement, expected);
    assert!(signed(&shop, "app.vsa.json").to_string().contains("verification_summary/v1"));

    // We verify it ourselves, for these bytes and no others, by the verifier's key and no other.
    fs::copy(shop.in_bucket(KEY), shop.desk.path("app.tgz")).unwrap();
    let verify = |key: &str, file: &str| {
        let typed = ["--type", "https://slsa.dev/verification_summary/v1", "--bundle", "app.vsa.json"];
        shop.desk.run([&["verify", "--key", key], &typed[..], &[file]].concat())
    };
    verify("verifier/attest.pub", "app.tgz").with(0);
    verify("keys/attest.pub", "app.tgz").with(1);
    shop.desk.write("other.tgz", "other");
    verify("verifier/attest.pub", "other.tgz").with(1);
    // It is no provenance.
    shop.desk.run(["verify", "--key", "verifier/attest.pub", "--bundle", "app.vsa.json", "app.tgz"]).with(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_level_is_made_up_and_a_bundle_is_a_bundle() {
    let shop = released("").await;
    summarise(&shop, &[&uri(KEY)]).with(0);
    let text = signed(&shop, "app.vsa.json").to_string();
    assert!(text.contains("SLSA_BUILD_LEVEL_UNEVALUATED"), "{text}");
    let named = ["--vsa", "app.vsa.sigstore.json", &uri(KEY)];
    shop.run(
        &[
            &["verify", "--policy", "policy.yaml", "--vsa-key", "verifier/attest.key", "--vsa-verifier-id"],
            &[VERIFIER][..],
            &named,
        ]
        .concat(),
    )
    .with(0);
    let bundle = fs::read(shop.desk.path("app.vsa.sigstore.json")).unwrap();
    let bundle: Value = serde_json::from_slice(&bundle).unwrap();
    assert_eq!(bundle["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_has_no_summary() {
    let shop = released(", level: SLSA_BUILD_LEVEL_3").await;
    let none = || assert!(!shop.desk.path("app.vsa.json").exists());
    // Altered.
    let stored = fs::read(shop.in_bucket(KEY)).unwrap();
    fs::write(shop.in_bucket(KEY), "altered").unwrap();
    summarise(&shop, &[&uri(KEY)]).with(1).says("no summary is written");
    none();
    fs::write(shop.in_bucket(KEY), stored).unwrap();
    // What may be missing was not verified.
    let policy = fs::read_to_string(shop.desk.path("policy.yaml")).unwrap();
    shop.desk.write("policy.yaml", format!("{policy}missing: warn\n"));
    fs::write(shop.in_bucket("r/bare"), "bare").unwrap();
    summarise(&shop, &[&uri("r/bare")]).with(1).says("no summary is written");
    none();
    // What is several, or known by a path alone.
    summarise(&shop, &[&uri(KEY), &uri("r/bare")]).with(64).says("about one artifact");
    fs::copy(shop.in_bucket(KEY), shop.desk.path("app.tgz")).unwrap();
    summarise(&shop, &["app.tgz"]).with(64).says("--vsa-resource-uri");
    none();
    // The key is opened before anything is asked, and what cannot be written is told.
    fs::remove_file(shop.desk.path("verifier/attest.key")).unwrap();
    let ended = summarise(&shop, &[&uri(KEY)]);
    assert!(ended.code != Some(0) && ended.out.is_empty(), "{ended:?}");
    none();
    // Without a policy there is nobody who declares a level.
    for wrong in [
        &["--key", "keys/attest.pub", "--vsa", "x", "--vsa-key", "k", "--vsa-verifier-id", VERIFIER][..],
        &["--policy", "policy.yaml", "--vsa", "x", "--vsa-key", "k"],
        &["--policy", "policy.yaml", "--vsa", "x", "--vsa-verifier-id", VERIFIER],
        &["--policy", "policy.yaml", "--vsa", "x", "--vsa-key", "k", "--vsa-verifier-id", "no uri"],
    ] {
        shop.run(&[&["verify"], wrong, &[&uri(KEY)]].concat()).with(64);
    }
}

/// A level is the policy's, and one that SLSA has.
#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_slsa_has_not_is_no_policy() {
    for level in ["2", "SLSA_BUILD_LEVEL_4", "\"\"", "[SLSA_BUILD_LEVEL_1]", "null"] {
        let shop = released(&format!(", level: {level}")).await;
        let ended = summarise(&shop, &[&uri(KEY)]).with(65);
        assert!(ended.err.contains("level"), "{level}: {ended:?}");
    }
}

/// SLSA's own verifier, for keys of both kinds.
#[tokio::test(flavor = "multi_thread")]
async fn slsa_verifier_accepts_what_the_policy_declares_and_no_more() {
    let there = Command::new("slsa-verifier").arg("version").output();
    if there.is_err() {
        return skip("slsa-verifier (make tools)");
    }
    for kind in ["ed25519", "ecdsa-p256"] {
        let shop = released(", level: SLSA_BUILD_LEVEL_2").await;
        fs::remove_dir_all(shop.desk.path("verifier")).unwrap();
        shop.desk.run(["keygen", "--type", kind, "--out-dir", "verifier"]).with(0);
        summarise(&shop, &[&uri(KEY)]).with(0);
        let digest = format!("sha256:{}", Sha256Digest::of(&fs::read(shop.in_bucket(KEY)).unwrap()));
        let other = format!("sha256:{}", Sha256Digest::of(b"other"));
        let accepts = |[digest, resource, verifier, level, key]: [&str; 5]| {
            let mut program = Command::new("slsa-verifier");
            program.current_dir(shop.desk.path("")).args([
                "verify-vsa",
                "--attestation-path",
                "app.vsa.json",
            ]);
            program.args(["--subject-digest", digest, "--resource-uri", resource]);
            program.args(["--verifier-id", verifier, "--verified-level", level, "--public-key-path", key]);
            program.output().unwrap().status.success()
        };
        let good = [&digest, &uri(KEY), VERIFIER, "SLSA_BUILD_LEVEL_2", "verifier/attest.pub"];
        assert!(accepts(good), "{kind}");
        let wrong = [
            &other,
            "s3://elsewhere/app.tgz",
            "https://other.example.com",
            "SLSA_BUILD_LEVEL_3",
            "keys/attest.pub",
        ];
        for (at, wrong) in wrong.into_iter().enumerate() {
            let mut asked = good;
            asked[at] = wrong;
            assert!(!accepts(asked), "{kind}: {asked:?}");
        }
    }
}

fn base64_of(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
