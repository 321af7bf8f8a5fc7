//! What others are asked when a signature was just made, so that they vouch for it: the questions, and
//! what of an answer is taken. Nothing here sends anything.
//!
//! An answer is a [`Word`], and nothing is believed of it yet. [`Fresh::believe`] judges it as a
//! verifier would who has the same trusted root, and gives a [`Vouched`]: only of these
//! [`Fresh::evidence`] makes what goes into a bundle, so that none only looks as if it were logged.

mod certificate;
mod entry;
mod identity_token;
mod rekor;
mod timestamp;

use jiff::Timestamp;

pub use certificate::{Fulcio, Issued, NotIssuedForUs};
pub use identity_token::{IdentityToken, InvalidIdentityToken, OtherAudience};
pub use rekor::{Rekor1, Rekor2};
pub use timestamp::TimestampQuery;

use super::claim::Claim;
use super::root::TrustedRoot;
use super::token::TokenError;
use super::{CLOCK_SKEW, FalseEvidence, judge, witnessed};
use crate::bundle::{Bundle, BundleError, Evidence};
use crate::dsse::{Effort, Envelope, SignatureError, SignatureValid};
use crate::json::{JsonError, Opaque};
use crate::keys::PublicKey;

/// A signature that was just made, for which others may vouch.
#[derive(Debug, Clone, Copy)]
pub struct Fresh<'a> {
    envelope: &'a Envelope,
    valid: SignatureValid<'a>,
    certificate: Option<&'a Issued>,
    made: Timestamp,
}

/// What somebody answered who was asked to vouch, as far as it can be told from the answer alone
/// that it is to the question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    said: Said,
    /// Whether it was there before it was asked for.
    is_existing: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    /// An entry of a log, as a bundle has it.
    Entry(Opaque),
    /// A `TimeStampResp` in base64, and the time in it.
    Time(String, Timestamp),
}

/// Word that was judged, and is true as far as anybody here can tell: see [`Fresh::believe`].
///
/// ```
/// use argo_attest_core::proof::asking::Vouched;
/// fn pass_on(vouched: Vouched) -> Vouched {
///     vouched
/// }
/// ```
/// ```compile_fail,E0423
/// use argo_attest_core::proof::asking::{Vouched, Word};
/// fn believe(word: Word) -> Vouched {
///     Vouched(word)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched(Word);

/// Why bytes are no answer to what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// No JSON, or no entry's.
    #[error("it is no log entry")]
    Json(#[from] JsonError),
    /// JSON of an entry, and not of one.
    #[error("it is no log entry: {0}")]
    Entry(&'static str),
    /// No timestamp, or not of this signature.
    #[error(transparent)]
    Timestamp(#[from] TokenError),
    /// A timestamp of this signature that answers another question: an old one, sent again.
    #[error("it answers another question: its nonce is not the one that was sent")]
    Nonce,
    /// Nobody could check it later.
    #[error("it does not hold the certificate that it is signed with")]
    NoCertificate,
}

/// Why an answer is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unbelieved {
    /// It is false.
    #[error(transparent)]
    False(#[from] FalseEvidence),
    /// Nobody knows who said it.
    #[error("the trusted root names no such log or authority, or not with a key that is read")]
    Stranger,
    /// A log's word, and there is nothing to judge it by.
    #[error("no trusted root is named to judge it by")]
    NoRoot,
    /// It says that the signature was there before it was made.
    #[error("it says that the signature was there at {said}, and it was made at {made}")]
    Early {
        /// What it says.
        said: Timestamp,
        /// When the signature was made, by the clock of this machine.
        made: Timestamp,
    },
}

impl Word {
    fn new(said: Said) -> Self {
        Self { said, is_existing: false }
    }

    /// The same, of whoever did not take the signature because it has it already. It may then be of any time that
    /// is past: a key that signs the same twice may sign it alike, and what vouches is the first of them.
    #[must_use]
    pub fn existing(self) -> Self {
        Self { is_existing: true, ..self }
    }
}

impl<'a> Fresh<'a> {
    /// The signature of an envelope that has one, made at this time by this key.
    ///
    /// Errors: [`SignatureError`], if it is none.
    pub fn new(envelope: &'a Envelope, key: &'a PublicKey, made: Timestamp) -> Result<Self, SignatureError> {
        Ok(Self { envelope, valid: envelope.verify(&[key])?, certificate: None, made })
    }

    /// The same of a signature by the key of a certificate that was issued for that. What others say of it proves
    /// something only if they name the certificate.
    ///
    /// Errors: [`SignatureError`], if it is none.
    pub fn certified(
        envelope: &'a Envelope,
        certificate: &'a Issued,
        made: Timestamp,
    ) -> Result<Self, SignatureError> {
        let fresh = Self::new(envelope, certificate.key(), made)?;
        Ok(Self { certificate: Some(certificate), ..fresh })
    }

    /// The key that made it.
    pub fn key(&self) -> &'a PublicKey {
        self.valid.key()
    }

    /// The certificate that its key was made for, if it was.
    pub fn certificate(&self) -> Option<&'a Issued> {
        self.certificate
    }

    fn claim(&self) -> Claim<'_> {
        match self.certificate {
            Some(issued) => Claim::certified(&self.valid, issued.leaf()),
            None => Claim::of(&self.valid),
        }
    }

    /// What a log is told of by whom it is: a certificate, or a key, as PEM.
    fn verifier_pem(&self) -> String {
        self.certificate.map_or_else(|| self.key().to_spki_pem(), Issued::to_pem)
    }

    /// Judges what somebody said of it. Without a trusted root a timestamp is believed as far as the
    /// answer itself goes, and a log's entry is not. Only what was there before may be from before the signature was
    /// made ([`Word::existing`]). `now` is the clock of this machine.
    ///
    /// Errors: [`Unbelieved`].
    pub fn believe(
        &self,
        word: Word,
        root: Option<&TrustedRoot>,
        now: Timestamp,
    ) -> Result<Vouched, Unbelieved> {
        let said = match (root, &word.said) {
            (Some(root), _) => {
                let evidence = evidence(std::slice::from_ref(&word));
                // For whom a certificate is, is proven by what all say, or not.
                let proof = witnessed(&evidence, &self.claim(), root, now, &mut Effort::default())?;
                if !proof.unjudged(evidence.unjudged()).is_empty() {
                    return Err(Unbelieved::Stranger);
                }
                proof.earliest().map(super::ProvenTime::get)
            }
            (None, Said::Time(_, time)) => {
                super::has_come("the timestamp authority", *time, now)?;
                Some(*time)
            }
            (None, Said::Entry(_)) => return Err(Unbelieved::NoRoot),
        };
        // A key that counts from then on, or until then, is judged by it: too early is as false as too late.
        let earliest = self.made.checked_sub(CLOCK_SKEW).unwrap_or(Timestamp::MIN);
        match said {
            Some(said) if said < earliest && !word.is_existing => {
                Err(Unbelieved::Early { said, made: self.made })
            }
            _ => Ok(Vouched(word)),
        }
    }

    /// The bundle's evidence of all that was vouched for, judged once more as a whole: of a signature with a
    /// certificate that is all that verifiers ask for, and there is none without.
    ///
    /// Errors: [`Unbelieved`].
    pub fn evidence(
        &self,
        vouched: Vec<Vouched>,
        root: Option<&TrustedRoot>,
        now: Timestamp,
    ) -> Result<Evidence, Unbelieved> {
        let words: Vec<_> = vouched.into_iter().map(|Vouched(word)| word).collect();
        let evidence = evidence(&words);
        let evidence = match self.certificate {
            Some(issued) => evidence.with_certificate(issued.certificate().clone()),
            None => evidence,
        };
        match root {
            Some(root) => drop(judge(&evidence, &self.claim(), root, now, &mut Effort::default())?),
            None if self.certificate.is_some() => return Err(Unbelieved::NoRoot),
            None => {}
        }
        Ok(evidence)
    }
}

/// The bundle of an envelope with what others said of its signature.
///
/// Errors: [`BundleError`].
pub fn bundle(envelope: Envelope, evidence: Evidence) -> Result<Bundle, BundleError> {
    Bundle::new(envelope).map(|bundle| bundle.with_evidence(evidence))
}

fn evidence(words: &[Word]) -> Evidence {
    let entries = words.iter().filter_map(|word| match &word.said {
        Said::Entry(entry) => Some(entry.clone()),
        Said::Time(..) => None,
    });
    let times = words.iter().filter_map(|word| match &word.said {
        Said::Time(token, _) => Some(token.as_str()),
        Said::Entry(_) => None,
    });
    Evidence::written(entries.collect(), &times.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
