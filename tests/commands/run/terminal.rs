//! What is seen on a terminal, and only there.

use crate::program::{Desk, Ended};
use crate::skip::skip;

/// Runs a line of shell on a terminal of its own, by util-linux's `script`.
fn on_a_terminal(desk: &Desk, arguments: &str) -> Option<Ended> {
    let line = format!("{} {arguments}", env!("CARGO_BIN_EXE_argo-attest"));
    let mut script = std::process::Command::new("script");
    script
        .args(["-qefc", &line, "/dev/null"])
        .current_dir(desk.path(""))
        .env("TERM", "xterm")
        .env_remove("CI");
    script.env("SHELL", "/bin/sh").env("XDG_CONFIG_HOME", desk.own_key().ancestors().nth(2).unwrap());
    match script.stdin(std::process::Stdio::null()).output() {
        Ok(output) => Some(output.into()),
        Err(error) => {
            skip(&format!("script of util-linux: {error}"));
            None
        }
    }
}

#[test]
fn progress_is_shown_on_a_terminal_when_there_is_much_to_digest() {
    let desk = Desk::new();
    // Sparse, and yet as long to digest as any.
    desk.attest(&["small", "large"], "truncate -s 1M small && truncate -s 700M large").with(0);
    let Some(large) = on_a_terminal(&desk, "verify large") else { return };
    let large = large.with(0);
    assert!(large.out.contains("digesting ") && large.out.contains("/700.00 MiB"), "{large:?}");
    // And it is gone when the answer comes.
    let (_, last) = large.out.rsplit_once("digesting ").unwrap();
    assert!(last.contains("\u{1b}[2K") && last.contains("attested") && last.contains("large"), "{last:?}");
    let small = on_a_terminal(&desk, "verify small").unwrap().with(0);
    assert!(!small.out.contains("digesting"), "{small:?}");
    let elsewhere = desk.accepted(["large"]);
    assert!(!elsewhere.err.contains("digesting"), "{elsewhere:?}");
}

#[test]
fn progress_is_shown_while_what_is_left_of_a_run_is_digested() {
    let desk = Desk::new();
    let Some(ended) = on_a_terminal(&desk, "run --outputs large -- truncate -s 2G large") else { return };
    let ended = ended.with(0);
    assert!(ended.out.contains("digesting ") && ended.out.contains("attested      large"), "{ended:?}");
}
