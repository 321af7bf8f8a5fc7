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

/// Main is not held, and it is said that not all is ready. The outcome is signed, and the
/// outputs are refused for that reason; the plain form fails.
fn assert_unready(s3: &S3, pod: Pod, reason: &str) {
    let asked = Instant::now();
    let mut sidecar = pod.start_ready();
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    let message = sidecar.reaches("unready");
    assert!(message["reason"].as_str().unwrap().contains(reason), "{message}");
    assert!(message["remedy"].is_string(), "{message}");
    assert!(sidecar.logged().contains("not all is ready"), "{}", sidecar.logged());
    let (code, message) = pod.succeed(s3, &mut sidecar);
    assert_eq!((code, &message["state"], &message["attested"]), (Some(0), &"done".into(), &0.into()));
    assert!(message["artifacts"][0]["reason"].as_str().unwrap().contains(reason), "{message}");

    let pod = pod.plain();
    fs::remove_dir_all(pod.argo().join("ctr")).unwrap();
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(s3, &mut sidecar);
    assert_eq!((code, &message["state"], &message["attested"]), (Some(1), &"done".into(), &0.into()));
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
    assert_unattested(pod, "template");
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
        assert_unattested(pod, reason);
        // Nobody signs for a step without a key.
        assert_eq!(s3.keys(), Vec::<String>::new());
    }
}

#[test]
fn a_secret_key_that_is_wrong() {
    let s3 = S3::new();
    let pod = pod(&s3);
    fs::write(pod.at("secrets/s3-cred/secretkey"), "wrong").unwrap();
    assert_unready(&s3, pod, "s3://");
}

#[test]
fn a_secret_key_that_is_missing() {
    let s3 = S3::new();
    let pod = pod(&s3);
    fs::remove_file(pod.at("secrets/s3-cred/secretkey")).unwrap();
    assert_unready(&s3, pod, "secretkey does not exist");
}

#[test]
fn no_credentials() {
    let s3 = S3::new();
    let mut pod = pod(&s3);
    pod.template["archiveLocation"]["s3"].as_object_mut().unwrap().remove("accessKeySecret");
    assert_unready(&s3, pod, "credentials");
}

#[test]
fn a_customers_key_and_no_https() {
    let s3 = S3::new();
    let mut pod = pod(&s3);
    pod.template["archiveLocation"]["s3"]["encryptionOptions"] =
        json!({"serverSideCustomerKeySecret": {"name": "sse-c", "key": "key"}});
    assert_unready(&s3, pod, "sent over https only");
}

#[test]
fn an_access_key_that_nobody_knows() {
    let Some(s3) = S3::versitygw() else { return };
    let pod = pod(&s3);
    fs::write(pod.at("secrets/s3-cred/accesskey"), "nobody-known").unwrap();
    assert_unready(&s3, pod, "s3://");
}

/// The other server does not tell a bucket that is missing from an object that is.
#[test]
fn a_bucket_that_is_missing() {
    let Some(s3) = S3::versitygw() else { return };
    let mut pod = pod(&s3);
    pod.template["archiveLocation"]["s3"]["bucket"] = json!("no-such-bucket");
    assert_unready(&s3, pod, "no-such-bucket");
}

/// Nobody can attest what is stored elsewhere, and the step is not held for it.
#[test]
fn a_store_of_another_kind() {
    for (kind, location) in [
        ("gcs", json!({"bucket": "b", "key": "k"})),
        ("azure", json!({"endpoint": "https://a.blob.core.windows.net", "container": "c", "blob": "k"})),
        ("hdfs", json!({"addresses": ["h:8020"], "path": "/k"})),
        ("artifactory", json!({"url": "https://a.example.com/k"})),
    ] {
        let s3 = S3::new();
        let mut pod = pod(&s3);
        pod.template["archiveLocation"] = json!({kind: location});
        assert_unready(&s3, pod, "are not supported");
    }
}

/// What else is amiss is in the outcome, which is signed all the same.
#[test]
fn a_setting_that_cannot_be_used() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (variable, value, reason) in [
        ("ARGO_ATTEST_INPUT_PARAMETERS", "{{inputs.parameters}}", "parameters"),
        ("ARGO_ATTEST_METRICS_LISTEN", &address, &address),
    ] {
        let s3 = S3::new();
        assert_unready(&s3, pod(&s3).env(variable, value), reason);
        let outcome = pod(&s3).env(variable, value);
        let mut sidecar = outcome.start_ready();
        outcome.succeed(&s3, &mut sidecar);
        let predicate = &outcome.outcome(&s3)["predicate"];
        assert_eq!(predicate["state"], "succeeded");
        assert!(predicate["outputs"][0]["reason"].as_str().unwrap().contains(reason), "{predicate}");
    }
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
    let pod = Pod::new(&proxy.address, vec![Output::plain("a")]).env("ARGO_ATTEST_READY_TIMEOUT", "1h");
    let mut sidecar = pod.start();
    sidecar.reaches("starting");
    until("a warning", || {
        let lines = sidecar.logged();
        let line = lines.lines().find(|line| line.contains("\"WARN\""))?;
        assert!(line.contains("trying again") && line.contains("s3://bucket/"), "{line}");
        Some(())
    });
    let ran = pod.ready_now();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let ran = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.contains("it is still starting"), "{ran}");
    proxy.set(Way::Open);
    sidecar.reaches("ready");
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
}

/// It is not held for ever, and what is written is attested if the store is back in time.
#[test]
fn main_is_held_for_a_while_and_then_let_go() {
    for (how, timeout) in [(Way::Hole, "1s"), (Way::Closed, "300ms"), (Way::Hole, "0")] {
        let s3 = S3::new();
        let proxy = Proxy::to(s3.address(), how);
        let pod = Pod::new(&proxy.address, vec![Output::plain("a")])
            .env("ARGO_ATTEST_READY_TIMEOUT", timeout)
            .grace(60);
        let asked = Instant::now();
        let mut sidecar = pod.start_ready();
        assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
        let message = sidecar.reaches("unready");
        let reason = message["reason"].as_str().unwrap();
        assert!(reason.contains("was still waited for"), "{reason}");
        assert!(sidecar.logged().contains("main was held for long enough"), "{}", sidecar.logged());
        pod.write();
        proxy.set(Way::Open);
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
        assert_eq!(pod.outcome(&s3)["predicate"]["complete"], true);
    }
}

/// Where that was asked for, the step is to fail instead.
#[test]
fn what_is_not_ready_in_time_fails_where_that_was_asked_for() {
    let s3 = S3::new();
    let proxy = Proxy::to(s3.address(), Way::Hole);
    let failing = |pod: Pod| pod.env("ARGO_ATTEST_NOT_READY", "fail");
    let late =
        failing(Pod::new(&proxy.address, vec![Output::plain("a")])).env("ARGO_ATTEST_READY_TIMEOUT", "1s");
    let keyless = failing(pod(&s3));
    fs::remove_file(keyless.at("keys/attest.key")).unwrap();
    let mut forged = failing(pod(&s3));
    forged.template_text = Some("no JSON".to_owned());
    let wrong = failing(pod(&s3));
    fs::write(wrong.at("secrets/s3-cred/secretkey"), "wrong").unwrap();
    for (pod, reason) in
        [(late, "within 1s"), (keyless, "attest.key"), (forged, "template"), (wrong, "SignatureDoesNotMatch")]
    {
        let mut sidecar = pod.start();
        let message = sidecar.reaches("failed");
        assert!(message["reason"].as_str().unwrap().contains(reason), "{message}");
        // The hook must not fail: the kubelet would start the sidecar again and again.
        assert!(pod.ready("--wait=60s").status.success());
        assert!(sidecar.is_running(), "it would be restarted again and again");
        sidecar.terminate();
        let (code, message) = sidecar.ends();
        assert_eq!((code, &message["state"]), (Some(0), &"failed".into()), "{message}");
    }
}

/// Who asks is told; who waits, so that main can start, does not wait for ever.
#[test]
fn without_a_sidecar_nobody_is_ready() {
    let s3 = S3::new();
    let pod = pod(&s3);
    for _ in ["an empty message", "none"] {
        assert_eq!(pod.ready_now().status.code(), Some(1));
        let ran = pod.ready("--wait=100ms");
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        let ran = String::from_utf8(ran.stderr).unwrap();
        assert!(ran.contains("main starts all the same"), "{ran}");
        let _ = fs::remove_file(pod.at("termination-log"));
    }
    // What ended is not ready either.
    let mut sidecar = pod.start_ready();
    let (_, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(message["attested"], 1);
    let asked = Instant::now();
    assert_eq!(pod.ready_now().status.code(), Some(1));
    assert_eq!(pod.ready("--wait=60s").status.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(30));
}
