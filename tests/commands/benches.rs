//! What `make bench` runs, with next to nothing to measure: that it still runs.

use std::path::Path;
use std::process::Command;

use crate::installed::installed;
use crate::skip::skip;

/// Runs one of them to its end.
fn measured(bench: &str, how: &[&str]) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(bench);
    let mut python = Command::new("python3");
    // No compiled modules in the checkout.
    python.arg("-B").arg(script).args(["--binary", env!("CARGO_BIN_EXE_argo-attest")]).args(how);
    let ended = python.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{bench}: {said}");
    assert!(!ended.stdout.is_empty(), "{bench} says nothing: {said}");
}

/// Whether the shell finds it.
fn is_installed(name: &str) -> bool {
    Command::new("sh").args(["-c", "command -v \"$1\" >&2", "sh", name]).output().unwrap().status.success()
}

#[test]
fn what_is_measured_of_commands_is() {
    if let Some(missing) = ["python3", "openssl", "curl"].into_iter().find(|name| !is_installed(name)) {
        return skip(missing);
    }
    let place = tempfile::tempdir().unwrap();
    let place = place.path().to_str().unwrap();
    measured("digest.py", &["--runs", "1", "--large", "1024", "--files", "3", "--small", "16"]);
    measured("memory.py", &["--files", "10", "--dir", place]);
    measured("outputs.py", &["--outputs", "3", "--repeat", "1"]);
    if installed("versitygw").is_none() {
        return skip("versitygw (make tools)");
    }
    for bench in ["many.py", "audit.py"] {
        measured(bench, &["--objects", "3", "--bytes", "16", "--repeat", "1"]);
    }
}

#[test]
#[ignore = "a minute, and needs root: make interop"]
fn what_is_measured_of_pods_is() {
    for (bench, how) in [
        ("sidecar.py", ["--scale", "0.001"]),
        ("images.py", ["--scale", "0.001"]),
        ("node.py", ["--pods", "2"]),
        ("signers.py", ["--rounds", "1"]),
    ] {
        measured(bench, &how);
    }
}
