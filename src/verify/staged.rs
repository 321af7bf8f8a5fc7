//! The attestation beside an object whose bytes are somewhere else: where they were
//! staged for a step. What the object itself holds by now is not asked.

use std::sync::Arc;

use argo_attest_core::bundle::{Bundle, Unjudged};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::slsa::AttestationRef;
use argo_attest_core::store_address::StoreAddress;
use argo_attest_core::verify::{Authentic, Content, Place, Rejection, VerifiedStatement};

use super::found::{Found, nearest};
use super::{CheckError, Checker};
use crate::attestations::{BesideObject, Candidate, Form, Reach};
use crate::store::{ObjectKey, Store};

/// Statements beside an object that a trusted key signed and the policy accepts. They
/// may be about other bytes: only [`Attested::accept`] can tell.
#[derive(Debug)]
pub struct Attested<'a> {
    found: Found<'a>,
    authentic: Vec<(usize, Authentic)>,
    /// The key, printable, if it is that of a directory's objects and of no object.
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
    /// Address of the object, or the directory of objects, that the attestation is beside.
    pub base: String,
    /// Whose store it is in.
    pub store: Option<StoreAddress>,
    /// How much came with it that decided nothing.
    pub unjudged: Unjudged,
}

impl<'a> Attested<'a> {
    /// Looks for the object's attestation as `verify` does, and checks signature and
    /// policy. No attestation is [`Rejection::NoAttestation`].
    pub async fn find(checker: &Checker, store: &'a dyn Store, key: &ObjectKey) -> Result<Self, CheckError> {
        let whole = key.as_str();
        let find = |key: &ObjectKey| BesideObject::new(store, key).candidates(Reach::Nearest);
        let (found, only_directory) = match (nearest(find(key)).await, whole.strip_suffix('/')) {
            // What Argo fetches for a key that ends in `/` are the objects beneath it, and they
            // are those of the directory without it.
            (Err(CheckError::Rejected(no @ Rejection::Spelling { .. })), Some(directory))
                if !directory.is_empty() && !directory.ends_with('/') =>
            {
                let Ok(directory) = ObjectKey::new(directory) else { return Err(no.into()) };
                (nearest(find(&directory)).await?, Some(key.to_string()))
            }
            (found, _) => (found?, None),
        };
        let authentic = found.authentic(checker)?;
        Ok(Self { found, authentic, only_directory, store })
    }

    /// The subjects of each, the newest first.
    pub fn subjects(&self) -> Vec<Vec<ResourceDescriptor>> {
        self.authentic.iter().map(|(_, a)| a.statement().subjects().to_vec()).collect()
    }

    /// Whether one of them speaks of these bytes.
    pub async fn accept(self, content: Content) -> Result<Accepted, CheckError> {
        let Self { found, authentic, only_directory, store } = self;
        if let (Some(key), Content::File(_)) = (only_directory, &content) {
            return Err(Rejection::Spelling { key }.into());
        }
        let (index, statement) = found.decide(authentic, &Arc::new(content)).await?;
        let attestation =
            AttestationRef { uri: found.candidate.bundle_uri.clone(), sha256: found.sha256(index)? };
        let unjudged = found.envelopes.evidence.unjudged();
        let Candidate { place, beside: base, .. } = found.candidate;
        Ok(Accepted { statement, attestation, place, base, store: store.address(), unjudged })
    }
}

impl Found<'_> {
    /// Digest of the bundle that carries an envelope: of the very bytes that were read,
    /// if it was read from one.
    fn sha256(&self, index: usize) -> Result<Sha256Digest, CheckError> {
        if self.candidate.form == Form::Bundle {
            return Ok(Sha256Digest::of(&self.candidate.bytes));
        }
        let no_envelope = || Rejection::NoAttestation { looked_for: vec![self.candidate.origin.clone()] };
        let envelope = self.envelopes.all.get(index).cloned().ok_or_else(no_envelope)?;
        let bundle = Bundle::new(envelope).map_err(Rejection::from)?;
        Ok(Sha256Digest::of(&bundle.to_json()))
    }
}
