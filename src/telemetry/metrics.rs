//! The numbers: `docs/metrics.md` says what each of them means. They are written
//! as `OpenMetrics` text, <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
//!
//! Whoever counts keeps the count; what is set here is a total, and a total that
//! is smaller than what was set before changes nothing, since counters only grow.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// `Content-Type` of [`Metrics::text`].
pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct When {
    when: &'static str,
}

const BEFORE_END: When = When { when: "before_end" };
const AFTER_END: When = When { when: "after_end" };

/// How much was digested before main's end, and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// While main ran.
    pub before_end: u64,
    /// When it had ended.
    pub after_end: u64,
}

/// The numbers of one process.
pub struct Metrics {
    bytes: Family<When, Counter>,
    files: Family<When, Counter>,
    refused: Counter,
    store_retries: Counter,
    attested: Counter,
    not_attested: Counter,
    end_to_done: Gauge<f64, AtomicU64>,
    not_ready: Gauge,
    registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("argo_attest");
        let (bytes, files) = (Family::<When, Counter>::default(), Family::<When, Counter>::default());
        for family in [&bytes, &files] {
            // Present from the start: a series that appears later has no rate.
            set_both(family, Counts::default());
        }
        registry.register("bytes_digested", "Bytes of the files that were digested", bytes.clone());
        registry.register("files_digested", "Files that were digested", files.clone());
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let refused = counter("refused", "Entries of outputs that were refused");
        let store_retries = counter("store_retries", "Requests to the store that were made again");
        let attested = counter("attested", "Outputs that are attested");
        let not_attested = counter("not_attested", "Outputs that could not be attested");
        let end_to_done = Gauge::default();
        registry.register_with_unit(
            "end_to_done",
            "From main's end until everything was attested or given up; 0 until then",
            Unit::Seconds,
            end_to_done.clone(),
        );
        let not_ready = Gauge::default();
        registry.register(
            "not_ready",
            "1 if main started though not all was ready, or nothing can be attested",
            not_ready.clone(),
        );
        Self {
            bytes,
            files,
            refused,
            store_retries,
            attested,
            not_attested,
            end_to_done,
            not_ready,
            registry,
        }
    }
}

impl Metrics {
    /// Bytes digested so far.
    pub fn set_bytes_digested(&self, counts: Counts) {
        set_both(&self.bytes, counts);
    }

    /// Files digested so far.
    pub fn set_files_digested(&self, counts: Counts) {
        set_both(&self.files, counts);
    }

    /// Entries of outputs refused so far.
    pub fn set_refused(&self, count: u64) {
        set(&self.refused, count);
    }

    /// Requests to the store made again so far.
    pub fn set_store_retries(&self, count: u64) {
        set(&self.store_retries, count);
    }

    /// Outputs attested so far.
    pub fn set_attested(&self, count: u64) {
        set(&self.attested, count);
    }

    /// Outputs that could not be attested, so far.
    pub fn set_not_attested(&self, count: u64) {
        set(&self.not_attested, count);
    }

    /// Main starts, though not all is ready.
    pub fn set_not_ready(&self) {
        self.not_ready.set(1);
    }

    /// How long it took from main's end until nothing was left to do.
    pub fn set_end_to_done(&self, time: Duration) {
        self.end_to_done.set(time.as_secs_f64());
    }

    /// All of them, as `OpenMetrics` text.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn set_both(family: &Family<When, Counter>, counts: Counts) {
    // What `get_or_create` gives holds a lock that making another series waits
    // for: it must not outlive its statement.
    set(&family.get_or_create(&BEFORE_END), counts.before_end);
    set(&family.get_or_create(&AFTER_END), counts.after_end);
}

fn set(counter: &Counter, total: u64) {
    counter.inner().fetch_max(total, Ordering::Relaxed);
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(metrics: &Metrics, series: &str) -> String {
        let text = metrics.text().unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series} in\n{text}")).to_owned()
    }

    #[test]
    fn tells_what_was_set() {
        let metrics = Metrics::default();
        for (series, at_first) in [
            (r#"argo_attest_bytes_digested_total{when="before_end"}"#, "0"),
            (r#"argo_attest_files_digested_total{when="after_end"}"#, "0"),
            ("argo_attest_refused_total", "0"),
            ("argo_attest_end_to_done_seconds", "0.0"),
        ] {
            assert_eq!(value(&metrics, series), at_first);
        }
        metrics.set_bytes_digested(Counts { before_end: 10, after_end: 20 });
        metrics.set_files_digested(Counts { before_end: 1, after_end: 2 });
        metrics.set_refused(3);
        metrics.set_store_retries(4);
        metrics.set_attested(5);
        metrics.set_not_attested(6);
        metrics.set_end_to_done(Duration::from_millis(250));
        for (series, now) in [
            (r#"argo_attest_bytes_digested_total{when="before_end"}"#, "10"),
            (r#"argo_attest_bytes_digested_total{when="after_end"}"#, "20"),
            (r#"argo_attest_files_digested_total{when="before_end"}"#, "1"),
            (r#"argo_attest_files_digested_total{when="after_end"}"#, "2"),
            ("argo_attest_refused_total", "3"),
            ("argo_attest_store_retries_total", "4"),
            ("argo_attest_attested_total", "5"),
            ("argo_attest_not_attested_total", "6"),
            ("argo_attest_end_to_done_seconds", "0.25"),
        ] {
            assert_eq!(value(&metrics, series), now);
        }
        assert!(metrics.text().unwrap().ends_with("# EOF\n"));
    }

    #[test]
    fn counters_never_go_back() {
        let metrics = Metrics::default();
        metrics.set_attested(5);
        metrics.set_attested(2);
        assert_eq!(value(&metrics, "argo_attest_attested_total"), "5");
    }
}
