//! Keys and signatures: Ed25519 (RFC 8032, pure) and ECDSA over P-256 with SHA-256
//! (FIPS 186-5, deterministic by RFC 6979).
//!
//! Private keys are PKCS#8 in PEM (RFC 5958, RFC 7468), public ones SPKI in PEM
//! (RFC 5280, RFC 8410). A key is named by its OpenSSH fingerprint ([`KeyId`]).
//! Private keys never reach `Debug`, an error or a log, and their memory is
//! overwritten when they are dropped. What is signed is not decided here (see
//! [`crate::dsse`]), and neither is whom to trust.

mod followed;
mod invalid;
mod key_file;
mod key_id;
mod key_type;
mod mounted;
mod pair;
mod pem;
mod private;
mod public;
mod read;
mod source;

pub use followed::{Followed, FollowedKey};
pub use invalid::InvalidKey;
pub use key_file::KeyFileError;
pub use key_id::{InvalidKeyId, KeyId};
pub use key_type::{InvalidKeyType, KeyType};
pub use pair::{Origin, check_pair, load_pair, public_path};
pub use private::{PrivateKey, Signature};
pub use public::{BadSignature, PublicKey};
pub use read::MAX_KEY_FILE;
pub use source::{InvalidKeySource, KeyError, KeySource, VariableName, Variables};
