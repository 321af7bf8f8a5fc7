//! The last steps, in the one order in which they may happen: state, sign,
//! store, read back, verify.

use argo_attest_core::bundle::Bundle;
use argo_attest_core::contents::Contents;
use argo_attest_core::dsse::{Envelope, EnvelopeError, Unsigned};
use argo_attest_core::intoto::{self, ResourceDescriptor};
use argo_attest_core::keys::PublicKey;
use argo_attest_core::manifest::MAX_MANIFEST;
use argo_attest_core::slsa::{PROVENANCE_V1, Provenance};
use argo_attest_core::trouble::{Fault, Trouble};
use argo_attest_core::verify::Rejection;
use serde::Serialize;

use super::AttestationNames;
use super::foreign::Foreign;
use super::publish::{self, Place};
use super::receipt::{ReadBack, Receipt, Reported};
use crate::signer::{SignError, Signer};
use crate::store::{InvalidKey, Store, StoreError};

/// Has statements signed by one signer, and stores them in one place.
#[derive(Debug)]
pub struct Attestor<'a> {
    signer: &'a dyn Signer,
    store: &'a dyn Store,
    foreign: Foreign,
}

/// Why an artifact is not attested.
#[derive(Debug, thiserror::Error)]
pub enum AttestError {
    /// The statement cannot be written as JSON. A bug.
    #[error("the statement about {artifact} cannot be serialised")]
    Serialise {
        /// The artifact's name.
        artifact: String,
        /// What the serialiser says.
        #[source]
        source: serde_json::Error,
    },
    /// The statement cannot be put into an envelope.
    #[error("the statement about {artifact} cannot be signed: {reason}")]
    Unsigned {
        /// The artifact's name.
        artifact: String,
        /// Why not.
        reason: String,
    },
    /// There is no name that it could be stored under.
    #[error("the attestation of {artifact} has no place beside it")]
    Name {
        /// The artifact's name.
        artifact: String,
        /// Why not.
        #[source]
        source: InvalidKey,
    },
    /// Whoever was to sign did not.
    #[error("the statement about {artifact} is not signed")]
    Sign {
        /// The artifact's name.
        artifact: String,
        /// What the signer says.
        #[source]
        source: SignError,
    },
    /// The store does not take or give it.
    #[error("the attestation of {artifact} could not be stored")]
    Store {
        /// The artifact's name.
        artifact: String,
        /// What the store says.
        #[source]
        source: StoreError,
    },
    /// Something else is there under the attestation's name.
    #[error("{uri} is there already and is not an attestation")]
    Foreign {
        /// Where.
        uri: String,
    },
    /// Others keep writing the same object.
    #[error("{uri} is being changed by somebody else")]
    Contended {
        /// Where.
        uri: String,
    },
    /// What was read back is not what was written.
    #[error("{uri} does not hold what was written")]
    ReadBack {
        /// Where.
        uri: String,
    },
    /// What was read back does not verify.
    #[error("{uri}, read back, does not verify")]
    Unverified {
        /// Where.
        uri: String,
        /// Why not.
        #[source]
        source: Rejection,
    },
}

impl Trouble for AttestError {
    fn fault(&self) -> Fault {
        match self {
            Self::Store { source, .. } => source.fault(),
            Self::Sign { source, .. } => source.fault(),
            _ => Fault::No,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Store { source, .. } => source.remedy(),
            Self::Sign { source, .. } => source.remedy(),
            Self::Name { .. } => Some("give the artifact a shorter key".to_owned()),
            Self::Foreign { .. } => Some("move it away, or give the output another name".to_owned()),
            _ => None,
        }
    }
}

impl<'a> Attestor<'a> {
    /// An attestor that has `signer` sign and writes to `store`.
    pub fn new(signer: &'a dyn Signer, store: &'a dyn Store) -> Self {
        Self { signer, store, foreign: Foreign::Refuse }
    }

    /// What becomes of something else that is there under an attestation's name, which is
    /// else refused.
    #[must_use]
    pub fn with_foreign(self, foreign: Foreign) -> Self {
        Self { foreign, ..self }
    }

    fn place<'p>(&self, artifact: &'p str) -> Place<'p>
    where
        'a: 'p,
    {
        Place { store: self.store, artifact, foreign: self.foreign }
    }

    /// Attests one artifact. The receipt says that it is done; any error, that
    /// nothing may be called attested.
    pub async fn attest(
        &self,
        contents: &Contents,
        names: &AttestationNames,
        provenance: &Provenance,
    ) -> Result<Receipt, AttestError> {
        let about = contents.name();
        let mut aside = Vec::new();
        // Readers look for the bundle first: it appears when all else is there.
        if let Some(manifest) = contents.manifest() {
            // What nobody would read proves nothing.
            if u64::try_from(manifest.len()).is_ok_and(|size| size > MAX_MANIFEST) {
                let reason = format!("its manifest would have more than {MAX_MANIFEST} bytes");
                return Err(AttestError::Unsigned { artifact: about.to_owned(), reason });
            }
            aside.extend(publish::manifest(self.place(about), &names.manifest, manifest).await?);
        }
        let state = self.state(about, contents.subjects(), PROVENANCE_V1, provenance, names, aside);
        state.await?.receipt()
    }

    /// Signs and stores a statement with another predicate.
    pub async fn report(
        &self,
        about: &str,
        subject: ResourceDescriptor,
        predicate_type: &str,
        predicate: &impl Serialize,
        names: &AttestationNames,
    ) -> Result<Reported, AttestError> {
        Ok(self.state(about, &[subject], predicate_type, predicate, names, Vec::new()).await?.reported())
    }

    /// State, sign, store, read back.
    async fn state(
        &self,
        about: &str,
        subjects: &[ResourceDescriptor],
        predicate_type: &str,
        predicate: &impl Serialize,
        names: &AttestationNames,
        mut aside: Vec<String>,
    ) -> Result<ReadBack, AttestError> {
        let payload = intoto::serialize(subjects, predicate_type, predicate)
            .map_err(|source| AttestError::Serialise { artifact: about.to_owned(), source })?;
        let (envelope, key) = self.sign(about, payload).await?;
        let bundle = Bundle::new(envelope)
            .map_err(|e| AttestError::Unsigned { artifact: about.to_owned(), reason: e.to_string() })?;
        aside.extend(publish::lines(self.place(about), &names.lines, bundle.envelope()).await?);
        aside.extend(publish::bundle(self.place(about), &names.bundle, &bundle).await?);
        ReadBack::of(self.store, about, names, &bundle, key, aside).await
    }

    /// The signed statement, and the key that signed it: the signer's word for that was
    /// checked, and is from then on the only key that this attestation is held to.
    async fn sign(&self, about: &str, payload: Vec<u8>) -> Result<(Envelope, PublicKey), AttestError> {
        let unsigned =
            |e: EnvelopeError| AttestError::Unsigned { artifact: about.to_owned(), reason: e.to_string() };
        let statement = Unsigned::new(payload).map_err(unsigned)?;
        let signed = self
            .signer
            .sign(statement.pae())
            .await
            .map_err(|source| AttestError::Sign { artifact: about.to_owned(), source })?;
        let envelope = Envelope::assemble(statement, signed.signature, &signed.key).map_err(unsigned)?;
        Ok((envelope, signed.key))
    }
}
