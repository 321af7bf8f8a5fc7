//! Standard output and error that take nothing, and what is said there of one's own accord.

use std::fs::{File, OpenOptions};
use std::process::Stdio;

use crate::program::{Desk, Ended};

/// Takes no byte.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// A pipe that nobody reads any more.
fn broken() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A desk with an attested file `app`, a policy's key, and a workflow.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "keys"]).with(0);
    desk.run(["run", "--key", "keys/attest.key", "--outputs", "app", "--", "sh", "-c", "echo 1 > app"])
        .with(0);
    desk.write(
        "flow.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec: {templates: []}\n",
    );
    desk
}

/// One of each kind of command that answers on standard output.
const ANSWERS: [&[&str]; 15] = [
    &["--help"],
    &["--version"],
    &["help", "verify"],
    &["version"],
    &["verify", "--key", "keys/attest.pub", "app"],
    &["verify", "--json", "--key", "keys/attest.pub", "app"],
    &["verify", "--key", "keys/attest.pub", "flow.yaml"],
    &["inspect", "app.sigstore.json"],
    &["inspect", "--json", "app.sigstore.json"],
    &["public-key", "--key", "keys/attest.key"],
    &["inject", "-f", "flow.yaml", "--image", "i", "--builder-id", "https://b.example"],
    &["run", "--json", "--key", "keys/attest.key", "--outputs", "app", "--", "touch", "app"],
    &["completion", "bash"],
    &["man"],
    &["keygen", "--out-dir", "more"],
];

#[test]
fn an_answer_that_cannot_be_written_is_no_success() {
    for arguments in ANSWERS {
        let desk = desk();
        let ended: Ended = desk.program(arguments).stdout(full()).output().unwrap().into();
        assert_eq!(ended.code, Some(74), "{arguments:?}: {ended:?}");
        let told: Vec<_> = ended.err.lines().filter(|line| !line.starts_with("  help: ")).collect();
        let why = "error: cannot write to standard output: No space left on device (os error 28)";
        assert!(told.contains(&why), "{arguments:?}: {ended:?}");
        assert!(!ended.err.contains("bug") && !ended.err.contains("panicked"), "{arguments:?}: {ended:?}");
    }
}

/// As after `head`: whoever stopped reading has what they wanted, and the shell sees SIGPIPE's code.
#[test]
fn a_reader_that_left_is_told_nothing() {
    for arguments in ANSWERS {
        let desk = desk();
        let ended: Ended = desk.program(arguments).stdout(broken()).output().unwrap().into();
        assert_eq!(ended.code, Some(141), "{arguments:?}: {ended:?}");
        assert!(!ended.err.contains("error"), "{arguments:?}: {ended:?}");
    }
}

/// What is said aside is nobody's to miss: the answer and its code are the same.
#[test]
fn without_standard_error_the_answer_is_the_same() {
    let failing: [&[&str]; 5] = [
        &["verify", "--key", "keys/attest.pub", "none"],
        &["verify", "--nonsense"],
        &["inspect", "flow.yaml"],
        &["run", "--key", "keys/none", "--outputs", "app", "--", "true"],
        &["verify", "-vvv", "--policy", "flow.yaml", "app"],
    ];
    let quiet = ["keygen", "--out-dir", "k2", "--secret-name", "s"];
    for arguments in ANSWERS.into_iter().chain(failing).chain([&quiet[..]]) {
        let heard: Ended = desk().program(arguments).output().unwrap().into();
        for deaf in [full().into(), broken()] {
            let ended: Ended = desk().program(arguments).stderr(deaf).output().unwrap().into();
            assert_eq!(ended.code, heard.code, "{arguments:?}");
            assert_eq!(ended.out.lines().count(), heard.out.lines().count(), "{arguments:?}");
        }
    }
}

#[test]
fn each_v_logs_more_and_goes_before_the_variable() {
    let desk = desk();
    let logged = |more: &[&str], variable: Option<&str>| {
        let arguments =
            [&["verify"], more, &["--key", "keys/attest.pub", "--bundle", "app.sigstore.json", "app"]];
        let mut program = desk.program(arguments.concat());
        program.envs(variable.map(|level| ("ARGO_ATTEST_LOG", level)));
        let ended = Ended::from(program.output().unwrap()).with(0);
        ["INFO", "DEBUG"].map(|level| ended.err.contains(&format!("\"level\":\"{level}\"")))
    };
    assert_eq!(logged(&[], None), [false, false]);
    assert_eq!(logged(&["-v"], None), [true, false]);
    assert_eq!(logged(&["-vv"], None), [true, true]);
    assert_eq!(logged(&["--verbose", "--verbose"], None), [true, true]);
    assert_eq!(logged(&[], Some("debug")), [true, true]);
    assert_eq!(logged(&["-v"], Some("debug")), [true, false]);
    assert_eq!(logged(&["-v"], Some("off")), [true, false]);
    assert_eq!(logged(&["-vv", "--log", "info"], Some("off")), [true, false]);
    // Quiet is about the answer, not about the log.
    assert_eq!(logged(&["-qv"], None), [true, false]);
}

#[test]
fn quiet_says_nothing_of_what_went_well() {
    let desk = desk();
    let silent = |arguments: &[&str]| {
        let ended = desk.run(arguments).with(0);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", ""), "{arguments:?}");
    };
    silent(&["verify", "-q", "--key", "keys/attest.pub", "app"]);
    silent(&["keygen", "-q", "--out-dir", "quiet"]);
    silent(&["run", "-q", "--key", "keys/attest.key", "--outputs", "app", "--", "touch", "app"]);
    let secret = desk.run(["keygen", "-q", "--out-dir", "k3", "--secret-name", "s"]).with(0);
    assert!(secret.out.contains("kind: Secret") && secret.err.is_empty(), "{}", secret.err);
    desk.write("app", "2\n");
    desk.run(["verify", "-q", "--key", "keys/attest.pub", "app"]).with(1).says("refused");
}
