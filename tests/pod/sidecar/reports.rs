//! What is told: the termination message, the outcome, the log, the metrics; and
//! what is told to nobody.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;

use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{CANARY, Pod};
use crate::process::until;
use crate::s3::S3;
use crate::servers::SECRET_KEY;

#[test]
fn two_hundred_outputs_fit_into_the_termination_message() {
    let s3 = S3::new();
    let outputs: Vec<_> = (0..200).map(|n| Output::plain(&format!("output-{n:03}"))).collect();
    let pod = Pod::new(s3.address(), outputs).grace(120);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    for output in &pod.outputs[1..] {
        pod.upload_one(&s3, output);
    }
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!(
        (code, &message["attested"], &message["notAttested"]),
        (Some(0), &199.into(), &1.into()),
        "{message}"
    );
    assert_eq!(
        (&message["artifacts"][0]["name"], &message["artifacts"][0]["verdict"]),
        (&"output-000".into(), &"refused".into())
    );
    let named = message["artifacts"].as_array().unwrap().len() as u64;
    assert_eq!(named + message["more"].as_u64().unwrap(), 200);
    let outcome = pod.outcome(&s3);
    assert_eq!(outcome["predicate"]["outputs"].as_array().unwrap().len(), 200);
    assert_eq!(
        message["outcome"].as_str().unwrap().rsplit('/').next().unwrap(),
        "argo-attest-outcome-7e1f-pod.sigstore.json"
    );
}

#[test]
fn entries_that_were_refused_are_named() {
    let s3 = S3::new();
    let output = Output::new("dir", (Place::Volume, Packing::Tar, Shape::Directory));
    let pod = Pod::new(s3.address(), vec![output]);
    let mut sidecar = pod.start_ready();
    pod.write();
    let link = std::path::PathBuf::from(pod.outputs[0].path(&pod.work())).join("a\nlink");
    std::os::unix::fs::symlink("/etc/passwd", link).unwrap();
    pod.end(0);
    pod.upload(&s3);
    sidecar.terminate();
    let (_, message) = sidecar.ends();
    assert_eq!(
        (&message["attested"], &message["artifacts"][0]["refused"]),
        (&1.into(), &1.into()),
        "{message}"
    );
    let outcome = pod.outcome(&s3);
    let refused = &outcome["predicate"]["outputs"][0]["refused"][0];
    assert_eq!(
        (&refused["name"], outcome["predicate"]["complete"].as_bool()),
        (&"a%0Alink".into(), Some(false)),
        "{outcome}"
    );
}

fn scrape(address: SocketAddr) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

#[test]
fn metrics_are_served_while_main_runs_and_after() {
    let s3 = S3::new();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("late")]).plain();
    let pod = pod.env("ARGO_ATTEST_METRICS_LISTEN", &address.to_string());
    let mut sidecar = pod.start_ready();
    let before = "argo_attest_files_digested_total{when=\"before_end\"}";
    let text = scrape(address).unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("application/openmetrics-text"), "{text}");
    pod.write();
    until("two files digested while main runs", || (value(&scrape(address)?, before) >= 2.0).then_some(()));
    pod.end(0);
    sidecar.terminate();
    sidecar.reaches("finishing");
    let text = scrape(address).unwrap();
    assert!(text.ends_with("# EOF\n") && value(&text, before) >= 2.0, "{text}");
    pod.upload(&s3);
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}");
}

/// Somebody may be woken by it.
#[test]
fn metrics_say_that_not_all_was_ready() {
    for (spoilt, count) in [(false, 0), (true, 1)] {
        let s3 = S3::new();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let pod = Pod::new(s3.address(), vec![Output::plain("a")]);
        let pod = pod.env("ARGO_ATTEST_METRICS_LISTEN", &address.to_string());
        if spoilt {
            std::fs::write(pod.at("secrets/s3-cred/secretkey"), "wrong").unwrap();
        }
        let mut sidecar = pod.start_ready();
        sidecar.reaches(if spoilt { "unready" } else { "ready" });
        let line = format!("\nargo_attest_not_ready {count}\n");
        until("the metric", || scrape(address)?.contains(&line).then_some(()));
    }
}

#[test]
fn each_line_of_the_log_is_an_object_with_the_trace() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("never")]);
    let pod = pod.env("TRACEPARENT", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    sidecar.terminate();
    sidecar.ends();
    let logged = sidecar.logged();
    let lines: Vec<Value> = logged.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736", "{line}");
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
    let said = |message: &str, output: &str| {
        lines.iter().any(|line| line["message"] == message && line["output"] == output)
    };
    assert!(said("attested", "a") && said("not attested", "never"), "{logged}");
}

/// Neither the log at its most talkative, nor anything stored, nor the
/// termination message has a secret in it.
#[test]
fn secrets_are_told_to_nobody() {
    let s3 = S3::new();
    let pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("never")]);
    let pod = pod.env("ARGO_ATTEST_LOG", "trace");
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    sidecar.terminate();
    let (_, message) = sidecar.ends();
    let mut told = vec![("log".to_owned(), sidecar.logged()), ("message".to_owned(), message.to_string())];
    for key in s3.keys() {
        let bytes = s3.get(&key).unwrap();
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if key.ends_with(".sigstore.json") {
            text.push_str(&pod.signed(&bytes).to_string());
        }
        told.push((key, text));
    }
    let pem = std::fs::read_to_string(pod.at("keys/attest.key")).unwrap();
    let private = pem.lines().nth(1).unwrap();
    assert!(told[0].1.contains("attested"), "the log was not talkative: {}", told[0].1);
    assert!(told.iter().any(|(_, text)| text.contains("TOKEN")), "the variable's name is told");
    for (whose, text) in &told {
        for secret in [CANARY, SECRET_KEY, private] {
            assert!(!text.contains(secret), "{secret} in {whose}");
        }
    }
}
