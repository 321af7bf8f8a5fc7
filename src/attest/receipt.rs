//! Reading back what was written, and the receipts that nothing else gives.

use argo_attest_core::bundle::Bundle;
use argo_attest_core::dsse::Effort;
use argo_attest_core::keys::{KeyId, PublicKey};
use argo_attest_core::outcome::Attested;
use argo_attest_core::policy::{Policy, TrustedKey};
use argo_attest_core::predicate::PredicateType;
use argo_attest_core::verify::{self, Wanted};
use jiff::Timestamp;

use super::AttestError;
use crate::attestations::{Kept, PutError};
use crate::signer::Certified;

/// Proof that an attestation was written, read back and verified.
///
/// Only [`super::Attestor::attest`] and [`super::ImageAttestor::attest`] give one; nothing
/// outside can make it:
///
/// ```
/// use argo_attest::attest::Receipt;
/// fn pass_on(receipt: Receipt) -> Receipt {
///     receipt
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest::attest::Receipt;
/// fn forge(receipt: Receipt) -> Receipt {
///     Receipt { ..receipt }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Receipt {
    attested: Attested,
    lines_uri: Option<String>,
    key: KeyId,
    subjects: usize,
    set_aside: Vec<String>,
    unvouched: Vec<String>,
}

impl Receipt {
    /// Where the bundle is.
    pub fn bundle_uri(&self) -> &str {
        self.attested.attestation()
    }

    /// Where the JSON Lines file is, if its place has one: with an image there is none.
    pub fn lines_uri(&self) -> Option<&str> {
        self.lines_uri.as_deref()
    }

    /// The key that signed.
    pub fn key(&self) -> &KeyId {
        &self.key
    }

    /// How many subjects the statement has.
    pub fn subjects(&self) -> usize {
        self.subjects
    }

    /// Where that is now which was in the attestation's place, and was none: URIs.
    pub fn set_aside(&self) -> &[String] {
        &self.set_aside
    }

    /// Why somebody who was asked to vouch for it did not, where it is attested all the same.
    pub fn unvouched(&self) -> &[String] {
        &self.unvouched
    }

    /// What a step's outcome may say on the strength of it.
    pub fn into_attested(self) -> Attested {
        self.attested
    }
}

/// Proof that a statement about something else than an artifact was written and read
/// back, and that its signature is good. It says of no artifact that it is attested.
#[derive(Debug, Clone)]
pub struct Reported {
    bundle_uri: String,
}

impl Reported {
    /// Where the bundle is.
    pub fn bundle_uri(&self) -> &str {
        &self.bundle_uri
    }
}

/// Proof that a document of a step was put as a statement about an artifact, of its type, was read
/// back and verified. It says nothing of how the artifact was made.
#[derive(Debug, Clone)]
pub struct Stated {
    attested: Attested,
    unvouched: Vec<String>,
}

impl Stated {
    /// Where the bundle is.
    pub fn bundle_uri(&self) -> &str {
        self.attested.attestation()
    }

    /// Why somebody who was asked does not vouch for it: one line each, printable.
    pub fn unvouched(&self) -> &[String] {
        &self.unvouched
    }

    /// What a step's outcome may say on the strength of it.
    pub fn into_attested(self) -> Attested {
        self.attested
    }
}

/// What the store gave when it was asked for what had just been written: the same, its
/// signature checked.
pub(super) struct ReadBack {
    bundle: Bundle,
    bundle_uri: String,
    lines_uri: Option<String>,
    key: PublicKey,
    certified: Option<Certified>,
    set_aside: Vec<String>,
    unvouched: Vec<String>,
}

impl ReadBack {
    /// What the store gives has to be what was signed here, not some other
    /// attestation of the same name, and to verify with the public key.
    pub(super) fn of(about: &str, kept: Kept, written: &Bundle, key: PublicKey) -> Result<Self, AttestError> {
        let (bundle_uri, set_aside) = (kept.bundle.uri, kept.set_aside);
        let unverified = |source| AttestError::Unverified { uri: bundle_uri.clone(), source };
        let other = |uri| AttestError::Put { artifact: about.to_owned(), source: PutError::ReadBack { uri } };
        let bytes = kept.bundle.bytes;
        let bundle = Bundle::whole(&bytes).map_err(|e| unverified(e.into()))?;
        bundle.envelope().verify(&[&key]).map_err(|e| unverified(e.into()))?;
        if bytes != written.to_json() {
            return Err(other(bundle_uri));
        }
        let line = written.envelope().to_json();
        let lines_uri = match kept.lines {
            Some(lines) if !lines.bytes.split(|b| *b == b'\n').any(|l| l == line) => {
                return Err(other(lines.uri));
            }
            lines => lines.map(|lines| lines.uri),
        };
        let (certified, unvouched) = (None, Vec::new());
        Ok(Self { bundle, bundle_uri, lines_uri, key, certified, set_aside, unvouched })
    }

    /// Signed by a key that counts by a certificate.
    pub(super) fn certified(self, certified: Option<Certified>) -> Self {
        Self { certified, ..self }
    }

    /// With why somebody did not vouch for it.
    pub(super) fn unvouched(self, unvouched: Vec<String>) -> Self {
        Self { unvouched, ..self }
    }

    /// What a consumer has who trusts who signed: a key, or for whom its certificate is.
    fn policy(&self) -> Policy {
        match &self.certified {
            Some(certified) => certified.policy().clone(),
            None => Policy::of_keys(vec![TrustedKey::new("signer", self.key.clone())]),
        }
    }

    /// As any consumer would: what we do not accept ourselves is not attested.
    pub(super) fn receipt(self) -> Result<Receipt, AttestError> {
        let policy = self.policy();
        let Self { bundle, bundle_uri, lines_uri, key, set_aside, unvouched, .. } = self;
        let id = key.key_id();
        let statement =
            match verify::authenticate(bundle.envelope(), bundle.evidence(), &policy, Timestamp::now()) {
                Ok(statement) => statement,
                Err(source) => return Err(AttestError::Unverified { uri: bundle_uri, source }),
            };
        let subjects = statement.statement().subjects().len();
        let attested = Attested::read_back(&statement, bundle_uri);
        Ok(Receipt { attested, lines_uri, key: id, subjects, set_aside, unvouched })
    }

    /// As any consumer would who asks for this type.
    pub(super) fn stated(self, kind: &PredicateType) -> Result<Stated, AttestError> {
        let policy = self.policy();
        let Self { bundle, bundle_uri, unvouched, .. } = self;
        let (wanted, now) = (Wanted::Type(kind.as_str().to_owned()), Timestamp::now());
        let (envelope, evidence, effort) = (bundle.envelope(), bundle.evidence(), &mut Effort::default());
        match verify::authenticate_within(envelope, evidence, &policy, &wanted, now, effort) {
            Ok(statement) => Ok(Stated { attested: Attested::read_back(&statement, bundle_uri), unvouched }),
            Err(source) => Err(AttestError::Unverified { uri: bundle_uri, source }),
        }
    }

    /// Of a statement that is no provenance.
    pub(super) fn reported(self) -> Reported {
        Reported { bundle_uri: self.bundle_uri }
    }
}
