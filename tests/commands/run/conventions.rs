//! What holds of every command: streams for files, options over variables, true reasons.

use std::io::Write as _;
use std::process::Stdio;

use crate::program::{Desk, Ended};

fn with_input(desk: &Desk, arguments: &[&str], input: &[u8]) -> Ended {
    let mut program = desk.program(arguments);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    // Whoever has read enough may have closed it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_stream_stands_for_a_file_wherever_one_is_named() {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "k"]).with(0);
    desk.run(["run", "--key", "k/attest.key", "--outputs", "out", "--", "sh", "-c", "echo 1 > out"]).with(0);
    let (bundle, public) = (desk.read("out.sigstore.json"), desk.read("k/attest.pub"));
    let verify = ["verify", "--key", "k/attest.pub", "--bundle"];
    for stdin in ["-", "/dev/stdin"] {
        with_input(&desk, &[&verify[..], &[stdin, "out"]].concat(), &bundle).with(0);
        with_input(&desk, &[&verify[..], &["out.sigstore.json", stdin]].concat(), b"1\n").with(0);
        with_input(&desk, &[&verify[..], &["out.sigstore.json", stdin]].concat(), b"2\n").with(1);
        with_input(&desk, &["verify", "--key", stdin, "out"], &public).with(0);
        with_input(&desk, &["inspect", stdin], &bundle).with(0).says("out");
    }
    let digest = "sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865";
    desk.run([&verify[..], &["out.sigstore.json", digest]].concat()).with(0);
    // Without an attestation it is a list.
    with_input(&desk, &["verify", "--key", "k/attest.pub", "-"], b"out\n").with(0);
    with_input(&desk, &["verify", "--key", "k/attest.pub", "/dev/stdin"], b"1\n")
        .with(64)
        .says("help: name its attestation");
    // Nobody reads what is written: as other programs end then.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = desk.program(["inspect", "out.sigstore.json"]).stdout(writer).status().unwrap();
    assert_eq!(ended.code(), Some(141));
}

#[test]
fn the_option_wins_and_lists_have_commas_in_variables() {
    let desk = Desk::new();
    let with = |arguments: &[&str], variable: (&str, &str)| {
        Ended::from(desk.program(arguments).env(variable.0, variable.1).output().unwrap())
    };
    let both =
        with(&["run", "--", "sh", "-c", "echo 1 > a; echo 2 > b"], ("ARGO_ATTEST_OUTPUTS", "a,b")).with(0);
    both.says("attested      a").says("attested      b");
    desk.run(["run", "--outputs", "a,b", "--", "sh", "-c", "echo 3 > a,b"]).with(0).says("attested      a,b");
    let own = desk.own_key().with_extension("pub").display().to_string();
    with(&["verify", "--key", &own, "a"], ("ARGO_ATTEST_POLICY", "none")).with(0);
    with(&["verify", "--policy", "none", "a"], ("ARGO_ATTEST_PUBLIC_KEY", &own)).with(66);
    for log in ["bogus", "warn,bogus", "inf"] {
        desk.run(["--log", log, "verify", "a"]).with(64).says("help: give off, error, warn");
    }
    desk.run(["--log", "argo_attest=debug,warn", "verify", "a"]).with(0);
}

#[test]
fn a_key_that_is_the_wrong_half_is_called_so() {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "k"]).with(0);
    desk.write("two.pub", [desk.read("k/attest.pub"), desk.read("k/attest.pub")].concat());
    for (arguments, why, help) in [
        (vec!["run", "--key", "k/attest.pub", "--", "true"], "this is a public key", "give the private key"),
        (
            vec!["verify", "--key", "k/attest.key", "x"],
            "this is a private key",
            "argo-attest public-key --key",
        ),
        (
            vec!["verify", "--key", "none.pub", "x"],
            "there is no key file none.pub",
            "the signer's public key",
        ),
        (vec!["verify", "--key", "two.pub", "x"], "more than one PEM block", "give --key once for each"),
    ] {
        let ended = desk.run(&arguments).with(77).says(why).says(help);
        assert!(!ended.err.contains("chmod") && !ended.err.contains("keygen"), "{ended:?}");
    }
}
