//! What evidence is about: one signature, over certain bytes, by a key or with a certificate.

use super::identity::Leaf;
use crate::dsse::SignatureValid;
use crate::keys::PublicKey;

/// By what a signature was checked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SignedWith<'a> {
    /// A key that the verifier trusts.
    Key(&'a PublicKey),
    /// The key of a certificate that came with it.
    Certificate(&'a Leaf),
}

/// A signature that was checked, and that evidence may be of.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    message: &'a [u8],
    payload: Option<&'a [u8]>,
    signature: &'a [u8],
    key: &'a PublicKey,
    with: SignedWith<'a>,
}

impl<'a> Claim<'a> {
    /// A signature of an envelope, by a key.
    pub fn of(valid: &SignatureValid<'a>) -> Self {
        Self {
            message: valid.message(),
            payload: Some(valid.payload()),
            signature: valid.signature(),
            key: valid.key(),
            with: SignedWith::Key(valid.key()),
        }
    }

    /// A signature of an envelope that was checked with the key of a certificate: with another's nothing
    /// is proven.
    pub fn certified(valid: &SignatureValid<'a>, leaf: &'a Leaf) -> Self {
        Self { with: SignedWith::Certificate(leaf), ..Self::of(valid) }
    }

    /// The key that it was checked with.
    pub(super) fn key(&self) -> &'a PublicKey {
        self.key
    }

    /// The bytes that are signed.
    pub(super) fn message(&self) -> &'a [u8] {
        self.message
    }

    /// What is in the envelope, if it is one.
    pub(super) fn payload(&self) -> Option<&'a [u8]> {
        self.payload
    }

    pub(super) fn signature(&self) -> &'a [u8] {
        self.signature
    }

    pub(super) fn signed_with(&self) -> SignedWith<'a> {
        self.with
    }
}

#[cfg(test)]
impl<'a> Claim<'a> {
    /// The signature of a file.
    pub(super) fn of_file(message: &'a [u8], signature: &'a [u8], with: SignedWith<'a>) -> Self {
        let key = match with {
            SignedWith::Key(key) => key,
            SignedWith::Certificate(leaf) => leaf.key(),
        };
        Self { message, payload: None, signature, key, with }
    }
}
