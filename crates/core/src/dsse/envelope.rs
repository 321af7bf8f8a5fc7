//! The envelope: read from JSON, written as JSON.

use super::base64::{Spelling, decode, decode_onto, decoded_length, encode};
use super::pae::{PAYLOAD_TYPE, head};
use super::wire::WireEnvelope;
use crate::json::{self, JsonError, Object, quoted};
use crate::keys::KeyId;

/// Bytes that are read of an envelope's JSON.
pub const MAX_ENVELOPE: usize = 10 * 1024 * 1024;
/// Bytes of a payload: what fits into [`MAX_ENVELOPE`] as base64, with room for all
/// signatures.
pub const MAX_PAYLOAD: usize = (MAX_ENVELOPE - 512 * 1024) / 4 * 3;
/// Signatures in one envelope.
pub const MAX_SIGNATURES: usize = 16;
/// Bytes of one signature; the largest in use, post-quantum ones, have half of it.
pub(super) const MAX_SIGNATURE: usize = 16 * 1024;
/// How OpenSSH's fingerprints begin.
const FINGERPRINT: &str = "SHA256:";
/// Bytes of a key's name.
const MAX_KEYID: usize = 1024;

/// Why bytes are not an envelope, or no envelope can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not JSON, or not an envelope's JSON.
    #[error("not a DSSE envelope")]
    Json(#[from] JsonError),
    /// The payload is no in-toto statement.
    #[error("the payload's type is not {PAYLOAD_TYPE}")]
    PayloadType,
    /// A field is not base64.
    #[error("the field `{field}` is not base64")]
    Base64 {
        /// The field's name.
        field: &'static str,
    },
    /// The payload is larger than any that is read.
    #[error("the payload has {size} bytes, and at most {MAX_PAYLOAD} are allowed")]
    PayloadTooLarge {
        /// Bytes there are.
        size: usize,
    },
    /// An envelope that nobody signed.
    #[error("the envelope has no signatures")]
    Unsigned,
    /// More signatures than are read of one envelope.
    #[error("the envelope has {count} signatures, and at most {MAX_SIGNATURES} are read")]
    TooManySignatures {
        /// Signatures there are.
        count: usize,
    },
    /// A signature is empty, or longer than any kind of signature is.
    #[error("signature {number} has {size} bytes, and 1 to {MAX_SIGNATURE} are expected")]
    SignatureSize {
        /// Which one, counted from 1.
        number: usize,
        /// Bytes there are.
        size: usize,
    },
    /// Whoever was to sign gave something else than a signature of the key.
    #[error("what the signer gave is no signature of its key {key} over the statement")]
    Signature {
        /// The key that is said to have signed.
        key: KeyId,
    },
    /// The name of a key is overlong or has control characters.
    #[error("the key's name is longer than {MAX_KEYID} bytes or has control characters")]
    KeyName,
}

/// A payload and who says to have signed it. That it was signed is known only once
/// [`Envelope::verify`] has given a [`super::SignatureValid`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What is signed, the payload at its end: so there is one copy of that.
    pub(super) message: Vec<u8>,
    /// Where the payload begins.
    pub(super) body: usize,
    pub(super) signatures: Vec<EnvelopeSignature>,
    pub(super) payload_type: &'static str,
    /// In what it is not written as [`Envelope::to_json`] writes, if in anything.
    pub(super) deviation: Option<String>,
}

/// One signature as the envelope has it: a claim, not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvelopeSignature {
    pub(super) sig: Vec<u8>,
    pub(super) keyid: Option<String>,
}

impl EnvelopeSignature {
    /// The signature's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.sig
    }

    /// Which key is said to have made it; not signed, so a hint at most. Free of
    /// control characters, but otherwise anybody's text: print it through
    /// [`crate::relpath::printable`]. Never empty.
    pub fn keyid(&self) -> Option<&str> {
        self.keyid.as_deref()
    }
}

impl Envelope {
    /// Reads the JSON of an envelope of at most [`MAX_ENVELOPE`] bytes, with 1 to
    /// [`MAX_SIGNATURES`] signatures, and with no fields but those that DSSE names.
    pub fn from_json(json: &[u8]) -> Result<Self, EnvelopeError> {
        Self::from_wire(json::parse(json, MAX_ENVELOPE)?, Spelling::Any)
    }

    /// The JSON on one line, without a line's end. The same envelope always gives the
    /// same bytes, at most [`MAX_ENVELOPE`].
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = format!(
            r#"{{"payload":"{}","payloadType":"{}","signatures":["#,
            encode(self.payload()),
            self.payload_type
        );
        for (index, signature) in self.signatures.iter().enumerate() {
            out.push_str(if index == 0 { r#"{"sig":""# } else { r#",{"sig":""# });
            out.push_str(&encode(&signature.sig));
            out.push('"');
            if let Some(keyid) = &signature.keyid {
                out.push_str(r#","keyid":"#);
                out.push_str(&quoted(keyid));
            }
            out.push('}');
        }
        out.push_str("]}");
        out.into_bytes()
    }

    /// The signatures it claims to have; at least one, if it was read by [`Self::from_json`].
    pub fn signatures(&self) -> &[EnvelopeSignature] {
        &self.signatures
    }

    /// The payload although nobody has checked its signature: to be shown, marked as
    /// unverified, and for nothing else. Decisions need [`Envelope::verify`].
    pub fn unverified_payload(&self) -> &[u8] {
        self.payload()
    }

    /// In what it, or the file that it was in, is not written as this program writes, if in
    /// anything. It matters only for what this program wrote: there it was altered.
    pub fn deviation(&self) -> Option<&str> {
        self.deviation.as_deref()
    }

    /// The same envelope, in a file that is not written as this program writes.
    #[must_use]
    pub(crate) fn deviating(self, why: impl FnOnce() -> String) -> Self {
        Self { deviation: Some(self.deviation.unwrap_or_else(why)), ..self }
    }

    pub(super) fn payload(&self) -> &[u8] {
        self.message.get(self.body..).unwrap_or_default()
    }
}

impl Envelope {
    /// Decodes what was parsed, and checks everything that makes it an envelope.
    pub(crate) fn from_wire(wire: WireEnvelope<'_>, spelling: Spelling) -> Result<Self, EnvelopeError> {
        if wire.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::PayloadType);
        }
        // Whoever names a key by this fingerprint (this program, Go's tools) writes base64 in one
        // spelling, and so none of the bytes that they wrote can be changed without notice.
        let mut names = wire.signatures.0.iter().filter_map(|Object(s)| s.keyid.as_deref());
        let canonical = names.any(|name| name.starts_with(FINGERPRINT));
        let spelling = if canonical { Spelling::Canonical } else { spelling };
        let length = decoded_length(&wire.payload);
        check_payload(length)?;
        let mut message = head(PAYLOAD_TYPE, length).into_bytes();
        let body = message.len();
        decode_onto(&mut message, &wire.payload, spelling)
            .filter(|()| message.len() == body + length)
            .ok_or(EnvelopeError::Base64 { field: "payload" })?;
        let mut signatures = Vec::with_capacity(wire.signatures.0.len());
        for (index, Object(signature)) in wire.signatures.0.into_iter().enumerate() {
            let sig = decode(&signature.sig, spelling).ok_or(EnvelopeError::Base64 { field: "sig" })?;
            if sig.is_empty() || sig.len() > MAX_SIGNATURE {
                return Err(EnvelopeError::SignatureSize { number: index + 1, size: sig.len() });
            }
            signatures.push(EnvelopeSignature { sig, keyid: key_name(signature.keyid.as_deref())? });
        }
        if signatures.is_empty() {
            return Err(EnvelopeError::Unsigned);
        }
        Ok(Self { message, body, signatures, payload_type: PAYLOAD_TYPE, deviation: None })
    }
}

pub(super) fn check_payload(size: usize) -> Result<(), EnvelopeError> {
    match size {
        0..=MAX_PAYLOAD => Ok(()),
        size => Err(EnvelopeError::PayloadTooLarge { size }),
    }
}

/// A key's name from elsewhere, bounded; the empty one means none, as protobuf has it.
pub(crate) fn key_name(text: Option<&str>) -> Result<Option<String>, EnvelopeError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) if text.len() > MAX_KEYID || text.contains(char::is_control) => {
            Err(EnvelopeError::KeyName)
        }
        Some(text) => Ok(Some(text.to_owned())),
    }
}
