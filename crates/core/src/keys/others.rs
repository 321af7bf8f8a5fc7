//! Public keys of kinds that this program has none of: RSA (RFC 8017) and ECDSA over P-384
//! (FIPS 186-5). Others sign with them; here they only verify, by ring, which TLS needs in any
//! case.

use p256::pkcs8::der::asn1::UintRef;
use p256::pkcs8::der::{Decode as _, Reader as _, SliceReader};
use ring::signature::{
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::invalid::InvalidKey;
use super::key_id::KeyId;

/// Bits of an RSA modulus: fewer can be factored, more are nobody's.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// What an uncompressed point on P-384 has (SEC 1 section 2.3.3).
const POINT: usize = 97;

/// ECDSA as its signers use it with P-384: the hash of the curve's size, or, as cosign did, that
/// of P-256.
const P384: [&dyn VerificationAlgorithm; 2] = [&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1];
/// PKCS#1 v1.5, and PSS with a salt of the hash's length.
const RSA: [&dyn VerificationAlgorithm; 6] = [
    &RSA_PKCS1_2048_8192_SHA256,
    &RSA_PSS_2048_8192_SHA256,
    &RSA_PKCS1_2048_8192_SHA384,
    &RSA_PKCS1_2048_8192_SHA512,
    &RSA_PSS_2048_8192_SHA384,
    &RSA_PSS_2048_8192_SHA512,
];

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    EcdsaP384,
    Rsa,
}

/// A key of one of these kinds.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct OtherKey {
    kind: Kind,
    /// The bits of its `SubjectPublicKeyInfo`: a point, or an `RSAPublicKey`.
    bits: Vec<u8>,
    /// All of its `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
    id: KeyId,
}

impl OtherKey {
    /// `spki` is DER, of which `bits` is the key itself.
    pub(super) fn new(kind: Kind, bits: &[u8], spki: &[u8]) -> Result<Self, InvalidKey> {
        let id = match kind {
            Kind::EcdsaP384 if bits.len() == POINT && bits.first() == Some(&4) => {
                KeyId::of_ssh_fields(&[b"ecdsa-sha2-nistp384", b"nistp384", bits])
            }
            Kind::EcdsaP384 => return Err(InvalidKey::Damaged),
            Kind::Rsa => rsa_id(bits)?,
        };
        Ok(Self { kind, bits: bits.to_vec(), spki: spki.to_vec(), id })
    }

    pub(super) fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub(super) fn bits(&self) -> &[u8] {
        &self.bits
    }

    pub(super) fn name(&self) -> &'static str {
        match self.kind {
            Kind::EcdsaP384 => "ecdsa-p384",
            Kind::Rsa => "rsa",
        }
    }

    /// Whether the signature is one by any of the hashes: nothing in an envelope says which.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let algorithms: &[&'static dyn VerificationAlgorithm] = match self.kind {
            Kind::EcdsaP384 => &P384,
            Kind::Rsa => &RSA,
        };
        let verifies = |algorithm: &&'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(*algorithm, &self.bits).verify(message, signature).is_ok()
        };
        algorithms.iter().any(verifies)
    }
}

/// Reads an `RSAPublicKey` (RFC 8017 appendix A.1.1), and names it as OpenSSH does (RFC 4253
/// section 6.6).
fn rsa_id(der: &[u8]) -> Result<KeyId, InvalidKey> {
    let damaged = |_| InvalidKey::Damaged;
    let mut reader = SliceReader::new(der).map_err(damaged)?;
    let (modulus, exponent) = reader
        .sequence(|inner: &mut SliceReader<'_>| {
            Ok::<_, p256::pkcs8::der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?))
        })
        .map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    let (modulus, exponent) = (modulus.as_bytes(), exponent.as_bytes());
    let leading = modulus.first().map_or(8, |byte| byte.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or_default());
    if !RSA_BITS.contains(&bits) {
        return Err(InvalidKey::RsaSize { bits });
    }
    let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
    if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] {
        return Err(InvalidKey::Degenerate);
    }
    Ok(KeyId::of_ssh_fields(&[b"ssh-rsa", &mpint(exponent), &mpint(modulus)]))
}

/// RFC 4251 section 5: a number whose first bit is set is preceded by a zero byte.
fn mpint(number: &[u8]) -> Vec<u8> {
    let zero = number.first().is_some_and(|byte| byte & 0x80 != 0);
    [if zero { &[0][..] } else { &[] }, number].concat()
}
