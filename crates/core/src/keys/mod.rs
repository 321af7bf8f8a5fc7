//! Keys and signatures: Ed25519 (RFC 8032, pure) and ECDSA over P-256 with SHA-256
//! (FIPS 186-5, deterministic by RFC 6979). What others signed is verified with RSA and
//! ECDSA P-384 keys as well.
//!
//! Private keys are PKCS#8 in PEM (RFC 5958, RFC 7468), also under a password as cosign has it; public ones SPKI in PEM
//! (RFC 5280, RFC 8410). A key is named by its OpenSSH fingerprint ([`KeyId`]).
//! Private keys never reach `Debug`, an error or a log, and their memory is
//! overwritten when they are dropped. What is signed is not decided here (see
//! [`crate::dsse`]), and neither is whom to trust.

mod cosign;
mod invalid;
mod key_id;
mod key_type;
mod others;
mod pem;
mod private;
mod public;

pub use invalid::InvalidKey;
pub use key_id::{InvalidKeyId, KeyId};
pub use key_type::{InvalidKeyType, KeyType};
pub use pem::MAX_PEM;
pub use private::{PrivateKey, Signature};
pub use public::{BadSignature, PublicKey};
