//! DSSE v1, the envelope around a signed statement
//! (<https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md>).
//!
//! A payload, its type, and signatures over both ([`pae`]). The payload's bytes are
//! decoded once, the signature is checked over those bytes, and those same bytes are
//! what [`SignatureValid`] gives out. What the payload says is not looked at.
//!
//! No private key comes here: an [`Unsigned`] payload says what is to be signed, and
//! [`Envelope::assemble`] takes the signature, from wherever it comes.

mod base64;
mod effort;
mod envelope;
mod foreign;
mod pae;
mod signature_valid;
mod unsigned;
pub(crate) mod wire;

pub(crate) use base64::Spelling;
pub(crate) use envelope::key_name as envelope_key_name;
pub(crate) use foreign::{ForeignEnvelope, ForeignSignature, base64};

pub use effort::{Effort, MAX_CHECKED_BYTES, MAX_CHECKS};
pub use envelope::{Envelope, EnvelopeError, EnvelopeSignature, MAX_ENVELOPE, MAX_PAYLOAD, MAX_SIGNATURES};
pub use foreign::OtherPayload;
pub use pae::{PAYLOAD_TYPE, pae};
pub use signature_valid::{SignatureError, SignatureValid};
pub use unsigned::Unsigned;
