//! Public keys, and the one check of a signature.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::Decode as _;
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::{
    AssociatedOid as _, EncodePublicKey as _, LineEnding, ObjectIdentifier, SubjectPublicKeyInfoRef, der,
};

use super::invalid::InvalidKey;
use super::key_id::KeyId;
use super::key_type::KeyType;
use super::others::{Kind, OtherKey};
use super::pem::{self, Half};
use super::private::Signature;

/// id-Ed25519 (RFC 8410 section 3).
pub(super) const ED25519: ObjectIdentifier = ed25519_dalek::pkcs8::ALGORITHM_OID;
/// id-ecPublicKey (RFC 5480 section 2.1.1).
pub(super) const EC: ObjectIdentifier = p256::elliptic_curve::ALGORITHM_OID;
/// rsaEncryption (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// id-RSASSA-PSS (RFC 8017 appendix A.2.3).
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// secp384r1 (RFC 5480 section 2.1.1.1).
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
/// id-X25519, id-X448, id-Ed448 (RFC 8410 section 3).
const OTHER_EDWARDS: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.3.101.110"),
    ObjectIdentifier::new_unwrap("1.3.101.111"),
    ObjectIdentifier::new_unwrap("1.3.101.113"),
];

/// The signature is not this key's over this message. Nothing more is told: which
/// check failed helps only whoever forges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match")]
pub struct BadSignature;

/// A public key that can be trusted to mean something: degenerate points are
/// refused when it is made.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Point);

#[derive(Clone, PartialEq, Eq)]
enum Point {
    Ed25519(ed25519_dalek::VerifyingKey),
    EcdsaP256(p256::ecdsa::VerifyingKey),
    Other(Box<OtherKey>),
}

impl PublicKey {
    /// Reads one PEM block `PUBLIC KEY` (SPKI; RFC 5280 section 4.1, RFC 8410
    /// section 4, RFC 5480 section 2).
    pub fn from_spki_pem(text: &[u8]) -> Result<Self, InvalidKey> {
        Self::from_spki_der(&pem::decode(text, Half::Public)?.der)
    }

    /// Reads one PEM block that is a public key or, to have its public half, a private one.
    pub fn of_either_half(text: &[u8]) -> Result<Self, InvalidKey> {
        match Self::from_spki_pem(text) {
            Err(InvalidKey::PrivateForPublic) => Ok(super::PrivateKey::from_pem(text)?.public().clone()),
            read => read,
        }
    }

    /// Reads the DER that is inside such a block.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| InvalidKey::Damaged)?;
        if let Some(kind) = other_kind(&spki.algorithm) {
            let bits = spki.subject_public_key.as_bytes().ok_or(InvalidKey::Damaged)?;
            return Ok(Self(Point::Other(Box::new(OtherKey::new(kind, bits, der)?))));
        }
        let known = key_type(&spki.algorithm).map_err(|error| match error {
            InvalidKey::Algorithm { found } => InvalidKey::PublicAlgorithm { found },
            error => error,
        });
        match known? {
            KeyType::Ed25519 => {
                ed25519_dalek::VerifyingKey::try_from(spki).map_err(|_| InvalidKey::Damaged)?.try_into()
            }
            KeyType::EcdsaP256 => {
                p256::ecdsa::VerifyingKey::try_from(spki).map(Self::from).map_err(|_| InvalidKey::Damaged)
            }
        }
    }

    /// One PEM block, as `openssl pkey -pubout` writes it.
    pub fn to_spki_pem(&self) -> String {
        let pem = match &self.0 {
            Point::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
            Point::EcdsaP256(key) => key.to_public_key_pem(LineEnding::LF),
            Point::Other(key) => {
                return der::pem::encode_string("PUBLIC KEY", LineEnding::LF, key.spki()).unwrap_or_default();
            }
        };
        // A fixed structure of less than 100 bytes: encoding it has no way to fail.
        pem.unwrap_or_default()
    }

    /// The DER of the `SubjectPublicKeyInfo`.
    pub fn to_spki_der(&self) -> Vec<u8> {
        let der = match &self.0 {
            Point::Ed25519(key) => key.to_public_key_der(),
            Point::EcdsaP256(key) => key.to_public_key_der(),
            Point::Other(key) => return key.spki().to_vec(),
        };
        der.map(|d| d.as_bytes().to_vec()).unwrap_or_default()
    }

    /// What kind of key it is, in words.
    pub fn kind(&self) -> &'static str {
        match &self.0 {
            Point::Ed25519(_) => KeyType::Ed25519.as_str(),
            Point::EcdsaP256(_) => KeyType::EcdsaP256.as_str(),
            Point::Other(key) => key.name(),
        }
    }

    /// Its OpenSSH fingerprint.
    pub fn key_id(&self) -> KeyId {
        match &self.0 {
            Point::Ed25519(key) => KeyId::of_ssh_fields(&[b"ssh-ed25519", key.as_bytes()]),
            Point::EcdsaP256(key) => KeyId::of_ssh_fields(&[
                b"ecdsa-sha2-nistp256",
                b"nistp256",
                key.to_sec1_point(false).as_bytes(),
            ]),
            Point::Other(key) => key.id(),
        }
    }

    /// Checks a signature: 64 bytes (RFC 8032 section 5.1.6) for Ed25519, DER of
    /// `ECDSA-Sig-Value` (RFC 3279 section 2.2.3) for ECDSA, with SHA-256 and, on P-384, SHA-384;
    /// for RSA PKCS#1 v1.5 or PSS (RFC 8017 section 8) with SHA-256, -384 or -512.
    ///
    /// Ed25519 is checked strictly: S below the group's order, and neither the key
    /// nor R of small order, so that no signature passes for two messages. For ECDSA
    /// both s and n - s pass, as FIPS 186-5 has it: a signature is no unique name.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match &self.0 {
            Point::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| BadSignature)?;
                key.verify_strict(message, &signature).map_err(|_| BadSignature)
            }
            Point::EcdsaP256(key) => {
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| BadSignature)?;
                key.verify(message, &signature).map_err(|_| BadSignature)
            }
            Point::Other(key) => key.verifies(message, signature).then_some(()).ok_or(BadSignature),
        }
    }

    /// A signature by this key as we write it: of the two that ECDSA has for each, the one with the
    /// lower s, since some verifiers refuse the other. What is no signature stays as it is.
    pub fn canonical(&self, signature: Signature) -> Signature {
        match &self.0 {
            Point::EcdsaP256(_) => match p256::ecdsa::Signature::from_der(signature.as_bytes()) {
                Ok(read) => read.normalize_s().to_der().as_bytes().to_vec().into(),
                Err(_) => signature,
            },
            Point::Ed25519(_) | Point::Other(_) => signature,
        }
    }

    /// The kind of key, if it is one that we sign with.
    pub fn key_type(&self) -> Option<KeyType> {
        match &self.0 {
            Point::Ed25519(_) => Some(KeyType::Ed25519),
            Point::EcdsaP256(_) => Some(KeyType::EcdsaP256),
            Point::Other(_) => None,
        }
    }

    /// The Ed25519 key that these bytes are (RFC 8032 section 5.1.5).
    pub fn from_ed25519_bytes(bytes: &[u8; 32]) -> Result<Self, InvalidKey> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| InvalidKey::Damaged)?.try_into()
    }

    /// The ECDSA P-256 key that this point of the curve is (SEC 1 section 2.3.3), whole or compressed.
    pub fn from_p256_point(point: &[u8]) -> Result<Self, InvalidKey> {
        p256::ecdsa::VerifyingKey::from_sec1_bytes(point).map(Self::from).map_err(|_| InvalidKey::Damaged)
    }

    /// The bytes that a PKCS#8 file of version 2 may repeat (RFC 5958 section 2).
    pub(super) fn raw(&self) -> Vec<u8> {
        match &self.0 {
            Point::Ed25519(key) => key.as_bytes().to_vec(),
            Point::EcdsaP256(key) => key.to_sec1_point(false).as_bytes().to_vec(),
            Point::Other(key) => key.bits().to_vec(),
        }
    }
}

impl TryFrom<ed25519_dalek::VerifyingKey> for PublicKey {
    type Error = InvalidKey;

    fn try_from(key: ed25519_dalek::VerifyingKey) -> Result<Self, InvalidKey> {
        if key.is_weak() || !is_canonical(key.as_bytes()) {
            return Err(InvalidKey::Degenerate);
        }
        Ok(Self(Point::Ed25519(key)))
    }
}

impl From<p256::ecdsa::VerifyingKey> for PublicKey {
    fn from(key: p256::ecdsa::VerifyingKey) -> Self {
        Self(Point::EcdsaP256(key))
    }
}

/// Whether the y coordinate is below 2^255 - 19 (RFC 8032 section 5.1.3, step 1):
/// two spellings of one key would have two names.
fn is_canonical(y: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = y;
    *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|b| *b != 0xff)
}

/// A kind that only others sign with.
fn other_kind(algorithm: &p256::pkcs8::AlgorithmIdentifierRef<'_>) -> Option<Kind> {
    match algorithm.oid {
        EC if algorithm.parameters_oid() == Ok(SECP384R1) => Some(Kind::EcdsaP384),
        RSA_ENCRYPTION => Some(Kind::Rsa),
        _ => None,
    }
}

/// What kind of key an `AlgorithmIdentifier` names.
pub(super) fn key_type(algorithm: &p256::pkcs8::AlgorithmIdentifierRef<'_>) -> Result<KeyType, InvalidKey> {
    let found = match algorithm.oid {
        ED25519 => return Ok(KeyType::Ed25519),
        EC if algorithm.parameters_oid() == Ok(p256::NistP256::OID) => return Ok(KeyType::EcdsaP256),
        EC => "an elliptic curve key that is not on P-256",
        RSA_ENCRYPTION => "an RSA key",
        RSA_PSS => "an RSA key for PSS alone",
        oid if OTHER_EDWARDS.contains(&oid) => "an X25519, X448 or Ed448 key",
        _ => "a key of another algorithm",
    };
    Err(InvalidKey::Algorithm { found })
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.kind(), self.key_id())
    }
}
