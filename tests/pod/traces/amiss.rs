//! Collectors that are away, slow, or answer what they like; and variables that are none. Whatever it is, it is one
//! warning, and a moment.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{SIDECAR, TRACE};
use crate::collector::{Collector, only, taken};
use crate::consumer::Consumer;
use crate::output::{Output, PREFIX};
use crate::pod::{POD_UID, Pod};
use crate::s3::S3;
use crate::scripted::{Act, Plain, Scripted, head, reply};

const ENDPOINT: &str = "ARGO_ATTEST_OTLP_ENDPOINT";

/// All that a collector may do to whoever sends, and what is told of it.
fn amiss() -> Vec<(Act, &'static str)> {
    let json = [("Content-Type", "application/json")];
    vec![
        (Act::Hang, "it did not answer within 1s"),
        (Act::Close, "it could not be reached"),
        (Act::Drip(head(200, &[], 100_000), Duration::from_millis(50)), "it did not answer within 1s"),
        (Act::Flood(head(200, &[], 1 << 40)), "longer than is read"),
        (Act::Flood(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()), "longer than is read"),
        (Act::Flood(b"HTTP/1.1 200 OK\r\nx: ".to_vec()), "it could not be reached"),
        (Act::ReplyAndClose(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00".to_vec()), "it could not be reached"),
        (Act::Reply(reply(404, &[], b"canary of an answer")), "it answered with status 404"),
        (
            Act::Reply(reply(302, &[("Location", "http://127.0.0.1:1/canary")], b"")),
            "it answered with status 302",
        ),
        (
            Act::Reply(reply(
                200,
                &json,
                br#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"canary"}}"#,
            )),
            "it did not take 3 of them",
        ),
    ]
}

/// Warnings, each as its text and its reason.
fn warnings(log: &str) -> Vec<(String, String)> {
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |line: &Value, of: &str| line[of].as_str().unwrap_or_default().to_owned();
    let loud = lines.filter(|line| line["level"] != "INFO" && line["level"] != "DEBUG");
    loud.map(|line| (text(&line, "message"), text(&line, "why"))).collect()
}

#[track_caller]
fn assert_one_warning(log: &str, why: &str) {
    let told = warnings(log);
    let [(message, reason)] = &told[..] else { panic!("{told:?}: {log}") };
    assert!(message == "the spans were not sent" && reason.contains(why), "{why}: {told:?}");
    assert!(!log.contains("canary"), "{log}");
}

#[test]
fn a_gate_holds_main_no_longer_than_a_moment() {
    let s3 = S3::new();
    for (act, why) in amiss() {
        let collector = Collector::acting(act);
        let consumer = Consumer::bare(&s3).env(ENDPOINT, &collector.endpoint());
        let ended = consumer.opens();
        assert_eq!(ended.message, "no inputs to check: the template has no input artifacts");
        assert_one_warning(&ended.log, why);
        assert_eq!(collector.0.requests().len(), 1, "{why}");
        // A second was there for it.
        let (quiet, began) = (Consumer::bare(&s3), Instant::now());
        quiet.opens();
        let without = began.elapsed();
        let began = Instant::now();
        consumer.opens();
        let with = began.elapsed();
        assert!(with < without * 4 + Duration::from_secs(4), "{why}: {with:?}, and {without:?} without");
    }
    // Nobody listens.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = Consumer::bare(&s3).env(ENDPOINT, &format!("http://{nobody}")).opens();
    assert_one_warning(&ended.log, "it could not be reached");
    // Somebody does, and takes no connection: as many as the kernel keeps are waiting.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let ended =
        Consumer::bare(&s3).env(ENDPOINT, &format!("http://{}", listener.local_addr().unwrap())).opens();
    assert_one_warning(&ended.log, "it did not answer within 1s");
}

#[test]
fn a_sidecar_attests_and_ends_all_the_same() {
    for (act, why) in amiss() {
        let (s3, collector) = (S3::new(), Collector::acting(act));
        let pod =
            Pod::new(s3.address(), vec![Output::plain("a")]).grace(8).env(ENDPOINT, &collector.endpoint());
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed_within(Duration::from_secs(8), &s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{why}: {message}");
        assert_eq!(pod.outcome(&s3)["predicate"]["outputs"][0]["verdict"], "attested");
        assert_one_warning(&sidecar.logged(), why);
    }
}

/// What is left of a grace period that is nearly over is not waited for.
#[test]
fn there_is_no_waiting_where_the_grace_period_is_over() {
    let (s3, collector) = (S3::new(), Collector::acting(Act::Hang));
    let pod = Pod::new(s3.address(), vec![Output::plain("a")])
        .plain()
        .grace(3)
        .env(ENDPOINT, &collector.endpoint());
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    // The object never comes: it is waited for as long as there is time.
    let told = Instant::now();
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert!(told.elapsed() < Duration::from_secs(3), "{:?}", told.elapsed());
    assert_eq!((code, &message["attested"]), (Some(1), &0.into()), "{message}");
    assert!(sidecar.logged().contains("the spans were not sent"), "{}", sidecar.logged());
}

/// When the spans come, the outcome is in the store and the message is written.
#[test]
fn spans_are_the_last_that_is_told() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
    let (log, seen) = (pod.at("termination-log"), Arc::new(Mutex::new(Vec::new())));
    let states = Arc::clone(&seen);
    let collector = Collector(Scripted::choosing(Plain, move |_| {
        let message: Value = serde_json::from_slice(&std::fs::read(&log).unwrap()).unwrap();
        states.lock().unwrap().push((message["state"].clone(), message["outcome"].clone()));
        Some(taken())
    }));
    let pod = pod.env(ENDPOINT, &collector.endpoint());
    let mut sidecar = pod.start_ready();
    let (_, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(*seen.lock().unwrap(), [(message["state"].clone(), message["outcome"].clone())]);
    assert!(
        message["outcome"].to_string().contains(&format!("{PREFIX}/argo-attest-outcome-{POD_UID}")),
        "{message}"
    );
    assert_eq!(message["state"], "done");
}

/// What is none is told of, and not repeated; a trace begins of its own, or no spans are sent.
#[test]
fn variables_that_are_none_cost_nothing() {
    let (s3, collector) = (S3::new(), Collector::new());
    let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
    let long = format!("00-{}", "a".repeat(100_000));
    for odd in
        ["canary", &zeros, &long, "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "\u{1b}[31m"]
    {
        let ended = Consumer::bare(&s3).env(ENDPOINT, &collector.endpoint()).env("TRACEPARENT", odd).opens();
        assert_eq!(warnings(&ended.log).len(), 1, "{}", ended.log);
        assert!(
            ended.log.contains("TRACEPARENT is not used") && !ended.log.contains("canary"),
            "{}",
            ended.log
        );
        let spans = collector.spans();
        let own = spans.last().unwrap();
        assert_eq!((own.trace.len(), &own.parent), (32, &None), "{odd:?}");
        assert!(own.trace != TRACE && own.trace != "0".repeat(32), "{odd:?}");
    }
    let sent = collector.0.requests().len();
    // Nobody records it: nothing is sent, and there is nothing to tell.
    let unsampled = format!("00-{TRACE}-00f067aa0ba902b7-00");
    let ended =
        Consumer::bare(&s3).env(ENDPOINT, &collector.endpoint()).env("TRACEPARENT", &unsampled).opens();
    assert_eq!(warnings(&ended.log), []);
    for (name, value) in [
        (ENDPOINT, "canary"),
        (ENDPOINT, "http://user:canary@collector"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://canary"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
    ] {
        let mut consumer = Consumer::bare(&s3).env(name, value);
        if name != ENDPOINT && !name.ends_with("ENDPOINT") {
            consumer = consumer.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint());
        }
        let ended = consumer.opens();
        let told = warnings(&ended.log);
        assert!(
            matches!(&told[..], [(message, _)] if message == "no spans are sent"),
            "{name}: {}",
            ended.log
        );
        assert!(!ended.log.contains("canary"), "{}", ended.log);
    }
    assert_eq!(collector.0.requests().len(), sent);
}

/// A step that has nothing to attest is in the trace, too, and so is one of which nothing can be attested.
#[test]
fn what_came_to_nothing_is_told() {
    let s3 = S3::new();
    let collector = Collector::new();
    let mut pod = Pod::new(s3.address(), Vec::new()).env(ENDPOINT, &collector.endpoint());
    pod.template["metadata"] = Value::Null;
    let mut sidecar = pod.start_ready();
    sidecar.terminate();
    assert_eq!(sidecar.ends().0, Some(0));
    let spans = collector.spans();
    assert_eq!(
        (&only(&spans, SIDECAR).attributes["argo_attest.state"], &only(&spans, SIDECAR).failed),
        (&"idle".into(), &None)
    );

    let collector = Collector::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a")])
        .key("/nowhere.key")
        .env(ENDPOINT, &collector.endpoint());
    let mut sidecar = pod.start();
    sidecar.reaches("unattested");
    sidecar.terminate();
    assert_eq!(sidecar.ends().0, Some(0));
    let spans = collector.spans();
    assert!(only(&spans, SIDECAR).failed.as_deref().unwrap().contains("/nowhere.key"), "{spans:#?}");
}
