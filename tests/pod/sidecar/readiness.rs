//! What keeps main from starting, and how the reason can be read.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use argo_attest_core::argo::encode;
use serde_json::json;

use crate::output::Output;
use crate::pod::Pod;
use crate::process::until;
use crate::proxy::{Proxy, Way};
use crate::s3::S3;

fn pod(s3: &S3) -> Pod {
    Pod::new(s3.address(), vec![Output::plain("a")])
}

/// `ready` fails at once and says why; the native form stays until SIGTERM and
/// ends with 0, the plain one fails.
fn assert_not_ready(pod: Pod, reason: &str) {
    let mut sidecar = pod.start();
    let asked = Instant::now();
    let ran = pod.ready("--wait=60s");
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "for {reason}: {said}\n{}", sidecar.logged());
    assert!(said.contains(reason), "{said}");
    let message = sidecar.reaches("failed");
    assert!(message["reason"].as_str().unwrap().contains(reason), "{message}");
    assert!(message["remedy"].is_string(), "{message}");
    assert!(sidecar.is_running(), "it would be restarted again and again");
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["state"]), (Some(0), &"failed".into()), "{message}");
    assert!(sidecar.logged().contains("nothing can be attested"), "{}", sidecar.logged());

    let pod = pod.plain();
    let mut sidecar = pod.start();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["state"]), (Some(1), &"failed".into()), "{message}");
}

/// Main runs; nothing is attested, and that is said. The plain form fails the step.
pub(crate) fn assert_unattested(pod: Pod, reason: &str) {
    let mut sidecar = pod.start_ready();
    let message = sidecar.reaches("unattested");
    assert!(message["reason"].as_str().unwrap().contains(reason), "{message}");
    assert!(message["remedy"].is_string(), "{message}");
    pod.write();
    pod.end(0);
    assert!(sidecar.is_running(), "it would be restarted again and again");
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["state"]), (Some(0), &"unattested".into()), "{message}");
    assert!(sidecar.logged().contains("nothing can be attested"), "{}", sidecar.logged());

    let pod = pod.plain();
    let mut sidecar = pod.start();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["state"]), (Some(1), &"unattested".into()), "{message}");
}

/// Whoever could write into the template's text cannot keep main from starting.
#[test]
fn a_hostile_template() {
    let s3 = S3::new();
    let deep = "[".repeat(100_000);
    for text in ["{", "", "no JSON", "[]", "{\"name\":\"a\",\"name\":\"b\",\"container\":{}}", deep.as_str()]
    {
        let mut pod = pod(&s3);
        pod.template_text = Some(text.to_owned());
        assert_unattested(pod, "template");
    }
    // A value has closed the outputs, asked for nothing, and left the rest in another field.
    let rewritten = r#"x"}]},"metadata":{},"zzz":{"artifacts":[{"name":""#;
    let mut changed = pod(&s3);
    changed.template["outputs"]["artifacts"][0]["name"] = json!("NAME");
    changed.template_text = Some(encode(&changed.template).unwrap().replace("NAME", rewritten));
    assert_unattested(changed, "is not what Argo 3.7 to 4.1 writes");
    let mut many = pod(&s3);
    let artifact = json!({"name": "a", "path": "/a"});
    many.template["outputs"]["artifacts"] = json!([]);
    many.template["outputs"]["artifacts"] = std::iter::repeat_n(artifact, 4097).collect();
    // One variable holds 128 KiB at most, and Argo offloads what is longer.
    assert!(encode(&many.template).unwrap().len() < 128 * 1024);
    assert_unattested(many, "template");
    assert_eq!(s3.keys(), Vec::<String>::new());
}

#[test]
fn a_template_that_is_not_there() {
    let s3 = S3::new();
    let mut pod = pod(&s3);
    pod.template_text = Some("offloaded".to_owned());
    assert_not_ready(pod, "template");
}

#[test]
fn a_key_that_cannot_be_used() {
    type Spoil = fn(&std::path::Path);
    let spoilt: [(Spoil, &str); 4] = [
        (|key| fs::remove_file(key).unwrap(), "attest.key"),
        (|key| fs::write(key, "garbage").unwrap(), "attest.key"),
        (|key| fs::write(key, "").unwrap(), "attest.key"),
        (|key| fs::set_permissions(key, fs::Permissions::from_mode(0o666)).unwrap(), "attest.key"),
    ];
    for (spoil, reason) in spoilt {
        let s3 = S3::new();
        let pod = pod(&s3);
        spoil(&pod.at("keys/attest.key"));
        assert_not_ready(pod, reason);
    }
}

#[test]
fn a_store_that_cannot_be_used() {
    let s3 = S3::new();
    let wrong = pod(&s3);
    fs::write(wrong.at("secrets/s3-cred/secretkey"), "wrong").unwrap();
    assert_not_ready(wrong, "s3://");

    let missing = pod(&s3);
    fs::remove_file(missing.at("secrets/s3-cred/secretkey")).unwrap();
    assert_not_ready(missing, "secretkey does not exist");

    let mut none = pod(&s3);
    none.template["archiveLocation"]["s3"].as_object_mut().unwrap().remove("accessKeySecret");
    assert_not_ready(none, "credentials");

    // The other server does not tell a bucket that is missing from an object that is.
    let Some(s3) = S3::versitygw() else { return };
    let unknown = pod(&s3);
    fs::write(unknown.at("secrets/s3-cred/accesskey"), "nobody-known").unwrap();
    assert_not_ready(unknown, "s3://");

    let mut bucket = pod(&s3);
    bucket.template["archiveLocation"]["s3"]["bucket"] = json!("no-such-bucket");
    assert_not_ready(bucket, "no-such-bucket");
}

#[test]
fn a_setting_that_cannot_be_used() {
    let s3 = S3::new();
    assert_not_ready(pod(&s3).env("ARGO_ATTEST_INPUT_PARAMETERS", "{{inputs.parameters}}"), "parameters");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_not_ready(pod(&s3).env("ARGO_ATTEST_METRICS_LISTEN", &address), &address);
}

/// Of a volume that is not mounted here only its outputs are lost.
#[test]
fn a_volume_that_is_not_mounted_is_said() {
    let s3 = S3::new();
    let mut pod = pod(&s3);
    pod.template["container"]["volumeMounts"][0]["mountPath"] = json!("/not/mounted/here");
    pod.template["outputs"]["artifacts"][0]["path"] = json!("/not/mounted/here/a");
    let mut sidecar = pod.start_ready();
    pod.end(0);
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0));
    let reason = message["artifacts"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("mirrorVolumeMounts"), "{reason}");
}

/// Main is held while the store is away, and starts when it is back.
#[test]
fn a_store_that_comes_late_holds_main() {
    let s3 = S3::new();
    let proxy = Proxy::to(s3.address(), Way::Closed);
    let pod = Pod::new(&proxy.address, vec![Output::plain("a")]);
    let mut sidecar = pod.start();
    sidecar.reaches("starting");
    let ran = pod.ready("--wait=1s");
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let ran = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.contains("not ready in time"), "{ran}");
    until("a warning", || {
        let lines = sidecar.logged();
        let line = lines.lines().find(|line| line.contains("\"WARN\""))?;
        assert!(line.contains("trying again") && line.contains("s3://bucket/"), "{line}");
        Some(())
    });
    proxy.set(Way::Open);
    sidecar.reaches("ready");
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
}

#[test]
fn without_a_sidecar_nobody_is_ready() {
    let s3 = S3::new();
    let pod = pod(&s3);
    for wait in ["--wait=100ms", "--wait=0s"] {
        let ran = pod.ready(wait);
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    }
    fs::remove_file(pod.at("termination-log")).unwrap();
    assert_eq!(pod.ready("--wait=100ms").status.code(), Some(1));
    // What ended is not ready either.
    let mut sidecar = pod.start_ready();
    let (_, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(message["attested"], 1);
    let asked = Instant::now();
    assert_eq!(pod.ready("--wait=60s").status.code(), Some(1));
    assert!(asked.elapsed() < Duration::from_secs(30));
}
