//! How main, the step and the pod may end.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::output::{Output, PREFIX};
use crate::pod::{Pod, entry};
use crate::process::{pass, until};
use crate::proxy::{Proxy, Way};
use crate::s3::S3;

fn attestations(s3: &S3) -> Vec<String> {
    let keys = s3.keys();
    keys.into_iter().filter(|key| key.ends_with(".sigstore.json") && !key.contains("outcome")).collect()
}

#[test]
fn without_an_exit_code_nothing_is_attested_and_nobody_waits() {
    for (plain, code) in [(false, 0), (true, 1)] {
        let s3 = S3::new();
        let mut pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("b")]);
        if plain {
            pod = pod.plain();
        }
        let mut sidecar = pod.start_ready();
        pod.write();
        let told = Instant::now();
        sidecar.terminate();
        let (ended, message) = sidecar.ends();
        // The grace period is 30 s.
        assert!(told.elapsed() < Duration::from_secs(15), "{:?}", told.elapsed());
        assert_eq!((ended, &message["step"]), (Some(code), &"unfinished".into()), "{message}");
        assert_eq!(entry(&message["artifacts"], "a")["verdict"], "unfinished");
        assert_eq!(attestations(&s3), Vec::<String>::new());
        let outcome = pod.outcome(&s3);
        assert_eq!(outcome["predicate"]["state"], "unfinished");
        assert_eq!(outcome["predicate"]["complete"], false);
    }
}

#[test]
fn what_is_no_exit_code_is_none() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let mut sidecar = pod.start_ready();
    pod.write();
    let directory = pod.argo().join("ctr/main");
    std::fs::create_dir_all(&directory).unwrap();
    std::os::unix::fs::symlink("/proc/self/stat", directory.join("exitcode")).unwrap();
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["step"]), (Some(0), &"unfinished".into()), "{message}");
}

#[test]
fn what_a_failed_main_leaves_is_attested_only_if_asked_for() {
    for (asked, plain) in [(false, false), (false, true), (true, false)] {
        let s3 = S3::new();
        let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
        if asked {
            pod = pod.env("ARGO_ATTEST_ATTEST_FAILED", "true");
        }
        if plain {
            pod = pod.plain();
        }
        let mut sidecar = pod.start_ready();
        pod.write();
        pod.end(3);
        pod.upload(&s3);
        sidecar.terminate();
        let (code, message) = sidecar.ends();
        assert_eq!((code, &message["step"]), (Some(i32::from(plain)), &"failed".into()), "{message}");
        assert_eq!(message["attested"], usize::from(asked), "{message}");
        assert_eq!(attestations(&s3).len(), usize::from(asked));
        let outcome = pod.outcome(&s3);
        assert_eq!(outcome["predicate"]["exitCodes"]["main"], 3, "{outcome}");
        if asked {
            let statement = s3.get(&format!("{}.sigstore.json", pod.outputs[0].key())).unwrap();
            let internal = &pod.signed(&statement)["predicate"]["buildDefinition"]["internalParameters"];
            assert!(internal.to_string().contains("\"main\":3"), "{internal}");
        }
    }
}

/// Main can write where its emissary will leave the exit code.
#[test]
fn an_exit_code_that_main_wrote_itself_does_not_count() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    // Long enough for the sidecar to see it.
    pass(Duration::from_millis(500));
    pod.end(1);
    pod.upload(&s3);
    sidecar.terminate();
    let (_, message) = sidecar.ends();
    assert_eq!((&message["step"], &message["attested"]), (&"failed".into(), &0.into()), "{message}");
    assert_eq!(attestations(&s3), Vec::<String>::new());
}

/// The step has ended when all of its containers have.
#[test]
fn every_container_of_a_set_has_to_end_well() {
    for (second, state, attested) in
        [(None, "unfinished", 0), (Some(1), "failed", 0), (Some(0), "succeeded", 1)]
    {
        let s3 = S3::new();
        let mut pod = Pod::new(s3.address(), vec![Output::plain("a")]);
        let mut container = pod.template.as_object_mut().unwrap().remove("container").unwrap();
        let mounts = container.as_object_mut().unwrap().remove("volumeMounts").unwrap();
        let set = ["main", "beside"].map(|name| {
            let mut container = container.clone();
            container["name"] = json!(name);
            container
        });
        pod.template["containerSet"] = json!({"containers": set, "volumeMounts": mounts});
        let mut sidecar = pod.start_ready();
        pod.write();
        pod.end(0);
        if let Some(code) = second {
            pod.end_container("beside", code);
        }
        pod.upload(&s3);
        sidecar.terminate();
        let (_, message) = sidecar.ends();
        assert_eq!((&message["step"], &message["attested"]), (&state.into(), &attested.into()), "{message}");
    }
}

#[test]
fn an_object_that_never_comes_is_missed() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("good"), Output::plain("never")]);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    let told = Instant::now();
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert!(told.elapsed() < Duration::from_secs(15), "a native sidecar is told after the upload");
    assert_eq!((code, &message["attested"], &message["notAttested"]), (Some(0), &1.into(), &1.into()));
    let reason = entry(&message["artifacts"], "never")["reason"].as_str().unwrap();
    assert!(reason.contains(&format!("{PREFIX}/never-data is not in the store")), "{reason}");
    assert_eq!(attestations(&s3), [format!("{}.sigstore.json", pod.outputs[0].key())]);
}

/// The plain form waits for it as long as it may.
#[test]
fn an_object_that_never_comes_fails_the_plain_form_in_time() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("good"), Output::plain("never")]).plain().grace(5);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    let told = Instant::now();
    sidecar.terminate();
    pod.upload_one(&s3, &pod.outputs[0]);
    let (code, message) = sidecar.ends();
    let took = told.elapsed();
    assert!(took > Duration::from_millis(2500) && took < Duration::from_secs(5), "{took:?}");
    assert_eq!(
        (code, &message["attested"], &message["notAttested"]),
        (Some(1), &1.into(), &1.into()),
        "{message}"
    );
    assert_eq!(pod.outcome(&s3)["predicate"]["complete"], false);
}

/// What was waited for in vain is what somebody can do something about.
#[test]
fn the_reason_of_the_last_look_is_kept() {
    let s3 = S3::new();
    let outputs = vec![Output::plain("never"), Output::plain("another")];
    let pod = Pod::new(s3.address(), outputs).plain().grace(4);
    // Left by an attempt before this one, and never replaced.
    pod.upload_one(&s3, &pod.outputs[1].altered());
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    sidecar.terminate();
    let (_, message) = sidecar.ends();
    let outcome = pod.outcome(&s3);
    for (output, last, verdict) in [
        ("never", "never-data is not in the store)", "unfinished"),
        // It was not time that was missing.
        ("another", "another-data is not what was written", "refused"),
    ] {
        let told = entry(&outcome["predicate"]["outputs"], output);
        let reason = told["reason"].as_str().unwrap();
        assert!(reason.starts_with("the grace period ended"), "{reason}");
        assert!(reason.contains("(at the last look, s3://") && reason.contains(last), "{reason}");
        assert_eq!(told["verdict"], verdict, "{told}");
        assert!(entry(&message["artifacts"], output)["reason"].as_str().unwrap().contains(last), "{message}");
    }
}

#[test]
fn being_told_again_and_again_changes_nothing() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]).plain();
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    for _ in 0..3 {
        sidecar.terminate();
    }
    sidecar.reaches("finishing");
    for _ in 0..3 {
        sidecar.terminate();
    }
    pod.upload(&s3);
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
}

/// The hook runs in the container, but the container may be over.
#[test]
fn a_short_main_may_end_before_all_is_prepared() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]).plain();
    pod.write();
    pod.end(0);
    let mut sidecar = pod.start();
    until("a handler for SIGTERM", || sidecar.message());
    sidecar.terminate();
    pod.upload(&s3);
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
}

/// A store that says no while the step is ending: what is known is signed, and stored where
/// another store answers.
#[test]
fn a_store_that_says_no_at_the_end_leaves_a_signed_outcome() {
    let s3 = S3::new();
    let proxy = Proxy::to(s3.address(), Way::Closed);
    let outputs = vec![Output::plain("a"), Output::plain("b")];
    let mut pod = Pod::new(s3.address(), outputs).plain().grace(30);
    let mut elsewhere = pod.template["archiveLocation"]["s3"].clone();
    elsewhere["endpoint"] = proxy.address.as_str().into();
    elsewhere["secretKeySecret"]["name"] = "another".into();
    elsewhere["key"] = "b".into();
    std::fs::create_dir(pod.at("secrets/another")).unwrap();
    std::fs::write(pod.at("secrets/another/secretkey"), "another's").unwrap();
    pod.template["outputs"]["artifacts"][1]["s3"] = elsewhere;
    let mut sidecar = pod.start();
    until("the store to be asked again", || sidecar.logged().contains("trying again").then_some(()));
    pod.write();
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    sidecar.terminate();
    proxy.set(Way::Open);
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(1), "{message}");
    let predicate = &pod.outcome(&s3)["predicate"];
    assert_eq!(entry(&predicate["outputs"], "a")["verdict"], "attested", "{predicate}");
    let told = entry(&predicate["outputs"], "b");
    assert_eq!(told["verdict"], "refused", "{told}");
    assert!(told["reason"].as_str().unwrap().contains("was denied"), "{told}");
    assert!(sidecar.logged().contains("SignatureDoesNotMatch"), "{}", sidecar.logged());
}
