//! Logs: standard error, as JSON lines where nobody watches. Every line carries
//! the trace that the work belongs to, if `TRACEPARENT` names one.

use std::fmt;
use std::io::{IsTerminal as _, stderr};

use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::telemetry::TraceContext;
use crate::terminal::{JsonText, Lines};

/// Installs the subscriber. A filter that does not parse is the caller's to
/// report; a `traceparent` that does not parse is none, as W3C Trace Context
/// (section 4.3) has it, and a warning.
pub(super) fn install(filter: &str, traceparent: Option<&str>) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter).map_err(|e| e.to_string())?;
    let trace = traceparent.map(str::parse::<TraceContext>).transpose();
    // A second installation, in one process, changes nothing.
    let _ = if stderr().is_terminal() {
        // Without colours: what is written would be them as well.
        let lines = || Lines(stderr());
        let plain = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false);
        plain.with_writer(lines).with_target(false).try_init()
    } else {
        let subscriber = json_lines(filter, trace.ok().flatten(), || JsonText::new(stderr()));
        tracing::subscriber::set_global_default(subscriber).map_err(Into::into)
    };
    if let Err(error) = trace {
        tracing::warn!(%error, "TRACEPARENT is not used");
    }
    Ok(())
}

fn json_lines(
    filter: EnvFilter,
    trace: Option<TraceContext>,
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .json()
        .flatten_event(true)
        .map_event_format(|lines| Traced { lines, trace })
        .finish()
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
        let Some(trace) = &self.trace else {
            return self.lines.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        let fields = line.strip_prefix('{').ok_or(fmt::Error)?;
        write!(writer, r#"{{"trace_id":"{}","span_id":"{}",{fields}"#, trace.trace_id(), trace.span_id())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
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

    /// What is logged by two threads, line by line.
    fn logged(traceparent: Option<&str>) -> Vec<Value> {
        let sink = Sink::default();
        let writer = sink.clone();
        let trace = traceparent.map(|text| text.parse().unwrap());
        let lines = Dispatch::new(json_lines(EnvFilter::new("info"), trace, move || writer.clone()));
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
    fn lines_are_plain_without_a_trace() {
        let lines = logged(None);
        assert_eq!((lines.len(), lines[0].get("trace_id")), (2, None));
    }
}
