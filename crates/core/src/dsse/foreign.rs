//! Envelopes as other tools write them, with no more demanded than DSSE does: consumers must
//! ignore fields that they do not know (DSSE envelope, "Standard JSON envelope"), and a
//! key's name is a hint, which may be anything.

use super::base64::{Spelling, decode};
use super::envelope::{
    Envelope, EnvelopeError, EnvelopeSignature, MAX_SIGNATURE, MAX_SIGNATURES, check_payload, key_name,
};
use super::pae::{PAYLOAD_TYPE, pae};

/// Names by which in-toto statements are signed as such. All but the first are the statement's
/// own type in the place of the payload's, as some services write it.
const STATEMENT_TYPES: [&str; 3] =
    [PAYLOAD_TYPE, "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];

/// An envelope's members, none of them decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct ForeignEnvelope<'a> {
    pub(crate) payload_type: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signatures: Vec<ForeignSignature<'a>>,
}

/// A signature's members.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ForeignSignature<'a> {
    pub(crate) sig: &'a str,
    pub(crate) keyid: Option<&'a str>,
}

/// What is signed under whatever type, and signatures that nobody checks here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherPayload {
    /// The payload's type, foreign text.
    pub payload_type: String,
    /// The payload's bytes.
    pub payload: Vec<u8>,
    /// The names of keys that it claims.
    pub key_names: Vec<String>,
    /// Signatures there are.
    pub signatures: usize,
}

impl ForeignEnvelope<'_> {
    /// Whether the payload is said to be an in-toto statement.
    pub(crate) fn is_statement(&self) -> bool {
        STATEMENT_TYPES.contains(&self.payload_type)
    }

    /// The envelope of a statement. Signatures that are no base64, empty or too long are left
    /// out: nothing can be checked with them, and another may do.
    pub(crate) fn decode(&self, why: impl FnOnce() -> String) -> Result<Envelope, EnvelopeError> {
        let known = STATEMENT_TYPES.into_iter().find(|known| *known == self.payload_type);
        let payload_type = known.ok_or(EnvelopeError::PayloadType)?;
        let payload = self.payload()?;
        let message = pae(payload_type, &payload);
        let body = message.len() - payload.len();
        let usable = |signature: &ForeignSignature<'_>| {
            let sig = decode(signature.sig, Spelling::Any)?;
            let sig = signature_within(&sig).unwrap_or(sig);
            (1..=MAX_SIGNATURE)
                .contains(&sig.len())
                .then(|| EnvelopeSignature { sig, keyid: key_name(signature.keyid).unwrap_or_default() })
        };
        let signatures = self.bounded()?.iter().filter_map(usable).collect();
        Ok(Envelope { message, body, signatures, payload_type, deviation: Some(why()) })
    }

    /// What it is, where it is no statement's.
    pub(crate) fn other(&self) -> Result<OtherPayload, EnvelopeError> {
        let signatures = self.bounded()?;
        let names = signatures.iter().filter_map(|s| key_name(s.keyid).unwrap_or_default());
        Ok(OtherPayload {
            payload_type: self.payload_type.to_owned(),
            payload: self.payload()?,
            key_names: names.collect(),
            signatures: signatures.len(),
        })
    }

    fn payload(&self) -> Result<Vec<u8>, EnvelopeError> {
        let payload =
            decode(self.payload, Spelling::Any).ok_or(EnvelopeError::Base64 { field: "payload" })?;
        let payload = statement_within(&payload).unwrap_or(payload);
        check_payload(payload.len())?;
        Ok(payload)
    }

    fn bounded(&self) -> Result<&[ForeignSignature<'_>], EnvelopeError> {
        match self.signatures.len() {
            0..=MAX_SIGNATURES => Ok(&self.signatures),
            count => Err(EnvelopeError::TooManySignatures { count }),
        }
    }
}

impl Envelope {
    /// Whether a part of it is base64 still, of what was signed or of the signature: no key makes
    /// a signature that reads as text, and no statement begins so. Chainloop's versions of before
    /// 2026 wrote their signatures so, and others read them.
    pub(crate) fn is_encoded_twice(&self) -> bool {
        statement_within(self.payload()).is_some()
            || self.signatures.iter().any(|signature| signature_within(&signature.sig).is_some())
    }
}

/// The statement of which this is the base64, if it is that.
fn statement_within(payload: &[u8]) -> Option<Vec<u8>> {
    // Every statement that was encoded once ends here.
    if payload.starts_with(b"{") {
        return None;
    }
    decode(std::str::from_utf8(payload).ok()?, Spelling::Any).filter(|inner| inner.starts_with(b"{"))
}

/// The signature of which this is the base64, if it is that.
fn signature_within(sig: &[u8]) -> Option<Vec<u8>> {
    decode(std::str::from_utf8(sig).ok()?, Spelling::Any).filter(|inner| !inner.is_empty())
}

/// Base64 in either alphabet, padded or not.
pub(crate) fn base64(text: &str) -> Option<Vec<u8>> {
    decode(text, Spelling::Any)
}
