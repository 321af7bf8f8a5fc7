//! What others vouch for: that a signature was published in a transparency log, when it was there,
//! and whose certificate it was made with. [`judge`] holds the [`Evidence`] that came with a signature against a [`TrustedRoot`],
//! without network and without a clock of its own.
//!
//! What is proven is a value that only this module makes ([`Logged`], [`Stamped`], [`ProvenTime`]).
//! What is there and false is an error, never nothing: nobody who writes evidence writes it false.
//! What nobody here can tell (a log or an authority that the trusted root does not name, a kind
//! that is not read) proves nothing and is counted ([`Proof::unjudged`]); whoever could change it into that
//! could as well have left it out.

pub mod asking;
mod body;
mod certificate;
mod chain;
mod checkpoint;
mod claim;
mod der;
mod entry;
mod identity;
mod inclusion;
mod root;
mod sct;
mod token;
mod window;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use claim::Claim;
use claim::SignedWith;
pub use entry::EntryError;
pub use identity::{CertificateError, Identity, Leaf};
pub use root::{InvalidRoot, MAX_TRUSTED_ROOT, TrustedRoot};
pub use token::TokenError;

use crate::bundle::{Evidence, Unjudged};
use crate::dsse::{Effort, base64};
use crate::json::{self, Object};

/// Signatures that are checked of one entry: under its checkpoint, and of its promise.
const OF_ENTRY: usize = checkpoint::MAX_OWN + 1;
/// Of one certificate with one authority: those of a chain of usual length, or its own.
const OF_CHAIN: usize = 4;

/// How far ahead of the verifier's clock another one may be.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Evidence that is not true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FalseEvidence {
    /// Of a log.
    #[error("log entry {number} of the attestation is false: {why}")]
    LogEntry {
        /// Which, from 1.
        number: usize,
        /// Why it is.
        #[source]
        why: EntryError,
    },
    /// Of a timestamp authority.
    #[error("timestamp {number} of the attestation is false: {why}")]
    Timestamp {
        /// Which, from 1.
        number: usize,
        /// Why it is.
        #[source]
        why: TokenError,
    },
    /// The certificate that the signature was made with.
    #[error("the certificate for {identity} is not accepted: {why}")]
    Certificate {
        /// For whom it says that it is, printable.
        identity: String,
        /// Why it is not.
        #[source]
        why: CertificateError,
    },
    /// More than is worth the trouble.
    #[error("more signatures of logs and authorities would have to be checked than are")]
    TooMuch,
    /// A time that has not come.
    #[error("{who} says that the signature was there at {time}, which is to come")]
    Future {
        /// The log or the authority that says so.
        who: String,
        /// What it says.
        time: Timestamp,
    },
}

impl FalseEvidence {
    /// Of a certificate that names nobody.
    pub(crate) fn unnamed(why: CertificateError) -> Self {
        Self::Certificate { identity: "nobody".to_owned(), why }
    }
}

/// When a signature was there, by the word of somebody whom the trusted root names. It may have been
/// there before.
///
/// ```
/// use argo_attest_core::proof::ProvenTime;
/// fn pass_on(time: ProvenTime) -> ProvenTime {
///     time
/// }
/// ```
/// ```compile_fail,E0423
/// use argo_attest_core::proof::ProvenTime;
/// fn claim(time: jiff::Timestamp) -> ProvenTime {
///     ProvenTime(time)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProvenTime(Timestamp);

/// That a log holds a signature.
///
/// Only [`judge`] makes one; nothing outside its module can:
///
/// ```
/// use argo_attest_core::proof::Logged;
/// fn pass_on(logged: Logged) -> Logged {
///     logged
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest_core::proof::Logged;
/// fn forge(logged: Logged) -> Logged {
///     Logged { ..logged }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    log: String,
    index: u64,
    time: Option<ProvenTime>,
}

/// That a timestamp authority saw a signature.
///
/// Only [`judge`] makes one; nothing outside its module can:
///
/// ```
/// use argo_attest_core::proof::Stamped;
/// fn pass_on(stamped: Stamped) -> Stamped {
///     stamped
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest_core::proof::Stamped;
/// fn forge(stamped: Stamped) -> Stamped {
///     Stamped { ..stamped }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    authority: String,
    time: ProvenTime,
}

/// All that is proven of one signature. By default, without a trusted root, that is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    logged: Vec<Logged>,
    stamped: Vec<Stamped>,
    identity: Option<Identity>,
}

impl ProvenTime {
    /// The time.
    pub fn get(self) -> Timestamp {
        self.0
    }
}

impl Logged {
    /// The log, by its host.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// Where in the log.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// When the log took it, if it promised that.
    pub fn time(&self) -> Option<ProvenTime> {
        self.time
    }
}

impl Stamped {
    /// The authority, by its host.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// When it saw the signature.
    pub fn time(&self) -> ProvenTime {
        self.time
    }
}

impl Proof {
    /// Logs that hold the signature.
    pub fn logged(&self) -> &[Logged] {
        &self.logged
    }

    /// Authorities that saw it.
    pub fn stamped(&self) -> &[Stamped] {
        &self.stamped
    }

    /// For whom the certificate is that the signature was made with, if it was made with one.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// All times that are proven.
    pub(crate) fn times(&self) -> impl Iterator<Item = ProvenTime> {
        let logged = self.logged.iter().filter_map(Logged::time);
        logged.chain(self.stamped.iter().map(Stamped::time))
    }

    /// The earliest time that is proven: the signature was made then or before.
    pub fn earliest(&self) -> Option<ProvenTime> {
        self.times().min()
    }

    /// What is left of this evidence that proves nothing here.
    #[must_use]
    pub fn unjudged(&self, evidence: Unjudged) -> Unjudged {
        Unjudged {
            log_entries: evidence.log_entries.saturating_sub(self.logged.len()),
            timestamps: evidence.timestamps.saturating_sub(self.stamped.len()),
            certificates: evidence.certificates.saturating_sub(self.identity.iter().count()),
        }
    }
}

/// What evidence proves of a signature, by the trusted root. `now` is the verifier's clock: nothing
/// is proven of a time that is to come. `effort` is that of all attestations of a file.
///
/// Errors: [`FalseEvidence`], the first that is found.
pub fn judge(
    evidence: &Evidence,
    claim: &Claim<'_>,
    root: &TrustedRoot,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<Proof, FalseEvidence> {
    let mut proof = witnessed(evidence, claim, root, now, effort)?;
    if let SignedWith::Certificate(leaf) = claim.signed_with() {
        if leaf.key() != claim.key() {
            return Err(leaf.refused(CertificateError::Signature));
        }
        let chains = root.certificate_authorities.len().saturating_mul(proof.times().count());
        effort.spend_checks(OF_CHAIN.saturating_mul(chains)).map_err(|_| FalseEvidence::TooMuch)?;
        proof.identity = Some(identity::identify(leaf, &proof, root).map_err(|why| leaf.refused(why))?);
    }
    Ok(proof)
}

/// What logs and timestamp authorities prove of it, and nothing of for whom its certificate is.
fn witnessed(
    evidence: &Evidence,
    claim: &Claim<'_>,
    root: &TrustedRoot,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<Proof, FalseEvidence> {
    let stamped = stamps(evidence, claim, root, now, effort)?;
    let mut logged = Vec::new();
    for (number, entry) in (1..).zip(evidence.log_entries()) {
        let at_fault = |why| FalseEvidence::LogEntry { number, why };
        effort.spend_checks(OF_ENTRY).map_err(|_| FalseEvidence::TooMuch)?;
        let Some(held) = entry::judge(entry, claim, root).map_err(at_fault)? else { continue };
        if let Some(time) = held.time {
            has_come(&held.log.name, time, now)?;
        } else {
            // A log that does not say when is believed when the signature is known to have been
            // there or, if even that is not known, now.
            let times = stamped.iter().map(|stamped| stamped.time.0);
            let now = stamped.is_empty().then_some(now);
            if let Some(time) = times.chain(now).find(|time| !held.log.window.holds(*time)) {
                return Err(at_fault(EntryError::Window { log: held.log.name, time }));
            }
        }
        logged.push(Logged { log: held.log.name, index: held.index, time: held.time.map(ProvenTime) });
    }
    Ok(Proof { logged, stamped, identity: None })
}

fn stamps(
    evidence: &Evidence,
    claim: &Claim<'_>,
    root: &TrustedRoot,
    now: Timestamp,
    effort: &mut Effort,
) -> Result<Vec<Stamped>, FalseEvidence> {
    #[derive(Deserialize)]
    struct Wire<'a> {
        #[serde(
            borrow,
            default,
            rename = "rfc3161Timestamps",
            alias = "rfc3161_timestamps",
            deserialize_with = "json::or_unset"
        )]
        timestamps: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Timestamp {
        #[serde(alias = "signed_timestamp")]
        signed_timestamp: String,
    }
    let read = evidence.timestamps().map(|json| serde_json::from_str::<Object<Wire<'_>>>(json.as_json()));
    // In another shape it is something of which nothing is known.
    let Some(Ok(Object(Wire { timestamps }))) = read else { return Ok(Vec::new()) };
    let mut stamped = Vec::new();
    for (number, json) in (1..).zip(timestamps) {
        let at_fault = |why| FalseEvidence::Timestamp { number, why };
        let chains = root.timestamp_authorities.len();
        effort.spend_checks(OF_CHAIN.saturating_mul(chains)).map_err(|_| FalseEvidence::TooMuch)?;
        let token = serde_json::from_str::<Object<Timestamp>>(json.get());
        let token = token.ok().and_then(|Object(stamp)| base64(&stamp.signed_timestamp));
        let token = token.ok_or(TokenError::Damaged).map_err(at_fault)?;
        if let Some(said) = token::judge(&token, claim.signature(), root).map_err(at_fault)? {
            has_come(&said.authority, said.time, now)?;
            stamped.push(Stamped { authority: said.authority, time: ProvenTime(said.time) });
        }
    }
    Ok(stamped)
}

fn has_come(who: &str, time: Timestamp, now: Timestamp) -> Result<(), FalseEvidence> {
    let limit = now.checked_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
    if time <= limit { Ok(()) } else { Err(FalseEvidence::Future { who: who.to_owned(), time }) }
}

#[cfg(test)]
mod tests;
