//! Steps that are not to be attested cost nothing.

use std::path::Path;

use serde_json::{Value, json};

use crate::output::Output;
use crate::pod::Pod;
use crate::process::Sidecar;
use crate::s3::S3;

fn watches(sidecar: &Sidecar) -> usize {
    let open = std::fs::read_dir(format!("/proc/{}/fd", sidecar.pid())).unwrap();
    let is_watch = |link: &Path| link.to_string_lossy().contains("inotify");
    open.filter(|entry| std::fs::read_link(entry.as_ref().unwrap().path()).is_ok_and(|link| is_watch(&link)))
        .count()
}

/// Idles until SIGTERM without a look at the store, and then ends well.
fn assert_idle(mut pod: Pod, reason: &str) {
    // Nothing listens there: who asks, fails.
    pod.template["archiveLocation"]["s3"]["endpoint"] = json!("127.0.0.1:1");
    let mut sidecar = pod.start_ready();
    let message = sidecar.reaches("idle");
    assert!(message["reason"].as_str().unwrap().contains(reason), "{message}");
    assert_eq!(watches(&sidecar), 0);
    pod.write();
    pod.end(0);
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["state"]), (Some(0), &"idle".into()), "{message}");
}

fn pod() -> Pod {
    Pod::new("127.0.0.1:1", vec![Output::plain("a")])
}

#[test]
fn a_step_that_does_not_ask() {
    for plain in [false, true] {
        for asks in [json!({}), json!({"annotations": {"argo-attest.io/attest": "false"}})] {
            let mut pod = pod();
            pod.template["metadata"] = asks;
            assert_idle(if plain { pod.plain() } else { pod }, "does not ask for it");
        }
    }
}

#[test]
fn a_template_without_main() {
    let kinds: [(&str, Value); 2] = [
        ("resource", json!({"action": "get", "manifest": ""})),
        ("data", json!({"source": {}, "transformation": []})),
    ];
    for (kind, content) in kinds {
        let mut pod = pod().env("ARGO_ATTEST_ALL", "true");
        pod.template.as_object_mut().unwrap().remove("container");
        pod.template[kind] = content;
        assert_idle(pod, "no main container");
    }
}

#[test]
fn a_deployment_may_attest_all() {
    let s3 = S3::new();
    let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]).env("ARGO_ATTEST_ALL", "true");
    pod.template["metadata"] = json!({});
    let mut sidecar = pod.start_ready();
    assert!(watches(&sidecar) > 0, "or the test for none tests nothing");
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
}

/// A step that asks and declares nothing: its outcome says just that.
#[test]
fn a_step_without_outputs_has_an_outcome() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), Vec::new());
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["step"]), (Some(0), &"succeeded".into()), "{message}");
    assert_eq!(pod.outcome(&s3)["predicate"]["complete"], true);
}
