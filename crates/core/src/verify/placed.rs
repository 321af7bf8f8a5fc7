//! Whether an artifact is where its statement says that it is stored. An object's identity
//! is its store, its bucket and its key: the same name elsewhere is another object, and
//! whoever moves one with its attestation passes one run's off for another's.

use super::{Authentic, Subjects, VerifiedStatement};
use crate::intoto::Statement;
use crate::policy::Stores;
use crate::slsa::Provenance;
use crate::store_address::StoreAddress;
use crate::text::brief;
use crate::trouble::{Fault, Trouble};

/// Where an artifact is.
#[derive(Debug, Clone, Copy)]
pub struct Here<'a> {
    /// What the attestation is beside: an object, or a directory of objects.
    pub uri: &'a str,
    /// Whose store that is; `None` if it has no address.
    pub store: Option<&'a StoreAddress>,
}

/// Why it is not where it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It could lie beside any object.
    #[error(
        "the attestation does not say where its artifact is stored, and so is not about the object {here}"
    )]
    Nowhere {
        /// Where it is.
        here: String,
    },
    /// Copied, with its attestation, from where it was stored.
    #[error("the attestation is about {said}, and the artifact is {here}: both were moved here")]
    Elsewhere {
        /// Where the statement says that it was stored.
        said: String,
        /// Where it is.
        here: String,
    },
    /// A bucket of that name is in every store that has one.
    #[error(
        "the attestation does not say in which store {said} is: the version that made it did not record that"
    )]
    NoStore {
        /// The object, without its store.
        said: String,
    },
    /// The same address in another store.
    #[error("the attestation is about {uri} in the store {said}, and the artifact is in {here}")]
    OtherStore {
        /// The object.
        uri: String,
        /// The store that the statement names.
        said: String,
        /// The store that it is in.
        here: String,
    },
}

impl Trouble for PlaceError {
    fn fault(&self) -> Fault {
        Fault::No
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Nowhere { .. } => {
                "vouch for the object where it is (argo-attest attest), or let argo-attest run --store say where it will be"
            }
            Self::Elsewhere { .. } => {
                "take it from where it was made, or attest the copy by itself (argo-attest attest)"
            }
            Self::NoStore { .. } => {
                "run the step that makes it again, or vouch for the object as it is (argo-attest attest --supersede)"
            }
            Self::OtherStore { .. } => {
                "take it from the store that it was attested in; if both addresses lead to one store, let the policy's `stores` say so"
            }
        }.to_owned())
    }
}

impl VerifiedStatement {
    /// Whether the artifact is where the statement says that it is stored.
    pub fn placed(&self, here: Here<'_>, stores: &Stores) -> Result<(), PlaceError> {
        placed(self.statement(), self.provenance(), here, stores)
    }
}

impl Authentic {
    /// The same, of what another statement depends on.
    pub fn placed(&self, here: Here<'_>, stores: &Stores) -> Result<(), PlaceError> {
        placed(self.statement(), self.provenance(), here, stores)
    }
}

fn placed(
    statement: &Statement,
    provenance: Option<&Provenance>,
    here: Here<'_>,
    stores: &Stores,
) -> Result<(), PlaceError> {
    let shown = |text: &str| brief(text, 300);
    let places = provenance.map(Provenance::places).unwrap_or_default();
    let subjects = statement.subjects().iter().map(|s| s.uri.as_str()).filter(|uri| !uri.is_empty());
    let said: Vec<&str> = subjects.chain(places.iter().map(|place| place.uri)).collect();
    let Some(first) = said.first() else {
        return Err(PlaceError::Nowhere { here: shown(here.uri) });
    };
    // The objects of a directory have the same keys whether its own ends in `/` or not; of
    // an object that is another one.
    let subjects = Subjects::of(statement.subjects());
    let is_directory = subjects.directory.is_some() && subjects.object.is_none();
    let bare = |uri: &'_ str| if is_directory { uri.trim_end_matches('/') } else { uri }.to_owned();
    // All of them: one that is right does not make up for one that is not.
    if let Some(elsewhere) = said.iter().find(|uri| bare(uri) != bare(here.uri)) {
        return Err(PlaceError::Elsewhere { said: shown(elsewhere), here: shown(here.uri) });
    }
    if places.is_empty() || places.iter().any(|place| place.endpoint.is_none()) {
        return Err(PlaceError::NoStore { said: shown(first) });
    }
    let is_here = |endpoint: &str| {
        let said = endpoint.parse::<StoreAddress>();
        said.is_ok_and(|said| here.store.is_some_and(|here| stores.are_one(&said, here)))
    };
    match places.iter().filter_map(|place| place.endpoint).find(|endpoint| !is_here(endpoint)) {
        None => Ok(()),
        Some(other) => Err(PlaceError::OtherStore {
            uri: shown(first),
            said: shown(other),
            here: here.store.map_or_else(|| "no store with an address".to_owned(), ToString::to_string),
        }),
    }
}
