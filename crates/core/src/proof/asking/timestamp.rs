//! The question to a timestamp authority (RFC 3161 section 2.4.1), and whether an answer is to it.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use x509_cert::der::Tag;

use super::{AnswerError, Fresh, Said, Word};
use crate::proof::der::{Elements, wrapped};
use crate::proof::token::{Token, TokenError};

/// `AlgorithmIdentifier` of SHA-256, as RFC 5754 section 2 reads it from anybody: with NULL.
const SHA256: [u8; 15] =
    [0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00];
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// `INTEGER 1`.
const VERSION_1: [u8; 3] = [INTEGER, 1, 1];
/// `BOOLEAN TRUE`: the authority's certificate is to be in the answer.
const WITH_CERTIFICATE: [u8; 3] = [0x01, 1, 0xff];

/// What one timestamp is asked for.
#[derive(Debug, Clone)]
pub struct TimestampQuery<'a> {
    signature: &'a [u8],
    nonce: [u8; 8],
}

impl<'a> TimestampQuery<'a> {
    /// Of this signature. The nonce is drawn at random, for each question anew: by it the answer is known
    /// to be made now.
    pub fn new(fresh: &Fresh<'a>, nonce: [u8; 8]) -> Self {
        let mut nonce = nonce;
        // As an integer it is positive, and as long as it is here.
        if let Some(first) = nonce.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        Self { signature: fresh.valid.signature(), nonce }
    }

    /// `TimeStampReq` in DER.
    pub fn to_der(&self) -> Vec<u8> {
        let hash = wrapped(OCTET_STRING, &Sha256::digest(self.signature));
        let imprint = wrapped(SEQUENCE, &[&SHA256[..], &hash].concat());
        let nonce = wrapped(INTEGER, &self.nonce);
        wrapped(SEQUENCE, &[&VERSION_1[..], &imprint, &nonce, &WITH_CERTIFICATE].concat())
    }

    /// The timestamp in an answer, `TimeStampResp` in DER: granted, of this signature, to this question, and signed
    /// with the certificate that it holds. Whose that is, is not known yet.
    ///
    /// Errors: [`AnswerError`].
    pub fn answer(&self, answer: &[u8]) -> Result<Word, AnswerError> {
        let damaged = |_| TokenError::Damaged;
        // A bundle has the whole answer, and not the token in it.
        let mut parts = Elements::within(answer, Tag::Sequence).map_err(damaged)?;
        if parts.any().map_err(damaged)?.tag != Tag::Sequence {
            return Err(TokenError::Damaged.into());
        }
        let token = Token::read(answer)?;
        if !token.is_over(self.signature)? {
            return Err(TokenError::OtherSignature.into());
        }
        if token.nonce != Some(&self.nonce[..]) {
            return Err(AnswerError::Nonce);
        }
        match token.is_signed_with_its_own()? {
            None => Err(AnswerError::NoCertificate),
            Some(false) => Err(TokenError::Signature.into()),
            Some(true) => Ok(Word::new(Said::Time(STANDARD.encode(answer), token.time))),
        }
    }
}
