//! A command that did nothing to an output, and what is said where.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::program::{Desk, Ended};

#[test]
fn what_the_command_did_not_touch_keeps_its_attestation() {
    let desk = Desk::new();
    desk.attest(&["out", "file"], "mkdir out; echo 1 > out/x; echo 1 > file").with(0);
    let kept =
        || [desk.read("out.sigstore.json"), desk.read("out.intoto.jsonl"), desk.read("file.sigstore.json")];
    let before = kept();
    let ended = desk.attest(&["out", "file"], "true").with(0);
    assert_eq!(
        ended.err,
        "unchanged     out: its attestation stays\nunchanged     file: its attestation stays\n"
    );
    assert_eq!(kept(), before);
    let (ended, json) = desk.attest_json(&["out"], "cat out/x");
    let artifact = &json["artifacts"][0];
    assert_eq!(
        (ended.code, &artifact["attested"], &artifact["unchanged"]),
        (Some(0), &false.into(), &true.into())
    );
    assert!(artifact["attestation"].as_str().unwrap().ends_with("out.sigstore.json"), "{json}");
    desk.accepted(["out", "file"]);

    // What was written anew was made, whatever its bytes are.
    let ended = desk.attest(&["out", "file"], "echo 1 > out/x").with(0);
    assert!(
        ended.err.contains("attested      out (1 file") && ended.err.contains("unchanged     file:"),
        "{ended:?}"
    );
    assert_ne!(kept()[0], before[0]);
}

#[test]
fn what_nobody_attested_is_not_attested_for_a_command_that_did_not_make_it() {
    let desk = Desk::new();
    desk.write("plain", "x");
    let why = "the command did not touch it, and no attestation of what it holds is there";
    desk.attest(&["plain"], "true").with(1).says(&format!("not attested  plain: {why}\n")).says("help: have");
    assert!(!desk.path("plain.sigstore.json").exists());
    // Changed by another than the command that its attestation is about.
    desk.attest(&["out"], "echo 1 > out").with(0);
    desk.write("out", "2");
    let before = desk.read("out.sigstore.json");
    desk.attest(&["out"], "true").with(1).says(why);
    assert_eq!(desk.read("out.sigstore.json"), before);
}

#[test]
fn standard_output_is_the_commands_and_quiet_is_quiet() {
    let desk = Desk::new();
    let ended = desk.attest(&["out"], "echo mine; echo 1 > out").with(0);
    assert_eq!(ended.out, "mine\n");
    let quiet = ["run", "-q", "--outputs", "out", "--", "sh", "-c", "echo mine; echo 2 > out"];
    let ended = desk.run(quiet).with(0);
    assert_eq!((ended.out.as_str(), ended.err.as_str()), ("mine\n", ""));
    let ended = desk.run(["run", "--quiet", "--outputs", "none", "--", "true"]).with(1);
    assert_eq!(
        ended.err,
        "not attested  none: it does not exist\n              help: name what the command writes, as seen from here\n"
    );
}

#[test]
fn a_store_that_is_a_new_directory_is_made() {
    let desk = Desk::new();
    let url = format!("file://{}", desk.path("new/store").display());
    desk.run(["run", "--store", &url, "--outputs", "out", "--", "sh", "-c", "echo 1 > out"]).with(0);
    desk.accepted(["--bundle", "new/store/out.sigstore.json", "out"]);
}

#[test]
fn no_key_is_made_where_nobody_sees_it() {
    let desk = Desk::new();
    let run = |variables: &[(&str, &str)], extra: &[&str]| -> Ended {
        let mut program =
            desk.program(["run"].iter().chain(extra).chain(&["--", "sh", "-c", "echo 1 > out"]));
        program.env_remove("ARGO_ATTEST_NEW_KEY").envs(variables.iter().copied());
        program.output().unwrap().into()
    };
    let refused =
        run(&[], &[]).with(77).says("none is made where nobody may see it: standard error is no terminal");
    assert!(refused.err.contains("\n  help: name a key with --key"), "{refused:?}");
    run(&[("CI", "true")], &[]).with(77).says("the variable CI is set");
    assert!(!desk.path("out").exists() && !desk.own_key().exists());
    run(&[("CI", "true")], &["--new-key"]).with(0).says("your own key, made just now");
    // It is there now, and whoever made it knows.
    run(&[("CI", "true")], &[]).with(0).says("(your own key)");
}

#[test]
fn a_key_without_its_public_half_says_how_to_have_it() {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "k"]).with(0);
    let public = desk.read("k/attest.pub");
    fs::remove_file(desk.path("k/attest.pub")).unwrap();
    let arguments = ["run", "--key", "k/attest.key", "--outputs", "out", "--", "sh", "-c", "echo 1 > out"];
    let ended = desk.run(arguments).with(0);
    assert!(!ended.err.contains("attest.pub"), "{ended:?}");
    ended.says("public key    argo-attest public-key --key k/attest.key > FILE.pub\n");
    let printed = desk.run(["public-key", "--key", "k/attest.key"]).with(0);
    assert_eq!(printed.out.as_bytes(), public);
    desk.write("p.pub", &public);
    assert_eq!(desk.run(["public-key", "--key", "p.pub"]).with(0).out.as_bytes(), public);
    desk.accepted(["--key", "p.pub", "out"]);
}

/// The dependencies that the newest statement in a bundle names.
fn dependencies(desk: &Desk, bundle: &str) -> Value {
    let bundle: Value = serde_json::from_slice(&desk.read(bundle)).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let mut statement: Value = serde_json::from_slice(&payload).unwrap();
    statement["predicate"]["buildDefinition"]["resolvedDependencies"].take()
}

#[test]
fn the_commit_is_stated_and_a_repositorys_own_files_are_no_outputs() {
    let desk = Desk::new();
    fs::create_dir(desk.path(".git")).unwrap();
    desk.write(".git/HEAD", "0123456789abcdef0123456789abcdef01234567\n");
    desk.write(
        ".git/config",
        "[remote \"origin\"]\n\turl = https://me:s3cret@git.example.com/o/r.git\n[filter \"x\"]\n\tclean = touch ran\n",
    );
    let script = "echo x > .git/index; mkdir -p sub/.git; echo x > sub/.git/HEAD; echo 1 > new";
    let ended = desk.run(["run", "--", "sh", "-c", script]).with(0).says("attested      . (1 file, 2 B)\n");
    assert!(!ended.err.contains("s3cret"));
    let expected = serde_json::json!([{
        "name": "source",
        "uri": "git+https://git.example.com/o/r.git@0123456789abcdef0123456789abcdef01234567",
        "digest": {"gitCommit": "0123456789abcdef0123456789abcdef01234567"},
        "annotations": {"workTree": "unknown"},
    }]);
    assert_eq!(dependencies(&desk, "attestation.sigstore.json"), expected);
    desk.accepted(["new"]);
    desk.accepted(["--chain", "new"]).says("source");
    assert!(!desk.path("ran").exists());
    // Elsewhere there is none.
    let bare = Desk::new();
    bare.attest(&["out"], "echo 1 > out").with(0);
    assert_eq!(dependencies(&bare, "out.sigstore.json"), Value::Null);
}
