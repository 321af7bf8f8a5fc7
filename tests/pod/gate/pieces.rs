//! A prefix that several attested steps wrote, taken as one directory.

use argo_attest::signer::load_pair;
use argo_attest_core::bundle::Bundle;
use argo_attest_core::dsse::Envelope;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use crate::consumer::{Consumer, Input, policy};
use crate::gate::hex;
use crate::output::Output;
use crate::s3::S3;
use crate::signing::Sign as _;
use crate::upstream::Upstream;

const PARTS: [&str; 4] = ["0.json", "1.json", "2.json", "3.json"];

fn key(part: &str) -> String {
    format!("run-7/parts/{part}")
}

/// What the nodes of a fan-out leave beneath one prefix, each under a key of the template's own.
fn mapped(s3: &S3) -> Upstream {
    mapped_with(s3, "wf[1].map(0:1)")
}

fn mapped_with(s3: &S3, node: &str) -> Upstream {
    let part = |part: &str| Output::plain(part).keyed(&key(part));
    Upstream::of(s3, PARTS.map(part).to_vec(), |pod| pod.env("ARGO_ATTEST_NODE_NAME", node))
}

fn reduce(s3: &S3, upstream: &Upstream) -> Consumer {
    Consumer::new(s3, upstream).stages(s3, &Input::new("run-7/parts"))
}

#[test]
fn each_file_by_its_own_attestation() {
    let s3 = S3::new();
    let upstream = mapped(&s3);
    for prefix in ["run-7/parts", "run-7/parts/"] {
        let input = Input::new(prefix);
        let consumer = Consumer::new(&s3, &upstream);
        let consumer = consumer.stages(&s3, &Input::new("run-7/parts").named("staged"));
        std::fs::rename(consumer.path(&Input::new("run-7/parts").named("staged")), consumer.path(&input))
            .unwrap();
        let mut consumer = consumer.takes(&input);
        consumer.template["inputs"]["artifacts"].as_array_mut().unwrap().remove(0);
        let staged = std::fs::read_dir(consumer.path(&input)).unwrap();
        assert_eq!(staged.count(), PARTS.len(), "no attestation is staged with them");
        let ended = consumer.opens();
        assert_eq!(ended.message, "inputs accepted file by file: \"app\" (4)");
        let evidence = consumer.evidence().unwrap();
        let record = &evidence["inputs"][0];
        assert_eq!(record["finding"], "recorded");
        assert!(record["digest"]["dirHash"].is_string() && record["attestation"].is_null(), "{evidence}");
    }
}

#[test]
fn no_file_that_is_not_as_its_own_attestation_says() {
    let s3 = S3::new();
    let upstream = mapped(&s3);
    // Changed.
    let good = s3.get(&key("2.json")).unwrap();
    s3.put(&key("2.json"), b"other");
    let ended = reduce(&s3, &upstream).gate();
    let why = "its file 2.json is not accepted: its digest sha256:";
    assert!(ended.code == Some(1) && ended.message.contains(why), "{ended:#?}");
    // Another's bytes, and with them another's attestation.
    s3.put(&key("2.json"), &s3.get(&key("1.json")).unwrap());
    let attestation = |part: &str, suffix: &str| format!(".attestations/{}{suffix}", key(part));
    let own = s3.get(&attestation("2.json", ".sigstore.json")).unwrap();
    s3.put(
        &attestation("2.json", ".sigstore.json"),
        &s3.get(&attestation("1.json", ".sigstore.json")).unwrap(),
    );
    let consumer = reduce(&s3, &upstream).policy(&policy("", "missing: warn\n"));
    let ended = consumer.gate();
    assert!(ended.code == Some(1) && ended.message.contains("both were moved here"), "{ended:#?}");
    // Put right again.
    s3.put(&key("2.json"), &good);
    s3.put(&attestation("2.json", ".sigstore.json"), &own);
    reduce(&s3, &upstream).opens();
}

#[test]
fn a_file_without_one_is_for_the_policy_to_judge() {
    let s3 = S3::new();
    let upstream = mapped(&s3);
    s3.put(&key("extra.json"), b"{}");
    let consumer = reduce(&s3, &upstream);
    consumer.refuses(
        "4 of its 5 files have an attestation of their own, and extra.json has none (help: attest every step that writes there, or let the policy say `missing: warn`)",
    );
    let consumer = consumer.policy(&policy("", "missing: warn\n"));
    let ended = consumer.opens();
    assert!(ended.message.contains("without attestation, as the policy allows: \"app\""), "{ended:#?}");
    // But not one that is no longer what was attested.
    s3.put(&key("0.json"), b"other");
    let consumer = reduce(&s3, &upstream).policy(&policy("", "missing: warn\n"));
    let ended = consumer.gate();
    assert!(ended.code == Some(1) && ended.message.contains("its file 0.json is not accepted"), "{ended:#?}");
}

/// Attestations beside the files are staged as files.
/// No attestation of a file speaks of it, and main would follow it.
#[test]
fn a_link_among_the_files_has_no_attestation() {
    let s3 = S3::new();
    let upstream = mapped(&s3);
    let consumer = reduce(&s3, &upstream);
    let at = consumer.path(&Input::new("run-7/parts"));
    std::os::unix::fs::symlink("0.json", at.join("latest.json")).unwrap();
    let why = "4 of its 5 files have an attestation of their own, and latest.json has none";
    let ended = consumer.gate();
    assert!(ended.code == Some(1) && ended.message.contains(why), "{ended:#?}");
}

#[test]
fn attestations_among_the_files_are_told_of() {
    let s3 = S3::new();
    let upstream = mapped_with(&s3, "wf[1].map");
    let ended = reduce(&s3, &upstream).gate();
    let why = "4 of its 12 files have an attestation of their own, and 0.json.intoto.jsonl has none (help: let the steps that write there keep their attestations apart";
    assert!(ended.code == Some(1) && ended.message.contains(why), "{ended:#?}");
}

/// One of them by a tool that names it by a longer digest of SHA-2 alone.
#[test]
fn a_file_that_is_attested_by_a_longer_digest() {
    let s3 = S3::new();
    let upstream = mapped(&s3);
    let key_pair = load_pair(&upstream.pod.at("keys/attest.key")).unwrap();
    let beside = |suffix: &str| format!(".attestations/{}{suffix}", key("2.json"));
    let bundle = Bundle::from_json(&s3.get(&beside(".sigstore.json")).unwrap()).unwrap();
    let mut statement: Value = serde_json::from_slice(bundle.envelope().unverified_payload()).unwrap();
    let sha512 = Sha512::digest(s3.get(&key("2.json")).unwrap());
    for subject in statement["subject"].as_array_mut().unwrap() {
        subject["digest"] = json!({"sha512": hex(&sha512)});
    }
    let envelope = Envelope::sign(statement.to_string().into_bytes(), &key_pair).unwrap();
    s3.put(&beside(".sigstore.json"), &Bundle::new(envelope).unwrap().to_json());
    s3.delete(&beside(".intoto.jsonl"));
    reduce(&s3, &upstream).opens();
    s3.put(&key("2.json"), b"other");
    let ended = reduce(&s3, &upstream).gate();
    let why = "its file 2.json is not accepted: its digest sha256:";
    assert!(ended.code == Some(1) && ended.message.contains(why), "{ended:#?}");
}
