//! Envelopes that a key at hand signs, in one step.

use argo_attest_core::dsse::{Envelope, EnvelopeError, Unsigned};
use argo_attest_core::keys::PrivateKey;

pub(crate) trait Sign: Sized {
    /// Signs these bytes, whatever they are.
    fn sign(payload: Vec<u8>, key: &PrivateKey) -> Result<Self, EnvelopeError>;
}

impl Sign for Envelope {
    fn sign(payload: Vec<u8>, key: &PrivateKey) -> Result<Self, EnvelopeError> {
        let unsigned = Unsigned::new(payload)?;
        let signature = key.sign(unsigned.pae());
        Self::assemble(unsigned, signature, key.public())
    }
}
