//! The attestation beside an object whose bytes are somewhere else: where they were
//! staged for a step. What the object itself holds by now is not asked.

use std::sync::Arc;

use argo_attest_core::bundle::{Bundle, Unjudged};
use argo_attest_core::digest::{FileDigests, Sha256Digest};
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::slsa::AttestationRef;
use argo_attest_core::store_address::StoreAddress;
use argo_attest_core::verify::{Authentic, Content, Place, Rejection, VerifiedStatement};

use super::found::Found;
use super::{CheckError, Checker};
use crate::attestations::{Candidate, Candidates, FindError, Form, ObjectAttestations, Reach};
use crate::store::{ObjectKey, Store};

/// What lies where an attestation of an object may lie, each once the one before did not do.
#[derive(Debug)]
pub struct Attestable<'a> {
    checker: &'a Checker,
    store: &'a dyn Store,
    candidates: Candidates<'a>,
    /// Where to look if the key is no plain path: what Argo fetches for a key that ends in `/`
    /// are the objects beneath it, and they are those of the directory without it.
    directory: Option<ObjectKey>,
    /// The key, printable, if it is that of a directory's objects and of no object.
    only_directory: Option<String>,
    /// Address of the bundle that a trusted key signed, or is said to have signed: it is the newest
    /// there, and none of the lines beside it counts instead, whatever is wrong with it. Otherwise
    /// whoever can replace an object could bring back an older one of which an older line speaks.
    /// One that was cut short may have been such a bundle. Somebody else's is none.
    decisive: Option<String>,
}

/// Statements about an object that a trusted key signed and the policy accepts. They
/// may be about other bytes: only [`Attested::accept`] can tell.
#[derive(Debug)]
pub struct Attested<'a> {
    found: Found<'a>,
    authentic: Vec<(usize, Authentic)>,
    only_directory: Option<String>,
    store: &'a dyn Store,
}

/// Staged bytes of which an attestation speaks.
#[derive(Debug)]
pub struct Accepted {
    /// What it says.
    pub statement: VerifiedStatement,
    /// Where it is.
    pub attestation: AttestationRef,
    /// Which artifact it was asked about, from [`Self::base`].
    pub place: Place,
    /// Address of the object, or the directory of objects, whose attestation it is by its
    /// place.
    pub base: String,
    /// Whose store it is in.
    pub store: Option<StoreAddress>,
    /// How much came with it that decided nothing.
    pub unjudged: Unjudged,
}

impl<'a> Attestable<'a> {
    /// Of the object with this key, or the objects beneath it.
    pub fn new(checker: &'a Checker, store: &'a dyn Store, key: &ObjectKey) -> Self {
        let directory = key.as_str().strip_suffix('/').filter(|directory| !directory.ends_with('/'));
        Self {
            checker,
            store,
            candidates: ObjectAttestations::new(store, key).candidates(Reach::Nearest),
            directory: directory.and_then(|directory| ObjectKey::new(directory).ok()),
            only_directory: directory.map(|_| key.to_string()),
            decisive: None,
        }
    }

    /// Of the object with this key, and of no directory that it is in.
    pub fn own(checker: &'a Checker, store: &'a dyn Store, key: &ObjectKey) -> Self {
        let candidates = ObjectAttestations::new(store, key).candidates(Reach::Own);
        Self { checker, store, candidates, directory: None, only_directory: None, decisive: None }
    }

    /// The next, and where it is: its signature and the policy were checked. `None` if there
    /// is no other.
    pub async fn next(&mut self) -> Option<(String, Result<Attested<'a>, CheckError>)> {
        let candidate = match (self.candidates.next().await?, self.directory.take()) {
            (Err(FindError::Rejected(Rejection::Spelling { .. })), Some(directory)) => {
                let of_directory = ObjectAttestations::new(self.store, &directory);
                self.candidates = of_directory.candidates(Reach::Nearest);
                self.candidates.next().await?
            }
            (candidate, _) => candidate,
        };
        let candidate = match candidate {
            Ok(candidate) => candidate,
            Err(error) => return Some((String::new(), Err(error.into()))),
        };
        if candidate.form == Form::Lines && self.decisive.as_deref() == Some(&candidate.bundle_uri) {
            return Box::pin(self.next()).await;
        }
        let (origin, bundle) = (candidate.origin.clone(), candidate.bundle_uri.clone());
        let attested = self.authentic(candidate);
        let decides = match &attested {
            Ok(_) => true,
            Err(CheckError::Rejected(why)) => why.is_decisive() || why.is_malformed(),
            Err(_) => false,
        };
        if decides {
            self.decisive = Some(bundle);
        }
        Some((origin, attested))
    }

    fn authentic(&self, candidate: Candidate<'a>) -> Result<Attested<'a>, CheckError> {
        let found = Found::of(candidate)?;
        let authentic = found.authentic(self.checker)?;
        Ok(Attested { found, authentic, only_directory: self.only_directory.clone(), store: self.store })
    }

    /// That nothing was there.
    pub fn missing(&self) -> CheckError {
        Rejection::NoAttestation { looked_for: self.candidates.looked_for() }.into()
    }
}

impl Attested<'_> {
    /// The subjects of each, the newest first.
    pub fn subjects(&self) -> Vec<Vec<ResourceDescriptor>> {
        self.authentic.iter().map(|(_, a)| a.statement().subjects().to_vec()).collect()
    }

    /// Whether a file's longer digests are needed to compare it: subjects have no others.
    pub fn needs_longer(&self) -> bool {
        self.authentic.iter().any(|(_, statement)| statement.needs_longer())
    }

    /// The same, where all digests of the file that is asked about are known.
    #[must_use]
    pub fn knowing(self, file: &FileDigests) -> Self {
        let complete = |(index, statement): (usize, Authentic)| (index, statement.knowing(file));
        Self { authentic: self.authentic.into_iter().map(complete).collect(), ..self }
    }

    /// Whether one of them speaks of these bytes.
    pub async fn accept(self, content: Arc<Content>) -> Result<Accepted, CheckError> {
        let Self { found, authentic, only_directory, store } = self;
        if let (Some(key), Content::File(_)) = (only_directory, content.as_ref()) {
            return Err(Rejection::Spelling { key }.into());
        }
        let (index, statement) = found.decide(authentic, &content).await?;
        let attestation =
            AttestationRef { uri: found.candidate.bundle_uri.clone(), sha256: found.sha256(index)? };
        let unjudged = found.unjudged(index, &statement);
        let Candidate { place, artifact: base, .. } = found.candidate;
        Ok(Accepted { statement, attestation, place, base, store: store.address(), unjudged })
    }
}

impl Found<'_> {
    /// Digest of the bundle that carries an envelope: of the very bytes that were read,
    /// if they are those of one and nothing else.
    fn sha256(&self, index: usize) -> Result<Sha256Digest, CheckError> {
        if self.candidate.form == Form::Bundle && self.all.len() == 1 {
            return Ok(self.digest);
        }
        let no_envelope = || Rejection::NoAttestation { looked_for: vec![self.candidate.origin.clone()] };
        let envelope = self.all.get(index).map(|carried| carried.envelope.clone()).ok_or_else(no_envelope)?;
        let bundle = Bundle::new(envelope).map_err(Rejection::from)?;
        Ok(Sha256Digest::of(&bundle.to_json()))
    }
}
