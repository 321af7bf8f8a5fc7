//! What is known of a step before anything of it is watched: all that needs no look at
//! main's volumes and no answer of a store.

use std::collections::BTreeMap;
use std::sync::Arc;

use argo_attest_core::argo::{ObjectRef, Step};
use argo_attest_core::slsa::InputEvidence;
use tokio::task::spawn_blocking;
use tracing::warn;

use super::failed::{NotReady, not_established, not_ready};
use super::placing::Placing;
use super::planned::{self, Planned};
use super::settings::Form;
use super::surroundings::Surroundings;
use super::upstream;
use crate::artifact_repository::Stores;
use crate::signer::FollowedKey;
use crate::store::Store;
use crate::template::{Claim, Established, TemplateSource};

/// All that is needed to conclude, but the outputs themselves.
pub(super) struct Prepared {
    pub(super) step: Step,
    /// With what the step's template was compared.
    pub(super) template: TemplateSource,
    pub(super) form: Form,
    pub(super) key: FollowedKey,
    pub(super) stores: Stores,
    pub(super) outputs: Vec<Planned>,
    /// The store of each output that can be attested, by the outputs' places.
    pub(super) opened: BTreeMap<usize, Arc<dyn Store>>,
    /// What is known of the inputs, by name.
    pub(super) inputs: BTreeMap<String, InputEvidence>,
    /// Where the step's own outcome goes, if the step has a place.
    pub(super) outcome: Option<(Arc<dyn Store>, ObjectRef)>,
}

impl Prepared {
    /// Nothing that the text says is acted on before it is established.
    pub(super) async fn new(here: &Surroundings<'_>, claim: Claim<'_>, form: Form) -> Result<Self, NotReady> {
        let placing = Placing::new(claim.asked().placement, here.settings);
        let established = claim.establish(&here.platform()).await;
        let Established { step, source: template, .. } = established.map_err(|e| not_established(&e))?;
        let key = FollowedKey::load(&here.settings.key, &|name| here.environment.var(name))
            .map_err(|e| NotReady::from(&e))?;
        let inputs = upstream::read(&here.settings.evidence, &step)?;
        // Looks at the places where main's volumes are mounted.
        let (step, outputs) = {
            let settings = here.settings.clone();
            let planning = spawn_blocking(move || {
                let outputs = planned::outputs(&step, placing, &settings);
                (step, outputs)
            });
            planning.await.map_err(|e| not_ready(&e, "see the log"))?
        };
        let mut stores = Stores::default();
        let mut open = |object: &ObjectRef| {
            stores.open(object, here.environment, &here.settings.secrets_dir).map_err(|e| NotReady::from(&e))
        };
        let ways = outputs.iter().filter_map(|output| output.way.as_ref().ok());
        let opened =
            ways.map(|way| Ok((way.at, open(&way.plan.object)?))).collect::<Result<_, NotReady>>()?;
        let outcome = match planned::outcome_place(&step, here.settings) {
            Ok(object) => Some((open(&object)?, object)),
            Err(why) => {
                warn!(why, "there is no place for the step's outcome but the termination message");
                None
            }
        };
        Ok(Self { step, template, form, key, stores, outputs, opened, inputs, outcome })
    }
}
