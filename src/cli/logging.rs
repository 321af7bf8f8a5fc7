//! Logs: standard error, as JSON lines where nobody watches. Every line carries
//! the trace that the work belongs to, if `TRACEPARENT` names one.
//!
//! However loud it is asked for, of the libraries that speak with servers only warnings
//! are logged: what they trace are requests, with the headers and tokens in them.

use std::borrow::Cow;
use std::fmt;
use std::io::{IsTerminal as _, stderr};

use argo_attest_core::secret::redacted;
use argo_attest_core::text::{JsonText, Lines};
use argo_attest_core::trace_context::TraceContext;
use serde_json::Value;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, ParseError, Targets, filter_fn};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::{Filter, Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Registry, registry};

/// Installs the subscriber. A filter that does not parse is the caller's to
/// report; a `traceparent` that does not parse is none, as W3C Trace Context
/// (section 4.3) has it, and a warning.
pub(super) fn install(filter: &str, traceparent: Option<&str>) -> Result<(), String> {
    let filter = parsed(filter)?;
    let trace = traceparent.map(str::parse::<TraceContext>).transpose();
    // A second installation, in one process, changes nothing.
    let _ = if stderr().is_terminal() {
        // Without colours: what is written would be them as well.
        let lines =
            tracing_subscriber::fmt::layer().with_ansi(false).with_target(false).log_internal_errors(false);
        let lines = lines.with_writer(|| Lines(stderr()));
        tracing::subscriber::set_global_default(registry().with(lines.with_filter(bounded(filter))))
    } else {
        let lines = json_lines(filter, trace.ok().flatten(), || JsonText::new(stderr()));
        tracing::subscriber::set_global_default(lines)
    };
    if let Err(error) = trace {
        tracing::warn!(%error, "TRACEPARENT is not used");
    }
    Ok(())
}

/// The level that is so many steps louder than this one.
pub(super) fn louder(usual: &str, steps: u8) -> &'static str {
    const LEVELS: [&str; 4] = ["warn", "info", "debug", "trace"];
    let at = LEVELS.iter().position(|level| *level == usual).unwrap_or_default();
    LEVELS.get(at.saturating_add(steps.into())).copied().unwrap_or("trace")
}

/// A filter. A word alone is a level: as a part of the program's name, which it could be as
/// well, it would be there by a slip, and silence everything.
fn parsed(filter: &str) -> Result<Targets, String> {
    let is_level = |text: &str| !text.is_empty() && text.parse::<LevelFilter>().is_ok();
    // Of spans and fields nothing is known here.
    let is_good = |word: &str| match word.split_once('=') {
        Some((target, level)) => !target.is_empty() && !target.contains(['[', '=']) && is_level(level),
        None => is_level(word),
    };
    if !filter.split(',').map(str::trim).all(is_good) {
        return Err("it is no level".to_owned());
    }
    filter.parse().map_err(|e: ParseError| e.to_string())
}

/// What is asked for of this program, and warnings of all others.
fn bounded(filter: Targets) -> impl Filter<Registry> {
    filter.and(filter_fn(|event| is_ours(event) || *event.level() <= Level::WARN))
}

fn is_ours(event: &Metadata<'_>) -> bool {
    event.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"))
}

fn json_lines(
    filter: Targets,
    trace: Option<TraceContext>,
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        // It would panic where standard error is gone.
        .log_internal_errors(false)
        .json()
        .flatten_event(true)
        .map_event_format(|lines| Traced { lines, trace });
    registry().with(lines.with_filter(bounded(filter)))
}

/// Lines of JSON objects, each with `trace_id` and `span_id` at its head.
///
/// Not by a span around everything: a span is entered thread by thread, and those
/// that digest would be left out; and its fields would be nested.
struct Traced<F> {
    lines: F,
    trace: Option<TraceContext>,
}

impl<F, S, N> FormatEvent<S, N> for Traced<F>
where
    F: FormatEvent<S, N>,
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        let line = quiet(&line);
        let Some(trace) = &self.trace else { return writer.write_str(&line) };
        let fields = line.strip_prefix('{').ok_or(fmt::Error)?;
        write!(writer, r#"{{"trace_id":"{}","span_id":"{}",{fields}"#, trace.trace_id(), trace.span_id())
    }
}

/// The line without what may be a key, wherever in it that stands: what is logged of a step
/// is what others wrote.
fn quiet(line: &str) -> Cow<'_, str> {
    if redacted(line) == line {
        return line.into();
    }
    // Text by text, so that it stays JSON.
    let told = serde_json::from_str(line).map(|fields| without_keys(fields).to_string());
    (told.unwrap_or_else(|_| "{}".to_owned()) + "\n").into()
}

fn without_keys(value: Value) -> Value {
    match value {
        Value::String(text) => redacted(&text).into(),
        Value::Array(items) => items.into_iter().map(without_keys).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields.map(|(name, value)| (redacted(&name).into_owned(), without_keys(value))).collect()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use tracing::dispatcher::{self, Dispatch};

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn targets(filter: &str) -> Targets {
        parsed(filter).unwrap()
    }

    /// What is logged by two threads, line by line.
    fn logged(traceparent: Option<&str>) -> Vec<Value> {
        let sink = Sink::default();
        let writer = sink.clone();
        let trace = traceparent.map(|text| text.parse().unwrap());
        let lines = Dispatch::new(json_lines(targets("info"), trace, move || writer.clone()));
        dispatcher::with_default(&lines, || tracing::info!(files = 3, "first\nline"));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                dispatcher::with_default(&lines, || {
                    let _span = tracing::info_span!("digesting", path = "a").entered();
                    tracing::warn!("second");
                    tracing::debug!("not logged");
                });
            });
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn every_line_of_every_thread_names_the_trace() {
        let lines = logged(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        assert_eq!(lines.len(), 2);
        for line in &lines {
            assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
            assert_eq!(line["span_id"], "00f067aa0ba902b7");
        }
        assert_eq!((&lines[0]["message"], &lines[0]["files"]), (&"first\nline".into(), &3.into()));
        assert_eq!((&lines[1]["level"], &lines[1]["span"]["path"]), (&"WARN".into(), &"a".into()));
    }

    #[test]
    fn each_v_is_one_level() {
        assert_eq!(
            [0, 1, 2, 3, 255].map(|steps| louder("warn", steps)),
            ["warn", "info", "debug", "trace", "trace"]
        );
        assert_eq!([0, 1, 2, 3].map(|steps| louder("info", steps)), ["info", "debug", "trace", "trace"]);
    }

    #[test]
    fn of_others_only_warnings_are_logged() {
        let sink = Sink::default();
        let writer = sink.clone();
        let lines = Dispatch::new(json_lines(targets("trace,hyper=trace"), None, move || writer.clone()));
        dispatcher::with_default(&lines, || {
            tracing::trace!("ours");
            tracing::info!(target: "aws_smithy_runtime::client", "authorization: canary");
            tracing::trace!(target: "hyper::proto::h1", "x-amz-security-token: canary");
            tracing::debug!(target: "aws_sigv4::http_request", "canary");
            tracing::info!(target: "argo_attested", "canary");
            tracing::warn!(target: "hyper::proto::h1", "a warning");
        });
        let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("ours") && text.contains("a warning") && !text.contains("canary"), "{text}");
    }

    #[test]
    fn a_line_stays_json_without_the_key_in_it() {
        let line = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
        for key in [line, &line[20..], &format!("-----BEGIN PRIVATE KEY-----\r\n{line}\r\n")] {
            let sink = Sink::default();
            let writer = sink.clone();
            let lines = Dispatch::new(json_lines(targets("info"), None, move || writer.clone()));
            dispatcher::with_default(&lines, || {
                tracing::info!(step = key, digest = "sha256:1", "at s3://bucket/{key}");
            });
            let text = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
            let told: Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
            assert!(!text.contains(&line[24..36]), "{text}");
            assert_eq!((&told["level"], &told["digest"]), (&"INFO".into(), &"sha256:1".into()));
        }
    }

    #[test]
    fn lines_are_plain_without_a_trace() {
        let lines = logged(None);
        assert_eq!((lines.len(), lines[0].get("trace_id")), (2, None));
    }
}
