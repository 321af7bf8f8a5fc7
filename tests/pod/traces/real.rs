//! What OpenTelemetry's own types make of what is sent (`tests/interop/otlp`).

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{PARENT, SIDECAR, TRACE, TRACEPARENT};
use crate::collector::{Collector, only};
use crate::installed::installed;
use crate::output::Output;
use crate::pod::{POD_UID, Pod};
use crate::s3::S3;

#[test]
#[ignore = "make interop"]
fn opentelemetrys_own_types_read_what_is_sent() {
    let Some(reader) = installed("otlp") else {
        return eprintln!("skipped: needs OpenTelemetry's types (tests/interop/install otlp)");
    };
    let (s3, collector) = (S3::new(), Collector::new());
    let pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("never")])
        .env("ARGO_ATTEST_OTLP_ENDPOINT", &collector.endpoint())
        .env("TRACEPARENT", TRACEPARENT);
    let mut sidecar = pod.start_ready();
    pod.write_one(&pod.outputs[0]);
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    sidecar.terminate();
    sidecar.ends();
    let [request] = &collector.0.requests()[..] else { panic!() };
    let mut reading = Command::new(reader).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    reading.stdin.take().unwrap().write_all(&request.body).unwrap();
    let ran = reading.wait_with_output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let read: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((&read["resource"]["k8s.pod.uid"], &read["scope"]), (&json!(POD_UID), &json!("argo-attest")));
    let spans = collector.spans();
    let told = read["spans"].as_array().unwrap();
    assert_eq!(told.len(), spans.len());
    for (told, sent) in told.iter().zip(&spans) {
        assert_eq!(
            (&told["name"], &told["id"], &told["trace"]),
            (&json!(sent.name), &json!(sent.id), &json!(TRACE))
        );
        let parent = sent.parent.as_deref().unwrap_or_default();
        assert_eq!((&told["parent"], &told["kind"]), (&json!(parent), &json!("SPAN_KIND_INTERNAL")));
        assert_eq!(told["attributes"], json!(sent.attributes));
        let status = if sent.failed.is_some() { "STATUS_CODE_ERROR" } else { "STATUS_CODE_UNSET" };
        assert_eq!(
            (&told["status"], &told["message"]),
            (&json!(status), &json!(sent.failed.as_deref().unwrap_or_default()))
        );
        let (start, end) = (told["start"].as_u64().unwrap(), told["end"].as_u64().unwrap());
        assert!(1_700_000_000_000_000_000 < start && start <= end, "{told}");
        let is_own = sent.name == SIDECAR;
        assert_eq!(told["flags"], if is_own { 0x301 } else { 0x101 });
    }
    assert_eq!(only(&spans, SIDECAR).parent.as_deref(), Some(PARENT));
    println!("{} spans, read with OpenTelemetry's own types", spans.len());
}
