//! What lay in the stores before the step: an object of another attempt must not be
//! taken for this one's. By asking it is found out, too, whether a store can be used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::text::causes;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::timeout;
use tracing::warn;

use super::failed::{NotReady, not_ready};
use super::planned::{Keeping, Way};
use super::preparation::Prepared;
use super::settings::Form;
use crate::artifact_repository::key;
use crate::store::{Revision, Store, StoreError};
use crate::stored_match::AT_ONCE;

/// How long the plain form asks what another attempt left: not to know it costs
/// time only if there is something, and it is not replaced.
const EARLIER: Duration = Duration::from_secs(2);

/// The store and, as it was before the step, the object of an output.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) store: Arc<dyn Store>,
    pub(super) object: Earlier,
}

/// What another attempt left where this one's object goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Earlier {
    /// Nothing: an object that is there now is this attempt's.
    Nothing,
    /// An object in this state.
    Object(Revision),
    /// It could not be asked.
    Unknown,
}

impl Earlier {
    /// Whether what is there now may have been there before.
    pub(super) fn may_be(&self, now: &Revision) -> bool {
        match self {
            Self::Nothing => false,
            Self::Object(before) => before == now,
            Self::Unknown => true,
        }
    }
}

/// Asks for every output that can be attested; by the outputs' places. Of a store that does
/// not answer nothing is known, and that it does not.
pub(super) async fn ask(prepared: &Prepared, form: Form) -> (BTreeMap<usize, Before>, Vec<NotReady>) {
    let ways = prepared.outputs.iter().filter_map(|output| output.way.as_ref().ok());
    let asking = ways.filter_map(|way| Some((way, prepared.opened.get(&way.at)?)));
    let asking: Vec<_> = asking.map(|(way, store)| before(way, Arc::clone(store), form)).collect();
    let answers: Vec<_> = stream::iter(asking).buffered(AT_ONCE.get()).collect().await;
    let (mut all, mut amiss) = (BTreeMap::new(), Vec::new());
    for (at, before, trouble) in answers {
        all.insert(at, before);
        amiss.extend(trouble);
    }
    (all, amiss)
}

async fn before(way: &Way, store: Arc<dyn Store>, form: Form) -> (usize, Before, Option<NotReady>) {
    match object(way, store.as_ref(), form).await {
        Ok(object) => (way.at, Before { store, object }, None),
        Err(why) => (way.at, Before { store, object: Earlier::Unknown }, Some(why)),
    }
}

async fn object(way: &Way, store: &dyn Store, form: Form) -> Result<Earlier, NotReady> {
    let unusable_key = |e| not_ready(&e, "give the artifact another key");
    let place = way.attestations(store).map_err(unusable_key)?;
    place.names().map_err(|e| not_ready(&e, "give the artifact a shorter key"))?;
    // A GET says why it is refused; a HEAD cannot.
    let asked = place.bundle().await;
    let unusable = |error: StoreError| NotReady::from(&error);
    match asked {
        Ok(_) | Err(StoreError::TooLarge { .. }) => {}
        Err(error @ StoreError::Corrupt { .. }) => {
            // It is set aside when there is something to put in its place.
            warn!(error = causes(&error), "what lies in the attestation's place is damaged");
        }
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
    // Only who looks before Argo has uploaded can mistake one for the other.
    Ok(match (&way.keeping, form) {
        (Keeping::Named { .. }, _) | (_, Form::Native) => Earlier::Unknown,
        (Keeping::WithObject { object, .. }, Form::Plain) => {
            match timeout(EARLIER, store.head(&key(object).map_err(unusable_key)?)).await {
                Ok(Ok(info)) => Earlier::Object(info.revision),
                Ok(Err(StoreError::NotFound { .. })) => Earlier::Nothing,
                _ => Earlier::Unknown,
            }
        }
    })
}
