//! Valid signatures that still are not enough, each with its own reason.

use std::fs;

use argo_attest::signer::load_private;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use serde_json::{Value, json};

use crate::program::Desk;
use crate::signing::Sign as _;

const BUILDER: &str = "https://ci.example.com/argo";

/// A desk with a key pair `ci`, an output `o` attested with it for the builder, and
/// another pair `other`.
fn desk() -> Desk {
    let desk = Desk::new();
    for name in ["ci", "other"] {
        desk.run(["keygen", "--out-dir", name]).with(0);
    }
    attest(&desk, "ci", BUILDER, "o");
    desk
}

fn attest(desk: &Desk, key: &str, builder: &str, output: &str) {
    let key = format!("{key}/attest.key");
    let script = format!("echo {output} > {output}");
    desk.run(["run", "--key", &key, "--builder-id", builder, "--outputs", output, "--", "sh", "-c", &script])
        .with(0);
}

fn policy(desk: &Desk, more: &str) {
    desk.write(
        "policy.yaml",
        format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys:\n  - {{name: ci-2026, file: ci/attest.pub}}\n\
             \x20 - {{name: old, file: other/attest.pub, notAfter: 2025-06-30T00:00:00Z}}\nbuilders:\n\
             \x20 - {{id: \"{BUILDER}\", keys: [ci-2026, old]}}\n\
             \x20 - {{id: \"https://ci.example.com/other\", keys: [old]}}\n{more}"
        ),
    );
}

#[test]
fn a_policy_decides_who_may_speak_for_whom() {
    let desk = desk();
    policy(&desk, "expect: {maxAge: 1h}\n");
    let with = ["--policy", "policy.yaml", "o"];
    let yes = desk.accepted(with);
    assert!(
        yes.out.contains("signed with ci-2026 (SHA256:") && yes.out.contains(&format!("builder {BUILDER}\n"))
    );
    assert_eq!(yes.err, "", "nothing about one's own key");
    // From another directory, key files are found beside the policy.
    fs::create_dir(desk.path("sub")).unwrap();
    let mut elsewhere = desk.program(["verify", "--policy", "../policy.yaml", "../o"]);
    let elsewhere: crate::program::Ended = elsewhere.current_dir(desk.path("sub")).output().unwrap().into();
    elsewhere.with(0).says("attested  ../o");

    attest(&desk, "ci", "https://ci.example.com/other", "o");
    desk.rejected(with, "key ci-2026 is not trusted for builder \"https://ci.example.com/other\"");
    attest(&desk, "other", BUILDER, "o");
    desk.rejected(with, "key old is accepted only until 2025-06-30T00:00:00Z");
    attest(&desk, "ci", "https://evil.example", "o");
    desk.rejected(with, "not trusted for builder");
    let all = ["--key", "ci/attest.pub", "--builder-id", BUILDER, "o"];
    desk.rejected(all, "the builder is \"https://evil.example\", not");

    attest(&desk, "ci", BUILDER, "o");
    policy(&desk, "expect: {maxAge: 1ms}\n");
    desk.rejected(with, "longer ago than");
    policy(&desk, "expect: {template: [build]}\n");
    desk.rejected(with, "the template is not stated");
    policy(&desk, "expect: {storedMatch: required}\n");
    desk.rejected(with, "stored object");
}

#[test]
fn a_missing_attestation_may_be_let_pass_but_is_never_accepted() {
    let desk = desk();
    desk.write("bare", "x");
    desk.run(["verify", "--policy", "policy.yaml", "o"]).with(66).says("\n  help: ");
    policy(&desk, "");
    desk.rejected(["--policy", "policy.yaml", "bare"], "no attestation: looked for bare.sigstore.json");
    policy(&desk, "missing: warn\n");
    let warned = desk.run(["verify", "--policy", "policy.yaml", "bare"]).with(0);
    assert!(warned.out.starts_with("missing   bare\n  unattested: no attestation"), "{warned:?}");
    let json = desk.run(["verify", "--json", "--policy", "policy.yaml", "bare", "o"]).with(0);
    let verdicts =
        json.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["verdict"].take());
    assert_eq!(verdicts.collect::<Vec<_>>(), ["missing", "attested"]);
    for (kind, code) in [("file", 0), ("s3", 1), ("git", 1)] {
        policy(&desk, &format!("missing: {{{kind}: warn}}\n"));
        desk.run(["verify", "--policy", "policy.yaml", "bare"]).with(code);
    }
    policy(&desk, "missing: warn\n");
    // What is there and bad is not missing.
    desk.write("bare.sigstore.json", "{}");
    desk.rejected(["--policy", "policy.yaml", "bare"], "malformed");
    // And a no is a no, whatever else passes.
    desk.run(["verify", "--policy", "policy.yaml", "o", "bare", "nothing"]).with(1);
    desk.run(["verify", "--policy", "policy.yaml", "o", "nothing"]).with(66);
}

#[test]
fn a_policy_that_may_mean_something_else_is_refused() {
    let desk = desk();
    for (more, why) in [
        ("expects: {maxAge: 1h}\n", "unknown field `expects`"),
        ("expect: {maxage: 1h}\n", "unknown field `expect.maxage`"),
        ("expect: {maxAge: }\n", "expect.maxAge is empty"),
        ("expect: {workflow: {namespace: \"\"}}\n", "expect.workflow.namespace is empty"),
        ("expect:\n", "expect is empty"),
        ("expect: {template: *all}\n", "unknown anchor"),
        ("missing: perhaps\n", "perhaps"),
        ("missing: warn\nmissing: fail\n", "missing"),
    ] {
        policy(&desk, more);
        let no = desk.run(["verify", "--policy", "policy.yaml", "o"]).with(65);
        assert!(no.err.contains(why) && no.err.contains("\n  help: "), "{no:?}");
        assert_eq!((no.err.lines().count(), no.out.as_str()), (2, ""), "{no:?}");
    }
    policy(&desk, "");
    fs::remove_file(desk.path("other/attest.pub")).unwrap();
    desk.run(["verify", "--policy", "policy.yaml", "o"])
        .with(65)
        .says("the key \"old\" of the policy cannot be used");
}

fn statement(subjects: &Value, kind: &str) -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": kind,
        "predicate": {
            "buildDefinition": {"buildType": "https://example.com/t", "externalParameters": {}},
            "runDetails": {"builder": {"id": BUILDER}},
        },
    })
}

#[test]
fn what_a_trusted_key_signed_must_still_be_provenance_of_this_artifact() {
    let desk = desk();
    let key = load_private(&desk.path("ci/attest.key")).unwrap();
    let good = json!([{"name": "o", "digest": {"sha256": Sha256Digest::of(b"o\n").to_string()}}]);
    let other = json!([{"name": "p", "digest": {"sha256": Sha256Digest::of(b"p\n").to_string()}}]);
    let provenance = "https://slsa.dev/provenance/v1";
    fs::remove_file(desk.path("o.sigstore.json")).unwrap();
    let check = |payload: Vec<u8>| {
        let mut lines = Envelope::sign(payload, &key).unwrap().to_json();
        lines.push(b'\n');
        desk.write("o.intoto.jsonl", lines);
    };
    let arguments = ["--key", "ci/attest.pub", "o"];

    check(statement(&good, provenance).to_string().into_bytes());
    desk.accepted(arguments);
    let mut no_builder = statement(&good, provenance);
    no_builder["predicate"]["runDetails"] = json!({});
    for (payload, why) in [
        (
            statement(&good, "https://slsa.dev/provenance/v0.2"),
            "not well-formed SLSA provenance: missing field `builder.id`",
        ),
        (
            statement(&good, "https://slsa.dev/verification_summary/v1"),
            "SLSA provenance v0.2 or v1 is asked for",
        ),
        (statement(&json!([]), provenance), "the statement has no subjects"),
        (statement(&json!([{"name": "o", "digest": {}}]), provenance), "has no digest"),
        (statement(&json!([{"name": "o"}]), provenance), "has no digest"),
        (
            statement(&json!([{"name": "o", "digest": {"sha512": "00"}}]), provenance),
            "it names its subjects by sha512",
        ),
        (statement(&other, provenance), "the attestation is about p"),
        (no_builder, "not well-formed SLSA provenance"),
        (json!({"a": 1}), "the signed payload is malformed"),
        (json!("text"), "the signed payload is malformed"),
    ] {
        check(payload.to_string().into_bytes());
        desk.rejected(arguments, why);
    }
    check(b"not json".to_vec());
    desk.rejected(arguments, "the signed payload is malformed");

    // Another artifact's valid attestation, moved here.
    attest(&desk, "ci", BUILDER, "p");
    fs::copy(desk.path("p.sigstore.json"), desk.path("o.sigstore.json")).unwrap();
    desk.rejected(arguments, "the attestation is about p");
    // A key that is not trusted, which says to be the one that is.
    attest(&desk, "other", BUILDER, "o");
    desk.rejected(arguments, "not signed with a trusted key");
    let id =
        |name: &str| load_private(&desk.path(name).join("attest.key")).unwrap().public().key_id().to_string();
    let forged = String::from_utf8(desk.read("o.sigstore.json")).unwrap().replace(&id("other"), &id("ci"));
    desk.write("o.sigstore.json", forged);
    desk.rejected(arguments, "does not match: the attestation was altered");
}

#[test]
fn json_says_all_that_the_line_says() {
    let desk = desk();
    let said = desk.run(["verify", "--json", "--key", "ci/attest.pub", "o", "policy.yaml"]).with(66);
    let all: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [yes, error] = all.as_slice() else { panic!("{all:?}") };
    for (field, value) in [
        ("artifact", "o"),
        ("verdict", "attested"),
        ("subject", "o"),
        ("attestation", "o.sigstore.json"),
        ("key", "ci/attest.pub"),
        ("builderId", BUILDER),
        ("buildType", "https://argo-attest.github.io/buildtypes/command/v1"),
    ] {
        assert_eq!(yes[field], value, "{field}: {yes}");
    }
    assert_eq!(yes["digest"], format!("sha256:{}", Sha256Digest::of(b"o\n")));
    assert!(yes["invocationId"].as_str().unwrap().starts_with("urn:uuid:") && yes["files"] == 1, "{yes}");
    assert_eq!(
        (&error["verdict"], &error["reason"], &error["message"]),
        (&"error".into(), &"not-found".into(), &"it does not exist".into())
    );
    assert_eq!(error.get("digest"), None);
}
