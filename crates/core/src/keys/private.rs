//! Private keys: made, read, written, used for signing, and wiped.

use std::fmt;

use ed25519_dalek::Signer as _;
use p256::pkcs8::der::Decode as _;
use p256::pkcs8::der::asn1::OctetStringRef;
use p256::pkcs8::{EncodePrivateKey as _, LineEnding, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use super::cosign;
use super::invalid::InvalidKey;
use super::key_type::KeyType;
use super::pem::{self, Block, Form, Half};
use super::public::{self, PublicKey};

/// A signature as it is transmitted: 64 bytes for Ed25519 (RFC 8032 section 5.1.6),
/// DER for ECDSA (RFC 3279 section 2.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(Vec<u8>);

/// Bytes that a signer gave. Whether they are a signature of anything is known only once
/// [`PublicKey::verify`] has said so.
impl From<Vec<u8>> for Signature {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Signature {
    /// A signature of ECDSA over P-256 as tokens give it: r, and then s, 32 bytes each. `None` if it is
    /// none.
    pub fn from_p256_pair(pair: &[u8]) -> Option<Self> {
        let read = p256::ecdsa::Signature::from_slice(pair).ok()?;
        Some(read.to_der().as_bytes().to_vec().into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// A private key. It cannot be copied or compared, `Debug` shows only its type and
/// the name of its public half, and its memory is overwritten when it is dropped.
pub struct PrivateKey {
    secret: Secret,
    public: PublicKey,
}

/// Boxed, so that moving a [`PrivateKey`] about leaves no copies of the secret behind.
enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    EcdsaP256(Box<p256::ecdsa::SigningKey>),
}

impl PrivateKey {
    /// Makes a key from the system's random numbers. Fails only if there are none.
    pub fn generate(key_type: KeyType) -> Result<Self, getrandom::Error> {
        loop {
            let mut seed = Zeroizing::new([0; 32]);
            getrandom::fill(seed.as_mut())?;
            // A number outside the range of P-256's scalars, once in 2^32, is drawn again.
            if let Some(key) = Self::from_seed(key_type, &seed) {
                return Ok(key);
            }
        }
    }

    /// The key that 32 secret bytes stand for.
    pub(super) fn from_seed(key_type: KeyType, seed: &[u8; 32]) -> Option<Self> {
        let secret = match key_type {
            KeyType::Ed25519 => Secret::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed))),
            KeyType::EcdsaP256 => {
                Secret::EcdsaP256(Box::new(p256::ecdsa::SigningKey::from_slice(seed).ok()?))
            }
        };
        Self::new(secret).ok()
    }

    fn new(secret: Secret) -> Result<Self, InvalidKey> {
        let public = match &secret {
            Secret::Ed25519(key) => key.verifying_key().try_into()?,
            Secret::EcdsaP256(key) => PublicKey::from(*key.verifying_key()),
        };
        Ok(Self { secret, public })
    }

    /// Reads one PEM block: `PRIVATE KEY` (PKCS#8; RFC 5958 section 2), version 1 or 2, or
    /// `EC PRIVATE KEY` (RFC 5915), as older tools write it. A public key that is stored with it must belong to it: whoever trusted a
    /// foreign one could be made to sign with a wrong challenge, which gives an
    /// Ed25519 key away.
    pub fn from_pem(text: &[u8]) -> Result<Self, InvalidKey> {
        match pem::decode(text, Half::Private)? {
            Block { form: Form::Sec1, der } => Self::from_sec1_der(&der),
            Block { form: Form::Usual, der } => Self::from_pkcs8_der(&der),
            Block { form: Form::Cosign, .. } => Err(InvalidKey::CosignEncrypted),
        }
    }

    /// Reads the same, or, with the password, a block as cosign writes it. Takes the memory and the
    /// time that the key was made to cost, at most 128 MiB and twice what cosign's own take.
    pub fn from_pem_with(text: &[u8], password: &[u8]) -> Result<Self, InvalidKey> {
        match pem::decode(text, Half::Private)? {
            Block { form: Form::Cosign, der: json } => Self::from_pkcs8_der(&cosign::open(&json, password)?),
            _ => Self::from_pem(text),
        }
    }

    /// Reads the DER of an `ECPrivateKey` (RFC 5915 section 3). The public key in it is checked.
    fn from_sec1_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let key = p256::SecretKey::from_sec1_der(der).map_err(|_| {
            let is_key = der.windows(EC_PRIVATE_KEY.len()).take(4).any(|w| w == EC_PRIVATE_KEY);
            let names_p256 = der.windows(P256.len()).any(|w| w == P256);
            if is_key && !names_p256 {
                InvalidKey::Algorithm { found: "an elliptic curve key that is not on P-256" }
            } else {
                InvalidKey::Damaged
            }
        })?;
        Self::new(Secret::EcdsaP256(Box::new(key.into())))
    }

    /// Reads the DER that is inside such a block.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| InvalidKey::Damaged)?;
        let stored = match &info.public_key {
            None => None,
            Some(bits) => Some(bits.as_bytes().ok_or(InvalidKey::Damaged)?),
        };
        let secret = match public::key_type(&info.algorithm)? {
            KeyType::Ed25519 => {
                let seed = ed25519_seed(&info).ok_or(InvalidKey::Damaged)?;
                Secret::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(seed)))
            }
            KeyType::EcdsaP256 => {
                // Checks the public key that SEC 1 (section C.4) stores with the scalar.
                let key = p256::ecdsa::SigningKey::try_from(info.clone()).map_err(|_| InvalidKey::Damaged)?;
                Secret::EcdsaP256(Box::new(key))
            }
        };
        let key = Self::new(secret)?;
        if stored.is_some_and(|stored| stored != key.public.raw()) {
            return Err(InvalidKey::Inconsistent);
        }
        Ok(key)
    }

    /// One PEM block: PKCS#8 version 1, as `openssl genpkey` writes it.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        let pem = match &self.secret {
            Secret::Ed25519(key) => ed25519_pem(key),
            Secret::EcdsaP256(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        // A fixed structure of less than 200 bytes: encoding it has no way to fail.
        pem.unwrap_or_default()
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// What kind of key it is.
    pub fn key_type(&self) -> KeyType {
        match self.secret {
            Secret::Ed25519(_) => KeyType::Ed25519,
            Secret::EcdsaP256(_) => KeyType::EcdsaP256,
        }
    }

    /// Signs the message itself; the same message gives the same signature (RFC 8032
    /// section 5.1.6, RFC 6979). Of the two ECDSA signatures the one with the lower s
    /// is taken, since some verifiers refuse the other.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(match &self.secret {
            Secret::Ed25519(key) => key.sign(message).to_vec(),
            Secret::EcdsaP256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_der().as_bytes().to_vec()
            }
        })
    }
}

// The structures of RFC 8410 section 7 are taken apart and put together here, since
// the key library's own type for that (`KeypairBytes`) is not wiped when dropped.

/// `ecPrivkeyVer1`, which an `ECPrivateKey` begins with.
const EC_PRIVATE_KEY: &[u8] = &[0x02, 0x01, 0x01];
/// The identifier of P-256 (RFC 5480 section 2.1.1.1) as it is in DER.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// `CurvePrivateKey`: an OCTET STRING of 32 bytes, inside the one of PKCS#8.
const CURVE_PRIVATE_KEY: [u8; 2] = [0x04, 0x20];

fn ed25519_seed<'a>(info: &PrivateKeyInfoRef<'a>) -> Option<&'a [u8; 32]> {
    if info.algorithm.parameters.is_some() {
        return None;
    }
    info.private_key.as_bytes().strip_prefix(&CURVE_PRIVATE_KEY)?.try_into().ok()
}

fn ed25519_pem(key: &ed25519_dalek::SigningKey) -> Result<Zeroizing<String>, p256::pkcs8::Error> {
    let mut inner = Zeroizing::new([0; 34]);
    for (to, from) in inner.iter_mut().zip(CURVE_PRIVATE_KEY.iter().chain(key.as_bytes())) {
        *to = *from;
    }
    let algorithm = p256::pkcs8::AlgorithmIdentifierRef { oid: public::ED25519, parameters: None };
    // Without the public key it is version 1, which every reader takes.
    let info = PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(inner.as_slice())?);
    Ok(SecretDocument::encode_msg(&info)?.to_pem("PRIVATE KEY", LineEnding::LF)?)
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} {})", self.key_type(), self.public.key_id())
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// Compiles only while both libraries overwrite their keys when dropped.
    fn is_wiped<T: ZeroizeOnDrop>() {}

    #[test]
    fn both_kinds_of_key_are_wiped() {
        is_wiped::<ed25519_dalek::SigningKey>();
        is_wiped::<p256::ecdsa::SigningKey>();
        is_wiped::<Zeroizing<String>>();
    }

    #[test]
    fn seeds_outside_the_range_of_scalars_make_no_key() {
        for seed in [[0; 32], [0xff; 32]] {
            assert!(PrivateKey::from_seed(KeyType::EcdsaP256, &seed).is_none());
            assert!(PrivateKey::from_seed(KeyType::Ed25519, &seed).is_some());
        }
    }
}
