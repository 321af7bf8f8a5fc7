//! The sidecar starts again, the step runs again.

use std::fs;

use rustix::process::Signal;

use crate::output::{ALL, Output};
use crate::pod::{Pod, entry};
use crate::s3::S3;

/// Killed while main runs, or when main has ended; nothing is lost.
#[test]
fn killed_in_mid_step() {
    for ended in [false, true] {
        let s3 = S3::new();
        let outputs: Vec<_> =
            ALL.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind)).collect();
        let pod = Pod::new(s3.address(), outputs);
        let mut first = pod.start_ready();
        let (before, after) = pod.outputs.split_at(5);
        for output in before {
            pod.write_one(output);
        }
        if ended {
            for output in after {
                pod.write_one(output);
            }
            pod.end(0);
            pod.upload(&s3);
        }
        first.signal(Signal::KILL);
        while first.is_running() {
            std::thread::yield_now();
        }
        if !ended {
            for output in after {
                pod.write_one(output);
            }
        }
        let mut second = pod.start_ready();
        if !ended {
            pod.end(0);
            pod.upload(&s3);
        }
        second.terminate();
        let (code, message) = second.ends();
        assert_eq!((code, &message["attested"]), (Some(0), &ALL.len().into()), "{message}");
        for output in &pod.outputs {
            pod.assert_accepted(output);
        }
    }
}

/// Killed when some of it was attested already, the outcome too.
#[test]
fn started_again_when_all_was_done() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let mut sidecar = pod.start_ready();
    let (_, first) = pod.succeed(&s3, &mut sidecar);
    let mut sidecar = pod.start_ready();
    sidecar.terminate();
    let (code, second) = sidecar.ends();
    assert_eq!((code, &first), (Some(0), &second));
    let lines = s3.get(&format!("{}.intoto.jsonl", pod.outputs[0].key())).unwrap();
    assert!(!lines.is_empty());
    pod.assert_accepted(&pod.outputs[0]);
    assert_eq!(pod.outcome(&s3)["predicate"]["complete"], true);
}

/// `argo retry` runs a step again under the same keys, in another pod.
#[test]
fn a_second_attempt_is_the_newest_and_the_first_is_kept() {
    let s3 = S3::new();
    let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let mut sidecar = pod.start_ready();
    pod.succeed(&s3, &mut sidecar);
    let key = pod.outputs[0].key();
    let first = s3.get(&format!("{key}.sigstore.json")).unwrap();

    pod = pod.env("ARGO_ATTEST_POD_UID", "another-pod");
    fs::remove_dir_all(pod.argo().join("ctr")).unwrap();
    pod.outputs[0] = pod.outputs[0].altered();
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
    assert_eq!(entry(&message["artifacts"], "a")["verdict"], "attested");
    let second = s3.get(&format!("{key}.sigstore.json")).unwrap();
    assert_ne!(first, second);
    assert!(pod.signed(&second).to_string().contains("another-pod"));
    let lines =
        argo_attest_core::bundle::lines::parse(&s3.get(&format!("{key}.intoto.jsonl")).unwrap()).unwrap();
    let said: Vec<_> = lines.iter().map(|line| String::from_utf8_lossy(line.unverified_payload())).collect();
    assert_eq!(said.iter().filter(|line| line.contains("another-pod")).count(), 1);
    assert_eq!(said.len(), 2);
    pod.assert_accepted(&pod.outputs[0]);
    // Each pod has an outcome of its own.
    assert_eq!(
        s3.keys().iter().filter(|key| key.contains("outcome") && key.ends_with("sigstore.json")).count(),
        2
    );
}
