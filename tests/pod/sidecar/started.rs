//! The started record: what is signed before main starts.

use rustix::process::Signal;
use serde_json::Value;

use crate::output::{Output, PREFIX};
use crate::pod::{POD_UID, Pod, entry};
use crate::s3::S3;

fn lines(s3: &S3, uid: &str) -> Vec<String> {
    let lines = s3.get(&format!("{PREFIX}/argo-attest-outcome-{uid}.intoto.jsonl")).unwrap();
    let lines = argo_attest_core::bundle::lines::parse(&lines).unwrap();
    let states = lines.iter().map(|line| {
        let statement: Value = serde_json::from_slice(line.unverified_payload()).unwrap();
        statement["predicate"]["state"].as_str().unwrap().to_owned()
    });
    states.collect()
}

/// A pod that is lost while main runs leaves a signed word that it was never finished.
#[test]
fn a_pod_that_is_lost_leaves_it() {
    let s3 = S3::new();
    let mut pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("b")]);
    pod.template["outputs"]["artifacts"][1]["gcs"] = serde_json::json!({"bucket": "b", "key": "k"});
    let mut sidecar = pod.start_ready();
    let statement = pod.outcome(&s3);
    pod.write();
    sidecar.signal(Signal::KILL);
    while sidecar.is_running() {
        std::thread::yield_now();
    }
    assert_eq!(pod.outcome(&s3), statement);
    let predicate = &statement["predicate"];
    assert_eq!((&predicate["state"], &predicate["complete"]), (&"started".into(), &false.into()));
    assert!(predicate["startedOn"].is_string() && predicate["finishedOn"].is_null(), "{predicate}");
    let a = entry(&predicate["outputs"], "a");
    assert_eq!((&a["verdict"], a["reason"].is_string()), (&"unfinished".into(), true), "{a}");
    // What can be known before is said before.
    assert_eq!(entry(&predicate["outputs"], "b")["verdict"], "refused");
}

/// The end's outcome takes its place, and both stay in the lines.
#[test]
fn the_outcome_takes_its_place() {
    for plain in [false, true] {
        let s3 = S3::new();
        let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
        if plain {
            pod = pod.plain();
        }
        let mut sidecar = pod.start_ready();
        assert_eq!(lines(&s3, POD_UID), ["started"]);
        pod.succeed(&s3, &mut sidecar);
        assert_eq!(lines(&s3, POD_UID), ["started", "succeeded"]);
        let predicate = &pod.outcome(&s3)["predicate"];
        assert_eq!(predicate["state"], "succeeded");
        assert!(predicate["startedOn"].as_str() <= predicate["finishedOn"].as_str(), "{predicate}");
    }
}

/// Started again in the same pod, it neither undoes nor repeats what it said; another pod
/// leaves its own.
#[test]
fn it_undoes_nothing() {
    let s3 = S3::new();
    let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    for _ in 0..2 {
        let mut killed = pod.start_ready();
        killed.signal(Signal::KILL);
        while killed.is_running() {
            std::thread::yield_now();
        }
    }
    assert_eq!(lines(&s3, POD_UID), ["started"]);
    let mut sidecar = pod.start_ready();
    pod.succeed(&s3, &mut sidecar);
    let mut again = pod.start_ready();
    assert_eq!(pod.outcome(&s3)["predicate"]["state"], "succeeded");
    assert!(again.logged().contains("this pod's outcome is there already"), "{}", again.logged());
    again.signal(Signal::KILL);
    while again.is_running() {
        std::thread::yield_now();
    }
    pod = pod.env("ARGO_ATTEST_POD_UID", "another-pod");
    let _retried = pod.start_ready();
    assert_eq!(lines(&s3, "another-pod"), ["started"]);
    assert_eq!(lines(&s3, POD_UID), ["started", "succeeded"]);
}

/// Whoever can write to the bucket cannot keep it from being left by an outcome of his own,
/// and a pod that does not know its uid may be another one.
#[test]
fn another_keys_outcome_is_none_of_ours() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let mut sidecar = pod.start_ready();
    pod.succeed(&s3, &mut sidecar);
    pod.make_key();
    let _again = pod.start_ready();
    assert_eq!(pod.outcome(&s3)["predicate"]["state"], "started");

    let unknown = pod.env("ARGO_ATTEST_POD_UID", "");
    for times in 1..3 {
        drop(unknown.start_ready());
        assert_eq!(lines(&s3, "unknown-pod").len(), times);
    }
}

/// A step that did not ask leaves nothing.
#[test]
fn a_step_that_is_not_attested_has_none() {
    let s3 = S3::new();
    let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    pod.template["metadata"] = serde_json::json!({});
    let _sidecar = pod.start_ready();
    assert_eq!(s3.keys(), Vec::<String>::new());
}
