//! What became of the step's outputs, to the log and the metrics; and its outcome, signed,
//! into the store.

use std::sync::Arc;

use argo_attest_core::argo::ObjectRef;
use argo_attest_core::outcome::{Fate, OutputOutcome, STEP_OUTCOME_V1, StepOutcome};
use argo_attest_core::text::causes;
use tracing::{info, warn};

use super::settings::Form;
use crate::artifact_repository::key;
use crate::attest::{Attestor, Reported};
use crate::attestations::ObjectAttestations;
use crate::observe::ObservationStats;
use crate::signer::Signer;
use crate::store::Store;
use crate::telemetry::{Counts, Metrics};

/// Signs the outcome, and stores it at its place, if it has one.
pub(super) async fn store_outcome(
    outcome: &StepOutcome<'_>,
    signer: &dyn Signer,
    place: Option<(Arc<dyn Store>, ObjectRef)>,
) -> Result<Reported, String> {
    let (store, object) = place.ok_or("the step has no artifact location of its own")?;
    let key = key(&object).map_err(|e| e.to_string())?;
    let place = ObjectAttestations::new(store.as_ref(), &key);
    place.names().map_err(|e| e.to_string())?;
    let attestor = Attestor::new(signer);
    let predicate = outcome.predicate();
    attestor
        .report("the step's outcome", outcome.subject(), STEP_OUTCOME_V1, &predicate, &place)
        .await
        .map_err(|e| causes(&e))
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

pub(super) fn log(output: &OutputOutcome, form: Form) {
    let (name, form) = (&output.name, form.as_str());
    match &output.fate {
        Fate::Attested(attested) => {
            let (digest, attestation) = (attested.digest(), attested.attestation());
            info!(output = name, digest, attestation, form, "attested");
        }
        Fate::Absent => info!(output = name, form, "absent, as it may be"),
        Fate::Refused { reason } | Fate::Unfinished { reason } | Fate::NotAttempted { reason } => {
            warn!(output = name, reason, form, "not attested");
        }
    }
    for (entry, reason) in &output.refused {
        warn!(output = name, entry, reason, form, "refused");
    }
}
