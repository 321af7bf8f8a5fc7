//! The examples in `--help` are commands that work.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use argo_attest_core::bundle::Bundle;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::keys::{KeyType, PrivateKey};
use serde_json::json;

use crate::program::{Desk, Ended};
use crate::servers::{self, ACCESS_KEY, SECRET_KEY};
use crate::signing::Sign as _;

/// The examples of a command's help, a line each.
fn examples(desk: &Desk, command: &str) -> Vec<String> {
    let help = desk.run([command, "--help"]).with(0).out;
    let (_, examples) = help.split_once("\nExample").unwrap();
    let lines: Vec<_> = examples.lines().filter(|l| l.starts_with("  argo-attest ")).collect();
    assert!(!lines.is_empty(), "{help}");
    assert_eq!(
        help.lines().map(str::len).max().unwrap().max(100),
        100,
        "wrapped lines cannot be copied: {help}"
    );
    lines.into_iter().map(|l| l.trim().to_owned()).collect()
}

/// A shell as the user has it, with the program on its path.
fn shell(desk: &Desk, endpoint: &str, registry: &str, line: &str) -> Ended {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_argo-attest")).parent().unwrap().to_owned();
    let paths = [bin, desk.path("bin")].into_iter();
    let path =
        std::env::join_paths(paths.chain(std::env::split_paths(&std::env::var_os("PATH").unwrap()))).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-ec", line]).current_dir(desk.path("")).env("PATH", path);
    shell.env("XDG_CONFIG_HOME", desk.own_key().ancestors().nth(2).unwrap());
    shell.env("ARGO_ATTEST_NEW_KEY", "true");
    // Names of registries lead to it by way of a proxy that is the registry itself.
    shell.env("ARGO_ATTEST_PLAIN_HTTP", "true").env("HTTP_PROXY", format!("http://{registry}"));
    shell.env("AWS_ENDPOINT_URL_S3", endpoint).env("AWS_REGION", "us-east-1");
    shell.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    tokio::task::block_in_place(|| shell.output().unwrap()).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn examples_of_the_help_work() {
    let (desk, server) = (Desk::new(), tempfile::tempdir().unwrap());
    let endpoint = servers::s3s_fs(server.path()).await;
    // What the examples are given: a key, a policy, a bucket with an object, a cluster.
    desk.run(["keygen", "--out-dir", "ci"]).with(0);
    fs::copy(desk.path("ci/attest.pub"), desk.path("ci.pub")).unwrap();
    desk.write(
        "policy.yaml",
        "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{name: ci, file: ci.pub}]\n\
         builders: [{id: 'https://ci.example.com/argo', keys: [ci]}]\n",
    );
    let object = server.path().join("artifacts/build-7");
    fs::create_dir_all(&object).unwrap();
    fs::write(object.join("app.tgz"), "app\n").unwrap();
    fs::create_dir(desk.path("bin")).unwrap();
    desk.write("bin/kubectl", "#!/bin/sh\ntest \"$*\" = 'apply -f -' && grep -q '^kind: Secret$'\n");
    fs::set_permissions(desk.path("bin/kubectl"), fs::Permissions::from_mode(0o755)).unwrap();
    let attest = "argo-attest run --key ci/attest.key --builder-id https://ci.example.com/argo";
    for (arguments, file) in [("", "app.tar.gz"), ("--store s3://artifacts/build-7", "app.tgz")] {
        shell(
            &desk,
            &endpoint,
            "127.0.0.1:1",
            &format!("{attest} {arguments} --outputs {file} -- sh -c 'echo app > {file}'"),
        )
        .with(0);
    }

    theirs(&desk);
    fs::write(object.join("outcome.sigstore.json"), outcome(&desk)).unwrap();

    let key = PrivateKey::from_pem(&desk.read("ci/attest.key")).unwrap();
    let registry = crate::images::with_app(&key, "https://ci.example.com/argo").await;
    let mut count = 0;
    for command in ["run", "verify", "inspect", "keygen"] {
        for example in examples(&desk, command) {
            let _ = fs::remove_dir_all(desk.path("keys"));
            if registry.is_none() && example.contains("oci://") {
                continue;
            }
            let registry = registry.as_ref().map_or("127.0.0.1:1", |registry| &registry.address);
            shell(&desk, &endpoint, registry, &example).with(0);
            count += 1;
        }
    }
    assert!(count >= 7, "only {count} examples");
}

/// What somebody else's tool says of the artifact.
fn theirs(desk: &Desk) {
    let key = PrivateKey::generate(KeyType::EcdsaP256).unwrap();
    let digest = Sha256Digest::of(&desk.read("app.tar.gz")).to_string();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "app.tar.gz", "digest": {"sha256": digest}}],
        "predicateType": "https://spdx.dev/Document",
        "predicate": {"spdxVersion": "SPDX-2.3"},
    });
    let envelope = Envelope::sign(statement.to_string().into_bytes(), &key).unwrap();
    desk.write("sbom.intoto.jsonl", envelope.to_json());
    desk.write("someone-elses.intoto.jsonl", envelope.to_json());
    desk.write("their.pub", key.public().to_spki_pem());
}

/// What a step's sidecar says at the end, by the key that the examples trust.
fn outcome(desk: &Desk) -> Vec<u8> {
    let key = PrivateKey::from_pem(&desk.read("ci/attest.key")).unwrap();
    let id = "uid/node/pod";
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{
            "name": "urn:argo-attest:invocation:uid",
            "digest": {"sha256": Sha256Digest::of(id.as_bytes()).to_string()},
        }],
        "predicateType": "https://argo-attest.github.io/step-outcome/v1",
        "predicate": {
            "invocationId": id,
            "builder": {"id": "https://ci.example.com/argo"},
            "template": {"name": "build"},
            "state": "succeeded",
            "complete": true,
            "outputs": [],
        },
    });
    Bundle::new(Envelope::sign(statement.to_string().into_bytes(), &key).unwrap()).unwrap().to_json()
}
