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
/// Directories whose attestations a store is asked for. Each costs four requests, and whoever may
/// write an object chooses how many it is in.
const MAX_DIRECTORIES: usize = 64;

/// The attestations of an object, or of a directory of objects, in the same store: beside it,
/// or apart under the same name.
#[derive(Debug, Clone)]
pub struct ObjectAttestations<'a> {
    store: &'a dyn Store,
    key: ObjectKey,
    placement: Placement,
    /// Of which type a statement is put, and looked for first, that is no provenance.
    label: Option<String>,
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
    label: Option<String>,
}

impl<'a> ObjectAttestations<'a> {
    /// Of the object with this key; one that is put is put beside it.
    pub fn new(store: &'a dyn Store, key: &ObjectKey) -> Self {
        let (placement, label) = (Placement::Beside, None);
        Self { store, key: key.clone(), placement, label, most: MAX_ATTESTATION }
    }

    /// The same, with another place for one that is put. What is looked for is found in both.
    #[must_use]
    pub fn put_at(self, placement: Placement) -> Self {
        Self { placement, ..self }
    }

    /// The same of statements of a type with this label
    /// ([`PredicateType::label`](argo_attest_core::predicate::PredicateType::label)): one that is put has
    /// a name of its own, and what has such a name is looked at before all else that lies there.
    #[must_use]
    pub fn labelled(self, label: Option<String>) -> Self {
        Self { label, ..self }
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
        match &self.label {
            Some(label) => AttestationNames::labelled(self.key.as_str(), self.placement, label),
            None => AttestationNames::of(self.key.as_str(), self.placement),
        }
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
        let (base, placement) = (self.key.as_str().to_owned(), Placement::Beside);
        let spot = Spot { base, place, placement, label: None };
        self.candidate(spot, Form::Either, attestation.origin(), attestation.bytes())
    }

    /// As [`Attestations::find`].
    pub fn candidates(&self, reach: Reach) -> Candidates<'a> {
        let key = self.key.as_str();
        let itself = std::iter::once(key.len());
        let directories = || key.rmatch_indices('/').map(|(at, _)| at);
        let ends: Vec<_> = match reach {
            Reach::Nearest => itself.chain(directories()).collect(),
            Reach::Own => itself.collect(),
            Reach::Above(levels) => directories().skip(levels.saturating_sub(1)).collect(),
        };
        let named = ends.iter().take(NAMED).filter_map(|end| self.spot(*end, reach)?.ok());
        let own = named.flat_map(|spot| {
            let each = self.labels().map(|label| Spot { label, ..spot.clone() }).collect::<Vec<_>>();
            each.into_iter().flat_map(|spot| LOOKED_FOR.map(|form| spot.name(form)))
        });
        let mut looked_for: Vec<_> = own.flatten().map(|name| self.store.uri(&name)).collect();
        if ends.len() > NAMED {
            looked_for.push("the same beside each directory above".to_owned());
        }
        if let Ok(apart) = ObjectKey::new(APART) {
            looked_for.push(format!("the same beneath {}", self.store.uri(&apart)));
        }
        let looks = Looks {
            of: self.clone(),
            reach,
            ends: ends.into_iter().enumerate().collect(),
            directories: 0,
            left: VecDeque::new(),
            found: None,
            denied: None,
        };
        let each = stream::unfold(looks, |mut looks| async move { Some((looks.next().await?, looks)) });
        Candidates::new(each.boxed(), looked_for)
    }

    /// The object itself, or the directory whose name ends there, if it can be in that.
    fn spot(&self, end: usize, reach: Reach) -> Option<Result<Spot, FindError>> {
        let key = self.key.as_str();
        let (base, rest) = key.split_at_checked(end)?;
        let path = RelPath::from_bytes(rest.trim_start_matches('/').as_bytes());
        let place = if rest.is_empty() {
            Ok(Place::Itself(KnownAs::new(key)))
        } else if matches!(reach, Reach::Above(_)) {
            Ok(Place::Within(path.ok()?))
        } else {
            // Keys are bytes: `a/./b` is another object than `a/b`, and no file of `a`.
            let path = RelPath::from_bytes(key.as_bytes()).and(path).map(Place::Within);
            path.map_err(|_| Rejection::Spelling { key: printable(key.as_bytes()) }.into())
        };
        let placement = Placement::Beside;
        Some(place.map(|place| Spot { base: base.to_owned(), place, placement, label: None }))
    }

    /// Under which labels is looked, the one that is asked for first.
    fn labels(&self) -> impl Iterator<Item = Option<String>> + Clone + use<> {
        self.label.clone().map(Some).into_iter().chain([None])
    }

    /// Whether it is known without asking that a directory has no attestation.
    fn is_bare(&self, directory: &str) -> bool {
        ["", APART].iter().all(|place| self.store.is_known_empty(&format!("{place}{directory}.")))
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
        let labelled = names::with_label(&stem, spot.label.as_deref());
        Candidate {
            artifact: uri(&spot.base),
            bundle_uri: uri(&names::bundle(&labelled)),
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
        let stem = names::with_label(&stem_of(&self.base, self.placement).ok()?, self.label.as_deref());
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
    /// Beside first, then apart; in each, what is called after the type that is asked for, and then
    /// what is called after none.
    fn at(
        level: usize,
        spot: &Spot,
        labels: impl Iterator<Item = Option<String>> + Clone,
    ) -> impl Iterator<Item = Self> {
        let places = [Placement::Beside, Placement::Apart].into_iter();
        let spots = places.flat_map(move |placement| {
            labels.clone().map(move |label| Spot { placement, label, ..spot.clone() })
        });
        let looks = spots.flat_map(|spot| LOOKED_FOR.map(|form| (spot.clone(), form)));
        looks.map(move |look| Self { level, spot: Ok(look) })
    }
}

/// What is still to be asked for.
struct Looks<'a> {
    of: ObjectAttestations<'a>,
    reach: Reach,
    /// Where the names end whose attestations count, and how far away each is: the artifact's, and
    /// those of directories.
    ends: VecDeque<(usize, usize)>,
    /// Of how many directories attestations were asked for.
    directories: usize,
    /// Of the last of them.
    left: VecDeque<Look>,
    /// How far away that is what was found.
    found: Option<usize>,
    /// What could not be asked for, and how far away it is. To those who may not list a bucket
    /// S3 denies, too, what is not there: it does not hide what lies in the other place, but
    /// nothing that is further away counts before it.
    denied: Option<(usize, StoreError)>,
}

impl<'a> Looks<'a> {
    /// Whether all that there is counts, or only what lies nearest.
    fn is_all(&self) -> bool {
        matches!(self.reach, Reach::Above(_))
    }

    /// The next object, but for those of which it is known that they are not there.
    fn look(&mut self) -> Option<Look> {
        while self.left.is_empty() {
            let (level, end) = self.ends.pop_front()?;
            let spot = match self.of.spot(end, self.reach) {
                None => continue,
                Some(Ok(Spot { place: Place::Within(_), base, .. })) if self.of.is_bare(&base) => continue,
                Some(spot) => spot,
            };
            let spot = match spot {
                Ok(Spot { place: Place::Within(_), .. }) if self.directories == MAX_DIRECTORIES => {
                    let key = printable(self.of.key.as_str().as_bytes());
                    Err(Rejection::TooDeep { key, most: MAX_DIRECTORIES }.into())
                }
                spot => spot,
            };
            match spot {
                Ok(spot) => {
                    self.directories += usize::from(matches!(spot.place, Place::Within(_)));
                    self.left.extend(Look::at(level, &spot, self.of.labels()));
                }
                Err(error) => {
                    // What holds for one directory holds for those around it.
                    self.ends.clear();
                    self.left.push_back(Look { level, spot: Err(error) });
                }
            }
        }
        self.left.pop_front()
    }

    async fn next(&mut self) -> Option<Result<Candidate<'a>, FindError>> {
        while let Some(Look { level, spot }) = self.look() {
            if self.found.is_none()
                && let Some((_, denied)) = self.denied.take_if(|(nearest, _)| *nearest != level)
            {
                return Some(Err(denied.into()));
            }
            if !self.is_all() && self.found.is_some_and(|nearest| level != nearest) {
                return None;
            }
            let (spot, form) = match spot {
                Ok(look) => look,
                Err(error) => return Some(Err(error)),
            };
            match self.of.look(spot, form).await {
                None => {}
                Some(Err(FindError::Store(error))) if !self.is_all() && error.is_access_denied() => {
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
