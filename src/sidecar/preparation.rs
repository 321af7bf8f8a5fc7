//! Everything that can be found out before main starts, and the watches.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::argo::{ObjectRef, Step};
use argo_attest_core::slsa::InputEvidence;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;
use tracing::warn;

use super::conclusion::{Before, Earlier};
use super::life::Sidecar;
use super::planned::{self, Planned, Way};
use super::settings::Form;
use super::upstream;
use crate::artifact_stores::{Stores, key};
use crate::attest::{AttestationNames, MAX_ATTESTATION};
use crate::pipeline::{Session, Watching};
use crate::signer::FollowedKey;
use crate::store::{Store, StoreError};
use crate::stored::AT_ONCE;
use crate::template::{Claim, Established, TemplateSource, Unestablished};
use crate::volume::{Baseline, Inotify};

/// How long the plain form asks what another attempt left: not to know it costs
/// time only if there is something, and it is not replaced.
const EARLIER: Duration = Duration::from_secs(2);

/// Why nothing can be attested.
pub(super) struct NotReady {
    pub(super) reason: String,
    pub(super) remedy: String,
    pub(super) main: Main,
}

/// What becomes of main, in the native form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Main {
    /// It does not start: a setting of the deployment has to be mended.
    Held,
    /// It starts, unattested: whoever gave a parameter must not be able to hold it.
    Runs,
}

impl NotReady {
    pub(super) fn held(reason: String, remedy: String) -> Self {
        Self { reason, remedy, main: Main::Held }
    }
}

pub(super) fn not_ready(error: &dyn std::error::Error, remedy: &str) -> NotReady {
    NotReady::held(causes(error), remedy.into())
}

pub(super) fn not_established(error: &Unestablished) -> NotReady {
    NotReady { reason: causes(error), remedy: error.remedy().unwrap_or_default(), main: Main::Runs }
}

/// All that is needed to watch and to conclude.
pub(super) struct Prepared {
    pub(super) step: Step,
    /// With what the step's template was compared.
    pub(super) template: TemplateSource,
    pub(super) form: Form,
    pub(super) key: FollowedKey,
    pub(super) stores: Stores,
    pub(super) outputs: Vec<Planned>,
    /// What is known of the inputs, by name.
    pub(super) inputs: BTreeMap<String, InputEvidence>,
    pub(super) before: Vec<Option<Before>>,
    /// Where the step's own outcome goes, if the step has a place.
    pub(super) outcome: Option<(Arc<dyn Store>, ObjectRef)>,
    pub(super) session: Session,
}

impl Sidecar<'_> {
    /// Everything that can be found out before main starts.
    pub(super) async fn prepare(&self, claim: Claim<'_>, form: Form) -> Result<Prepared, NotReady> {
        // Nothing that the text says is acted on before.
        let established = claim.establish(&self.platform()).await;
        let Established { step, source: template, .. } = established.map_err(|e| not_established(&e))?;
        let key = FollowedKey::load(&self.settings.key, &|name| self.environment.var(name))
            .map_err(|e| NotReady::held(causes(&e), e.remedy().unwrap_or_default()))?;
        let inputs = upstream::read(&self.settings.evidence, &step)?;
        let outputs = planned::outputs(&step, self.settings);
        // First of all: while the store is asked, the plain form's main writes.
        let artifacts = outputs.iter().filter_map(|o| Some(o.way.as_ref().ok()?.artifact.clone())).collect();
        let watching = Watching {
            baseline: Baseline::Include,
            excluded: Vec::new(),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            watch: || Box::new(Inotify::new()),
        };
        let session = Session::start(artifacts, &watching).map_err(|e| {
            not_ready(&e, "mount main's volumes into this container (mirrorVolumeMounts: true)")
        })?;
        let mut stores = Stores::default();
        let mut asking = Vec::with_capacity(outputs.len());
        for output in &outputs {
            asking.push(match &output.way {
                Ok(way) => Some((way, self.open(&mut stores, &way.plan.object)?)),
                Err(_) => None,
            });
        }
        let before = stream::iter(asking).map(|asked| async {
            match asked {
                Some((way, store)) => self.before(store, way, form).await.map(Some),
                None => Ok(None),
            }
        });
        let before = before.buffered(AT_ONCE.get()).try_collect().await?;
        let outcome = match planned::outcome_place(&step, self.settings) {
            Ok(object) => Some((self.open(&mut stores, &object)?, object)),
            Err(why) => {
                warn!(why, "there is no place for the step's outcome but the termination message");
                None
            }
        };
        Ok(Prepared { step, template, form, key, stores, outputs, inputs, before, outcome, session })
    }

    /// The object as it is before the step; and, by asking, whether the store can be used.
    async fn before(&self, store: Arc<dyn Store>, way: &Way, form: Form) -> Result<Before, NotReady> {
        let names = AttestationNames::beside(way.plan.object.key())
            .map_err(|e| not_ready(&e, "give the artifact a shorter key"))?;
        // A GET says why it is refused; a HEAD cannot.
        let asked = store.get(&names.bundle, MAX_ATTESTATION).await;
        let unusable = |error: StoreError| NotReady::held(causes(&error), error.remedy().unwrap_or_default());
        match asked {
            Ok(_) | Err(StoreError::NotFound { .. } | StoreError::TooLarge { .. }) => {}
            Err(error) if error.is_access_denied() => {
                // What may not be listed is denied, not missing; writing may be allowed all the same.
                warn!(%error, "reading attestations is denied, or there is none yet");
            }
            // The plain form cannot hold main; the store has until the end to come back.
            Err(error @ StoreError::Unreachable { .. }) if form == Form::Plain => {
                warn!(error = causes(&error), "the store cannot be reached yet");
            }
            Err(error) => return Err(unusable(error)),
        }
        let object = key(&way.plan.object).map_err(|e| not_ready(&e, "give the artifact another key"))?;
        // Only who looks before Argo has uploaded can mistake one for the other.
        let object = match form {
            Form::Native => Earlier::Unknown,
            Form::Plain => match timeout(EARLIER, store.head(&object)).await {
                Ok(Ok(info)) => Earlier::Object(info.revision),
                Ok(Err(StoreError::NotFound { .. })) => Earlier::Nothing,
                _ => Earlier::Unknown,
            },
        };
        Ok(Before { store, object })
    }

    fn open(&self, stores: &mut Stores, object: &ObjectRef) -> Result<Arc<dyn Store>, NotReady> {
        stores
            .open(object, self.environment, &self.settings.secrets_dir)
            .map_err(|e| NotReady::held(causes(&e), e.remedy().unwrap_or_default()))
    }
}
