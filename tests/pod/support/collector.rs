//! An OpenTelemetry collector, as far as a sender sees it.

use serde_json::{Map, Value, json};

use crate::scripted::{Act, Plain, Request, Scripted, Wrap, reply};

pub(crate) struct Collector(pub(crate) Scripted);

/// A span as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: Option<String>,
    pub(crate) attributes: Map<String, Value>,
    /// Its text, if it failed.
    pub(crate) failed: Option<String>,
}

/// How a collector says that it took all.
pub(crate) fn taken() -> Act {
    Act::Reply(reply(200, &[("Content-Type", "application/json")], b"{\"partialSuccess\":{}}"))
}

impl Collector {
    /// Takes what it is sent.
    pub(crate) fn new() -> Self {
        Self::over(Plain)
    }

    pub(crate) fn over<W: Wrap>(wrap: W) -> Self {
        Self(Scripted::choosing(wrap, |_| Some(taken())))
    }

    /// Does as it likes.
    pub(crate) fn acting(act: Act) -> Self {
        Self(Scripted::choosing(Plain, move |_| Some(act.clone())))
    }

    pub(crate) fn endpoint(&self) -> String {
        self.0.endpoint()
    }

    /// Each request, with its resource and its spans.
    pub(crate) fn exports(&self) -> Vec<(Map<String, Value>, Vec<Span>)> {
        self.0.requests().iter().map(export).collect()
    }

    /// All spans that came.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.exports().into_iter().flat_map(|(_, spans)| spans).collect()
    }
}

fn export(request: &Request) -> (Map<String, Value>, Vec<Span>) {
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/traces"));
    assert_eq!(request.header("content-type"), "application/json");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let [of] = &body["resourceSpans"].as_array().unwrap()[..] else { panic!("{body}") };
    let [scope] = &of["scopeSpans"].as_array().unwrap()[..] else { panic!("{body}") };
    assert_eq!(scope["scope"]["name"], "argo-attest");
    (attributes(&of["resource"]["attributes"]), scope["spans"].as_array().unwrap().iter().map(span).collect())
}

fn span(span: &Value) -> Span {
    let text = |of: &Value| of.as_str().map(str::to_owned);
    let nanos = |of: &str| span[of].as_str().unwrap().parse::<u64>().unwrap();
    assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"), "{span}");
    Span {
        name: text(&span["name"]).unwrap(),
        trace: text(&span["traceId"]).unwrap(),
        id: text(&span["spanId"]).unwrap(),
        parent: text(&span["parentSpanId"]),
        attributes: attributes(&span["attributes"]),
        failed: (span["status"]["code"] == 2).then(|| text(&span["status"]["message"]).unwrap()),
    }
}

fn attributes(list: &Value) -> Map<String, Value> {
    let of = |item: &Value| {
        let value = &item["value"];
        let count = || json!(value["intValue"].as_str().unwrap().parse::<u64>().unwrap());
        let value = value.get("stringValue").cloned().unwrap_or_else(count);
        (item["key"].as_str().unwrap().to_owned(), value)
    };
    list.as_array().unwrap().iter().map(of).collect()
}

/// The names of the spans that a span is beneath, innermost first, each once where several are alike.
pub(crate) fn ways(spans: &[Span]) -> Vec<String> {
    let of = |id: &Option<String>| spans.iter().find(|other| Some(&other.id) == id.as_ref());
    let way = |span: &Span| {
        let names = std::iter::successors(Some(span), |span| of(&span.parent));
        names.map(|span| span.name.as_str()).collect::<Vec<_>>().join(" < ")
    };
    let mut ways: Vec<_> = spans.iter().map(way).collect();
    ways.sort();
    ways.dedup();
    ways
}

/// The one span of this name.
#[track_caller]
pub(crate) fn only<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    let [one] = found[..] else { panic!("{name}: {found:#?} of {:?}", ways(spans)) };
    one
}
