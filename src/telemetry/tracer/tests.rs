use std::collections::HashMap;
use std::ffi::OsString;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::recorder::MOST;
use super::*;

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn env<'a>(of: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
    let of: HashMap<_, _> = of.iter().copied().collect();
    move |name: &str| of.get(name).map(Into::into)
}

fn target(of: &[(&str, &str)]) -> Result<Option<Target>, InvalidTarget> {
    Target::from_env(None, &env(of))
}

fn there() -> Target {
    target(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/")]).unwrap().unwrap()
}

fn body(tracer: &Tracer) -> Value {
    serde_json::from_slice(&tracer.0.as_ref().unwrap().body()).unwrap()
}

fn spans(tracer: &Tracer) -> Vec<Value> {
    body(tracer)["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

#[test]
fn where_spans_go_is_what_all_exporters_take_it_to_be() {
    for (of, to) in [
        (&[][..], None),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")], None),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318")], Some("http://c:4318/v1/traces")),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/x/")], Some("https://c/x/v1/traces")),
        (
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
                ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:1/own"),
            ],
            Some("http://t:1/own"),
        ),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_SDK_DISABLED", "True")], None),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_TRACES_EXPORTER", "none")], None),
        (
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ],
            Some("http://c:4318/v1/traces"),
        ),
    ] {
        assert_eq!(target(of).unwrap().map(|to| to.to_string()).as_deref(), to, "{of:?}");
    }
    // What is said in so many words counts before the variables.
    let given = "https://collector.example.com".parse().unwrap();
    let of = [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_SDK_DISABLED", "true")];
    let to = Target::from_env(Some(&given), &env(&of)).unwrap().unwrap();
    assert_eq!(to.to_string(), "https://collector.example.com/v1/traces");
}

#[test]
fn what_is_not_understood_is_named_and_not_repeated() {
    let there = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
    let long = format!("a={}", "x".repeat(20_000));
    let many: Vec<_> = (0..100).map(|at| format!("h{at}=x")).collect();
    for (name, odd) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4318 s3cret"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://s3cret:s3cret@c"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://s3cret"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a b=s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=s3cret%0d%0ax: y"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=s3cret%x"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "=s3cret"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%ff"),
        ("OTEL_EXPORTER_OTLP_HEADERS", &long),
        ("OTEL_EXPORTER_OTLP_HEADERS", &many.join(",")),
        ("OTEL_EXPORTER_OTLP_HEADERS", "content-length=s3cret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "Host=s3cret"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "s3cret"),
        ("HTTPS_PROXY", "socks5://s3cret"),
    ] {
        let why = target(&[there, (name, odd)]).unwrap_err().to_string();
        assert!(why.contains(name) && !why.contains("s3cret"), "{why}");
    }
}

#[test]
fn headers_are_told_to_nobody() {
    let of = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret,x-a=b"),
        ("OTEL_SERVICE_NAME", "us"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=them,k8s.cluster.name=c%201"),
    ];
    let mut target = target(&of).unwrap().unwrap();
    target.describe("k8s.cluster.name", "another");
    target.describe("k8s.pod.name", "pod-1");
    assert!(!format!("{target:?}{target}").contains("s3cret"));
    let tracer = Tracer::new(target, None, "root");
    assert!(!format!("{tracer:?}").contains("s3cret"));
    let body = body(&tracer);
    let resource = json!([
        {"key": "k8s.cluster.name", "value": {"stringValue": "c 1"}},
        {"key": "k8s.pod.name", "value": {"stringValue": "pod-1"}},
        {"key": "service.name", "value": {"stringValue": "us"}},
        {"key": "service.version", "value": {"stringValue": env!("CARGO_PKG_VERSION")}},
    ]);
    assert_eq!(body["resourceSpans"][0]["resource"]["attributes"], resource);
    assert!(!body.to_string().contains("s3cret"));
}

#[test]
fn spans_are_beneath_each_other_and_join_the_trace() {
    let tracer = Tracer::new(there(), Some(PARENT.parse().unwrap()), "root");
    tracer.say("count", 3_usize);
    {
        let span = tracer.span("work");
        span.say("output", "a\nb");
        span.fail("it is gone");
    }
    let spans = spans(&tracer);
    let [root, work] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(root["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!((&work["traceId"], &root["parentSpanId"]), (&root["traceId"], &json!("00f067aa0ba902b7")));
    assert_eq!(work["parentSpanId"], root["spanId"]);
    assert_eq!((&root["flags"], &work["flags"]), (&json!(0x301), &json!(0x101)));
    assert_eq!(root["attributes"], json!([{"key": "count", "value": {"intValue": "3"}}]));
    assert_eq!(work["attributes"], json!([{"key": "output", "value": {"stringValue": "a%0Ab"}}]));
    assert_eq!(work["status"], json!({"code": 2, "message": "it is gone"}));
    assert_eq!((&root["name"], &root["kind"], root.get("status")), (&json!("root"), &json!(1), None));
    let nanos = |span: &Value, of: &str| span[of].as_str().unwrap().parse::<u64>().unwrap();
    for span in &spans {
        assert_eq!(span["spanId"].as_str().unwrap().len(), 16);
        assert!(nanos(span, "startTimeUnixNano") <= nanos(span, "endTimeUnixNano"), "{span}");
        assert!(nanos(span, "startTimeUnixNano") > 1_700_000_000_000_000_000, "{span}");
    }
    // Without a trace it is one of its own.
    let own = Tracer::new(there(), None, "root");
    let spans = self::spans(&own);
    assert_eq!(spans[0].get("parentSpanId"), None);
    assert_ne!(spans[0]["traceId"], "0".repeat(32));
}

/// The names of the spans that each is beneath, innermost first.
fn ways(spans: &[Value]) -> Vec<String> {
    let of = |id: &Value| spans.iter().find(|span| span["spanId"] == *id);
    let way = |span: &Value| {
        let above = std::iter::successors(Some(span), |span| of(&span["parentSpanId"]));
        above.map(|span| span["name"].as_str().unwrap()).collect::<Vec<_>>().join(" < ")
    };
    spans.iter().map(way).collect()
}

#[tokio::test]
async fn work_is_beneath_the_span_that_it_is_done_in_and_fails_as_it_does() {
    let good = || async {
        tokio::task::yield_now().await;
        Ok::<_, std::fmt::Error>(1)
    };
    // Where nobody wants spans, all of it is the same.
    let none = Tracer::default();
    assert_eq!(none.around(traced("sign", good())).await, Ok(1));
    assert!(span("nowhere").0.is_none());
    let tracer = Tracer::new(there(), None, "root");
    let finish = tracer.span("finish");
    // At the same time, in one task.
    let one = |name| async move {
        let span = span(name);
        span.around(async {
            say("argo_attest.witness", "it");
            let _ = traced("sign", good()).await;
            let _ = traced("put", async { Err::<(), _>(std::fmt::Error) }).await;
        })
        .await;
    };
    finish.around(async { tokio::join!(one("a"), one("b")) }).await;
    // Given up by whoever waited for it.
    let hung = finish.around(traced("hung", std::future::pending::<Result<(), std::fmt::Error>>()));
    tokio::time::timeout(Duration::from_millis(1), hung).await.unwrap_err();
    let spans = spans(&tracer);
    let mut ways = ways(&spans);
    ways.sort();
    assert_eq!(
        ways,
        [
            "a < finish < root",
            "b < finish < root",
            "finish < root",
            "hung < finish < root",
            "put < a < finish < root",
            "put < b < finish < root",
            "root",
            "sign < a < finish < root",
            "sign < b < finish < root",
        ]
    );
    for span in &spans {
        let status = match span["name"].as_str().unwrap() {
            "put" => json!({"code": 2, "message": std::fmt::Error.to_string()}),
            "hung" => json!({"code": 2, "message": "it was not finished in time"}),
            _ => Value::Null,
        };
        assert_eq!(span["status"], status, "{span}");
    }
}

#[test]
fn nothing_is_kept_that_nobody_wants_or_that_is_too_much() {
    let unsampled = format!("{}00", &PARENT[..PARENT.len() - 2]);
    let none = Tracer::new(there(), Some(unsampled.parse().unwrap()), "root");
    assert!(none.0.is_none() && none.span("x").0.is_none() && Tracer::default().0.is_none());
    let tracer = Tracer::new(there(), None, "root");
    let names: Vec<&'static str> = (0..40).map(|at| &*format!("n{at}").leak()).collect();
    let finish = tracer.span("finish");
    for _ in 0..MOST + 9 {
        let span = Span::beneath(finish.0.clone(), "x");
        for name in &names {
            span.say(name, "t".repeat(10_000).as_str());
        }
        span.fail(&"f".repeat(10_000));
    }
    // There is room for how it ends.
    assert!(tracer.span("outcome").0.is_some());
    let spans = spans(&tracer);
    assert!(spans.len() < MOST);
    assert_eq!(spans.last().unwrap()["name"], "outcome");
    assert!(body(&tracer).to_string().len() < MOST * 24 * 400);
    assert_eq!(spans[2]["attributes"].as_array().unwrap().len(), 24);
    assert_eq!(spans[0]["attributes"][0]["key"], "argo_attest.spans.dropped");
    let dropped: usize = spans[0]["attributes"][0]["value"]["intValue"].as_str().unwrap().parse().unwrap();
    assert_eq!(dropped, MOST + 9 + 3 - spans.len());
}

#[test]
fn no_key_is_in_a_span() {
    let line = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
    let tracer = Tracer::new(there(), None, "root");
    tracer.say("argo.workflow.name", line);
    tracer.fail(&format!("cannot read {line}"));
    assert!(!body(&tracer).to_string().contains(&line[24..36]), "{}", body(&tracer));
}

proptest! {
    /// Whatever the variables hold, it is a target or none, and the body is JSON of texts that can be printed.
    #[test]
    fn any_variable_is_taken_or_refused(
        headers in "\\PC{0,40}",
        resource in "[\\PCa=,%\u{0}\u{1b}]{0,40}",
        service in "\\PC{0,20}",
    ) {
        let of = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", headers.as_str()),
            ("OTEL_RESOURCE_ATTRIBUTES", resource.as_str()),
            ("OTEL_SERVICE_NAME", service.as_str()),
        ];
        if let Ok(Some(target)) = target(&of) {
            let body = body(&Tracer::new(target, None, "root"));
            let texts = body["resourceSpans"][0]["resource"]["attributes"].as_array().unwrap().clone();
            for text in texts {
                prop_assert!(!text["value"]["stringValue"].as_str().unwrap().chars().any(char::is_control));
            }
        }
    }
}
