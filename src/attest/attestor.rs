//! The last steps, in the one order in which they may happen: state, sign,
//! store, read back, verify.

use argo_attest_core::bundle::Bundle;
use argo_attest_core::contents::Contents;
use argo_attest_core::dsse::{Envelope, EnvelopeError, Unsigned};
use argo_attest_core::intoto::{self, ResourceDescriptor};
use argo_attest_core::keys::{KeyId, PublicKey};
use argo_attest_core::manifest::MAX_MANIFEST;
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::slsa::{PROVENANCE_V1, Provenance};
use argo_attest_core::verify::{self, Rejection};
use jiff::Timestamp;
use serde::Serialize;

use super::{AttestationNames, publish};
use crate::signer::{SignError, Signer};
use crate::store::{Store, StoreError};

/// Has statements signed by one signer, and stores them in one place.
#[derive(Debug)]
pub struct Attestor<'a> {
    signer: &'a dyn Signer,
    store: &'a dyn Store,
}

/// Proof that an attestation was written, read back and verified.
#[derive(Debug, Clone)]
pub struct Receipt {
    bundle_uri: String,
    lines_uri: String,
    key: KeyId,
    subjects: usize,
}

impl Receipt {
    /// Where the bundle is.
    pub fn bundle_uri(&self) -> &str {
        &self.bundle_uri
    }

    /// Where the JSON Lines file is.
    pub fn lines_uri(&self) -> &str {
        &self.lines_uri
    }

    /// The key that signed.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// How many subjects the statement has.
    pub fn subjects(&self) -> usize {
        self.subjects
    }
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

/// A bundle as the store has it, and the key that it was verified with.
struct Written {
    bundle: Bundle,
    key: PublicKey,
}

impl<'a> Attestor<'a> {
    /// An attestor that has `signer` sign and writes to `store`.
    pub fn new(signer: &'a dyn Signer, store: &'a dyn Store) -> Self {
        Self { signer, store }
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
        // Readers look for the bundle first: it appears when all else is there.
        if let Some(manifest) = contents.manifest() {
            // What nobody would read proves nothing.
            if u64::try_from(manifest.len()).is_ok_and(|size| size > MAX_MANIFEST) {
                let reason = format!("its manifest would have more than {MAX_MANIFEST} bytes");
                return Err(AttestError::Unsigned { artifact: about.to_owned(), reason });
            }
            publish::manifest(self.store, about, &names.manifest, manifest).await?;
        }
        let written = self.state(about, contents.subjects(), PROVENANCE_V1, provenance, names).await?;
        // As any consumer would: what we do not accept ourselves is not attested.
        let policy = Policy::of_keys(vec![TrustedKey::new("signer", written.key.clone())]);
        verify::authenticate(written.bundle.envelope(), &policy, Timestamp::now())
            .map_err(|source| AttestError::Unverified { uri: self.store.uri(&names.bundle), source })?;
        Ok(self.receipt(names, &written.key, contents.subjects().len()))
    }

    /// Signs and stores a statement with another predicate.
    pub async fn report(
        &self,
        about: &str,
        subject: ResourceDescriptor,
        predicate_type: &str,
        predicate: &impl Serialize,
        names: &AttestationNames,
    ) -> Result<Receipt, AttestError> {
        let written = self.state(about, &[subject], predicate_type, predicate, names).await?;
        Ok(self.receipt(names, &written.key, 1))
    }

    fn receipt(&self, names: &AttestationNames, key: &PublicKey, subjects: usize) -> Receipt {
        Receipt {
            bundle_uri: self.store.uri(&names.bundle),
            lines_uri: self.store.uri(&names.lines),
            key: key.key_id(),
            subjects,
        }
    }

    /// State, sign, store, read back: gives the bundle as the store has it, its
    /// signature checked.
    async fn state(
        &self,
        about: &str,
        subjects: &[ResourceDescriptor],
        predicate_type: &str,
        predicate: &impl Serialize,
        names: &AttestationNames,
    ) -> Result<Written, AttestError> {
        let payload = intoto::serialize(subjects, predicate_type, predicate)
            .map_err(|source| AttestError::Serialise { artifact: about.to_owned(), source })?;
        let (envelope, key) = self.sign(about, payload).await?;
        let bundle = Bundle::new(envelope)
            .map_err(|e| AttestError::Unsigned { artifact: about.to_owned(), reason: e.to_string() })?;
        publish::lines(self.store, about, &names.lines, bundle.envelope()).await?;
        publish::bundle(self.store, about, &names.bundle, &bundle).await?;
        Ok(Written { bundle: self.read_back(about, names, &bundle, &key).await?, key })
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

    /// What the store gives has to be what was signed here, not some other
    /// attestation of the same name, and to verify with the public key.
    async fn read_back(
        &self,
        about: &str,
        names: &AttestationNames,
        written: &Bundle,
        key: &PublicKey,
    ) -> Result<Bundle, AttestError> {
        let uri = self.store.uri(&names.bundle);
        let unverified = |source| AttestError::Unverified { uri: uri.clone(), source };
        let bytes = publish::read(self.store, about, &names.bundle).await?;
        let read = Bundle::from_json(&bytes).map_err(|e| unverified(e.into()))?;
        read.envelope().verify(&[key]).map_err(|e| unverified(e.into()))?;
        if bytes != written.to_json() {
            return Err(AttestError::ReadBack { uri });
        }
        let lines = publish::read(self.store, about, &names.lines).await?;
        let line = written.envelope().to_json();
        if !lines.split(|b| *b == b'\n').any(|l| l == line) {
            return Err(AttestError::ReadBack { uri: self.store.uri(&names.lines) });
        }
        Ok(read)
    }
}
