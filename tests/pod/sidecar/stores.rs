//! A store that is away, slow, or holds what was there before.

use std::time::{Duration, Instant};

use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{Pod, entry};
use crate::process::{pass, until};
use crate::proxy::{Proxy, Way};
use crate::s3::S3;

/// Away when the sidecar is told, and back after a few of its attempts.
#[test]
fn away_at_the_end_and_back() {
    for (plain, how) in [(false, Way::Closed), (true, Way::Closed), (false, Way::Hole)] {
        let s3 = S3::new();
        let proxy = Proxy::to(s3.address(), Way::Open);
        let mut pod = Pod::new(&proxy.address, vec![Output::plain("a")]).grace(60);
        if plain {
            pod = pod.plain();
        }
        let mut sidecar = pod.start_ready();
        pod.write();
        pod.end(0);
        pod.upload(&s3);
        proxy.set(how);
        sidecar.terminate();
        sidecar.reaches("finishing");
        pass(Duration::from_secs(3));
        assert!(sidecar.is_running());
        proxy.set(Way::Open);
        let (code, message) = sidecar.ends();
        assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{how:?}: {message}");
        pod.assert_accepted(&pod.outputs[0]);
        assert!(message["outcome"].is_string(), "{message}");
    }
}

#[test]
fn away_for_good_when_the_grace_period_ends() {
    for (plain, how, code) in [(false, Way::Hole, 0), (true, Way::Hole, 1), (true, Way::Closed, 1)] {
        let s3 = S3::new();
        let proxy = Proxy::to(s3.address(), Way::Open);
        let outputs =
            vec![Output::plain("a"), Output::new("b", (Place::Volume, Packing::Tar, Shape::Directory))];
        let mut pod = Pod::new(&proxy.address, outputs).grace(4);
        if plain {
            pod = pod.plain();
        }
        let mut sidecar = pod.start_ready();
        pod.write();
        pod.end(0);
        pod.upload(&s3);
        proxy.set(how);
        let told = Instant::now();
        sidecar.terminate();
        let (ended, message) = sidecar.ends();
        assert!(told.elapsed() < Duration::from_secs(4), "{:?}", told.elapsed());
        assert_eq!((ended, &message["state"]), (Some(code), &"done".into()), "{message}");
        assert_eq!((&message["attested"], &message["notAttested"]), (&0.into(), &2.into()), "{message}");
        assert!(message["outcomeNotStored"].is_string(), "{message}");
        let reason = entry(&message["artifacts"], "b")["reason"].as_str().unwrap();
        assert!(reason.contains("grace period"), "{reason}");
    }
}

/// A shorter grace period than what is kept to tell.
#[test]
fn no_time_at_all() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]).plain().grace(1);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(
        (code, &message["attested"], &message["state"]),
        (Some(1), &0.into(), &"done".into()),
        "{message}"
    );
}

/// An attempt before this one left other objects under the same keys; Argo
/// replaces them while the plain form already looks.
#[test]
fn what_an_earlier_attempt_left_is_waited_out() {
    let kinds = [
        (Place::Volume, Packing::None, Shape::File),
        (Place::Volume, Packing::None, Shape::Directory),
        (Place::Base, Packing::Tar, Shape::File),
        (Place::Volume, Packing::Zip, Shape::Directory),
    ];
    let s3 = S3::new();
    let outputs = kinds.iter().enumerate().map(|(n, kind)| Output::new(&format!("o{n}"), *kind)).collect();
    let pod = Pod::new(s3.address(), outputs).plain();
    for output in &pod.outputs {
        pod.upload_one(&s3, &output.altered());
    }
    replaced_in_time(&s3, &pod, pod.start_ready());
}

/// As before, with a store that cannot be reached when the sidecar starts.
#[test]
fn what_an_earlier_attempt_left_is_waited_out_at_a_late_store() {
    let s3 = S3::new();
    let proxy = Proxy::to(s3.address(), Way::Closed);
    let pod = Pod::new(&proxy.address, vec![Output::plain("a")]).plain();
    for output in &pod.outputs {
        pod.upload_one(&s3, &output.altered());
    }
    let sidecar = pod.start();
    until("something said", || sidecar.message());
    proxy.set(Way::Open);
    replaced_in_time(&s3, &pod, sidecar);
}

fn replaced_in_time(s3: &S3, pod: &Pod, mut sidecar: crate::process::Sidecar) {
    pod.write();
    pod.end(0);
    sidecar.terminate();
    sidecar.reaches("finishing");
    pass(Duration::from_secs(1));
    assert!(sidecar.is_running(), "{:?}", sidecar.message());
    pod.upload(s3);
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0), "{message}");
    assert_eq!(message["attested"], pod.outputs.len(), "{message}");
    for output in &pod.outputs {
        pod.assert_accepted(output);
    }
}

/// An upload that is removed again, and comes a second time.
#[test]
fn an_object_that_comes_and_goes() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]).plain();
    let mut sidecar = pod.start_ready();
    pod.upload(&s3);
    s3.delete(&pod.outputs[0].key());
    pod.write();
    pod.end(0);
    sidecar.terminate();
    sidecar.reaches("finishing");
    pod.upload(&s3);
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
}
