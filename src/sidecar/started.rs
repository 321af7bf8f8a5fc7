//! The started record: an outcome that says that main was about to start, signed and stored
//! before it does. A pod that is killed, evicted or lost leaves nothing else; and what the
//! step could not sign or store at its end is found out before its work is done.

use argo_attest_core::bundle::Bundle;
use argo_attest_core::dsse::Effort;
use argo_attest_core::outcome::{Fate, OutputOutcome, StepOutcome, StepState, Told};
use argo_attest_core::verify::authenticate_outcome;
use jiff::Timestamp;
use tracing::info;

use super::failed::NotReady;
use super::planned::Planned;
use super::preparation::{OutcomePlace, Prepared};
use super::surroundings::Surroundings;
use super::telling::store_outcome;
use crate::attestations::ObjectAttestations;
use crate::signer::{FollowedKey, Signer as _};

/// What is known of an output before it can be there.
const NOT_YET: &str = "main had not ended when this was written";

/// Leaves the record where the step's outcome goes, unless an outcome of this very pod is
/// there: then the sidecar was started again, and what was said already says more.
pub(super) async fn record(here: &Surroundings<'_>, prepared: &Prepared) -> Result<(), NotReady> {
    // That it has no place is said elsewhere.
    let Ok(place) = &prepared.outcome else { return Ok(()) };
    let outcome = outcome(here, prepared);
    if is_told(here, place, &prepared.key, &outcome.invocation_id).await {
        info!("this pod's outcome is there already; nothing is written over it");
        return Ok(());
    }
    let recorded = store_outcome(&outcome, &prepared.key, (&prepared.witnesses, None), place).await;
    let recorded = recorded.map_err(|e| NotReady::from(&e))?;
    info!(outcome = recorded.bundle_uri(), "it is on record that the step starts");
    Ok(())
}

fn outcome<'a>(here: &'a Surroundings<'_>, prepared: &'a Prepared) -> StepOutcome<'a> {
    let settings = here.settings;
    let hindrance = prepared.hindrance.as_ref().map(|why| why.reason.clone());
    let output = |output: &Planned| OutputOutcome {
        name: output.name.clone(),
        path: output.declared_path.clone(),
        fate: match output.way.as_ref().err().cloned().or_else(|| hindrance.clone()) {
            None => Fate::Unfinished { reason: NOT_YET.into() },
            Some(reason) => Fate::Refused { reason },
        },
        refused: Vec::new(),
        set_aside: Vec::new(),
        unvouched: Vec::new(),
        not_stored: Vec::new(),
    };
    let images = prepared.images.each(|| match &hindrance {
        None => Fate::Unfinished { reason: NOT_YET.into() },
        Some(reason) => Fate::Refused { reason: reason.clone() },
    });
    let predicates = prepared.predicates();
    let predicates = predicates.iter().map(|pair| {
        pair.unread(|| match &hindrance {
            None => Fate::Unfinished { reason: NOT_YET.into() },
            Some(reason) => Fate::Refused { reason: reason.clone() },
        })
    });
    StepOutcome {
        invocation_id: settings.identity.invocation_id(),
        identity: &settings.identity,
        template: &prepared.step.name,
        state: StepState::Started,
        outputs: prepared.outputs.iter().map(output).chain(images).collect(),
        predicates: predicates.collect(),
        builder_id: &settings.builder_id,
        started_on: Some(here.started_on),
        finished_on: None,
    }
}

/// Whether this pod has told of itself before. Only a good signature counts: anybody who may
/// write to the bucket could else keep the record from being left. Where the pod's uid is not
/// known, an outcome may be that of another pod.
async fn is_told(
    here: &Surroundings<'_>,
    OutcomePlace { store, key: place }: &OutcomePlace,
    key: &FollowedKey,
    invocation_id: &str,
) -> bool {
    if here.settings.identity.pod_uid.as_deref().is_none_or(str::is_empty) {
        return false;
    }
    // What cannot be read is for the write to stumble over, which says so.
    let Ok(Some(there)) = ObjectAttestations::new(store.as_ref(), place).bundle().await else {
        return false;
    };
    let Ok(bundle) = Bundle::whole(&there) else { return false };
    // The key is another after each start, and for whom it is certified is not.
    if let Some(certified) = key.certified() {
        let (policy, now, effort) = (certified.policy(), Timestamp::now(), &mut Effort::default());
        let read = authenticate_outcome(bundle.envelope(), bundle.evidence(), policy, now, effort);
        return read.is_ok_and(|(words, ..)| words.invocation_id == invocation_id);
    }
    let key = key.public_key();
    let Ok(signed) = bundle.envelope().verify(&[&key]) else { return false };
    Told::read(&signed).is_some_and(|told| told.invocation_id == invocation_id)
}
