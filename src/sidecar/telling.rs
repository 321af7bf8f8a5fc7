//! What became of the step: signed into the store, to the kubelet, the log and
//! the metrics, and on the pod where the service account may.

use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::argo::ObjectRef;
use argo_attest_core::outcome::{Fate, OutputOutcome, STEP_OUTCOME_V1, StepOutcome};
use argo_attest_core::text::causes;
use tokio::join;
use tracing::{debug, error, info, warn};

use super::clock::Deadline;
use super::life::Sidecar;
use super::settings::Form;
use super::status::Status;
use crate::attest::{AttestationNames, Attestor, Reported};
use crate::cluster::Notice;
use crate::signer::Signer;
use crate::store::Store;
use crate::telemetry::{Counts, Metrics};
use crate::volume::ObservationStats;

/// How long it may take to tell the pod. An API server that can be reached needs
/// a few hundredths of that.
pub(super) const SHOWING: Duration = Duration::from_millis(1500);

impl Sidecar<'_> {
    /// The signed outcome, then the termination message, whatever became of the former.
    pub(super) async fn report(
        &mut self,
        outcome: &StepOutcome<'_>,
        form: Form,
        signer: &dyn Signer,
        place: Option<(Arc<dyn Store>, ObjectRef)>,
        deadline: Deadline,
    ) {
        let storing = async {
            let (store, object) = place.ok_or("the step has no artifact location of its own")?;
            let names = AttestationNames::beside(object.key()).map_err(|e| e.to_string())?;
            let attestor = Attestor::new(signer, store.as_ref());
            let predicate = outcome.predicate();
            attestor
                .report("the step's outcome", outcome.subject(), STEP_OUTCOME_V1, &predicate, &names)
                .await
                .map_err(|e| causes(&e))
        };
        let stored = deadline
            .within(storing)
            .await
            .unwrap_or_else(|_| Err("the grace period ended before it was stored".into()));
        if let Err(why) = &stored {
            error!(why, "the step's outcome could not be stored");
        }
        outcome.outputs.iter().for_each(|output| log(output, form));
        count_outputs(self.metrics, &outcome.outputs);
        let place = stored.as_ref().map(Reported::bundle_uri).map_err(String::as_str);
        self.tell(&Status::Done(outcome.termination_message(place)));
    }

    /// Annotates the pod and adds an event. That it may not is usual, and nothing
    /// hangs on it: nobody is told but who looks for it.
    pub(super) async fn show(&self, notice: &Notice, deadline: Deadline) {
        let Some(pod) = self.pod else { return };
        let telling = async { join!(pod.annotate(&notice.annotations), pod.record(&notice.event)) };
        match deadline.within(telling).await {
            Ok((Ok(()), Ok(()))) => debug!("the pod is annotated"),
            Ok((annotated, recorded)) => {
                let trouble = |result: Result<(), _>| result.err().map(|error| causes(&error));
                debug!(annotation = trouble(annotated), event = trouble(recorded), "the pod was not told");
            }
            Err(_) => debug!("the pod was not told in time"),
        }
    }
}

pub(super) fn count_digested(metrics: &Metrics, stats: &ObservationStats) {
    let (before_end, after_end) = (stats.bytes_before_end, stats.bytes_after_end);
    metrics.set_bytes_digested(Counts { before_end, after_end });
    let (before_end, after_end) = (stats.files_before_end, stats.files_after_end);
    metrics.set_files_digested(Counts { before_end, after_end });
}

fn count_outputs(metrics: &Metrics, outputs: &[OutputOutcome]) {
    let total = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let with = |verdict: fn(&Fate) -> bool| total(outputs.iter().filter(|o| verdict(&o.fate)).count());
    metrics.set_attested(with(|fate| matches!(fate, Fate::Attested(_))));
    metrics.set_not_attested(with(|fate| matches!(fate, Fate::Refused { .. } | Fate::Unfinished { .. })));
    metrics.set_refused(total(outputs.iter().map(|o| o.refused.len()).sum()));
}

fn log(output: &OutputOutcome, form: Form) {
    let (name, form) = (&output.name, form.as_str());
    match &output.fate {
        Fate::Attested(attested) => {
            let (digest, attestation) = (attested.digest(), attested.attestation());
            info!(output = name, digest, attestation, form, "attested");
        }
        Fate::Absent => info!(output = name, form, "absent, as it may be"),
        Fate::Refused { reason } | Fate::Unfinished { reason } => {
            warn!(output = name, reason, form, "not attested");
        }
    }
    for (entry, reason) in &output.refused {
        warn!(output = name, entry, reason, form, "refused");
    }
}
