//! Outputs in stores that are not S3, where the platform names a store for their attestations.

use std::fs;
use std::path::Path;
use std::process::Output as Ran;

use serde_json::{Value, json};

use crate::nobody::Nobody;
use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{BUILDER, POD_UID, Pod, entry};
use crate::process::binary;
use crate::s3::S3;
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};

/// What all of this pod's lies beneath.
const OWN: &str = "att/ci";

/// A pod whose repository is Google's, and that may write to the store that is named.
fn pod(s3: &S3, outputs: Vec<Output>) -> Pod {
    let mut pod = Pod::new(s3.address(), outputs);
    pod.template["archiveLocation"] = json!({"gcs": {"bucket": "b", "key": "wf/wf-build-1"}});
    named(pod, s3)
}

fn named(pod: Pod, s3: &S3) -> Pod {
    pod.arg("--store")
        .arg(&format!("s3://{BUCKET}/att"))
        .env("ARGO_ATTEST_POD_NAMESPACE", "ci")
        .env("ARGO_ATTEST_POD_NAME", "wf-build-1")
        .env("ARGO_ATTEST_WORKFLOW_NAME", "wf")
        .env("AWS_ENDPOINT_URL_S3", &s3.endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
}

fn outcome_key() -> String {
    format!("{OWN}/outcomes/wf/wf-build-1/argo-attest-outcome-{POD_UID}.sigstore.json")
}

fn outcome(s3: &S3, pod: &Pod) -> Value {
    let bundle = s3.get(&outcome_key()).unwrap_or_else(|| panic!("no outcome in {:?}", s3.keys()));
    pod.signed(&bundle)["predicate"].clone()
}

fn attestation(s3: &S3, pod: &Pod, key: &str) -> Value {
    let bundle = s3.get(&format!("{key}.sigstore.json"));
    pod.signed(&bundle.unwrap_or_else(|| panic!("no {key} in {:?}", s3.keys())))
}

/// What a consumer says who has fetched the artifact and its attestation.
fn verify(s3: &S3, pod: &Pod, key: &str, artifact: &Path, arguments: &[&str]) -> Ran {
    let bundle = pod.at("fetched.sigstore.json");
    fs::write(&bundle, s3.get(&format!("{key}.sigstore.json")).unwrap()).unwrap();
    let mut command = binary();
    command
        .env("COLUMNS", "100000")
        .arg("verify")
        .args(arguments)
        .arg("--bundle")
        .arg(bundle)
        .arg(artifact)
        .output()
        .unwrap()
}

fn trusted(pod: &Pod) -> [String; 4] {
    ["--key".into(), pod.public_key().display().to_string(), "--builder-id".into(), BUILDER.into()]
}

/// Every way in which Argo packs an output: attested by what was written, and found by its place.
#[test]
fn what_was_written_is_attested() {
    let kinds = [
        (Place::Base, Packing::Tar, Shape::File),
        (Place::Base, Packing::Tar, Shape::Directory),
        (Place::Volume, Packing::Tar, Shape::Directory),
        (Place::Volume, Packing::None, Shape::File),
        (Place::Volume, Packing::None, Shape::Directory),
        (Place::Volume, Packing::Zip, Shape::File),
    ];
    for plain in [false, true] {
        let s3 = S3::new();
        let mut outputs: Vec<_> =
            kinds.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind)).collect();
        outputs.push(Output::empty("empty", Place::Volume, Packing::None));
        let mut pod = pod(&s3, outputs);
        if plain {
            pod = pod.plain();
        }
        let mut sidecar = pod.start_ready();
        assert_eq!(outcome(&s3, &pod)["state"], "started");
        pod.write();
        pod.end(0);
        sidecar.terminate();
        let (code, message) = sidecar.ends();
        assert_eq!((code, &message["attested"]), (Some(0), &7.into()), "{message}\n{}", sidecar.logged());
        assert_eq!(message["outcome"], format!("s3://{BUCKET}/{}", outcome_key()));
        let outcome = outcome(&s3, &pod);
        assert_eq!((&outcome["state"], &outcome["complete"]), (&"succeeded".into(), &true.into()));
        for output in &pod.outputs {
            let key = format!("{OWN}/gcs/b/{}", output.key());
            let statement = attestation(&s3, &pod, &key);
            let internal = &statement["predicate"]["buildDefinition"]["internalParameters"];
            let place = format!("gcs/b/{}", output.key());
            assert_eq!(internal["stored"], json!({"kind": "gcs", "match": "unchecked", "place": place}));
            let byproducts = statement["predicate"]["runDetails"]["byproducts"].to_string();
            assert!(!byproducts.contains("stored-object"), "{byproducts}");
            assert_eq!(
                entry(&outcome["outputs"], &output.name)["attestation"],
                format!("s3://{BUCKET}/{key}.sigstore.json")
            );
            // A consumer has the file, or what Argo packed.
            let trusted = trusted(&pod);
            let trusted: Vec<_> = trusted.iter().map(String::as_str).collect();
            let artifact = match output.place {
                Place::Base => {
                    let fetched = pod.at(&format!("{}.tgz", output.name));
                    fs::copy(output.packed(&pod.argo()), &fetched).unwrap();
                    fetched
                }
                Place::Volume => output.path(&pod.work()).into(),
            };
            let ran = verify(&s3, &pod, &key, &artifact, &trusted);
            assert_eq!(ran.status.code(), Some(0), "{output:?}: {ran:?}");
            if output.files.len() == 1 && output.place == Place::Volume {
                fs::write(&artifact, "another").unwrap();
                let ran = verify(&s3, &pod, &key, &artifact, &trusted);
                assert_eq!(ran.status.code(), Some(1), "{output:?}: {ran:?}");
            }
        }
    }
}

/// A policy that wants the stored object compared does not take one that was not.
#[test]
fn it_is_no_stored_match() {
    let s3 = S3::new();
    let pod = pod(&s3, vec![Output::plain("a")]);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    sidecar.terminate();
    sidecar.ends();
    let key = format!("{OWN}/gcs/b/{}", pod.outputs[0].key());
    let artifact = pod.outputs[0].path(&pod.work());
    for (expected, code) in [("required", 1), ("optional", 0)] {
        let policy = pod.at("policy.yaml");
        let key_file = pod.public_key();
        fs::write(
            &policy,
            format!(
                "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys:\n- {{name: ci, file: {}}}\n\
                 builders:\n- {{id: \"{BUILDER}\", keys: [ci]}}\nexpect: {{storedMatch: {expected}}}\n",
                key_file.display()
            ),
        )
        .unwrap();
        let ran = verify(&s3, &pod, &key, Path::new(&artifact), &["--policy", policy.to_str().unwrap()]);
        assert_eq!(ran.status.code(), Some(code), "{ran:?}");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert_eq!(said.contains("does not say that the stored object was compared"), code == 1, "{ran:?}");
    }
}

/// One output here and one there: each attestation where it can be, the outcome where it is named.
#[test]
fn a_step_with_both() {
    let s3 = S3::new();
    let mut pod = named(Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("b")]), &s3);
    pod.template["outputs"]["artifacts"][1]["gcs"] = json!({"bucket": "other", "key": "release/b"});
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}");
    pod.assert_accepted(&pod.outputs[0]);
    let beside = attestation(&s3, &pod, &pod.outputs[0].key());
    assert!(beside.to_string().contains("stored-object") && !beside.to_string().contains("unchecked"));
    assert!(attestation(&s3, &pod, "att/ci/gcs/other/release/b").to_string().contains("unchecked"));
    assert_eq!(outcome(&s3, &pod)["complete"], true);
    // Nothing is left beneath the step's own prefix but what belongs to its object.
    let own = s3.keys().into_iter().filter(|key| !key.starts_with("att/"));
    assert_eq!(own.filter(|key| key.contains("outcome")).count(), 0);
}

/// Two things cannot lie in one place, whichever store they come from.
#[test]
fn one_place_is_for_one() {
    let s3 = S3::new();
    let outputs = vec![
        Output::plain("a"),
        Output::plain("b"),
        Output::plain("c").keyed("att/ci/gcs/b/k.sigstore.json"),
    ];
    let mut pod = named(Pod::new(s3.address(), outputs), &s3);
    for at in [0, 1] {
        pod.template["outputs"]["artifacts"][at]["gcs"] = json!({"bucket": "b", "key": "k"});
    }
    let mut sidecar = pod.start_ready();
    let message = sidecar.reaches("unready");
    assert!(message["reason"].as_str().unwrap().contains("is also where the attestation of"), "{message}");
    pod.write();
    pod.end(0);
    sidecar.terminate();
    let (_, message) = sidecar.ends();
    assert_eq!((&message["attested"], &message["notAttested"]), (&0.into(), &3.into()), "{message}");
}

/// A key that would lead out of the namespace's own has no place.
#[test]
fn no_place_is_another_namespaces() {
    let s3 = S3::new();
    let mut pod = pod(&s3, vec![Output::plain("a")]);
    pod.template["outputs"]["artifacts"][0]["gcs"] = json!({"key": "../../../prod/gcs/b/k"});
    let mut sidecar = pod.start_ready();
    let message = sidecar.reaches("unready");
    assert!(message["reason"].as_str().unwrap().contains("no name for an attestation follows"), "{message}");
    pod.write();
    pod.end(0);
    sidecar.terminate();
    sidecar.ends();
    assert!(s3.keys().iter().all(|key| key.starts_with(OWN)), "{:?}", s3.keys());
    assert_eq!(entry(&outcome(&s3, &pod)["outputs"], "a")["verdict"], "refused");
}

/// A store that cannot be used is told of, whether it is none, cannot be asked or refuses; main
/// runs.
#[test]
fn a_store_that_cannot_be_used() {
    let s3 = S3::new();
    let gone = Nobody::new();
    for (spoilt, reason) in [
        (pod(&s3, vec![Output::plain("a")]).env("AWS_ENDPOINT_URL_S3", "ftp://x"), "AWS_ENDPOINT_URL_S3"),
        (pod(&s3, vec![Output::plain("a")]).env("AWS_SECRET_ACCESS_KEY", "wrong"), "denied"),
        (
            pod(&s3, vec![Output::plain("a")])
                .env("AWS_ENDPOINT_URL_S3", &format!("http://{}", gone.address()))
                .env("ARGO_ATTEST_READY_TIMEOUT", "1s"),
            "not all was ready within 1s",
        ),
    ] {
        let spoilt = spoilt.grace(4);
        let mut sidecar = spoilt.start_ready();
        let message = sidecar.reaches("unready");
        assert!(message["reason"].as_str().unwrap().contains(reason), "{message}");
        spoilt.write();
        spoilt.end(0);
        sidecar.terminate();
        let (code, message) = sidecar.ends();
        assert_eq!((code, &message["attested"]), (Some(0), &0.into()), "{message}");
        assert!(message["outcomeNotStored"].is_string(), "{message}");
    }
    // A directory of this container is nobody else's.
    let directory = Pod::new(s3.address(), vec![Output::plain("a")]).arg("--store").arg("file:///tmp");
    let message = directory.start_ready().reaches("unattested");
    assert!(message["reason"].as_str().unwrap().contains("s3://bucket/prefix only"), "{message}");
    assert_eq!(s3.keys(), Vec::<String>::new());
}
