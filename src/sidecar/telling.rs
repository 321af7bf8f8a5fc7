//! What became of the step's outputs, to the log and the metrics; and its outcome, signed,
//! into the store.

use argo_attest_core::outcome::{Fate, OutputOutcome, PredicateOutcome, STEP_OUTCOME_V1, StepOutcome};
use tokio::time::Instant;
use tracing::{info, warn};

use super::preparation::OutcomePlace;
use super::settings::Form;
use crate::attest::{AttestError, Attestor, Reported};
use crate::attestations::{Foreign, ObjectAttestations};
use crate::observe::ObservationStats;
use crate::signer::Signer;
use crate::telemetry::{Counts, Metrics, Span, Tracer};
use crate::witness::Witnesses;

/// What an outcome is called in a message.
const OUTCOME: &str = "the step's outcome";

/// Signs the outcome, and stores it at its place. Where it counts by a certificate, others are asked to vouch for
/// it, no longer than until then.
pub(super) async fn store_outcome(
    outcome: &StepOutcome<'_>,
    signer: &dyn Signer,
    vouching: (&Witnesses, Option<Instant>),
    OutcomePlace { store, key }: &OutcomePlace,
) -> Result<Reported, AttestError> {
    let place = ObjectAttestations::new(store.as_ref(), key);
    let (witnesses, until) = vouching;
    let attestor = Attestor::new(signer).with_foreign(Foreign::SetAside).with_witnesses(witnesses, until);
    let predicate = outcome.predicate();
    attestor.report(OUTCOME, outcome.subject(), STEP_OUTCOME_V1, &predicate, &place).await
}

pub(super) fn count_digested(metrics: &Metrics, stats: &ObservationStats) {
    let (before_end, after_end) = (stats.bytes_before_end, stats.bytes_after_end);
    metrics.set_bytes_digested(Counts { before_end, after_end });
    let (before_end, after_end) = (stats.files_before_end, stats.files_after_end);
    metrics.set_files_digested(Counts { before_end, after_end });
}

pub(super) fn count_outputs(metrics: &Metrics, outputs: &[OutputOutcome]) {
    let total = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let with = |verdict: fn(&Fate) -> bool| total(outputs.iter().filter(|o| verdict(&o.fate)).count());
    metrics.set_attested(with(|fate| matches!(fate, Fate::Attested(_))));
    metrics.set_not_attested(with(|fate| fate.reason().is_some()));
    metrics.set_refused(total(outputs.iter().map(|o| o.refused.len()).sum()));
}

/// What became of one output, beside its span.
pub(super) fn trace_fate(span: &Span, fate: &Fate) {
    span.say("argo_attest.verdict", fate.verdict());
    if let Some(reason) = fate.reason() {
        span.fail(reason);
    }
}

/// What became of the step, beside its spans.
pub(super) fn trace(tracer: &Tracer, outcome: &StepOutcome<'_>) {
    let count = |is: fn(&Fate) -> bool| outcome.outputs.iter().filter(|output| is(&output.fate)).count();
    tracer.say("argo.template.name", outcome.template);
    tracer.say("argo_attest.state", outcome.state.word());
    tracer.say("argo_attest.outputs", outcome.outputs.len());
    tracer.say("argo_attest.attested", count(|fate| matches!(fate, Fate::Attested(_))));
    tracer.say("argo_attest.not_attested", count(|fate| fate.reason().is_some()));
    if !outcome.is_complete() {
        tracer.fail("not all is attested");
    }
}

pub(super) fn log(output: &OutputOutcome, form: Form) {
    let (name, form) = (&output.name, form.as_str());
    match &output.fate {
        Fate::Attested(attested) => {
            let (digest, attestation) = (attested.digest(), attested.attestation());
            info!(output = name, digest, attestation, form, "attested");
        }
        Fate::NotStored { reason } => info!(output = name, reason, form, "nothing of it is stored"),
        Fate::Absent => info!(output = name, form, "absent, as it may be"),
        Fate::Refused { reason } | Fate::Unfinished { reason } | Fate::NotAttempted { reason } => {
            warn!(output = name, reason, form, "not attested");
        }
    }
    if !output.not_stored.is_empty() {
        let links = output.not_stored.len();
        info!(output = name, links, form, "symbolic links of which Argo stores nothing");
    }
    for (entry, reason) in &output.refused {
        warn!(output = name, entry, reason, form, "refused");
    }
}

pub(super) fn log_predicate(predicate: &PredicateOutcome, form: Form) {
    let PredicateOutcome { name, kind, about, fate, .. } = predicate;
    let (kind, about, form) = (kind.as_str(), about.as_deref().unwrap_or_default(), form.as_str());
    match fate {
        Fate::Attested(attested) => {
            info!(
                predicate = name,
                kind,
                about,
                attestation = attested.attestation(),
                form,
                "signed as what it is"
            );
        }
        Fate::Absent | Fate::NotStored { .. } => {
            info!(predicate = name, kind, about, form, "nothing to sign, as it may be");
        }
        Fate::Refused { reason } | Fate::Unfinished { reason } | Fate::NotAttempted { reason } => {
            warn!(predicate = name, kind, about, reason, form, "not signed");
        }
    }
}
