//! The attestation beside an object whose bytes are somewhere else: where they were
//! staged for a step. What the object itself holds by now is not asked.

use argo_attest_core::bundle::{Bundle, Unjudged};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::relpath::printable;
use argo_attest_core::slsa::AttestationRef;
use argo_attest_core::store_address::StoreAddress;
use argo_attest_core::verify::{Authentic, Content, Place, Rejection, VerifiedStatement};

use super::found::Found;
use super::object::{beside, decide};
use super::{CheckError, Checker};
use crate::attest::BUNDLE_SUFFIX;
use crate::store::{ObjectKey, Store};

/// Statements beside an object that a trusted key signed and the policy accepts. They
/// may be about other bytes: only [`Attested::accept`] can tell.
#[derive(Debug)]
pub struct Attested {
    found: Found,
    base: String,
    authentic: Vec<(usize, Authentic)>,
    /// The key is that of a directory's objects, and of no object.
    only_directory: bool,
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

impl Attested {
    /// Looks for the object's attestation as `verify` does, and checks signature and
    /// policy. No attestation is [`Rejection::NoAttestation`].
    pub async fn find(checker: &Checker, store: &dyn Store, key: &ObjectKey) -> Result<Self, CheckError> {
        let whole = key.as_str();
        let (found, base, only_directory) = match (beside(store, whole).await, whole.strip_suffix('/')) {
            // What Argo fetches for a key that ends in `/` are the objects beneath it, and they
            // are those of the directory without it.
            (Err(CheckError::Rejected(Rejection::Spelling { .. })), Some(directory))
                if !directory.is_empty() && !directory.ends_with('/') =>
            {
                let (found, base) = beside(store, directory).await?;
                (found, base, true)
            }
            (found, _) => {
                let (found, base) = found?;
                (found, base, false)
            }
        };
        let authentic = found.authentic(checker)?;
        Ok(Self { base: base.to_owned(), authentic, found, only_directory })
    }

    /// The subjects of each, the newest first.
    pub fn subjects(&self) -> Vec<Vec<ResourceDescriptor>> {
        self.authentic.iter().map(|(_, a)| a.statement().subjects().to_vec()).collect()
    }

    /// Whether one of them speaks of these bytes.
    pub async fn accept(self, store: &dyn Store, content: Content) -> Result<Accepted, CheckError> {
        let Self { found, base, authentic, only_directory } = self;
        if only_directory && matches!(content, Content::File(_)) {
            return Err(Rejection::Spelling { key: format!("{}/", printable(base.as_bytes())) }.into());
        }
        let (index, statement) = decide(store, &found, &base, authentic, content).await?;
        let named = |name: &str| match ObjectKey::new(name) {
            Ok(key) => store.uri(&key),
            Err(_) => found.origin.clone(),
        };
        let uri = named(&format!("{base}{BUNDLE_SUFFIX}"));
        let attestation = AttestationRef { uri, sha256: found.sha256(index)? };
        let base = named(&base);
        let unjudged = found.attestations.evidence.unjudged();
        Ok(Accepted { statement, attestation, place: found.place, base, store: store.address(), unjudged })
    }
}

impl Found {
    /// Digest of the bundle that carries an envelope: of the very bytes that were read,
    /// if it was read from one.
    fn sha256(&self, index: usize) -> Result<Sha256Digest, CheckError> {
        if let Some(digest) = self.bundle {
            return Ok(digest);
        }
        let no_envelope = || Rejection::NoAttestation { looked_for: vec![self.origin.clone()] };
        let envelope = self.attestations.envelopes.get(index).cloned().ok_or_else(no_envelope)?;
        let bundle = Bundle::new(envelope).map_err(Rejection::from)?;
        Ok(Sha256Digest::of(&bundle.to_json()))
    }
}
