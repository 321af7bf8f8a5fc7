//! What cannot be is said before the command runs.

use std::path::Path;

use super::Signer;
use crate::program::{Desk, run_arguments};
use crate::witnesses::write_root;

const LOG: &str = "http://127.0.0.1:9";

#[test]
fn what_the_log_would_refuse_is_refused_at_the_start() {
    let signer = Signer::new();
    let time = ["--timestamp-url", LOG];
    for (key, asked, code, why, help) in [
        (
            "ed",
            &["--rekor-url", LOG][..],
            64,
            "cannot be believed without a trusted root",
            "--trusted-root FILE",
        ),
        (
            "ed",
            &["--rekor-url", LOG, "--rekor-version", "2", "--trusted-root", "root.json", time[0], time[1]],
            64,
            "takes no signature by an ed25519 key",
            "argo-attest keygen --type ecdsa-p256",
        ),
        (
            "p256",
            &["--rekor-url", LOG, "--rekor-version", "2", "--trusted-root", "root.json"],
            64,
            "whose entries prove no time, and no timestamp authority is named",
            "--timestamp-url URL",
        ),
        (
            "ed",
            &["--rekor-url", LOG, "--trusted-root", "none.json"],
            66,
            "cannot read the trusted root none.json",
            "cosign",
        ),
        (
            "ed",
            &["--rekor-url", LOG, "--trusted-root", "empty.json"],
            65,
            "not a Sigstore trusted root",
            "cosign",
        ),
        (
            "ed",
            &["--rekor-url", LOG, "--trusted-root", "times.json"],
            64,
            "names no log whose key can be used",
            "add it",
        ),
        (
            "ed",
            &[time[0], time[1], "--trusted-root", "logs.json"],
            64,
            "names no timestamp authority",
            "add it",
        ),
        ("ed", &["--rekor-url", "log.example.com"], 64, "must start with https:// or http://", ""),
        ("ed", &["--rekor-url", "https://me:secret@log.example.com"], 64, "must not hold credentials", ""),
    ] {
        signer.desk.write("empty.json", "{}");
        write_root(&signer.desk.path("times.json"), &[], &[signer.time.root()]);
        write_root(&signer.desk.path("logs.json"), &[signer.log.root()], &[]);
        let ended = signer.run(key, asked).with(code).says(why).says(help);
        assert!(!ended.err.contains("secret"), "{ended:?}");
        assert!(!signer.desk.path("out").exists(), "the command ran: {asked:?}");
    }
}

/// One's own key is made on first use, and this is none.
#[test]
fn an_address_that_is_none_makes_no_key() {
    let desk = Desk::new();
    let arguments = |extra: &[&str]| run_arguments(&["out"], extra, "date > out");
    desk.run(arguments(&["--rekor-url", "log.example.com"])).with(64).says("must start with https://");
    assert!(!made(&desk.path(".")), "a key was made");
    desk.run(arguments(&[])).with(0);
    assert!(made(&desk.path(".")));
}

/// Whether there is a private key somewhere beneath.
fn made(dir: &Path) -> bool {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() { made(&path) } else { path.extension().is_some_and(|extension| extension == "key") }
    })
}

/// A trusted root that is there for verifying asks nobody anything.
#[test]
fn nobody_is_asked_who_is_not_named() {
    let signer = Signer::new();
    signer.run("ed", &["--trusted-root", "none.json"]).with(0);
    let bundle = signer.bundle();
    assert_eq!(bundle["verificationMaterial"]["tlogEntries"], serde_json::json!([]));
    assert_eq!(bundle["verificationMaterial"].get("timestampVerificationData"), None);
}
