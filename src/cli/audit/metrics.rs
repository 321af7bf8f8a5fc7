//! What an audit found, as numbers in the text format of Prometheus, for node exporter's textfile
//! collector and for Pushgateway: `docs/metrics.md` says what each of them means.
//!
//! An audit is over before anybody could scrape it, and knows no address to push to: so it is a file.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use argo_attest_core::audit::{Standing, Totals};
use argo_attest_core::verify::Reason;
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// All standings, each of which has a number.
const STANDINGS: [Standing; 5] =
    [Standing::Attested, Standing::Accounted, Standing::LetPass, Standing::Missing, Standing::Unknown];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    place: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Found {
    place: String,
    verdict: &'static str,
    reason: &'static str,
}

/// What is known when an audit has ended.
pub(super) struct Ended<'a> {
    /// What was audited.
    pub(super) place: &'a str,
    pub(super) totals: &'a Totals,
    pub(super) is_complete: bool,
    /// Whether it was told to leave something out, beyond Argo's logs.
    pub(super) is_narrowed: bool,
    pub(super) at: Timestamp,
    pub(super) took: Duration,
}

/// The numbers as text.
pub(super) fn text(ended: &Ended<'_>) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("argo_attest_audit");
    let findings = Family::<Found, Gauge>::default();
    registry.register("findings", "What the last audit found, by verdict and reason", findings.clone());
    let place = || ended.place.to_owned();
    // Those of which there are none are there as well: a series that ends looks like one that was mended.
    for standing in STANDINGS {
        let none = Found { place: place(), verdict: standing.verdict(), reason: "" };
        drop(findings.get_or_create(&none));
    }
    for reason in Reason::ALL {
        if let Some(standing) = standing_of(*reason) {
            let none = Found { place: place(), verdict: standing.verdict(), reason: reason.code() };
            drop(findings.get_or_create(&none));
        }
    }
    for (standing, reason, count) in ended.totals.each() {
        let reason = reason.map(Reason::code).unwrap_or_default();
        let found = Found { place: place(), verdict: standing.verdict(), reason };
        findings.get_or_create(&found).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    let of = Of { place: place() };
    let complete = Family::<Of, Gauge>::default();
    complete.get_or_create(&of).set(i64::from(ended.is_complete));
    registry.register("complete", "1 if the last audit found something, and nothing missing", complete);
    let narrowed = Family::<Of, Gauge>::default();
    narrowed.get_or_create(&of).set(i64::from(ended.is_narrowed));
    registry.register("narrowed", "1 if the last audit was told to leave something out", narrowed);
    let mut seconds = |name, help, value: f64| {
        let family = Family::<Of, Gauge<f64, AtomicU64>>::default();
        family.get_or_create(&of).set(value);
        registry.register_with_unit(name, help, Unit::Seconds, family);
    };
    seconds("end_timestamp", "When the last audit ended, in Unix time", ended.at.as_duration().as_secs_f64());
    seconds("duration", "How long the last audit took", ended.took.as_secs_f64());
    let mut text = String::new();
    encode(&mut text, &registry)?;
    // The end mark is OpenMetrics' own; both formats are the same otherwise, for gauges.
    text.truncate(text.strip_suffix("# EOF\n").map_or(text.len(), str::len));
    Ok(text)
}

/// How most of the reasons count that an audit gives: what is missing.
fn standing_of(reason: Reason) -> Option<Standing> {
    Some(match reason {
        Reason::Unattested
        | Reason::Altered
        | Reason::Untrusted
        | Reason::Expired
        | Reason::Chain
        | Reason::Spliced
        | Reason::StaleVersion
        | Reason::NeverFinished
        | Reason::RefusedInStep
        | Reason::ObjectGone
        | Reason::Orphan => Standing::Missing,
        Reason::Memoised => Standing::Attested,
        Reason::AbsentByRight | Reason::NotOurs | Reason::NotLookedAt => Standing::Accounted,
        Reason::Unreachable | Reason::Denied | Reason::Changing => Standing::Unknown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use argo_attest_core::audit::Finding;

    use super::*;

    #[test]
    fn each_count_has_its_verdict_and_its_reason() {
        let mut totals = Totals::default();
        totals.count(&Finding::Attested);
        totals.count(&Finding::Attested);
        totals.count(&Finding::ObjectGone);
        let ended = Ended {
            place: "s3://b/\"\\\n",
            totals: &totals,
            is_complete: false,
            is_narrowed: true,
            at: "2026-11-26T00:00:01.5Z".parse().unwrap(),
            took: Duration::from_millis(250),
        };
        let text = text(&ended).unwrap();
        let place = r#"place="s3://b/\"\\\n""#;
        for line in [
            format!(r#"argo_attest_audit_findings{{{place},verdict="attested",reason=""}} 2"#),
            format!(r#"argo_attest_audit_findings{{{place},verdict="refused",reason="object-gone"}} 1"#),
            format!(r#"argo_attest_audit_findings{{{place},verdict="refused",reason="unattested"}} 0"#),
            format!("argo_attest_audit_complete{{{place}}} 0"),
            format!("argo_attest_audit_narrowed{{{place}}} 1"),
            format!("argo_attest_audit_end_timestamp_seconds{{{place}}} 1795651201.5"),
            format!("argo_attest_audit_duration_seconds{{{place}}} 0.25"),
        ] {
            assert!(text.lines().any(|of| of == line), "no {line} in\n{text}");
        }
        assert!(!text.contains("EOF"));
    }
}
