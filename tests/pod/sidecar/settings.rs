//! What a deployment sets, and how it may be mistaken.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::output::Output;
use crate::pod::Pod;
use crate::process::{Sidecar, binary};
use crate::s3::S3;

fn pod(s3: &S3) -> Pod {
    Pod::new(s3.address(), vec![Output::plain("a")])
}

/// However a person, or a chart, writes yes and no.
#[test]
fn yes_and_no_have_many_spellings() {
    for (value, state) in
        [("1", "ready"), ("true", "ready"), ("yes", "ready"), ("0", "idle"), ("false", "idle"), ("", "idle")]
    {
        let s3 = S3::new();
        let mut pod = pod(&s3).env("ARGO_ATTEST_ALL", value).env("ARGO_ATTEST_ATTEST_FAILED", value);
        pod.template["metadata"] = json!({});
        let mut sidecar = pod.start_ready();
        sidecar.reaches(state);
        if state == "ready" {
            pod.write();
            pod.end(1);
            pod.upload(&s3);
            sidecar.terminate();
            let (_, message) = sidecar.ends();
            assert_eq!(message["attested"], 1, "{value:?}: {message}");
        }
    }
}

/// A field of the pod that is empty is no setting.
#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let s3 = S3::new();
    let names = ["GRACE_PERIOD", "METRICS_LISTEN", "MODE", "READY_TIMEOUT", "NOT_READY", "TEMPLATE_SOURCE"];
    let pod = names.iter().fold(pod(&s3), |pod, name| pod.env(&format!("ARGO_ATTEST_{name}"), ""));
    let pod = pod.env("ARGO_ATTEST_INPUT_PARAMETERS", "").env("ARGO_ATTEST_NODE_ID", "");
    let mut sidecar = pod.start_ready();
    sidecar.reaches("ready");
    pod.succeed(&s3, &mut sidecar);
    assert_eq!(pod.outcome(&s3)["predicate"]["node"]["id"], "wf-build-1");
    let other = pod.env("ARGO_ATTEST_NODE_ID", "another").env("ARGO_ATTEST_POD_UID", "7e1f-pod");
    fs::remove_dir_all(other.argo().join("ctr")).unwrap();
    let mut sidecar = other.start_ready();
    other.succeed(&s3, &mut sidecar);
    assert_eq!(other.outcome(&s3)["predicate"]["node"]["id"], "another");
}

/// To end would be a crash loop: main would never start, and nobody would be told why.
#[test]
fn a_command_line_that_makes_no_sense_lets_main_run() {
    let s3 = S3::new();
    for (spoilt, reason) in [
        (pod(&s3).arg("--no-such-option"), "--no-such-option"),
        (pod(&s3).env("ARGO_ATTEST_READY_TIMEOUT", "never"), "not held for ever"),
        (pod(&s3).env("ARGO_ATTEST_GRACE_PERIOD", "half a minute"), "half a minute"),
    ] {
        let mut sidecar = spoilt.start_ready();
        let message = sidecar.reaches("unattested");
        assert!(message["reason"].as_str().unwrap().contains(reason), "{message}");
        assert!(message["remedy"].as_str().unwrap().contains("--help"), "{message}");
        assert!(sidecar.is_running());
        sidecar.terminate();
        assert_eq!(sidecar.ends().0, Some(0));

        let plain = spoilt.plain();
        let (code, message) = plain.start().ends();
        assert_eq!((code, &message["state"]), (Some(64), &"unattested".into()), "{message}");
    }
    let failing = pod(&s3).env("ARGO_ATTEST_NOT_READY", "fail").arg("--no-such-option");
    let shared = failing.at("work");
    let failing = failing.env("ARGO_ATTEST_EVIDENCE", shared.to_str().unwrap());
    failing.start().reaches("failed");
    assert_eq!(s3.keys(), Vec::<String>::new());
}

/// What a person asks for at a terminal is answered as ever.
#[test]
fn help_is_no_mistake() {
    for arguments in [&["sidecar", "--help"][..], &["--version"], &["sidecar", "-h"]] {
        let ran = binary().args(arguments).output().unwrap();
        assert!(ran.status.success() && !ran.stdout.is_empty(), "{ran:?}");
    }
}

/// Another container asks, and fails the step: Argo shows what it leaves.
#[test]
fn a_check_fails_the_step_where_that_was_asked_for() {
    let s3 = S3::new();
    let with_check = |pod: Pod| {
        let shared = pod.at("shared");
        fs::create_dir(&shared).unwrap();
        pod.env("ARGO_ATTEST_NOT_READY", "fail")
            .env("ARGO_ATTEST_EVIDENCE", shared.to_str().unwrap())
            .env("ARGO_ATTEST_READY_TIMEOUT", "5s")
    };
    let check = |pod: &Pod| {
        let mut command: Command = binary();
        command.args(["ready", "--check", "--ready-timeout", "5s", "--termination-log"]);
        command.arg(pod.at("check-log")).arg("--evidence").arg(pod.at("shared")).output().unwrap()
    };
    let good = with_check(pod(&s3));
    let _sidecar: Sidecar = good.start_ready();
    assert_eq!(check(&good).status.code(), Some(0));
    assert!(!good.at("check-log").exists());

    let keyless = with_check(pod(&s3));
    fs::remove_file(keyless.at("keys/attest.key")).unwrap();
    let _sidecar = keyless.start_ready();
    let asked = Instant::now();
    let ran = check(&keyless);
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let message = fs::read_to_string(keyless.at("check-log")).unwrap();
    assert!(message.contains("there is no key file") && message.contains("; "), "{message}");
}

/// What would be sent to a service for credentials must not be the key: then nobody is asked
/// for anything, and nothing is signed.
#[test]
fn a_token_in_the_keys_folder_is_sent_to_nobody() {
    let s3 = S3::new();
    let service = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    service.set_nonblocking(true).unwrap();
    let pod = pod(&s3);
    let key = pod.at("keys/attest.key");
    let pod = pod
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", key.to_str().unwrap())
        .env("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")
        .env("AWS_ENDPOINT_URL_STS", &format!("http://{}", service.local_addr().unwrap()));
    let mut sidecar = pod.start_ready();
    let message = sidecar.reaches("unattested");
    assert!(message["reason"].as_str().unwrap().contains("AWS_WEB_IDENTITY_TOKEN_FILE"), "{message}");
    pod.succeed(&s3, &mut sidecar);
    assert_eq!(service.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    assert!(!s3.keys().iter().any(|key| key.contains("sigstore")), "{:?}", s3.keys());
}
