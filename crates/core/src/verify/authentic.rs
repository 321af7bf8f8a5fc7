//! Who says so, and whether the policy takes their word.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Rejection, Wanted};
use crate::bundle::Evidence;
use crate::digest::FileDigests;
use crate::dsse::{Effort, Envelope, SignatureError, SignatureValid};
use crate::intoto::Statement;
use crate::keys::{KeyId, PublicKey};
use crate::outcome_words::{OutcomeWords, STEP_OUTCOME_V1};
use crate::policy::{Policy, Principal, Vouched};
use crate::proof::{self, CertificateError, Claim, FalseEvidence, Identity, Leaf, Proof};
use crate::relpath::printable;
use crate::slsa::{Provenance, is_own_build_type};

/// A key that signed, as the policy knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The name of the key, or of the identity, in the policy.
    pub name: String,
    /// The key's fingerprint; that of a certificate's, if it was one.
    pub id: KeyId,
    /// For whom the certificate is, if it was one.
    pub identity: Option<Identity>,
}

/// Provenance, or another claim that was asked for, that a trusted key signed and the policy accepts. It is not yet
/// about any artifact: only [`Authentic::accept`] can say that.
///
/// Only [`authenticate`] makes one; nothing outside its module can:
///
/// ```
/// use argo_attest_core::verify::Authentic;
/// fn pass_on(authentic: Authentic) -> Authentic {
///     authentic
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest_core::verify::Authentic;
/// fn forge(authentic: Authentic) -> Authentic {
///     Authentic { ..authentic }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Authentic {
    statement: Statement,
    provenance: Option<Provenance>,
    signer: Signer,
    proof: Proof,
}

/// Checks an envelope's signature, then what it says, then the policy: whether it is
/// provenance that is accepted. What came with it is held against the policy's trusted root.
pub fn authenticate(
    envelope: &Envelope,
    evidence: &Evidence,
    policy: &Policy,
    now: Timestamp,
) -> Result<Authentic, Rejection> {
    authenticate_within(envelope, evidence, policy, &Wanted::Provenance, now, &mut Effort::default())
}

/// The same for one of several envelopes, which together must not take more than `effort`,
/// and for any claim that is `wanted`.
pub fn authenticate_within(
    envelope: &Envelope,
    evidence: &Evidence,
    policy: &Policy,
    wanted: &Wanted,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<Authentic, Rejection> {
    let Signed { statement, by, id, proof } = Hearing { envelope, evidence, policy, now }.signed(effort)?;
    let found = statement.predicate_type();
    if !wanted.takes(found) {
        return Err(Rejection::PredicateType { found: found.to_owned(), wanted: wanted.told() });
    }
    let provenance = Provenance::of_type(found, statement.predicate()).transpose()?;
    let vouched = Vouched { by: &by, proof: &proof, now };
    let by = match &provenance {
        Some(provenance) => policy.judge(provenance, vouched)?,
        None => policy.judge_other(found, vouched)?,
    };
    let signer = Signer::new(policy, by, id, &proof);
    Ok(Authentic { statement, provenance, signer, proof })
}

/// A step's outcome, and who signed it: a key of the policy, for a builder that it may speak
/// for. What else the policy expects is asked of provenance.
pub fn authenticate_outcome(
    envelope: &Envelope,
    evidence: &Evidence,
    policy: &Policy,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<(OutcomeWords, Signer, Proof), Rejection> {
    let Signed { statement, by, id, proof } = Hearing { envelope, evidence, policy, now }.signed(effort)?;
    let found = statement.predicate_type();
    let wanted = || Rejection::PredicateType { found: found.to_owned(), wanted: STEP_OUTCOME_V1.to_owned() };
    let words = OutcomeWords::read(found, statement.predicate()).ok_or_else(wanted)?;
    let by = policy.judge_builder(&words.builder.id, Vouched { by: &by, proof: &proof, now })?;
    Ok((words, Signer::new(policy, by, id, &proof), proof))
}

/// What somebody signed whom the policy trusts: the statement, who of them it may have been, and the
/// key's name; and what others vouch for.
struct Signed {
    statement: Statement,
    by: Vec<Principal>,
    id: KeyId,
    proof: Proof,
}

/// What is held against what: an envelope and what came with it, a policy, the verifier's clock.
#[derive(Clone, Copy)]
struct Hearing<'a> {
    envelope: &'a Envelope,
    evidence: &'a Evidence,
    policy: &'a Policy,
    now: Timestamp,
}

impl Hearing<'_> {
    /// What a key of the policy signed, or somebody whom the policy trusts by a certificate.
    fn signed(self, effort: &mut Effort) -> Result<Signed, Rejection> {
        let Self { envelope, evidence, policy, now } = self;
        let keys: Vec<&PublicKey> = policy.keys().iter().map(|k| &k.key).collect();
        let valid = match envelope.verify_within(&keys, effort) {
            Err(SignatureError::Untrusted { .. } | SignatureError::NoKeys) if policy.trusts_identities() => {
                return self.certified(effort);
            }
            checked => checked?,
        };
        let proof = match policy.trusted_root() {
            Some(root) => proof::judge(evidence, &Claim::of(&valid), root, now, effort)?,
            None => Proof::default(),
        };
        let signed = Signed::new(&valid, vec![Principal::Key(valid.key_index())], proof)?;
        // No version of this program writes a certificate beside what a key signed that counts by itself.
        let is_of_signer = |certificate| Leaf::of(certificate).is_ok_and(|leaf| leaf.key() == valid.key());
        if is_own(&signed.statement) && !evidence.certificate().is_none_or(is_of_signer) {
            let why = "it carries a certificate for another key than the one that signed it".to_owned();
            return Err(Rejection::Altered { why });
        }
        Ok(signed)
    }

    fn certified(self, effort: &mut Effort) -> Result<Signed, Rejection> {
        let Self { envelope, evidence, policy, now } = self;
        let untrusted = || SignatureError::Untrusted { claimed: envelope.claimed() };
        let (Some(certificate), Some(root)) = (evidence.certificate(), policy.trusted_root()) else {
            return Err(untrusted().into());
        };
        let leaf =
            Leaf::of(certificate).map_err(|why| Rejection::Certificate(FalseEvidence::unnamed(why)))?;
        let keys = [leaf.key()];
        let valid = envelope.verify_within(&keys, effort).map_err(|error| match error {
            SignatureError::TooMuch => Rejection::from(error),
            _ => Rejection::Certificate(leaf.refused(CertificateError::Signature)),
        })?;
        let claim = Claim::certified(&valid, &leaf);
        let proof = proof::judge(evidence, &claim, root, now, effort).map_err(Rejection::Certificate)?;
        let Some(identity) = proof.identity() else { return Err(untrusted().into()) };
        Signed::new(&valid, policy.identities_of(identity)?, proof)
    }
}

impl Signer {
    fn new(policy: &Policy, by: Principal, id: KeyId, proof: &Proof) -> Self {
        Self { name: policy.name_of(by).to_owned(), id, identity: proof.identity().cloned() }
    }
}

impl Signed {
    fn new(valid: &SignatureValid<'_>, by: Vec<Principal>, proof: Proof) -> Result<Self, Rejection> {
        let statement = Statement::from_json(valid.payload())?;
        if is_own(&statement) {
            unaltered(valid)?;
        }
        Ok(Self { statement, by, id: valid.key().key_id(), proof })
    }
}

/// Whether this program made the statement, by what is signed of it.
fn is_own(statement: &Statement) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        build_definition: Definition,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Definition {
        build_type: String,
    }
    if statement.predicate_type() == STEP_OUTCOME_V1 {
        return true;
    }
    let made = serde_json::from_str::<Made>(statement.predicate());
    made.is_ok_and(|made| is_own_build_type(&made.build_definition.build_type))
}

/// That what this program made is as this program wrote it, to the byte. The name of the key
/// and what is around the envelope are not under the signature and decide nothing; but no
/// version of this program signs with one key and names another, or writes in another
/// spelling: whatever changed that, this is not what was published. Of what others made
/// nothing like it is known.
fn unaltered(valid: &SignatureValid<'_>) -> Result<(), Rejection> {
    if let Some(named) = valid.keyid().filter(|_| !valid.is_named()) {
        return Err(Rejection::KeyName { named: printable(named.as_bytes()), signer: valid.key().key_id() });
    }
    match valid.deviation() {
        Some(why) => Err(Rejection::Altered { why: crate::text::brief(why, 300) }),
        None => Ok(()),
    }
}

impl Authentic {
    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The provenance; `None` if another claim was asked for.
    pub fn provenance(&self) -> Option<&Provenance> {
        self.provenance.as_ref()
    }

    /// Who signed.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// What others vouch for.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Whether a file's SHA-384 or SHA-512 is needed to compare it with the subjects: some
    /// have no SHA-256.
    pub fn needs_longer(&self) -> bool {
        self.statement.subjects().iter().any(|s| s.digest.sha256().is_none() && s.digest.has_longer())
    }

    /// The same, where it is known of a file what its digests are: a subject that is these
    /// very bytes by one of them is so by the others.
    #[must_use]
    pub fn knowing(mut self, file: &FileDigests) -> Self {
        self.statement.complete(file);
        self
    }

    /// All of it, without a copy.
    pub(super) fn into_parts(self) -> (Statement, Option<Provenance>, Signer, Proof) {
        (self.statement, self.provenance, self.signer, self.proof)
    }
}
