//! A step's spans, beneath each other and beneath the node's.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{GATE, PARENT, SIDECAR, TRACE, TRACEPARENT};
use crate::collector::{Collector, only, ways};
use crate::consumer::{Consumer, Input};
use crate::output::Output;
use crate::pod::{POD_UID, Pod};
use crate::s3::S3;
use crate::tls::Authority as Authorities;
use crate::upstream::Upstream;
use crate::witnesses::{Authority, Log, LogLie, TimeLie, write_root};

const ENDPOINT: &str = "ARGO_ATTEST_OTLP_ENDPOINT";

/// Gate, then sidecar, with a log and a timestamp authority.
#[test]
fn gate_and_sidecar_are_in_the_trace_of_the_node() {
    let (s3, collector) = (S3::new(), Collector::new());
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let consumer = Consumer::new(&s3, &upstream)
        .stages(&s3, &Input::new(&upstream.key()))
        .env("TRACEPARENT", TRACEPARENT)
        .env("ARGO_WORKFLOW_NAME", "wf")
        .argument("--otlp-endpoint")
        .argument(&collector.endpoint());
    consumer.opens();
    let spans = collector.spans();
    assert_eq!(ways(&spans), [GATE.to_owned(), format!("verify input < {GATE}")]);
    let (gate, input) = (only(&spans, GATE), only(&spans, "verify input"));
    assert_eq!((gate.trace.as_str(), gate.parent.as_deref()), (TRACE, Some(PARENT)));
    assert_eq!((gate.attributes["argo.workflow.name"].as_str(), &gate.failed), (Some("wf"), &None));
    assert_eq!(gate.attributes["argo.template.name"], "test");
    assert_eq!(
        (&gate.attributes["argo_attest.inputs"], &gate.attributes["argo_attest.refused"]),
        (&1.into(), &0.into())
    );
    assert_eq!(
        json!(input.attributes),
        json!({"argo_attest.input": "app", "argo_attest.verdict": "accepted"})
    );

    let collector = Collector::new();
    let (log, time) = (Arc::new(Log::new("log.example.com")), Arc::new(Authority::new()));
    let (logs, times) = (log.serve1(LogLie::None), time.serve(TimeLie::None));
    let pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("b")]);
    let root = pod.at("root.json");
    write_root(&root, &[log.root()], &[time.root()]);
    let pod = pod
        .env(ENDPOINT, &collector.endpoint())
        .env("TRACEPARENT", TRACEPARENT)
        .env("ARGO_ATTEST_REKOR_URL", &logs.endpoint())
        .env("ARGO_ATTEST_TIMESTAMP_URL", &times.endpoint())
        .env("ARGO_ATTEST_TRUSTED_ROOT", root.to_str().unwrap());
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", sidecar.logged());
    let exports = collector.exports();
    let [(resource, spans)] = &exports[..] else { panic!("{exports:#?}") };
    assert_eq!(
        (&resource["service.name"], &resource["k8s.pod.uid"]),
        (&"argo-attest".into(), &POD_UID.into())
    );
    let beneath = |names: &[&str], above: &str| {
        names.iter().map(|name| format!("{name} < {above}")).collect::<Vec<_>>()
    };
    let mut expected = [
        vec![SIDECAR.to_owned()],
        beneath(&["start", "watch", "finish"], SIDECAR),
        // What says that the step starts is signed and stored, too.
        beneath(&["sign", "put"], &format!("start < {SIDECAR}")),
        beneath(&["digest", "attest", "outcome"], &format!("finish < {SIDECAR}")),
        beneath(&["compare", "sign", "vouch", "put"], &format!("attest < finish < {SIDECAR}")),
        beneath(&["sign", "put"], &format!("outcome < finish < {SIDECAR}")),
    ]
    .concat();
    expected.sort();
    assert_eq!(ways(spans), expected);
    assert!(spans.iter().all(|span| span.trace == TRACE && span.failed.is_none()), "{spans:#?}");
    let own = only(spans, SIDECAR);
    assert_eq!(own.parent.as_deref(), Some(PARENT));
    for (name, value) in [
        ("argo.node.id", json!("wf-build-1")),
        ("argo.workflow.uid", json!("0c5b-workflow")),
        ("argo.template.name", json!("build")),
        ("argo_attest.state", json!("succeeded")),
        ("argo_attest.outputs", json!(2)),
        ("argo_attest.attested", json!(2)),
        ("argo_attest.not_attested", json!(0)),
    ] {
        assert_eq!(own.attributes.get(name), Some(&value), "{name}: {own:#?}");
    }
    let attests: Vec<_> = spans.iter().filter(|span| span.name == "attest").collect();
    let mut bytes = 0;
    for (span, output) in attests.iter().zip(&pod.outputs) {
        assert_eq!(
            (&span.attributes["argo_attest.output"], &span.attributes["argo_attest.verdict"]),
            (&json!(output.name), &json!("attested"))
        );
        bytes += span.attributes["argo_attest.bytes"].as_u64().unwrap();
    }
    assert_eq!((attests.len(), &own.attributes["argo_attest.bytes_digested"]), (2, &bytes.into()));
    assert!(bytes > 0);
    let mut asked: Vec<_> =
        spans.iter().filter_map(|span| span.attributes.get("argo_attest.witness")).collect();
    asked.sort_by_key(ToString::to_string);
    asked.dedup();
    let names =
        [format!("the log {}", logs.endpoint()), format!("the timestamp authority {}", times.endpoint())];
    assert_eq!(
        asked,
        names.iter().map(|name| json!(name)).collect::<Vec<_>>().iter().collect::<Vec<&Value>>()
    );
}

/// Who asks what became of the step must not be told so by the trace alone, and is told the same by it.
#[test]
fn what_is_not_attested_is_an_error() {
    let (s3, collector) = (S3::new(), Collector::new());
    let pod = Pod::new(s3.address(), vec![Output::plain("a"), Output::plain("never")])
        .env(ENDPOINT, &collector.endpoint());
    let mut sidecar = pod.start_ready();
    pod.write_one(&pod.outputs[0]);
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["attested"]), (Some(0), &1.into()), "{message}");
    let spans = collector.spans();
    let own = only(&spans, SIDECAR);
    assert_eq!((own.failed.as_deref(), &own.parent), (Some("not all is attested"), &None));
    assert_eq!(own.attributes["argo_attest.not_attested"], 1);
    let never =
        spans.iter().find(|span| span.attributes.get("argo_attest.output") == Some(&json!("never"))).unwrap();
    assert_eq!(
        (&never.attributes["argo_attest.verdict"], never.failed.as_deref()),
        (&json!("refused"), Some("main did not write it"))
    );
    let attested =
        spans.iter().find(|span| span.attributes.get("argo_attest.output") == Some(&json!("a"))).unwrap();
    assert_eq!((&attested.attributes["argo_attest.verdict"], &attested.failed), (&json!("attested"), &None));

    // The gate's refusal has the word that `verify` has for it.
    let collector = Collector::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let input = Input::new(&upstream.key());
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input).env(ENDPOINT, &collector.endpoint());
    std::fs::write(consumer.path(&input), "something else").unwrap();
    assert_eq!(consumer.gate().code, Some(1));
    let spans = collector.spans();
    let refused = only(&spans, "verify input");
    assert_eq!(
        (&refused.attributes["argo_attest.verdict"], &refused.attributes["argo_attest.reason"]),
        (&json!("refused"), &json!("altered"))
    );
    assert!(refused.failed.is_some());
    assert!(
        only(&spans, GATE)
            .failed
            .as_deref()
            .unwrap()
            .starts_with("main must not start: input \"app\" is not accepted")
    );
}

/// By the variables of all exporters, over TLS, as whoever runs the collector wants it: and no credential but that.
#[test]
fn a_collector_is_reached_as_the_variables_say() {
    let Some(authority) = Authorities::new() else { return };
    let collector = Collector::over(authority.server("IP:127.0.0.1", "2"));
    let endpoint = collector.endpoint().replace("http:", "https:");
    let s3 = S3::new();
    let consumer = |ca: &str| {
        Consumer::bare(&s3)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret-of-the-collector")
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            .env(ca, authority.bundle().to_str().unwrap())
            .env("AWS_SESSION_TOKEN", "s3cret-of-the-store")
    };
    for ca in ["SSL_CERT_FILE", "OTEL_EXPORTER_OTLP_CERTIFICATE"] {
        let ended = consumer(ca).opens();
        assert!(!ended.log.contains("s3cret"), "{}", ended.log);
    }
    let requests = collector.0.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        let mut names: Vec<_> = request.headers.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["accept", "authorization", "content-length", "content-type", "host", "user-agent"]
        );
        assert_eq!(request.header("authorization"), "Bearer s3cret-of-the-collector");
        assert!(!String::from_utf8_lossy(&request.body).contains("s3cret"));
    }
    // What a store is believed by is that store's alone.
    let ended = consumer("AWS_CA_BUNDLE").opens();
    assert!(ended.log.contains("the spans were not sent") && !ended.log.contains("s3cret"), "{}", ended.log);
    assert_eq!(collector.0.requests().len(), 2);
    // Nothing is sent where that is said.
    for (name, value) in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let ended = consumer("SSL_CERT_FILE").env(name, value).opens();
        assert!(!ended.log.contains("spans"), "{}", ended.log);
    }
    assert_eq!(collector.0.requests().len(), 2);
}
