//! What is known of a step before anything of it is watched: all that needs no look at
//! main's volumes and no answer of a store.
//!
//! Without a step that is established, and without a key, there is nothing that could be said
//! of it. Whatever else is amiss, its outcome says so, signed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use argo_attest_core::argo::{ObjectRef, Predicates, Step};
use tokio::task::spawn_blocking;
use tracing::info;

use super::failed::{NotReady, not_established, not_ready};
use super::images::StepImages;
use super::placing::Placing;
use super::planned::{self, Keeping, OutcomeObject, Planned};
use super::predicates::{Pair, pairs};
use super::settings::Form;
use super::surroundings::Surroundings;
use super::upstream::{self, Upstream};
use crate::artifact_repository::{Stores, StoresError, key};
use crate::signer::{self, FollowedKey, Signer as _};
use crate::store::{ObjectKey, Store};
use crate::template::{Claim, Established, TemplateSource};
use crate::witness::{self, Witnesses};

/// All that is needed to conclude, but the outputs themselves.
pub(super) struct Prepared {
    pub(super) step: Step,
    /// With what the step's template was compared.
    pub(super) template: TemplateSource,
    pub(super) form: Form,
    pub(super) key: FollowedKey,
    /// Who vouches for what it signs.
    pub(super) witnesses: Witnesses,
    pub(super) stores: Stores,
    pub(super) outputs: Vec<Planned>,
    /// The store of each output that can be attested, by the outputs' places.
    pub(super) opened: BTreeMap<usize, Arc<dyn Store>>,
    /// The images that it says it pushes.
    pub(super) images: StepImages,
    /// The files that it says speak of what else it leaves.
    pub(super) predicates: Predicates,
    /// What the gate found of what went into the step.
    pub(super) upstream: Upstream,
    /// Where the step's own outcome goes, or why it has no place.
    pub(super) outcome: Result<OutcomePlace, String>,
    /// Why no output can be attested.
    pub(super) hindrance: Option<NotReady>,
    /// What else is amiss, of some output or of the outcome.
    pub(super) troubles: Vec<NotReady>,
}

/// Where a step's outcome goes.
#[derive(Debug, Clone)]
pub(super) struct OutcomePlace {
    pub(super) store: Arc<dyn Store>,
    /// After which it is named.
    pub(super) key: ObjectKey,
}

impl Prepared {
    /// Nothing that the text says is acted on before it is established.
    pub(super) async fn new(here: &Surroundings<'_>, claim: Claim<'_>, form: Form) -> Result<Self, NotReady> {
        here.waits_for.set("the API server's word on what the step is");
        let placing = Placing::new(claim.asked().placement, here.settings);
        let established = claim.establish(&here.platform()).await;
        let Established { step, source: template, asked, .. } =
            established.map_err(|e| not_established(&e))?;
        let predicates = asked.predicates;
        let images = StepImages::new(asked.images, here.environment, here.settings.plain_http);
        here.waits_for.set("the key");
        let opening = signer::Opening::new(here.environment)
            .with_password_file(here.settings.key_password_file.as_deref())
            .expecting(here.settings.key_id);
        let key = FollowedKey::load(&here.settings.key, &opening).await.map_err(|e| NotReady::from(&e))?;
        if let Some(certified) = key.certified() {
            let certificate = certified.certificate();
            info!(
                identity = certificate.name(),
                issuer = certificate.issuer(),
                "what is signed is signed as this identity"
            );
        }
        let (public, root) = (key.public_key(), here.settings.key.trusted_root());
        let witnesses = here.settings.witnesses.open(&public, root, here.environment, witness::PATIENCE);
        let witnesses = witnesses.map_err(|e| NotReady::from(&e))?;
        let (upstream, invalid) = match upstream::read(&here.settings.evidence, &step) {
            Ok(upstream) => (upstream, None),
            Err(why) => (Upstream::default(), Some(why)),
        };
        here.waits_for.set("a look at the places where main's volumes are mounted");
        let (step, mut outputs) = {
            let (settings, predicates) = (here.settings.clone(), predicates.clone());
            let planning = spawn_blocking(move || {
                let outputs = planned::outputs(&step, placing, &predicates, &settings);
                (step, outputs)
            });
            planning.await.map_err(|e| not_ready(&e, "see the log"))?
        };
        let mut troubles: Vec<_> = outputs.iter().filter_map(not_attestable).collect();
        let named = pairs(&predicates, &outputs, &images);
        troubles.extend(named.iter().filter_map(|pair| pair.trouble(&outputs)));
        let mut opening = Opening::new(here);
        let opened = opening.outputs(&mut outputs);
        let outcome = planned::outcome_place(&step, &predicates, here.settings);
        let outcome = outcome.and_then(|object| opening.outcome(&object));
        let Opening { stores, refused, .. } = opening;
        troubles.extend(refused.into_values());
        if let Err(why) = &outcome {
            let reason = format!("there is no place for the step's outcome: {why}");
            let remedy = "give the step an artifact repository in an S3 store, or the sidecar one by --store; and no output the outcome's key";
            troubles.push(NotReady::held(reason, remedy.into()));
        }
        let hindrance = here.settings.unusable.as_ref().map(NotReady::from_setting).or(invalid);
        Ok(Self {
            step,
            template,
            form,
            key,
            witnesses,
            stores,
            outputs,
            opened,
            images,
            predicates,
            upstream,
            outcome,
            hindrance,
            troubles,
        })
    }
}

impl Prepared {
    /// The files that speak of what else the step leaves, with each thing that they are about.
    pub(super) fn predicates(&self) -> Vec<Pair<'_>> {
        pairs(&self.predicates, &self.outputs, &self.images)
    }
}

/// Of an output that can never be attested: why.
fn not_attestable(output: &Planned) -> Option<NotReady> {
    let why = output.way.as_ref().err()?;
    let reason = format!("the output {} cannot be attested: {why}", output.name);
    Some(NotReady::held(reason, "change its path or key, or its artifact repository".into()))
}

/// Stores that are opened. Each that cannot be is told once, however many outputs it has.
struct Opening<'a> {
    here: &'a Surroundings<'a>,
    stores: Stores,
    /// The one that the platform names, if it does.
    named: Option<Result<Arc<dyn Store>, NotReady>>,
    refused: HashMap<String, NotReady>,
}

impl<'a> Opening<'a> {
    fn new(here: &'a Surroundings<'a>) -> Self {
        let (mut stores, mut refused) = (Stores::default(), HashMap::new());
        let named = here.settings.store.as_ref().map(|named| {
            let opened = stores.open_platforms(&named.location(), here.environment);
            opened.map_err(|error| noted(&mut refused, &error))
        });
        Self { here, stores, named, refused }
    }

    fn open(&mut self, object: &ObjectRef) -> Result<Arc<dyn Store>, NotReady> {
        let opened = self.stores.open(object, self.here.environment, &self.here.settings.secrets_dir);
        opened.map_err(|error| noted(&mut self.refused, &error))
    }

    fn named(&self) -> Result<Arc<dyn Store>, NotReady> {
        let missing =
            || NotReady::held("no store is named for attestations".into(), "name one by --store".into());
        self.named.clone().unwrap_or_else(|| Err(missing()))
    }

    /// The stores to which attestations go, by the outputs' places. An output whose one cannot
    /// be opened cannot be attested.
    fn outputs(&mut self, outputs: &mut [Planned]) -> BTreeMap<usize, Arc<dyn Store>> {
        let mut opened = BTreeMap::new();
        for output in outputs {
            let Ok(way) = &output.way else { continue };
            let store = match &way.keeping {
                Keeping::WithObject { object, .. } => self.open(object),
                Keeping::Named { .. } => self.named(),
            };
            match store {
                Ok(store) => {
                    opened.insert(way.at, store);
                }
                Err(why) => output.way = Err(format!("{} ({})", why.reason, why.remedy)),
            }
        }
        opened
    }

    fn outcome(&mut self, object: &OutcomeObject) -> Result<OutcomePlace, String> {
        let (store, key) = match object {
            OutcomeObject::OfStep(object) => (self.open(object), key(object).map_err(|why| why.to_string())?),
            OutcomeObject::Named(_, key) => (self.named(), key.clone()),
        };
        Ok(OutcomePlace { store: store.map_err(|why| why.reason)?, key })
    }
}

fn noted(refused: &mut HashMap<String, NotReady>, error: &StoresError) -> NotReady {
    let why = NotReady::from(error);
    refused.insert(why.reason.clone(), why.clone());
    why
}
