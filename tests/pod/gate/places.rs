//! The store, the bucket and the key are what an object is: whatever is right about it in
//! another place, or about no place at all, is not about this one.

use std::process::Command;

use argo_attest::signer::load_pair;
use argo_attest_core::bundle::Bundle;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha384, Sha512};

use crate::consumer::{Consumer, Input, policy};
use crate::gate::hex;
use crate::output::{Output, Packing, Place, Shape};
use crate::pod::BUILDER;
use crate::process::binary;
use crate::s3::S3;
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};
use crate::signing::Sign as _;
use crate::upstream::Upstream;

fn with_store(s3: &S3, arguments: &[&str]) -> Command {
    let mut command = binary();
    command
        .args(arguments)
        .envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    command
}

fn consumer(s3: &S3, upstream: &Upstream) -> Consumer {
    Consumer::new(s3, upstream).stages(s3, &Input::new(&upstream.key()))
}

/// A step with the platform's key whose artifact repository is a server of one's own: object
/// and attestation from there, put into the real bucket of that name.
#[test]
fn an_object_that_was_attested_in_another_store() {
    for kind in [(Place::Base, Packing::None, Shape::File), (Place::Volume, Packing::None, Shape::Directory)]
    {
        // Both kinds have the same key, and a store of files has either a file or a directory there.
        let (real, own) = (S3::new(), S3::new());
        let upstream = Upstream::new(&own, vec![Output::new("a", kind)]);
        for (key, bytes) in upstream.output().objects(&upstream.pod.work()) {
            real.put(&key, &bytes);
        }
        for suffix in [".sigstore.json", ".intoto.jsonl"] {
            let key = format!("{}{suffix}", upstream.key());
            real.put(&key, &own.get(&key).unwrap());
        }
        let (said, here) = (&own.endpoint, &real.endpoint);
        let consumer = consumer(&real, &upstream);
        let ended = consumer.gate();
        assert_eq!((ended.code, consumer.evidence()), (Some(1), None), "{ended:#?}");
        let why = format!("in the store {said}, and the artifact is in {here} (help: ");
        assert!(ended.message.contains(&why), "{}", ended.message);

        // The same store under two names is what only the policy can know.
        let one = format!("stores: [{{name: ours, addresses: [\"{said}\", \"{here}\"]}}]\n");
        let two = format!(
            "stores: [{{name: ours, addresses: [\"{here}\"]}}, {{name: other, addresses: [\"{said}\"]}}]\n"
        );
        let consumer = consumer.policy(&policy("", &one));
        consumer.opens();
        std::fs::remove_file(consumer.at("evidence/inputs.json")).unwrap();
        let consumer = consumer.policy(&policy("", &two));
        assert_eq!(consumer.gate().code, Some(1));
        // And which of them are wanted.
        let consumer = consumer.policy(&policy("", &format!("{two}expect: {{stores: [ours]}}\n")));
        let ended = consumer.gate();
        let why = format!("the store is {said:?}, not one of [\"ours\"]");
        assert!(ended.code == Some(1) && ended.message.contains(&why), "{ended:#?}");
    }
}

/// Of another artifact, by the same key and builder: its bytes and its attestation, which
/// says of no place.
#[test]
fn an_attestation_that_is_about_no_object() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let (key, name) = (upstream.key(), upstream.key().rsplit('/').next().unwrap().to_owned());
    let desk = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let mut command = with_store(&s3, &["run", "--builder-id", BUILDER, "--outputs", &name, "--key"]);
        command.arg(upstream.pod.at("keys/attest.key")).args(more);
        command.args(["--", "sh", "-c", &format!("echo made by hand > {name}")]).current_dir(desk.path());
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    let bytes = b"made by hand\n";
    run(&[]);
    s3.put(&key, bytes);
    for suffix in [".sigstore.json", ".intoto.jsonl"] {
        s3.put(
            &format!("{key}{suffix}"),
            &std::fs::read(desk.path().join(format!("{name}{suffix}"))).unwrap(),
        );
    }
    consumer(&s3, &upstream).refuses(&format!(
        "the attestation does not say where its artifact is stored, and so is not about the object s3://{BUCKET}/{key} \
         (help: vouch for the object where it is (argo-attest attest), or let argo-attest run --store say where it will be)"
    ));
    // What was put beside its place by `run --store` says which that is.
    let (parent, _) = key.rsplit_once('/').unwrap();
    for suffix in [".sigstore.json", ".intoto.jsonl"] {
        s3.delete(&format!("{key}{suffix}"));
    }
    run(&["--store", &format!("s3://{BUCKET}/{parent}")]);
    consumer(&s3, &upstream).opens();
    // And no other.
    let moved = format!("{parent}/moved");
    s3.put(&moved, bytes);
    for suffix in [".sigstore.json", ".intoto.jsonl"] {
        s3.put(&format!("{moved}{suffix}"), &s3.get(&format!("{key}{suffix}")).unwrap());
    }
    let ended = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&moved)).gate();
    assert!(ended.code == Some(1) && ended.message.contains("both were moved here"), "{ended:#?}");
}

/// As the version before wrote them: nothing says which store was meant.
#[test]
fn an_attestation_that_names_no_store() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let key = load_pair(&upstream.pod.at("keys/attest.key")).unwrap();
    let bundle = Bundle::from_json(&s3.get(&upstream.bundle_key()).unwrap()).unwrap();
    let mut statement: Value = serde_json::from_slice(bundle.envelope().unverified_payload()).unwrap();
    let evidence = &mut statement["predicate"]["runDetails"]["byproducts"][0];
    assert_eq!(evidence["annotations"]["endpoint"], s3.endpoint.as_str());
    evidence["annotations"].as_object_mut().unwrap().remove("endpoint").unwrap();
    let envelope = Envelope::sign(statement.to_string().into_bytes(), &key).unwrap();
    s3.put(&upstream.bundle_key(), &Bundle::new(envelope).unwrap().to_json());
    let uri = format!("s3://{BUCKET}/{}", upstream.key());
    consumer(&s3, &upstream).refuses(&format!(
        "the attestation does not say in which store {uri} is: the version that made it did not record that \
         (help: run the step that makes it again, or vouch for the object as it is (argo-attest attest --supersede))"
    ));
    // Which mends it.
    let mut attest = with_store(&s3, &["attest", "--supersede", "--builder-id", BUILDER, "--key"]);
    let ran = attest.arg(upstream.pod.at("keys/attest.key")).arg(uri).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    consumer(&s3, &upstream).opens();
}

/// Any attestation of the same key, under the input's name.
#[test]
fn an_attestation_of_something_else_beside_the_input() {
    let s3 = S3::new();
    let kind = (Place::Volume, Packing::None, Shape::Directory);
    let upstream = Upstream::new(&s3, vec![Output::new("dir", kind), Output::plain("a")]);
    let (dir, file) = (upstream.key(), upstream.pod.outputs[1].key());
    let (member, bytes) = upstream.output().objects(&upstream.pod.work()).remove(0);
    // The directory's, beside a file that has the bytes of one in it.
    s3.put(&file, &bytes);
    for suffix in [".sigstore.json", ".intoto.jsonl"] {
        s3.put(&format!("{file}{suffix}"), &s3.get(&format!("{dir}{suffix}")).unwrap());
    }
    let ended = Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&file)).gate();
    assert!(ended.code == Some(1), "{ended:#?}");
    assert!(ended.message.contains("it is one file of the attested directory"), "{}", ended.message);
    // By its own key it is what it is.
    Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&member)).opens();
}

/// Other tools name what they attest by longer digests of SHA-2 alone.
#[test]
fn an_attestation_that_has_longer_digests_only() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let key = load_pair(&upstream.pod.at("keys/attest.key")).unwrap();
    let bundle = Bundle::from_json(&s3.get(&upstream.bundle_key()).unwrap()).unwrap();
    let signed: Value = serde_json::from_slice(bundle.envelope().unverified_payload()).unwrap();
    let bytes = s3.get(&upstream.key()).unwrap();
    let (sha384, sha512) = (hex(&Sha384::digest(&bytes)), hex(&Sha512::digest(&bytes)));
    s3.delete(&format!("{}.intoto.jsonl", upstream.key()));
    let put = |digests: Value| {
        let mut statement = signed.clone();
        for subject in statement["subject"].as_array_mut().unwrap() {
            subject["digest"] = digests.clone();
        }
        let envelope = Envelope::sign(statement.to_string().into_bytes(), &key).unwrap();
        s3.put(&upstream.bundle_key(), &Bundle::new(envelope).unwrap().to_json());
    };
    for digests in [
        json!({"sha384": sha384}),
        json!({"sha512": sha512.to_uppercase()}),
        json!({"sha384": sha384, "sha512": sha512, "blake2b": "00"}),
    ] {
        put(digests);
        let consumer = consumer(&s3, &upstream);
        consumer.opens();
        // On record is what everybody compares.
        let digest = &consumer.evidence().unwrap()["inputs"][0]["digest"];
        assert_eq!(digest, &json!({"sha256": Sha256Digest::of(&bytes).to_string()}));
        let path = consumer.path(&Input::new(&upstream.key()));
        std::fs::remove_file(consumer.at("evidence/inputs.json")).unwrap();
        std::fs::write(path, "other bytes").unwrap();
        let ended = consumer.gate();
        assert!(ended.code == Some(1) && ended.message.contains("is not one that is attested"), "{ended:#?}");
    }
    // Where there is a SHA-256, it has to be right, whatever else is.
    put(json!({"sha256": "0".repeat(64), "sha512": sha512}));
    assert_eq!(consumer(&s3, &upstream).gate().code, Some(1));
    put(json!({"sha512": sha512.replace(|digit| digit != '0', "0")}));
    assert_eq!(consumer(&s3, &upstream).gate().code, Some(1));
}
