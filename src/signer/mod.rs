//! Signing: the port ([`Signer`]), and the keys that are at hand for it: in files, also under a
//! password, in a mounted Secret that is replaced, in a variable; that a service or a token has, and gives
//! signatures with; or that are made for a process, and certified for minutes.
//!
//! Nothing outside this module needs a private key, but `keygen`, which makes them:
//! [`SigningKey::signer`] and [`FollowedKey`] give what signs.

#[cfg(all(feature = "pkcs11", target_feature = "crt-static"))]
compile_error!(
    "a static binary loads no modules: build it without the feature pkcs11, or for a system's libc"
);

mod awskms;
mod certified;
mod followed;
mod held;
mod key_file;
mod keyless;
mod mounted;
mod opening;
mod pair;
mod password;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod port;
mod read;
mod service;
mod service_key;
mod signing_key;
mod source;
mod vault;

pub use awskms::KmsKey;
pub use certified::Certified;
pub use followed::{Followed, FollowedKey};
pub use key_file::{Half, KeyFileError};
pub use keyless::{AUDIENCE, Keyless, TokenSource};
pub use opening::{Home, Opening};
pub use pair::{Origin, check_pair, create_pair, load_or_create_pair, load_pair, public_path};
pub use password::{InvalidPassword, PASSWORD_VARIABLE, Password};
#[cfg(feature = "pkcs11")]
pub use pkcs11::{InvalidPkcs11, Pkcs11Key};
pub use port::{SignError, Signed, Signer};
pub use read::{load_private, load_public};
pub use service_key::ServiceKey;
pub use signing_key::SigningKey;
pub use source::{InvalidKeySource, KeyError, KeySource, VariableName};
pub use vault::VaultKey;

pub use crate::service::{Limits, ServiceError};
