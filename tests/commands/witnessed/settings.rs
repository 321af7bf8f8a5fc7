//! What cannot be is said before the command runs.

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
    assert!(!desk.own_key().exists(), "a key was made");
    desk.run(arguments(&[])).with(0);
    assert!(desk.own_key().exists());
}

/// Nor does `inject` write into a workflow what every sidecar would refuse.
#[test]
fn what_can_never_run_is_not_injected() {
    let desk = Desk::new();
    desk.write("workflow.yaml", WORKFLOW);
    let inject = |extra: &[&str]| {
        let given = ["inject", "--image", "example.com/a:1", "--builder-id", "https://ci.example.com"];
        desk.run([&given[..], &["-f", "workflow.yaml"], extra].concat())
    };
    let (log, time) = (["--rekor-url", LOG, "--trusted-root-configmap", "trust"], ["--timestamp-url", LOG]);
    let two = [&log[..], &["--rekor-version", "2"]].concat();
    let refused = inject(&two).with(64);
    refused.says("no timestamp authority is named").says("--timestamp-url URL");
    for option in [["--log-failure", "warn"], ["--trusted-root-configmap", "trust"]] {
        inject(&option).with(64).says(&format!("{} is given, and nobody is to be asked", option[0]));
        assert!(inject(&[option, time].concat()).with(0).out.contains("ARGO_ATTEST_TIMESTAMP_URL"));
    }
    assert!(inject(&[&two[..], &time].concat()).with(0).out.contains("ARGO_ATTEST_REKOR_VERSION"));
    assert!(inject(&log).with(0).out.contains("ARGO_ATTEST_REKOR_URL"));
    assert!(inject(&["--rekor-version", "2"]).with(0).out.contains("argo-attest"));
}

const WORKFLOW: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: a-}
spec:
  entrypoint: a
  templates:
    - name: a
      metadata: {annotations: {argo-attest.io/attest: \"true\"}}
      container: {image: \"example.com/b:1\", command: [\"true\"]}
      outputs: {artifacts: [{name: o, path: /o, s3: {key: o}}]}
";

/// A trusted root that is there for verifying asks nobody anything.
#[test]
fn nobody_is_asked_who_is_not_named() {
    let signer = Signer::new();
    signer.run("ed", &["--trusted-root", "none.json"]).with(0);
    let bundle = signer.bundle();
    assert_eq!(bundle["verificationMaterial"]["tlogEntries"], serde_json::json!([]));
    assert_eq!(bundle["verificationMaterial"].get("timestampVerificationData"), None);
}
