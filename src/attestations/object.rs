//! Of an object in a store: beside it, or apart.

use std::collections::VecDeque;

use argo_attest_core::argo::Placement;
use argo_attest_core::contract::store::APART;
use argo_attest_core::relpath::{RelPath, printable};
use argo_attest_core::verify::{KnownAs, Place, Rejection};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};

use super::candidate::Manifest;
use super::names::{self, AttestationNames, LOOKED_FOR, NameError, stem_of};
use super::put::{self, PutError};
use super::{
    Attestations, Candidate, Candidates, FindError, Form, Kept, MAX_ATTESTATION, NamedAttestation,
    NewAttestation, Reach,
};
use crate::store::{ObjectKey, Store, StoreError};

/// Places that are named where there was no attestation: an object may be in hundreds of directories.
const NAMED: usize = 8;

/// The attestations of an object, or of a directory of objects, in the same store: beside it,
/// or apart under the same name.
#[derive(Debug, Clone)]
pub struct ObjectAttestations<'a> {
    store: &'a dyn Store,
    key: ObjectKey,
    placement: Placement,
    /// Bytes of the largest that is looked at.
    most: u64,
}

/// Of what an attestation there would speak.
#[derive(Debug, Clone)]
struct Spot {
    /// Its artifact's key: the whole key, or as much of it as names a directory.
    base: String,
    place: Place,
    placement: Placement,
}

impl<'a> ObjectAttestations<'a> {
    /// Of the object with this key; one that is put is put beside it.
    pub fn new(store: &'a dyn Store, key: &ObjectKey) -> Self {
        Self { store, key: key.clone(), placement: Placement::Beside, most: MAX_ATTESTATION }
    }

    /// The same, with another place for one that is put. What is looked for is found in both.
    #[must_use]
    pub fn put_at(self, placement: Placement) -> Self {
        Self { placement, ..self }
    }

    /// The same, where one that is larger is an error of those that are looked for.
    #[must_use]
    pub fn at_most(self, bytes: u64) -> Self {
        Self { most: bytes.min(MAX_ATTESTATION), ..self }
    }

    /// The keys of the attestation that is put.
    ///
    /// Errors: [`NameError`].
    pub fn names(&self) -> Result<AttestationNames, NameError> {
        AttestationNames::of(self.key.as_str(), self.placement)
    }

    /// The bundle that would be replaced by the one that is put, if there is one.
    pub async fn bundle(&self) -> Result<Option<Bytes>, StoreError> {
        let Ok(names) = self.names() else { return Ok(None) };
        match self.store.get(&names.bundle, MAX_ATTESTATION).await {
            Ok(object) => Ok(Some(object.bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The attestation that the user says is about it.
    pub fn named(&self, attestation: &NamedAttestation) -> Candidate<'a> {
        self.brought(attestation, Place::Named(KnownAs::new(self.key.as_str())))
    }

    /// An attestation that the user says is about something, as if it lay here.
    pub(super) fn brought(&self, attestation: &NamedAttestation, place: Place) -> Candidate<'a> {
        let spot = Spot { base: self.key.as_str().to_owned(), place, placement: Placement::Beside };
        self.candidate(spot, Form::Either, attestation.origin(), attestation.bytes())
    }

    /// As [`Attestations::find`].
    pub fn candidates(&self, reach: Reach) -> Candidates<'a> {
        let spots = match reach {
            Reach::Nearest => self.nearest(),
            Reach::Own => self.nearest().into_iter().take(1).collect(),
            Reach::Above(levels) => self.above(levels),
        };
        let own = spots.iter().flatten().take(NAMED).flat_map(|spot| {
            LOOKED_FOR.iter().filter_map(|form| spot.name(*form)).map(|name| self.store.uri(&name))
        });
        let mut looked_for: Vec<_> = own.collect();
        if spots.len() > NAMED {
            looked_for.push("the same beside each directory above".to_owned());
        }
        if let Ok(apart) = ObjectKey::new(APART) {
            looked_for.push(format!("the same beneath {}", self.store.uri(&apart)));
        }
        let looks = Looks {
            of: self.clone(),
            left: spots.into_iter().enumerate().flat_map(Look::at).collect(),
            all: matches!(reach, Reach::Above(_)),
            found: None,
            denied: None,
        };
        let each = stream::unfold(looks, |mut looks| async move { Some((looks.next().await?, looks)) });
        Candidates::new(each.boxed(), looked_for)
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
            Ok(Spot { base: base.to_owned(), place, placement: Placement::Beside })
        };
        ends.map(spot).collect()
    }

    /// Every directory that it is in, from the one so many levels above.
    fn above(&self, levels: usize) -> Vec<Result<Spot, FindError>> {
        let key = self.key.as_str();
        let spot = |(at, _)| {
            let (base, rest) = key.split_at(at);
            let path = RelPath::from_bytes(rest.trim_start_matches('/').as_bytes()).ok()?;
            let (base, place) = (base.to_owned(), Place::Within(path));
            Some(Ok(Spot { base, place, placement: Placement::Beside }))
        };
        key.rmatch_indices('/').skip(levels.saturating_sub(1)).filter_map(spot).collect()
    }

    async fn look(&self, spot: Spot, form: Form) -> Option<Result<Candidate<'a>, FindError>> {
        let name = spot.name(form)?;
        tracing::debug!(object = self.store.uri(&name), "looking for an attestation");
        match self.store.get(&name, self.most).await {
            Ok(object) => Some(Ok(self.candidate(spot, form, self.store.uri(&name), object.bytes))),
            Err(StoreError::NotFound { .. }) => None,
            Err(error) => Some(Err(error.into())),
        }
    }

    fn candidate(&self, spot: Spot, form: Form, origin: String, bytes: Bytes) -> Candidate<'a> {
        let uri = |key: &str| ObjectKey::new(key).map_or_else(|_| origin.clone(), |key| self.store.uri(&key));
        let stem = stem_of(&spot.base, spot.placement).unwrap_or_default();
        Candidate {
            artifact: uri(&spot.base),
            bundle_uri: uri(&names::bundle(&stem)),
            place: spot.place,
            form,
            bytes,
            manifest: Manifest::Object(self.store, names::manifest(&stem)),
            origin,
        }
    }
}

impl Spot {
    fn name(&self, form: Form) -> Option<ObjectKey> {
        let stem = stem_of(&self.base, self.placement).ok()?;
        ObjectKey::new(&format!("{stem}{}", names::suffix(form))).ok()
    }
}

/// One object to be asked for.
struct Look {
    /// How many directories further out than the artifact.
    level: usize,
    spot: Result<(Spot, Form), FindError>,
}

impl Look {
    /// Beside first, then apart.
    fn at((level, spot): (usize, Result<Spot, FindError>)) -> Vec<Self> {
        let spot = match spot {
            Ok(spot) => spot,
            Err(error) => return vec![Self { level, spot: Err(error) }],
        };
        let places = [Placement::Beside, Placement::Apart].into_iter();
        let looks = places.flat_map(|placement| LOOKED_FOR.map(|form| (placement, form)));
        let look = |(placement, form)| Self { level, spot: Ok((Spot { placement, ..spot.clone() }, form)) };
        looks.map(look).collect()
    }
}

/// What is still to be asked for.
struct Looks<'a> {
    of: ObjectAttestations<'a>,
    left: VecDeque<Look>,
    /// Whether all that there is counts, or only what lies nearest.
    all: bool,
    /// How far away that is what was found.
    found: Option<usize>,
    /// What could not be asked for, and how far away it is. To those who may not list a bucket
    /// S3 denies, too, what is not there: it does not hide what lies in the other place, but
    /// nothing that is further away counts before it.
    denied: Option<(usize, StoreError)>,
}

impl<'a> Looks<'a> {
    async fn next(&mut self) -> Option<Result<Candidate<'a>, FindError>> {
        while let Some(Look { level, spot }) = self.left.pop_front() {
            if self.found.is_none()
                && let Some((_, denied)) = self.denied.take_if(|(nearest, _)| *nearest != level)
            {
                return Some(Err(denied.into()));
            }
            if !self.all && self.found.is_some_and(|nearest| level != nearest) {
                return None;
            }
            let (spot, form) = match spot {
                Ok(look) => look,
                Err(error) => return Some(Err(error)),
            };
            match self.of.look(spot, form).await {
                None => {}
                Some(Err(FindError::Store(error))) if !self.all && error.is_access_denied() => {
                    self.denied.get_or_insert((level, error));
                }
                Some(candidate) => {
                    self.found = Some(level);
                    return Some(candidate);
                }
            }
        }
        let (_, denied) = self.denied.take().filter(|_| self.found.is_none())?;
        Some(Err(denied.into()))
    }
}

#[async_trait]
impl Attestations for ObjectAttestations<'_> {
    fn find(&self, reach: Reach) -> Candidates<'_> {
        self.candidates(reach)
    }

    async fn is_free(&self) -> Result<(), PutError> {
        put::is_free(self.store, &self.names()?).await
    }

    async fn put(&self, new: &NewAttestation<'_>) -> Result<Kept, PutError> {
        put::put(self.store, &self.names()?, new).await
    }

    fn manifest_name(&self) -> String {
        names::manifest_name(self.key.as_str())
    }
}
