//! Who says so, and whether the policy takes their word.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Rejection, Wanted};
use crate::digest::FileDigests;
use crate::dsse::{Effort, Envelope, SignatureValid};
use crate::intoto::Statement;
use crate::keys::{KeyId, PublicKey};
use crate::outcome_words::{OutcomeWords, STEP_OUTCOME_V1};
use crate::policy::Policy;
use crate::relpath::printable;
use crate::slsa::{Provenance, is_own_build_type};

/// A key that signed, as the policy knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key's name in the policy.
    pub name: String,
    /// The key's fingerprint.
    pub id: KeyId,
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
}

/// Checks an envelope's signature, then what it says, then the policy: whether it is
/// provenance that is accepted.
pub fn authenticate(envelope: &Envelope, policy: &Policy, now: Timestamp) -> Result<Authentic, Rejection> {
    authenticate_within(envelope, policy, &Wanted::Provenance, now, &mut Effort::default())
}

/// The same for one of several envelopes, which together must not take more than `effort`,
/// and for any claim that is `wanted`.
pub fn authenticate_within(
    envelope: &Envelope,
    policy: &Policy,
    wanted: &Wanted,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<Authentic, Rejection> {
    let (statement, index, id) = signed(envelope, policy, effort)?;
    let found = statement.predicate_type();
    if !wanted.takes(found) {
        return Err(Rejection::PredicateType { found: found.to_owned(), wanted: wanted.told() });
    }
    let provenance = Provenance::of_type(found, statement.predicate()).transpose()?;
    match &provenance {
        Some(provenance) => policy.judge(index, provenance, now)?,
        None => policy.judge_other(index, found, now)?,
    }
    let name = policy.keys().get(index).map(|k| k.name.clone()).unwrap_or_default();
    Ok(Authentic { statement, provenance, signer: Signer { name, id } })
}

/// A step's outcome, and who signed it: a key of the policy, for a builder that it may speak
/// for. What else the policy expects is asked of provenance.
pub fn authenticate_outcome(
    envelope: &Envelope,
    policy: &Policy,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<(OutcomeWords, Signer), Rejection> {
    let (statement, index, id) = signed(envelope, policy, effort)?;
    let found = statement.predicate_type();
    let wanted = || Rejection::PredicateType { found: found.to_owned(), wanted: STEP_OUTCOME_V1.to_owned() };
    let words = OutcomeWords::read(found, statement.predicate()).ok_or_else(wanted)?;
    policy.judge_builder(index, &words.builder.id, now)?;
    let name = policy.keys().get(index).map(|k| k.name.clone()).unwrap_or_default();
    Ok((words, Signer { name, id }))
}

/// What a key of the policy signed: the statement, which of the keys it was, and its name.
fn signed(
    envelope: &Envelope,
    policy: &Policy,
    effort: &mut Effort,
) -> Result<(Statement, usize, KeyId), Rejection> {
    let keys: Vec<&PublicKey> = policy.keys().iter().map(|k| &k.key).collect();
    let valid = envelope.verify_within(&keys, effort)?;
    let statement = Statement::from_json(valid.payload())?;
    if is_own(&statement) {
        unaltered(&valid)?;
    }
    Ok((statement, valid.key_index(), valid.key().key_id()))
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
    pub(super) fn into_parts(self) -> (Statement, Option<Provenance>, Signer) {
        (self.statement, self.provenance, self.signer)
    }
}
