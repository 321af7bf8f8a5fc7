//! The last steps, in the one order in which they may happen: state, sign, have others vouch for the
//! signature, store, read back, verify.

use argo_attest_core::audit::{AUDIT_V1, AuditReport};
use argo_attest_core::bundle::Bundle;
use argo_attest_core::contents::Contents;
use argo_attest_core::dsse::{Envelope, EnvelopeError, Unsigned};
use argo_attest_core::intoto::{self, ResourceDescriptor};
use argo_attest_core::keys::PublicKey;
use argo_attest_core::manifest::{MAX_MANIFEST, Manifest};
use argo_attest_core::predicate::Document;
use argo_attest_core::slsa::{PROVENANCE_V1, Provenance};
use argo_attest_core::summary::{VERIFICATION_SUMMARY_V1, VerificationSummary};
use argo_attest_core::trouble::{Fault, Trouble};
use argo_attest_core::verify::Rejection;
use serde::Serialize;

use tokio::time::Instant;

use super::receipt::{ReadBack, Receipt, Reported, Stated};
use crate::attestations::{Attestations, Earlier, Foreign, NewAttestation, PutError};
use crate::signer::{Certified, SignError, Signer};
use crate::telemetry::traced;
use crate::witness::{Given, WitnessError, Witnesses};

/// Has statements signed by one signer, and puts them where attestations lie.
#[derive(Debug)]
pub struct Attestor<'a> {
    signer: &'a dyn Signer,
    foreign: Foreign,
    /// Who vouches for what is signed, and until when they are waited for.
    witnesses: Option<(&'a Witnesses, Option<Instant>)>,
}

/// The signed statement, and the key that signed it: the signer's word for that was checked,
/// and is from then on the only key that this attestation is held to.
#[derive(Debug)]
pub(super) struct Signed {
    bundle: Bundle,
    key: PublicKey,
    /// The certificate by which that key counts, if it is one.
    certified: Option<Certified>,
    /// Why somebody who was asked does not vouch for it.
    unvouched: Vec<String>,
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
    /// Others who were to vouch for the signature did not.
    #[error("the statement about {artifact} is not vouched for")]
    Unvouched {
        /// The artifact's name.
        artifact: String,
        /// Who did not, and why.
        #[source]
        source: WitnessError,
    },
    /// It is not kept where it belongs.
    #[error("the attestation of {artifact} could not be stored")]
    Put {
        /// The artifact's name.
        artifact: String,
        /// Why not.
        #[source]
        source: PutError,
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
            Self::Put { source, .. } => source.fault(),
            Self::Sign { source, .. } => source.fault(),
            Self::Unvouched { source, .. } => source.fault(),
            _ => Fault::No,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Self::Put { source, .. } => source.remedy(),
            Self::Sign { source, .. } => source.remedy(),
            Self::Unvouched { source, .. } => source.remedy(),
            _ => None,
        }
    }
}

impl<'a> Attestor<'a> {
    /// An attestor that has `signer` sign.
    pub fn new(signer: &'a dyn Signer) -> Self {
        Self { signer, foreign: Foreign::Refuse, witnesses: None }
    }

    /// Who is asked to vouch for each attestation when it is signed, and until when. What becomes of the
    /// step itself ([`Self::report`]) is said without them: it has to be said also when they are silent.
    #[must_use]
    pub fn with_witnesses(self, witnesses: &'a Witnesses, until: Option<Instant>) -> Self {
        Self { witnesses: Some((witnesses, until)), ..self }
    }

    /// What becomes of something else that is there under an attestation's name, which is
    /// else refused.
    #[must_use]
    pub fn with_foreign(self, foreign: Foreign) -> Self {
        Self { foreign, ..self }
    }

    /// Attests one artifact. The receipt says that it is done; any error, that
    /// nothing may be called attested.
    pub async fn attest(
        &self,
        contents: &Contents,
        place: &dyn Attestations,
        provenance: &Provenance,
    ) -> Result<Receipt, AttestError> {
        let about = contents.name();
        // What nobody would read proves nothing.
        let manifest = contents.manifest();
        if manifest.is_some_and(|manifest| manifest.size() > MAX_MANIFEST) {
            let reason = format!("its manifest would have more than {MAX_MANIFEST} bytes");
            return Err(AttestError::Unsigned { artifact: about.to_owned(), reason });
        }
        let signed = self.signed(contents, provenance).await?;
        self.keep(about, &signed, manifest, Earlier::Keep, place).await?.receipt()
    }

    /// Signs a document as what it is, about an artifact that is attested, and stores that at a place of
    /// its own.
    pub async fn state(
        &self,
        contents: &Contents,
        document: &Document,
        place: &dyn Attestations,
    ) -> Result<Stated, AttestError> {
        let signed = self.signed_document(contents, document).await?;
        // A list of its files lies with its provenance.
        self.keep(contents.name(), &signed, None, Earlier::Keep, place).await?.stated(document.kind())
    }

    /// Signs and stores a statement with another predicate. What is signed with a certificate counts by the word of
    /// others alone, and is vouched for, too.
    pub async fn report(
        &self,
        about: &str,
        subject: ResourceDescriptor,
        predicate_type: &str,
        predicate: &impl Serialize,
        place: &dyn Attestations,
    ) -> Result<Reported, AttestError> {
        let payload = serialise(about, &[subject], predicate_type, predicate)?;
        let witnesses = self.witnesses.filter(|_| self.signer.certified().is_some());
        let signed = self.sign(about, payload, witnesses).await?;
        // It says all that was said when the step started.
        Ok(self.keep(about, &signed, None, Earlier::Supersede, place).await?.reported())
    }

    /// The signed summary of a verification. Where it is kept is the caller's to say.
    ///
    /// Errors: [`AttestError::Serialise`], [`AttestError::Unsigned`], [`AttestError::Sign`].
    pub async fn summarise(
        &self,
        about: &str,
        subjects: &[ResourceDescriptor],
        summary: &VerificationSummary,
    ) -> Result<Bundle, AttestError> {
        let payload = serialise(about, subjects, VERIFICATION_SUMMARY_V1, summary)?;
        Ok(self.sign(about, payload, None).await?.bundle)
    }

    /// The signed report of an audit, likewise.
    ///
    /// Errors: [`AttestError::Serialise`], [`AttestError::Unsigned`], [`AttestError::Sign`].
    pub async fn vouch_for_audit(
        &self,
        about: &str,
        subjects: &[ResourceDescriptor],
        report: &AuditReport,
    ) -> Result<Bundle, AttestError> {
        let payload = serialise(about, subjects, AUDIT_V1, report)?;
        Ok(self.sign(about, payload, None).await?.bundle)
    }

    /// The signed statement of how this came about.
    pub(super) async fn signed(
        &self,
        contents: &Contents,
        provenance: &Provenance,
    ) -> Result<Signed, AttestError> {
        let about = contents.name();
        let payload = serialise(about, contents.subjects(), PROVENANCE_V1, provenance)?;
        self.sign(about, payload, self.witnesses).await
    }

    /// The signed statement that is a document of the step about what is attested.
    pub(super) async fn signed_document(
        &self,
        contents: &Contents,
        document: &Document,
    ) -> Result<Signed, AttestError> {
        let about = contents.name();
        let payload = serialise(about, contents.subjects(), document.kind().as_str(), document)?;
        self.sign(about, payload, self.witnesses).await
    }

    /// Store, read back. What becomes of an earlier one is said by whoever knows what it is worth.
    pub(super) async fn keep(
        &self,
        about: &str,
        signed: &Signed,
        manifest: Option<&Manifest>,
        earlier: Earlier,
        place: &dyn Attestations,
    ) -> Result<ReadBack, AttestError> {
        let Signed { bundle, key, certified, unvouched } = signed;
        let new = NewAttestation { bundle, manifest, foreign: self.foreign, earlier };
        let put = traced("put", place.put(&new)).await;
        let kept = put.map_err(|source| AttestError::Put { artifact: about.to_owned(), source })?;
        let read = ReadBack::of(about, kept, bundle, key.clone())?;
        Ok(read.certified(certified.clone()).unvouched(unvouched.clone()))
    }

    async fn sign(
        &self,
        about: &str,
        payload: Vec<u8>,
        witnesses: Option<(&Witnesses, Option<Instant>)>,
    ) -> Result<Signed, AttestError> {
        let unsigned =
            |e: EnvelopeError| AttestError::Unsigned { artifact: about.to_owned(), reason: e.to_string() };
        let statement = Unsigned::new(payload).map_err(unsigned)?;
        let signed = traced("sign", self.signer.sign(statement.pae()))
            .await
            .map_err(|source| AttestError::Sign { artifact: about.to_owned(), source })?;
        let envelope = Envelope::assemble(statement, signed.signature, &signed.key).map_err(unsigned)?;
        let (key, certified, nobody) = (signed.key, signed.certified, Witnesses::nobody());
        let (witnesses, until) = witnesses.unwrap_or((&nobody, None));
        let given = match &certified {
            Some(by) => witnesses.vouch_certified(envelope, by.certificate(), until).await,
            None => witnesses.vouch(envelope, &key, until).await,
        };
        let Given { bundle, missing } =
            given.map_err(|source| AttestError::Unvouched { artifact: about.to_owned(), source })?;
        for why in &missing {
            tracing::warn!(artifact = about, why, "signed, and not vouched for by all who were asked");
        }
        Ok(Signed { bundle, key, certified, unvouched: missing })
    }
}

fn serialise(
    about: &str,
    subjects: &[ResourceDescriptor],
    predicate_type: &str,
    predicate: &impl Serialize,
) -> Result<Vec<u8>, AttestError> {
    intoto::serialize(subjects, predicate_type, predicate)
        .map_err(|source| AttestError::Serialise { artifact: about.to_owned(), source })
}
