//! Logs and timestamp authorities that vouch for what a step leaves, and what it costs when they do not.

use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::bundle::Bundle;
use serde_json::{Value, json};

use crate::output::{Output, PREFIX};
use crate::pod::{POD_UID, Pod};
use crate::s3::S3;
use crate::scripted::{Act, Plain, Scripted, reply};
use crate::witnesses::{Authority, Log, LogLie, TimeLie, write_root};

/// A pod whose sidecar asks this log, and believes `log` and nobody else.
fn pod(s3: &S3, log: &Log, server: &Scripted) -> Pod {
    let pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("b")]);
    let root = pod.at("root.json");
    write_root(&root, &[log.root()], &[]);
    pod.env("ARGO_ATTEST_REKOR_URL", &server.endpoint())
        .env("ARGO_ATTEST_TRUSTED_ROOT", root.to_str().unwrap())
}

fn material(s3: &S3, key: &str) -> Value {
    let bundle: Value = serde_json::from_slice(&s3.get(key).unwrap()).unwrap();
    bundle["verificationMaterial"].clone()
}

#[test]
fn a_log_and_an_authority_vouch_for_all_that_a_step_leaves() {
    let (s3, log, time) = (S3::new(), Arc::new(Log::new("log.example.com")), Arc::new(Authority::new()));
    let (logs, times) = (log.serve1(LogLie::None), time.serve(TimeLie::None));
    let pod = pod(&s3, &log, &logs).env("ARGO_ATTEST_TIMESTAMP_URL", &times.endpoint());
    write_root(&pod.at("root.json"), &[log.root()], &[time.root()]);
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", sidecar.logged());
    for output in &pod.outputs {
        let material = material(&s3, &format!("{}.sigstore.json", output.key()));
        assert_eq!(material["tlogEntries"].as_array().unwrap().len(), 1, "{material}");
        let stamps = &material["timestampVerificationData"]["rfc3161Timestamps"];
        assert_eq!(stamps.as_array().unwrap().len(), 1, "{material}");
    }
    // What has to be written also when nobody answers is written without asking.
    let outcome = material(&s3, &format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json"));
    assert_eq!(outcome["tlogEntries"], json!([]));
    assert_eq!((logs.requests().len(), times.requests().len()), (2, 2));
}

#[test]
fn without_their_word_nothing_is_attested_in_time_and_it_is_told() {
    let lying = Act::Reply(reply(201, &[], b"{}"));
    let refusing = Act::Reply(reply(400, &[], b"no such type"));
    for (act, why) in [
        (Act::Hang, "had not answered when the time was up"),
        (Act::Close, "does not vouch for it: it could not be reached"),
        (refusing, "it refused: 400: no such type"),
        (lying, "cannot be used: it is no log entry"),
    ] {
        let (s3, log) = (S3::new(), Log::new("log.example.com"));
        let server = Scripted::choosing(Plain, move |_| Some(act.clone()));
        let pod = pod(&s3, &log, &server).grace(8);
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed_within(Duration::from_secs(8), &s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &0.into()), "{why}: {message}");
        let outcome = pod.outcome(&s3)["predicate"].clone();
        for (output, told) in pod.outputs.iter().zip(outcome["outputs"].as_array().unwrap()) {
            assert_eq!(told["verdict"], "refused", "{told}");
            assert!(told["reason"].as_str().unwrap().contains(why), "{told}");
            for end in [".sigstore.json", ".intoto.jsonl"] {
                assert!(s3.get(&format!("{}{end}", output.key())).is_none(), "{why}");
            }
        }
    }
}

/// Where that is said to do: also when the log hangs there is time to store what was signed.
#[test]
fn without_their_word_it_is_attested_and_told_where_that_is_said_to_do() {
    for act in [Act::Hang, Act::Reply(reply(400, &[], b"no such type"))] {
        let (s3, log) = (S3::new(), Log::new("log.example.com"));
        let server = Scripted::choosing(Plain, move |_| Some(act.clone()));
        let pod = pod(&s3, &log, &server).grace(8).env("ARGO_ATTEST_LOG_FAILURE", "warn");
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", sidecar.logged());
        let outcome = pod.outcome(&s3)["predicate"].clone();
        for (output, told) in pod.outputs.iter().zip(outcome["outputs"].as_array().unwrap()) {
            assert_eq!(told["verdict"], "attested", "{told}");
            let [why] = &told["notVouched"].as_array().unwrap()[..] else { panic!("{told}") };
            assert!(why.as_str().unwrap().starts_with("the log http://127.0.0.1"), "{why}");
            let bundle = s3.get(&format!("{}.sigstore.json", output.key())).unwrap();
            assert!(Bundle::from_json(&bundle).unwrap().evidence().unjudged().is_empty());
        }
        assert!(sidecar.logged().contains("not vouched for by all who were asked"), "{}", sidecar.logged());
    }
}

#[test]
fn what_the_log_would_refuse_holds_no_step_and_is_told() {
    let (s3, log) = (S3::new(), Log::new("log.example.com"));
    let server = Scripted::start([]);
    for (name, value, why) in [
        ("ARGO_ATTEST_REKOR_VERSION", "2", "takes no signature by an ed25519 key"),
        ("ARGO_ATTEST_TRUSTED_ROOT", "/nowhere.json", "cannot read the trusted root /nowhere.json"),
    ] {
        let pod = pod(&s3, &log, &server).env(name, value);
        let mut sidecar = pod.start();
        let message = sidecar.reaches("unattested");
        assert!(message["reason"].as_str().unwrap().contains(why), "{message}");
        assert!(message["remedy"].is_string(), "{message}");
        sidecar.terminate();
        assert_eq!(sidecar.ends().0, Some(0));
        assert_eq!(server.requests().len(), 0);
    }
}
