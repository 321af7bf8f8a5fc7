//! From a payload to an envelope, in two steps, so that whoever has the private key can
//! be anywhere: what is to be signed goes out, a signature comes back and is checked.

use super::envelope::{Envelope, EnvelopeError, EnvelopeSignature, check_payload};
use super::pae::{PAYLOAD_TYPE, head};
use crate::keys::{PublicKey, Signature};

/// A serialised in-toto statement that nobody has signed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// What is to be signed, the payload at its end.
    message: Vec<u8>,
    /// Where the payload begins.
    body: usize,
}

impl Unsigned {
    /// Fails if the payload exceeds [`super::MAX_PAYLOAD`].
    pub fn new(mut payload: Vec<u8>) -> Result<Self, EnvelopeError> {
        check_payload(payload.len())?;
        let mut message = head(PAYLOAD_TYPE, payload.len()).into_bytes();
        let body = message.len();
        message.append(&mut payload);
        Ok(Self { message, body })
    }

    /// The bytes to be signed: the payload and its type in [`super::pae`]'s encoding.
    pub fn pae(&self) -> &[u8] {
        &self.message
    }
}

impl Envelope {
    /// Puts payload and signature together, under the name of the key that signed. The
    /// same three give the same envelope.
    ///
    /// The signature is checked first: whoever signed may be a service, a device or a
    /// plugin, and an envelope that no verifier takes must not be told from a good one
    /// only by them.
    pub fn assemble(
        unsigned: Unsigned,
        signature: Signature,
        key: &PublicKey,
    ) -> Result<Self, EnvelopeError> {
        let Unsigned { message, body } = unsigned;
        if key.verify(&message, signature.as_bytes()).is_err() {
            return Err(EnvelopeError::Signature { key: key.key_id() });
        }
        let keyid = Some(key.key_id().to_string());
        let signatures = vec![EnvelopeSignature { sig: signature.into_bytes(), keyid }];
        Ok(Self { message, body, signatures, payload_type: PAYLOAD_TYPE, deviation: None })
    }
}

#[cfg(test)]
impl Envelope {
    /// Both steps at once, with a key at hand.
    pub(crate) fn signed_by(payload: Vec<u8>, key: &crate::keys::PrivateKey) -> Result<Self, EnvelopeError> {
        let unsigned = Unsigned::new(payload)?;
        let signature = key.sign(unsigned.pae());
        Self::assemble(unsigned, signature, key.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dsse::{MAX_PAYLOAD, pae};
    use crate::keys::{KeyType, PrivateKey};

    #[test]
    fn what_is_signed_is_the_encoding_of_the_payload() {
        for key_type in KeyType::ALL {
            let key = PrivateKey::generate(key_type).unwrap();
            let unsigned = Unsigned::new(b"{}".to_vec()).unwrap();
            assert_eq!(unsigned.pae(), pae(PAYLOAD_TYPE, b"{}"));
            let signature = key.sign(unsigned.pae());
            let envelope = Envelope::assemble(unsigned, signature, key.public()).unwrap();
            assert_eq!(envelope.verify(&[key.public()]).unwrap().payload(), b"{}");
            assert_eq!(envelope.signatures()[0].keyid().unwrap(), key.public().key_id().to_string());
        }
    }

    #[test]
    fn a_signer_that_lies_gets_no_envelope() {
        for key_type in KeyType::ALL {
            let key = PrivateKey::generate(key_type).unwrap();
            let other = PrivateKey::generate(key_type).unwrap();
            let unsigned = || Unsigned::new(b"{}".to_vec()).unwrap();
            let honest = key.sign(unsigned().pae()).into_bytes();
            let mut flipped = honest.clone();
            flipped[honest.len() - 1] ^= 1;
            let lies = [
                other.sign(unsigned().pae()),
                // Over the payload alone, as a signer that knows nothing of DSSE would.
                key.sign(b"{}"),
                key.sign(Unsigned::new(b"[]".to_vec()).unwrap().pae()),
                Signature::from(flipped),
                Signature::from(Vec::new()),
            ];
            for lie in lies {
                let error = Envelope::assemble(unsigned(), lie, key.public()).unwrap_err();
                assert_eq!(error, EnvelopeError::Signature { key: key.public().key_id() });
            }
        }
    }

    #[test]
    fn a_payload_that_nobody_would_read_is_not_offered_for_signing() {
        let size = MAX_PAYLOAD + 1;
        assert_eq!(Unsigned::new(vec![0; size]).unwrap_err(), EnvelopeError::PayloadTooLarge { size });
    }
}
