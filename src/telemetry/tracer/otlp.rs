//! Spans as OTLP/HTTP has them in JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>):
//! ids in hexadecimal digits, numbers of 64 bits as texts.

use serde::Serialize;

use super::Said;
use super::recorder::{ROOT, Recorded, Recorder};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;
/// `SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK`, and `SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK` beside it: of the parent.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;
/// The trace is recorded (W3C Trace Context, `sampled`).
const SAMPLED: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Traces {
    resource_spans: [ResourceSpans; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    resource: Resource,
    scope_spans: [ScopeSpans; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct ScopeSpans {
    scope: Scope,
    spans: Vec<Span>,
}

#[derive(Serialize)]
struct Scope {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "as OTLP names them")]
struct Span {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<String>,
    flags: u32,
    name: &'static str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Status {
    code: u8,
    message: String,
}

#[derive(Serialize)]
struct Attribute {
    key: String,
    value: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Value {
    StringValue(String),
    IntValue(String),
}

impl Attribute {
    fn new(key: &str, said: Said) -> Self {
        let value = match said {
            Said::Text(text) => Value::StringValue(text),
            // int64.
            Said::Count(count) => Value::IntValue(i64::try_from(count).unwrap_or(i64::MAX).to_string()),
        };
        Self { key: key.to_owned(), value }
    }
}

impl Recorder {
    /// All spans, as the body of one request. What has not ended ends now.
    pub(super) fn body(&self) -> Vec<u8> {
        let now = self.elapsed();
        let kept = self.kept();
        let span = |(at, recorded): (usize, &Recorded)| {
            let Recorded { id, beneath, name, from, to, said, failed } = recorded;
            let mut attributes: Vec<_> =
                said.iter().map(|(key, said)| Attribute::new(key, said.clone())).collect();
            if at == ROOT && kept.dropped > 0 {
                attributes.push(Attribute::new("argo_attest.spans.dropped", kept.dropped.into()));
            }
            let parent = match beneath {
                Some(at) => kept.spans.get(*at).map(|span| span.id),
                None => self.parent,
            };
            let is_remote = if beneath.is_none() && parent.is_some() { IS_REMOTE } else { 0 };
            Span {
                trace_id: self.trace.to_string(),
                span_id: id.to_string(),
                parent_span_id: parent.map(|parent| parent.to_string()),
                flags: SAMPLED | HAS_IS_REMOTE | is_remote,
                name,
                kind: INTERNAL,
                start_time_unix_nano: self.nanos(*from).to_string(),
                end_time_unix_nano: self.nanos(to.unwrap_or(now)).to_string(),
                attributes,
                status: failed.clone().map(|message| Status { code: ERROR, message }),
            }
        };
        let spans = kept.spans.iter().enumerate().map(span).collect();
        let resource =
            self.target.resource().map(|(key, text)| Attribute::new(key, Said::Text(text.to_owned())));
        let traces = Traces {
            resource_spans: [ResourceSpans {
                resource: Resource { attributes: resource.collect() },
                scope_spans: [ScopeSpans {
                    scope: Scope { name: "argo-attest", version: env!("CARGO_PKG_VERSION") },
                    spans,
                }],
            }],
        };
        // Texts and numbers alone: there is nothing that could not be written.
        serde_json::to_vec(&traces).unwrap_or_default()
    }
}
