//! Documents that a user names: each is a file, standard input, or an object of a store, and read
//! in the same way wherever it is asked for.

use std::fs;
use std::process::Stdio;

use crate::program::{Desk, Ended};
use crate::servers::{self, BUCKET};
use crate::voucher::{BUILDER, Voucher, uri};

fn policy(key: &str) -> String {
    format!(
        "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n\
         keys: [{{name: k, file: {key}}}]\nbuilders: [{{id: \"{BUILDER}\", keys: [k]}}]\n"
    )
}

/// Runs it with this file as standard input.
fn fed(desk: &Desk, arguments: &[&str], file: &str) -> Ended {
    let input = fs::File::open(desk.path(file)).unwrap();
    desk.program(arguments).stdin(Stdio::from(input)).output().unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_may_be_an_object() {
    let server = tempfile::tempdir().unwrap();
    let user = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    fs::create_dir_all(bucket.join("trust/keys")).unwrap();
    fs::write(bucket.join("app"), "1\n").unwrap();
    user.desk.write("app", "1\n");
    user.attest(&[&uri("app")]).with(0);
    fs::rename(bucket.join("app.sigstore.json"), bucket.join("elsewhere.json")).unwrap();
    fs::remove_file(bucket.join("app.intoto.jsonl")).unwrap();
    fs::copy(user.desk.path("keys/attest.pub"), bucket.join("trust/keys/ci.pub")).unwrap();
    fs::write(bucket.join("trust/policy.yaml"), policy("keys/ci.pub")).unwrap();
    let (attestation, trust) = (uri("elsewhere.json"), uri("trust/policy.yaml"));

    user.run(&["inspect", &attestation]).with(0).says("signatures not checked").says(&attestation);
    // Of a file, of an object, and of bytes alone.
    for artifact in ["app", &uri("app")] {
        user.verify(&["--bundle", &attestation, artifact]).with(0);
        user.run(&["verify", "--policy", &trust, "--bundle", &attestation, artifact]).with(0);
    }
    user.desk.write("app", "2\n");
    user.run(&["verify", "--policy", &trust, "--bundle", &attestation, "app"])
        .with(1)
        .says("not one that is");

    // What is not there, or cannot be what it should be, is named, with what to do.
    let none = uri("none");
    for arguments in [
        &["inspect", &none][..],
        &["verify", "--key", "keys/attest.pub", "--bundle", &none, "app"],
        &["verify", "--policy", &none, "app"],
        &["verify", "--key", "keys/attest.pub", "--outcome", &none],
    ] {
        user.run(arguments).with(66).says(&format!("{none} does not exist")).says("help: check the name");
    }
    user.run(&["verify", "--policy", &attestation, "app"]).with(65).says("the policy is not well formed");
    user.run(&["inspect", &uri("app")]).with(65).says("cannot be shown as an attestation");
    for (key, code, why) in [
        ("../keys/attest.pub", 65, "cannot be beside the policy"),
        ("/etc/ci.pub", 65, "cannot be beside the policy"),
        ("gone.pub", 66, "trust/gone.pub does not exist"),
        ("policy.yaml", 65, "is not usable"),
    ] {
        fs::write(bucket.join("trust/policy.yaml"), policy(key)).unwrap();
        let ended = user.run(&["verify", "--policy", &trust, "app"]).with(code).says(why);
        assert!(ended.err.contains("help: "), "{ended:?}");
    }
    user.run(&["inspect", "s3://bucket"]).with(64).says("write s3://bucket/key");
}

/// What lies beside the attestation that is named is asked for where that lies.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_s_manifest_lies_beside_its_attestation() {
    let server = tempfile::tempdir().unwrap();
    let user = Voucher::new(&servers::s3s_fs(server.path()).await);
    let bucket = server.path().join(BUCKET);
    let script = "mkdir out; for i in $(seq 1100); do echo $i > out/$i; done";
    user.desk.run(["run", "--key", "keys/attest.key", "--outputs", "out", "--", "sh", "-c", script]).with(0);
    for suffix in ["sigstore.json", "manifest.sha256"] {
        fs::rename(user.desk.path(format!("out.{suffix}")), bucket.join(format!("far.{suffix}"))).unwrap();
    }
    user.verify(&["--bundle", &uri("far.sigstore.json"), "out/7"]).with(0);
    fs::remove_file(bucket.join("far.manifest.sha256")).unwrap();
    user.verify(&["--bundle", &uri("far.sigstore.json"), "out/7"]).with(1).says("far.manifest.sha256");
}

#[test]
fn each_may_be_standard_input() {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "keys"]).with(0);
    let run = ["run", "--key", "keys/attest.key", "--builder-id", BUILDER, "--outputs", "app", "--"];
    desk.run([&run[..], &["sh", "-c", "echo 1 > app"]].concat()).with(0);
    desk.write("policy.yaml", policy("keys/attest.pub"));
    fed(&desk, &["inspect", "-"], "app.sigstore.json").with(0);
    fed(&desk, &["verify", "--key", "keys/attest.pub", "--bundle", "-", "app"], "app.sigstore.json").with(0);
    fed(&desk, &["verify", "--policy", "-", "app"], "policy.yaml").with(0);
    // It is read once, for however many artifacts.
    desk.run(["verify", "--policy", "policy.yaml", "--bundle", "app.sigstore.json", "app", "app"]).with(0);
    let twice = fed(&desk, &["verify", "--policy", "-", "--bundle", "-", "app"], "policy.yaml").with(64);
    twice.says("standard input, -, is named more than once");

    let none = ["verify", "--key", "keys/attest.pub", "--bundle", "none", "app"];
    desk.run(none).with(66).says("cannot read the attestation: none does not exist").says("check the path");
    let directory = ["verify", "--key", "keys/attest.pub", "--bundle", "keys", "app"];
    desk.run(directory).with(74).says("keys: it is a directory").says("name one of the files in it");
}
