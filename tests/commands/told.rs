//! What is said where something is not as it was meant: the true reason, and a way out.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use argo_attest_core::keys::{KeyType, PrivateKey};
use serde_json::{Value, json};

use crate::program::Desk;

const BUILDER: &str = "https://ci.example.com/argo";

/// A bundle that another tool signed with a certificate.
fn of_another_tool() -> String {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": "MAA="}},
        "dsseEnvelope": {
            "payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AAAA"}],
        },
    })
    .to_string()
}

#[test]
fn inspect_of_an_artifact_names_its_attestation() {
    let desk = Desk::new();
    desk.attest(&["out", "app"], "mkdir out && echo hi > out/x && echo hi > app").with(0);
    for artifact in ["out", "app"] {
        let ended = desk.run(["inspect", artifact]);
        assert!(ended.code == Some(74) || ended.code == Some(65), "{ended:?}");
        let help = format!("\n  help: argo-attest inspect {artifact}.sigstore.json\n");
        assert!(ended.err.ends_with(&help), "{ended:?}");
    }
    fs::remove_file(desk.path("out.sigstore.json")).unwrap();
    desk.run(["inspect", "out"]).says("\n  help: argo-attest inspect out.intoto.jsonl\n");
    fs::remove_file(desk.path("out.intoto.jsonl")).unwrap();
    desk.run(["inspect", "out/"]).says("is a directory").says("\n  help: name one of the files in it\n");
    desk.run(["run", "--", "touch", "new"]).with(0);
    desk.run(["inspect", "."]).says("\n  help: argo-attest inspect ./attestation.sigstore.json\n");
}

#[test]
fn inspect_leaves_out_what_is_not_said() {
    let desk = Desk::new();
    let statement = |predicate: Value| {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "", "digest": {"sha256": "0".repeat(64)}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": predicate,
        })
    };
    desk.write(
        "cosigns",
        fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/cosign-shaped.sigstore.json")).unwrap(),
    );
    let empty = json!({
        "buildDefinition": {
            "buildType": "", "externalParameters": {"text": "", "more": {}, "list": []},
            "resolvedDependencies": [{"uri": "", "digest": {}, "annotations": {"a": ""}}],
        },
        "runDetails": {"builder": {"id": "", "version": {"": ""}}},
    });
    desk.write("empty", statement(empty).to_string());
    desk.write(
        "bare",
        json!({"_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": ""}).to_string(),
    );
    desk.write(
        "link",
        json!({"signed": {"_type": "link", "name": "", "products": {}}, "signatures": []}).to_string(),
    );
    for file in ["cosigns", "empty", "bare", "link"] {
        let shown = desk.run(["inspect", file]).with(0).out;
        for line in shown.lines() {
            assert_eq!(line, line.trim_end(), "a label and nothing after it: {shown}");
            assert_ne!(line, "invocation", "{shown}");
        }
    }
    // A value that is signed is shown even if it is nothing.
    desk.run(["inspect", "empty"]).says("  text: \"\"\n").says("  more: {}\n").says("  list: []\n");
}

#[test]
fn what_a_policy_refuses_has_a_way_out() {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "ci"]).with(0);
    desk.run([
        "run",
        "--key",
        "ci/attest.key",
        "--builder-id",
        BUILDER,
        "--outputs",
        "o",
        "--",
        "touch",
        "o",
    ])
    .with(0);
    desk.run(["verify", "--key", "ci/attest.pub", "--builder-id", "https://other", "o"])
        .with(1)
        .says("the builder is \"https://ci.example.com/argo\", not \"https://other\"\n  help: ");
    let no_workflow = "the attestation names no workflow, and the policy expects";
    for (expect, why) in [
        (
            "workflow: {namespace: release}",
            format!("{no_workflow} the workflow's namespace to be \"release\"\n  help: argo-attest run"),
        ),
        (
            "workflow: {name: \"build-*\"}",
            format!("{no_workflow} the workflow's name to be \"build-*\"\n  help: argo-attest run"),
        ),
        (
            "template: [build]",
            format!("{no_workflow} the template to be one of [\"build\"]\n  help: argo-attest run"),
        ),
        ("storedMatch: required", "was compared with what was written\n  help: ".into()),
        ("maxAge: 1ms", "longer ago than 1ms\n  help: ".into()),
        (
            "templateSource: workflow",
            "the template's source is not stated, and the policy expects \"workflow\"\n  help: ".into(),
        ),
    ] {
        desk.write(
            "policy.yaml",
            format!(
                "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{{name: k, file: ci/attest.pub}}]\n\
                 builders: [{{id: \"{BUILDER}\", keys: [k]}}]\nexpect: {{{expect}}}\n"
            ),
        );
        let ended = desk.run(["verify", "--policy", "policy.yaml", "o"]).with(1);
        assert!(ended.out.contains(&why), "{why:?} is not in {ended:?}");
    }
    for (other, why) in [
        (
            "keys: [{name: k, file: ci/attest.pub}]\nbuilders: [{id: \"https://other\", keys: [k]}]",
            "is not trusted for builder",
        ),
        (
            "keys: [{name: k, file: ci/attest.pub, notAfter: \"2020-01-01T00:00:00Z\"}]\nbuilders: [{id: \"https://ci.example.com/argo\", keys: [k]}]",
            "is accepted only until",
        ),
        (
            "keys: [{name: k, file: ci/attest.pub, notBefore: \"2120-01-01T00:00:00Z\"}]\nbuilders: [{id: \"https://ci.example.com/argo\", keys: [k]}]",
            "is accepted only from",
        ),
    ] {
        desk.write(
            "policy.yaml",
            format!("apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\n{other}\n"),
        );
        desk.run(["verify", "--policy", "policy.yaml", "o"]).with(1).says(why).says("\n  help: ");
    }
}

#[test]
fn a_malformed_policy_leads_to_a_page_that_there_is() {
    let desk = Desk::new();
    desk.write("policy.yaml", "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nexpects: {}\n");
    let ended = desk.run(["verify", "--policy", "policy.yaml", "o"]).with(65);
    let page = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/policy.md");
    assert!(
        ended.err.contains(&format!("\n  help: {page} describes the file, field by field\n")),
        "{ended:?}"
    );
}

#[test]
fn a_command_goes_after_two_dashes() {
    let desk = Desk::new();
    for arguments in [
        &["run", "true"][..],
        &["run", "--outputs", "out", "make", "all"],
        &["run", "-q", "make", "--", "all"],
        &["run", "--outputs", "out", "sh", "-c", "true"],
    ] {
        let ended = desk.run(arguments).with(64);
        assert!(ended.err.contains("  tip: the command goes after --"), "{ended:?}");
        assert!(ended.err.contains("Usage: argo-attest run"), "{ended:?}");
    }
    for arguments in [&["run", "--bogus", "--", "true"][..], &["version", "true"], &["inspect", "a", "b"]] {
        let ended = desk.run(arguments).with(64);
        assert!(!ended.err.contains("goes after"), "{ended:?}");
    }
}

#[test]
fn what_is_no_key_is_called_that_whoever_may_read_it() {
    let desk = Desk::new();
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let pem = key.to_pkcs8_pem();
    let run = |bytes: &[u8]| {
        desk.write("f", bytes);
        fs::set_permissions(desk.path("f"), fs::Permissions::from_mode(0o644)).unwrap();
        desk.run(["run", "--key", "f", "--", "true"]).with(77).err
    };
    for (none, why) in [
        (&b"hello\n"[..], "the key is not PEM"),
        (b"apiVersion: v1\nkind: Pod\n", "the key is not PEM"),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n",
            "the PEM block is not a key",
        ),
        (&vec![b'x'; 100_000], "the key has more than"),
        (b"", "the key is empty"),
    ] {
        let said = run(none);
        assert!(said.contains(why) && !said.contains("chmod"), "{said}");
    }
    // What may be one is treated as one, however damaged.
    let text = pem.as_str();
    let inside = text.lines().nth(1).unwrap();
    for secret in [
        text.to_owned(),
        text[..text.len() / 2].to_owned(),
        text.replacen("-----END", "----END", 1),
        text.replacen("-----BEGIN PRIVATE KEY-----\n", "", 1),
        inside.to_owned(),
        text.replacen("PRIVATE KEY", "PRIVATE KE", 2),
        format!("key: {inside}\n"),
    ] {
        let said = run(secret.as_bytes());
        assert!(
            said.contains("can be read or changed by others (mode 0644)\n  help: chmod 600 f"),
            "{secret}: {said}"
        );
    }
}

#[test]
fn what_another_tool_wrote_is_called_that() {
    let desk = Desk::new();
    desk.write("out.sigstore.json", of_another_tool());
    let ended = desk.attest(&["out"], "echo hi > out").with(1);
    let said = "out.sigstore.json is there already and is another tool's: Sigstore bundle\n  help: move it away, give \
                the output another name, or put the attestations elsewhere: --store file:///DIR\n";
    assert!(ended.err.contains(said), "{ended:?}");
    assert_eq!(desk.read("out.sigstore.json"), of_another_tool().into_bytes());
    // Which is a way out.
    let store = format!("file://{}", desk.path("attestations").display());
    desk.run(["run", "--store", &store, "--outputs", "out", "--", "touch", "out"]).with(0);
    // The same where the command itself leaves it.
    desk.write("theirs", of_another_tool());
    desk.attest(&["new"], "echo hi > new; cp theirs new.sigstore.json")
        .with(1)
        .says("new.sigstore.json is there already and is another tool's: Sigstore bundle")
        .says("--store file:///DIR");
}
