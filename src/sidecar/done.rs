//! Done: what became of every output is known, and remains to be told.

use std::time::Instant;

use argo_attest_core::outcome::{OutputOutcome, PredicateOutcome, StepOutcome, StepState};
use argo_attest_core::text::causes;
use jiff::Timestamp;
use tracing::{error, info};

use super::grace::Grace;
use super::life::End;
use super::preparation::OutcomePlace;
use super::settings::Form;
use super::status::Status;
use super::surroundings::Surroundings;
use super::telling::{count_outputs, log, log_predicate, store_outcome, trace};
use crate::artifact_repository::Stores;
use crate::attest::Reported;
use crate::cluster::Notice;
use crate::signer::FollowedKey;
use crate::telemetry::traced;
use crate::witness::Witnesses;

/// The state. Nothing is looked at any more.
pub(super) struct Done<'a> {
    pub(super) here: &'a Surroundings<'a>,
    pub(super) step: String,
    pub(super) form: Form,
    /// The one that signed the step's attestations.
    pub(super) key: FollowedKey,
    /// Who vouches for what is signed with a certificate.
    pub(super) witnesses: Witnesses,
    pub(super) stores: Stores,
    /// Where the step's own outcome goes, or why it has no place.
    pub(super) place: Result<OutcomePlace, String>,
    pub(super) state: StepState,
    pub(super) outputs: Vec<OutputOutcome>,
    pub(super) predicates: Vec<PredicateOutcome>,
    /// When main's end was noticed, by the steady clock and by that of the wall.
    pub(super) ended: Instant,
    pub(super) finished_on: Timestamp,
    pub(super) grace: Grace,
}

impl Done<'_> {
    /// Tells everybody: the signed outcome, then the termination message, whatever became
    /// of the former; the log, the metrics and the pod.
    pub(super) async fn tell(self) -> End {
        let Self { here, step, form, key, witnesses, stores, place, state, outputs, .. } = self;
        let (predicates, ended) = (self.predicates, self.ended);
        let (finished_on, grace) = (self.finished_on, self.grace);
        let finished = !matches!(state, StepState::Unfinished { .. });
        let outcome = StepOutcome {
            invocation_id: here.settings.identity.invocation_id(),
            identity: &here.settings.identity,
            template: &step,
            state,
            outputs,
            predicates,
            builder_id: &here.settings.builder_id,
            started_on: Some(here.started_on),
            finished_on: finished.then_some(finished_on),
        };
        let stored = match &place {
            Ok(place) => {
                let deadline = grace.to_store_the_outcome();
                let vouching = (&witnesses, Some(deadline.to_have_it_stored()));
                let storing = traced("outcome", store_outcome(&outcome, &key, vouching, place));
                let stored = deadline.within(storing).await;
                let late = |_| Err("the grace period ended before it was stored".to_owned());
                stored.map_or_else(late, |stored| stored.map_err(|e| causes(&e)))
            }
            Err(why) => Err(format!("it has no place: {why}")),
        };
        if let Err(why) = &stored {
            error!(why, "the step's outcome could not be stored");
        }
        outcome.outputs.iter().for_each(|output| log(output, form));
        outcome.predicates.iter().for_each(|predicate| log_predicate(predicate, form));
        count_outputs(here.metrics, &outcome.outputs);
        trace(&here.settings.tracer, &outcome);
        let place = stored.as_ref().map(Reported::bundle_uri).map_err(String::as_str);
        here.tell(&Status::Done(outcome.termination_message(place)));
        here.show(&Notice::of(&outcome), Some(grace.to_end())).await;
        here.metrics.set_store_retries(stores.retries());
        here.metrics.set_end_to_done(ended.elapsed());
        // Nobody can scrape what was counted last.
        info!(seconds_since_end = ended.elapsed().as_secs_f64(), "done");
        if form == Form::Native || outcome.is_complete() { End::Fine } else { End::NotAttested }
    }
}
