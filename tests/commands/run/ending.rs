//! How the command ends is how the program ends; and signals reach the command.

use std::fs;
use std::process::{Command, Stdio};

use crate::program::{Desk, Ended, run_arguments, until};

#[test]
fn the_commands_own_code_is_passed_on_and_nothing_is_attested() {
    for (script, code, said) in [
        ("echo hi > out; exit 3", 3, "nothing attested: the command ended with code 3\n"),
        ("echo hi > out; exit 1", 1, "nothing attested: the command ended with code 1\n"),
        ("echo hi > out; exit 255", 255, "nothing attested: the command ended with code 255\n"),
        ("echo hi > out; kill -TERM $$", 143, "nothing attested: the command was ended by signal 15\n"),
        ("echo hi > out; kill -KILL $$", 137, "nothing attested: the command was ended by signal 9\n"),
    ] {
        let desk = Desk::new();
        let ended = desk.attest(&["out"], script).with(code);
        assert_eq!((ended.out.as_str(), ended.err.as_str()), ("", said));
        assert_eq!(files(&desk), ["out"]);
        let (ended, json) = desk.attest_json(&["out"], script);
        assert_eq!((ended.code, &json["command"]["exitCode"]), (Some(code), &code.into()));
        assert_eq!((&json["artifacts"], json.get("key")), (&serde_json::json!([]), None));
        assert_eq!(files(&desk), ["out"]);
    }
}

#[test]
fn a_command_that_cannot_be_started_ends_as_in_a_shell() {
    let desk = Desk::new();
    desk.write("plain", "not a program");
    for (command, code) in [("./nothing", 127), ("no-such-command", 127), ("./plain", 126), (".", 126)] {
        // A directory on the path that may not be searched would count as "not permitted".
        let mut program = desk.program(["run", "--outputs", "out", "--", command]);
        let ended = Ended::from(program.env("PATH", "/usr/bin:/bin").output().unwrap()).with(code);
        assert!(ended.err.starts_with(&format!("error: cannot run {command}: ")), "{ended:?}");
        assert!(ended.err.contains("\n  help: "), "{ended:?}");
        assert_eq!(files(&desk), ["plain"]);
    }
}

fn files(desk: &Desk) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(desk.path("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Starts a command that says when it listens, and sends the program a signal then.
fn signalled(desk: &Desk, signal: &str, script: &str) -> Ended {
    let script =
        format!("{script}; : > ready; n=0; while [ $n -lt 1200 ]; do sleep 0.05; n=$((n+1)); done; exit 9");
    let child = desk
        .program(run_arguments(&["out"], &[], &script))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("the command listens", || desk.path("ready").exists());
    let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "kill: {sent}");
    child.wait_with_output().unwrap().into()
}

#[test]
fn signals_reach_the_command() {
    for signal in ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2"] {
        let desk = Desk::new();
        let trap = format!("trap 'echo {signal} > out; exit 5' {signal}");
        let ended = signalled(&desk, signal, &trap).with(5);
        assert_eq!(ended.err, "nothing attested: the command ended with code 5\n");
        assert_eq!(desk.read("out"), format!("{signal}\n").as_bytes());
    }
}

#[test]
fn a_command_that_ends_well_after_a_signal_is_attested() {
    let desk = Desk::new();
    signalled(&desk, "TERM", "trap 'echo tidied > out; exit 0' TERM").with(0).says("attested      out");
    desk.accepted(["out"]);
}

#[test]
fn a_signal_that_the_command_does_not_expect_ends_it() {
    let desk = Desk::new();
    signalled(&desk, "TERM", "echo hi > out").with(143).says("was ended by signal 15");
    desk.rejected(["out"], "no attestation");
}

/// Whatever holds up the digesting, Ctrl-C is obeyed; and nothing is said to be attested.
#[test]
fn a_signal_while_digesting_stops_it() {
    let desk = Desk::new();
    // Sparse: hours to read, nothing to write. The mark is set when the script is done.
    let script = "truncate -s 8T out && : > ready";
    let child = desk
        .program(run_arguments(&["out"], &[], script))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let process = format!("/proc/{}/task/{0}/children", child.id());
    until("the command has ended", || {
        desk.path("ready").exists() && fs::read_to_string(&process).unwrap().is_empty()
    });
    // The moment between the end of the command and listening for signals is passed by sending again.
    let kill =
        || Command::new("kill").args(["-s", "INT", &child.id().to_string()]).stderr(Stdio::null()).status();
    let stat = format!("/proc/{}/stat", child.id());
    until("the program has ended", || {
        kill().unwrap();
        fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
    });
    let ended = Ended::from(child.wait_with_output().unwrap()).with(130).says("interrupted");
    assert!(!ended.err.contains("attested  "), "{ended:?}");
    assert_eq!(files(&desk), ["out", "ready"]);
}
