//! Which outputs are attested, and under which names.

use std::fs;

use crate::program::Desk;

#[test]
fn several_outputs_have_an_attestation_each() {
    let desk = Desk::new();
    let ended = desk
        .attest(&["a", "deep/er/b", "./a/", "c"], "mkdir -p a deep/er && echo 1 > a/1 && echo 2 > deep/er/b")
        .with(1);
    for said in [
        "attested      a (1 file, 2 B)\n",
        "attested      deep/er/b (1 file, 2 B)\n",
        "not attested  c: it does not exist\n",
    ] {
        assert!(ended.err.contains(said), "{said:?} is not in {ended:?}");
    }
    assert_eq!(ended.err.matches("attested      a (").count(), 1, "the same output twice is one");
    desk.accepted(["a", "a/1", "deep/er/b"]);
    assert!(desk.path("deep/er/b.sigstore.json").is_file() && !desk.path("c.sigstore.json").exists());
}

#[test]
fn an_output_without_files_is_attested_as_that() {
    let desk = Desk::new();
    desk.attest(&["empty"], "mkdir -p empty/er").with(0).says("attested      empty (0 files, 0 B)");
    desk.accepted(["empty"]);
    fs::remove_dir(desk.path("empty/er")).unwrap();
    desk.accepted(["empty"]);
    desk.write("empty/x", "");
    desk.rejected(["empty"], "x was added");
    desk.rejected(["empty/x"], "does not list x");
    fs::remove_file(desk.path("empty/x")).unwrap();
    fs::remove_dir(desk.path("empty")).unwrap();
    desk.run(["verify", "empty"]).with(66);
    // An empty file is a file.
    desk.attest(&["none"], ": > none").with(0).says("(1 file, 0 B)");
    desk.accepted(["none"]);
    desk.write("none", "x");
    desk.rejected(["none"], "not one that is attested");
}

/// The attestation of the inner one would change the outer one.
#[test]
fn an_output_in_another_is_refused_before_anything_starts() {
    let desk = Desk::new();
    fs::create_dir(desk.path("store")).unwrap();
    let url = format!("file://{}/store", desk.path("").display().to_string().trim_end_matches('/'));
    let make = "mkdir -p a/b && echo 1 > a/1 && echo 2 > a/b/2";
    let both = ["run", "--outputs", "a", "--outputs", "a/b"];
    let command = ["--", "sh", "-c", make];
    let ended = desk.run(both.iter().chain(&command)).with(64);
    assert!(
        ended.err.contains("a/b lies in a:") && ended.err.contains("\n  help: name a alone"),
        "{ended:?}"
    );
    assert!(!desk.path("a").exists());

    let elsewhere = ["--store", &url];
    desk.run(both.iter().chain(&elsewhere).chain(&command)).with(0);
    desk.accepted(["--bundle", "store/a.sigstore.json", "a"]);
    desk.accepted(["--bundle", "store/a/b.sigstore.json", "a/b"]);
    desk.accepted(["--bundle", "store/a.sigstore.json", "a/b/2"]);
    let inside = desk.run(["run", "--outputs", "store", "--store", &url, "--", "true"]).with(64);
    assert!(inside.err.contains("the store lies in store"), "{inside:?}");
}

#[test]
fn without_outputs_new_and_changed_files_are_attested() {
    let desk = Desk::new();
    desk.write("old", "old");
    desk.write("changed", "before");
    let script = "mkdir d && echo 1 > d/new && echo after > changed && touch -c old.not";
    let ended = desk.run(["run", "--", "sh", "-c", script]).with(0);
    let bundle = "attestation.sigstore.json";
    assert!(ended.err.contains("attested      . (2 files, 8 B)\n"), "{ended:?}");
    assert!(ended.err.contains("argo-attest verify changed\n"), "{ended:?}");
    desk.accepted(["--bundle", bundle, "changed", "d/new"]);
    desk.rejected(["--bundle", bundle, "old"], "the attestation is about changed and 1 more");
    // It lies in the directory that the files are named from, and is found there.
    desk.accepted(["changed", "d/new"]);
    desk.rejected(["old"], "does not list old");
    desk.rejected(["d"], "about changed and 1 more, not about a directory");
    fs::create_dir(desk.path("e")).unwrap();
    fs::copy(desk.path("d/new"), desk.path("e/new")).unwrap();
    desk.rejected(["e/new"], "does not list e/new");
    desk.write("d/new", "other");
    desk.rejected(["d/new"], "not one that is attested");
    desk.write("d/new", "1\n");

    desk.run(["run", "--", "true"]).with(1).says("not attested  .: no file is new or changed");
    // Its own attestations are no outputs of the next run.
    let next = desk.run(["run", "--", "sh", "-c", "echo 2 > d/new"]).with(0);
    assert!(next.err.contains("(1 file, 2 B)\n"), "{next:?}");
    desk.accepted(["--bundle", bundle, "d/new"]);
    desk.rejected(["--bundle", bundle, "changed"], "about d/new");
    desk.accepted(["--bundle", "attestation.intoto.jsonl", "changed"]);
}

#[test]
fn paths_that_are_no_outputs_are_usage_errors() {
    let desk = Desk::new();
    for path in [".", "..", "/", "a/..", ""] {
        desk.run(["run", "--outputs", path, "--", "touch", "started"]).with(64);
    }
    assert!(!desk.path("started").exists());
    // Above the working directory, and absolute, there are outputs too.
    fs::create_dir(desk.path("sub")).unwrap();
    let mut program = desk.program(["run", "--outputs", "../up", "--", "touch", "../up"]);
    let ended: crate::program::Ended = program.current_dir(desk.path("sub")).output().unwrap().into();
    let ended = ended.with(0);
    assert!(ended.err.contains(&format!("argo-attest verify {}\n", desk.path("up").display())), "{ended:?}");
    desk.accepted(["up"]);
    let absolute = desk.path("abs").display().to_string();
    desk.run(["run", "--outputs", &absolute, "--", "touch", &absolute])
        .with(0)
        .says("verify with   argo-attest verify abs\n");
    desk.accepted([&absolute]);
}

#[test]
fn what_is_not_an_attestation_is_not_overwritten() {
    let desk = Desk::new();
    for (file, bytes) in
        [("out.sigstore.json", "mine"), ("out.intoto.jsonl", "mine too\n"), ("out.sigstore.json", "{}")]
    {
        desk.write(file, bytes);
        let ended = desk.attest(&["out"], "echo hi > out").with(1);
        assert!(
            ended.err.contains(&format!("{file} is there already and is not an attestation")),
            "{ended:?}"
        );
        assert!(ended.err.contains("help: move it away"), "{ended:?}");
        assert_eq!(desk.read(file), bytes.as_bytes());
        assert!(!desk.path("out").exists(), "it is noticed before the command runs");
        fs::remove_file(desk.path(file)).unwrap();
    }
    desk.attest(&["out"], "echo hi > out").with(0);
    // Planted by the command itself, after everything was checked.
    desk.attest(&["new"], "echo hi > new; echo mine > new.sigstore.json")
        .with(1)
        .says("is not an attestation");
    assert_eq!(desk.read("new.sigstore.json"), b"mine\n");
}

#[test]
fn every_option_has_its_variable_and_the_option_wins() {
    let desk = Desk::new();
    let with = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut program = desk.program(arguments);
        program.envs(variables.iter().copied());
        crate::program::Ended::from(program.output().unwrap())
    };
    let builder = ("ARGO_ATTEST_BUILDER_ID", "https://ci.example.com/b");
    with(&["keygen"], &[("ARGO_ATTEST_OUT_DIR", "k"), ("ARGO_ATTEST_TYPE", "ecdsa-p256")]).with(0);
    with(
        &["run", "--", "sh", "-c", "echo hi > o"],
        &[("ARGO_ATTEST_OUTPUTS", "o"), ("ARGO_ATTEST_KEY", "k/attest.key"), builder],
    )
    .with(0)
    .says("attested      o");
    let public = ("ARGO_ATTEST_PUBLIC_KEY", "k/attest.pub");
    for (json, starts) in
        [("true", "{"), ("1", "{"), ("yes", "{"), ("false", "attested"), ("0", "attested"), ("", "attested")]
    {
        let said = with(&["verify", "o"], &[public, builder, ("ARGO_ATTEST_JSON", json)]).with(0);
        assert!(said.out.starts_with(starts), "{json:?}: {said:?}");
    }
    with(&["verify", "o"], &[public, ("ARGO_ATTEST_BUILDER_ID", "https://other")])
        .with(1)
        .says("the builder is");
    with(&["verify", "--builder-id", builder.1, "o"], &[public, ("ARGO_ATTEST_BUILDER_ID", "https://other")])
        .with(0);
    with(&["verify", "o"], &[public, ("ARGO_ATTEST_BUNDLE", "none")]).with(66);
    with(&["verify", "o"], &[("ARGO_ATTEST_POLICY", "none")]).with(66);
    with(&["verify", "o"], &[public, ("ARGO_ATTEST_LOG", "=")]).with(64);
    with(&["run", "--", "true"], &[("ARGO_ATTEST_STORE", "ftp://x")]).with(64);
    with(
        &["keygen"],
        &[("ARGO_ATTEST_OUT_DIR", "l"), ("ARGO_ATTEST_SECRET_NAME", "s"), ("ARGO_ATTEST_NAMESPACE", "ci")],
    )
    .with(0)
    .says("namespace: ci\n");
}
