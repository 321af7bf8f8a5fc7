//! Who says so, and whether the policy takes their word.

use jiff::Timestamp;

use super::Rejection;
use crate::dsse::{Effort, Envelope};
use crate::intoto::Statement;
use crate::keys::{KeyId, PublicKey};
use crate::policy::Policy;
use crate::relpath::printable;
use crate::slsa::{PROVENANCE_V1, Provenance};

/// A key that signed, as the policy knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key's name in the policy.
    pub name: String,
    /// The key's fingerprint.
    pub id: KeyId,
}

/// Provenance that a trusted key signed and the policy accepts. It is not yet
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
    provenance: Provenance,
    signer: Signer,
}

/// Checks an envelope's signature, then what it says, then the policy.
pub fn authenticate(envelope: &Envelope, policy: &Policy, now: Timestamp) -> Result<Authentic, Rejection> {
    authenticate_within(envelope, policy, now, &mut Effort::default())
}

/// The same for one of several envelopes, which together must not take more than `effort`.
pub fn authenticate_within(
    envelope: &Envelope,
    policy: &Policy,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<Authentic, Rejection> {
    let keys: Vec<&PublicKey> = policy.keys().iter().map(|k| &k.key).collect();
    let valid = envelope.verify_within(&keys, effort)?;
    let index = valid.key_index();
    // The name is not under the signature and decides nothing. But no writer signs with
    // one key and names another, and most tools pass over such a signature: whatever
    // changed the name, this is not what was published.
    if let Some(named) = valid.keyid().filter(|_| !valid.is_named()) {
        return Err(Rejection::KeyName { named: printable(named.as_bytes()), signer: valid.key().key_id() });
    }
    let statement = Statement::from_json(valid.payload())?;
    if statement.predicate_type() != PROVENANCE_V1 {
        return Err(Rejection::PredicateType { found: statement.predicate_type().to_owned() });
    }
    let provenance = Provenance::from_predicate(statement.predicate())?;
    policy.judge(index, &provenance, now)?;
    let name = policy.keys().get(index).map(|k| k.name.clone()).unwrap_or_default();
    Ok(Authentic { statement, provenance, signer: Signer { name, id: valid.key().key_id() } })
}

impl Authentic {
    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The provenance.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Who signed.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// All of it, without a copy.
    pub(super) fn into_parts(self) -> (Statement, Provenance, Signer) {
        (self.statement, self.provenance, self.signer)
    }
}
