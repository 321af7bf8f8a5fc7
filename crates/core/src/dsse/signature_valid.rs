//! The check of an envelope's signatures, and the value that says it was made.

use super::effort::{Effort, MAX_CHECKED_BYTES, MAX_CHECKS};
use super::envelope::Envelope;
#[cfg(doc)]
use super::pae::PAYLOAD_TYPE;
use crate::keys::PublicKey;

/// Why an envelope is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There was no key to check with.
    #[error("no trusted key was given")]
    NoKeys,
    /// There is no signature that could be checked.
    #[error("the envelope has no signature")]
    Unsigned,
    /// A signature says to be a trusted key's and is not: the payload or the signature
    /// was altered.
    #[error("the signature that names the trusted key {key} does not match: the attestation was altered")]
    Altered {
        /// That key's name.
        key: crate::keys::KeyId,
    },
    /// More signatures, or larger ones, than is worth the trouble.
    #[error(
        "more than {MAX_CHECKS} checks of a signature with a key, or {MAX_CHECKED_BYTES} bytes in all of them, would be needed"
    )]
    TooMuch,
    /// No signature is one of the trusted keys'.
    #[error("not signed with a trusted key: the envelope names {}", list(claimed))]
    Untrusted {
        /// The names of keys that the envelope has, printable.
        claimed: Vec<String>,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "no key".to_owned() } else { names.join(", ") }
}

/// A payload that one of the trusted keys did sign. Only [`Envelope::verify`] makes it;
/// nothing outside its module can:
///
/// ```
/// use argo_attest_core::dsse::SignatureValid;
/// fn pass_on(valid: SignatureValid<'_>) -> SignatureValid<'_> {
///     valid
/// }
/// ```
/// ```compile_fail,E0451
/// use argo_attest_core::dsse::SignatureValid;
/// fn forge(valid: SignatureValid<'_>) -> SignatureValid<'_> {
///     SignatureValid { ..valid }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SignatureValid<'a> {
    message: &'a [u8],
    payload: &'a [u8],
    index: usize,
    key: &'a PublicKey,
    signature: &'a [u8],
    keyid: Option<&'a str>,
    named: bool,
    deviation: Option<&'a str>,
}

impl<'a> SignatureValid<'a> {
    /// The bytes that were signed, as in-toto statement of type [`PAYLOAD_TYPE`].
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// What is signed: type and payload in [`super::pae`]'s encoding.
    pub(crate) fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The key that signed.
    pub fn key(&self) -> &'a PublicKey {
        self.key
    }

    /// Which of the keys given to [`Envelope::verify`] that is, counted from 0.
    pub fn key_index(&self) -> usize {
        self.index
    }

    /// The signature that matched.
    pub fn signature(&self) -> &'a [u8] {
        self.signature
    }

    /// What the signature that matched calls its key, if anything; anybody's text, see
    /// [`super::EnvelopeSignature::keyid`].
    pub fn keyid(&self) -> Option<&'a str> {
        self.keyid
    }

    /// As [`Envelope::deviation`].
    pub fn deviation(&self) -> Option<&'a str> {
        self.deviation
    }

    /// Whether the envelope names that key by its fingerprint. Some tools use other
    /// names or none; it is no reason for or against trust.
    pub fn is_named(&self) -> bool {
        self.named
    }
}

impl Envelope {
    /// Checks the signatures with the trusted keys; one that matches is enough. Names
    /// of keys decide at most which are tried first, never what is trusted (DSSE
    /// protocol: the `KEYID` is an unauthenticated hint).
    pub fn verify<'a>(&'a self, keys: &[&'a PublicKey]) -> Result<SignatureValid<'a>, SignatureError> {
        self.verify_within(keys, &mut Effort::default())
    }

    /// The same for one of several envelopes, which together must not take more than
    /// `effort`.
    pub fn verify_within<'a>(
        &'a self,
        keys: &[&'a PublicKey],
        effort: &mut Effort,
    ) -> Result<SignatureValid<'a>, SignatureError> {
        if keys.is_empty() {
            return Err(SignatureError::NoKeys);
        }
        if self.signatures.is_empty() {
            return Err(SignatureError::Unsigned);
        }
        let names: Vec<String> = keys.iter().map(|key| key.key_id().to_string()).collect();
        let mut altered = None;
        for named in [true, false] {
            for signature in &self.signatures {
                for ((index, key), name) in keys.iter().copied().enumerate().zip(&names) {
                    let keyid = signature.keyid();
                    if (keyid == Some(name)) != named {
                        continue;
                    }
                    effort.spend(self.message.len())?;
                    if key.verify(&self.message, signature.bytes()).is_ok() {
                        return Ok(SignatureValid {
                            message: &self.message,
                            payload: self.payload(),
                            index,
                            key,
                            signature: signature.bytes(),
                            keyid,
                            named,
                            deviation: self.deviation(),
                        });
                    }
                    if named {
                        altered = altered.or_else(|| Some(key.key_id()));
                    }
                }
            }
        }
        Err(match altered {
            Some(key) => SignatureError::Altered { key },
            None => SignatureError::Untrusted { claimed: self.claimed() },
        })
    }

    /// The names of keys that its signatures have, printable.
    pub(crate) fn claimed(&self) -> Vec<String> {
        let names = self.signatures.iter().filter_map(|s| s.keyid());
        names.map(|name| crate::relpath::printable(name.as_bytes())).collect()
    }
}
