//! From the last object to what was let in: `attest`, gate, sidecar, gate, sidecar, and
//! then `verify --chain` over what they left in the store.

use std::path::Path;
use std::process::Command;

use crate::consumer::{Consumer, Input, policy};
use crate::init::Archive;
use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{BUILDER, Pod};
use crate::process::binary;
use crate::s3::S3;
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};
use crate::upstream::Upstream;

const BASE: &str = "in/base.csv";

fn with_store(s3: &S3, arguments: &[&str]) -> Command {
    let mut command = binary();
    command
        .args(arguments)
        .envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")])
        .envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    command
}

/// An object that somebody let in, and vouches for.
fn let_in(s3: &S3) -> Pod {
    let pod = Pod::new(s3.address(), Vec::new());
    s3.put(BASE, b"a,b\n");
    let uri = format!("s3://{BUCKET}/{BASE}");
    let ran = with_store(s3, &["attest", "--builder-id", BUILDER, "--key"])
        .arg(pod.at("keys/attest.key"))
        .arg(uri)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    pod
}

/// A step whose gate has opened, attested.
fn step(s3: &S3, consumer: &Consumer, output: Output) -> Upstream {
    consumer.opens();
    Upstream::of(s3, vec![output], |mut pod| {
        pod.template["inputs"] = consumer.template["inputs"].clone();
        pod.env("ARGO_ATTEST_EVIDENCE", consumer.at("evidence").to_str().unwrap())
    })
}

fn chain(s3: &S3, keys: &[&Path], key: &str) -> (Option<i32>, String) {
    let mut command = with_store(s3, &["verify", "--chain"]);
    for key in keys {
        command.arg("--key").arg(key);
    }
    let ran = command.arg(format!("s3://{BUCKET}/{key}")).output().unwrap();
    (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
}

#[test]
fn a_chain_leads_from_the_last_object_to_what_was_let_in() {
    for (packing, shape, archive) in [
        (Packing::None, Shape::File, Archive::None),
        (Packing::Tar, Shape::File, Archive::Unsaid),
        (Packing::Tar, Shape::Directory, Archive::Unsaid),
        (Packing::Zip, Shape::Directory, Archive::Zip),
        (Packing::None, Shape::Directory, Archive::None),
    ] {
        let s3 = S3::new();
        let imports = let_in(&s3);
        let gate = Consumer::bare(&s3).policy(&policy("", ""));
        std::fs::copy(imports.public_key(), gate.at("policy/ci.pub")).unwrap();
        let gate = gate.stages(&s3, &Input::new(BASE).named("base"));
        let first = step(&s3, &gate, Output::new("mid", (Place::Volume, packing, shape)));
        let gate = Consumer::new(&s3, &first);
        let gate = gate.stages(&s3, &Input::new(&first.key()).archive(archive).own_mount());
        let last = step(&s3, &gate, Output::plain("last"));

        let keys = [imports.public_key(), first.public_key(), last.public_key()];
        let keys: Vec<&Path> = keys.iter().map(AsRef::as_ref).collect();
        let (code, said) = chain(&s3, &keys, &last.key());
        assert_eq!(code, Some(0), "{packing:?} {shape:?}: {said}");
        for link in [
            "\n  verified  inputs/app  s3://",
            "\n    verified  inputs/base  s3://bucket/in/base.csv  sha256:",
        ] {
            assert!(said.contains(link), "{packing:?} {shape:?}: {link:?} is not in {said}");
        }

        // Whoever does not trust the first step's key cannot trust what came of it.
        let (code, said) = chain(&s3, &[keys[0], keys[2]], &last.key());
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("its chain fails at inputs/app: not signed with a trusted key"), "{said}");
        // Vouched for anew: the attestation that the gate saw is among the lines still.
        s3.put(BASE, b"a,c\n");
        let_in(&s3);
        assert_eq!(chain(&s3, &keys, &last.key()).0, Some(0));
        s3.delete(&format!("{BASE}.intoto.jsonl"));
        let (code, said) = chain(&s3, &keys, &last.key());
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("its chain fails at inputs/app > inputs/base:"), "{said}");
    }
}
