//! Beside an object in a store.

use std::path::Path;

use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::verify::{KnownAs, Place, Rejection};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::candidate::{Manifest, read_named};
use super::names::{self, AttestationNames, LOOKED_FOR};
use super::put::{self, PutError};
use super::{
    Attestations, Candidate, Candidates, FindError, Form, Kept, MAX_ATTESTATION, NewAttestation, Reach,
};
use crate::store::{InvalidKey, ObjectKey, Store, StoreError};

/// The attestations of an object, or of a directory of objects, in the same store.
#[derive(Debug, Clone)]
pub struct BesideObject<'a> {
    store: &'a dyn Store,
    key: ObjectKey,
}

/// Where to look, and of what an attestation there would speak.
#[derive(Clone)]
struct Spot {
    /// What it would be beside: the whole key, or as much of it as names a directory.
    base: String,
    place: Place,
}

impl<'a> BesideObject<'a> {
    /// Of the object with this key.
    pub fn new(store: &'a dyn Store, key: &ObjectKey) -> Self {
        Self { store, key: key.clone() }
    }

    /// The keys of its own attestation.
    ///
    /// Errors: [`InvalidKey::TooLong`].
    pub fn names(&self) -> Result<AttestationNames, InvalidKey> {
        AttestationNames::beside(self.key.as_str())
    }

    /// Its own bundle as it is, if there is one.
    pub async fn bundle(&self) -> Result<Option<Bytes>, StoreError> {
        let Ok(key) = ObjectKey::new(&names::bundle(self.key.as_str())) else { return Ok(None) };
        match self.store.get(&key, MAX_ATTESTATION).await {
            Ok(object) => Ok(Some(object.bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The attestation that the user says is about it.
    pub fn named(&self, file: &Path) -> Result<Candidate<'a>, FindError> {
        let bytes = read_named(file)?;
        let spot =
            Spot { base: self.key.as_str().to_owned(), place: Place::Named(KnownAs::new(self.key.as_str())) };
        let origin = printable(file.as_os_str().as_encoded_bytes());
        Ok(self.candidate(spot, Form::Either, origin, bytes))
    }

    /// The object itself, and every directory that it is in.
    fn nearest(&self) -> Vec<Result<Spot, FindError>> {
        let key = self.key.as_str();
        let spelling = |_| FindError::from(Rejection::Spelling { key: printable(key.as_bytes()) });
        let ends = std::iter::once(key.len()).chain(key.rmatch_indices('/').map(|(at, _)| at));
        let spot = |end: usize| {
            let (base, rest) = key.split_at(end);
            let place = if rest.is_empty() {
                Place::Itself(KnownAs::new(key))
            } else {
                // Keys are bytes: `a/./b` is another object than `a/b`, and no file of `a`.
                RelPath::from_bytes(key.as_bytes()).map_err(spelling)?;
                let path = rest.strip_prefix('/').unwrap_or(rest);
                Place::Within(RelPath::from_bytes(path.as_bytes()).map_err(spelling)?)
            };
            Ok(Spot { base: base.to_owned(), place })
        };
        ends.map(spot).collect()
    }

    /// Every directory that it is in, from the one so many levels above.
    fn above(&self, levels: usize) -> Vec<Result<Spot, FindError>> {
        let key = self.key.as_str();
        let spot = |(at, _)| {
            let (base, rest) = key.split_at(at);
            let path = RelPath::from_bytes(rest.trim_start_matches('/').as_bytes()).ok()?;
            Some(Ok(Spot { base: base.to_owned(), place: Place::Within(path) }))
        };
        key.rmatch_indices('/').skip(levels.saturating_sub(1)).filter_map(spot).collect()
    }

    /// As [`Attestations::find`].
    pub fn candidates(&self, reach: Reach) -> Candidates<'a> {
        let spots = match reach {
            Reach::Nearest => self.nearest(),
            Reach::Above(levels) => self.above(levels),
        };
        let names = spots.iter().flatten().flat_map(|spot| {
            LOOKED_FOR
                .iter()
                .filter_map(|form| ObjectKey::new(&format!("{}{}", spot.base, names::suffix(*form))).ok())
        });
        let looked_for = names.map(|name| self.store.uri(&name)).collect();
        let this = self.clone();
        let looks = spots.into_iter().flat_map(|spot| match spot {
            Ok(spot) => LOOKED_FOR.into_iter().map(|form| Ok((spot.clone(), form))).collect(),
            Err(error) => vec![Err(error)],
        });
        let each = stream::iter(looks.collect::<Vec<_>>()).filter_map(move |look| {
            let this = this.clone();
            async move {
                match look {
                    Ok((spot, form)) => this.look(spot, form).await,
                    Err(error) => Some(Err(error)),
                }
            }
        });
        Candidates::new(each.boxed(), looked_for)
    }

    async fn look(&self, spot: Spot, form: Form) -> Option<Result<Candidate<'a>, FindError>> {
        let name = ObjectKey::new(&format!("{}{}", spot.base, names::suffix(form))).ok()?;
        match self.store.get(&name, MAX_ATTESTATION).await {
            Ok(object) => Some(Ok(self.candidate(spot, form, self.store.uri(&name), object.bytes))),
            Err(StoreError::NotFound { .. }) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    fn candidate(&self, spot: Spot, form: Form, origin: String, bytes: Bytes) -> Candidate<'a> {
        let uri = |key: &str| ObjectKey::new(key).map_or_else(|_| origin.clone(), |key| self.store.uri(&key));
        Candidate {
            beside: uri(&spot.base),
            bundle_uri: uri(&names::bundle(&spot.base)),
            place: spot.place,
            form,
            bytes,
            manifest: Manifest::Object(self.store, spot.base),
            origin,
        }
    }
}

#[async_trait]
impl Attestations for BesideObject<'_> {
    fn find(&self, reach: Reach) -> Candidates<'_> {
        self.candidates(reach)
    }

    async fn put(&self, new: &NewAttestation<'_>) -> Result<Kept, PutError> {
        put::put(self.store, &self.names()?, new).await
    }

    fn manifest_name(&self) -> String {
        names::manifest_name(self.key.as_str())
    }
}
