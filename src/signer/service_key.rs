//! Keys that a service has, by the names that users know them by.

use std::fmt;
use std::os::unix::ffi::OsStrExt as _;

use argo_attest_core::keys::PublicKey;

use super::awskms::{self, KmsKey};
use super::opening::Opening;
#[cfg(feature = "pkcs11")]
use super::pkcs11::{self, Pkcs11Key};
use super::service::{Service, ServiceSigner};
use super::source::InvalidKeySource;
use super::vault::{self, VaultKey};
use crate::service::ServiceError;

/// What names of such keys begin with.
pub(super) const SERVICES: [&str; 3] = [awskms::SCHEME, vault::SCHEME, PKCS11];

/// What the name of a key in a token begins with (RFC 7512), also where no build knows more of it.
pub(super) const PKCS11: &str = "pkcs11:";

/// The name of a key that a service has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceKey {
    /// In AWS KMS.
    AwsKms(KmsKey),
    /// In the transit engine of Vault or `OpenBao`.
    Vault(VaultKey),
    /// In a token.
    #[cfg(feature = "pkcs11")]
    Token(Pkcs11Key),
}

impl ServiceKey {
    /// The key, if the text names one of a service.
    pub(super) fn read(text: &std::ffi::OsStr) -> Option<Result<Self, InvalidKeySource>> {
        let named = |scheme: &str| text.as_bytes().strip_prefix(scheme.as_bytes()).map(str::from_utf8);
        if let Some(name) = named(awskms::SCHEME) {
            let key = name.ok().and_then(KmsKey::new).map(Self::AwsKms);
            return Some(key.ok_or(InvalidKeySource::AwsKms));
        }
        if let Some(name) = named(PKCS11) {
            return Some(Self::token(name.unwrap_or_default()));
        }
        let name = named(vault::SCHEME)?;
        let key = name.ok().and_then(VaultKey::new).map(Self::Vault);
        Some(key.ok_or(InvalidKeySource::Vault))
    }

    #[cfg(feature = "pkcs11")]
    fn token(name: &str) -> Result<Self, InvalidKeySource> {
        Ok(Self::Token(Pkcs11Key::new(name)?))
    }

    #[cfg(not(feature = "pkcs11"))]
    fn token(_: &str) -> Result<Self, InvalidKeySource> {
        Err(InvalidKeySource::NoPkcs11)
    }

    /// Whether it is in a token, which is reached by what is on a machine and not over the network.
    pub fn is_in_token(&self) -> bool {
        match self {
            Self::AwsKms(_) | Self::Vault(_) => false,
            #[cfg(feature = "pkcs11")]
            Self::Token(_) => true,
        }
    }

    /// The public key, and what signs with it.
    pub(super) async fn open(
        &self,
        opening: &Opening<'_>,
    ) -> Result<(PublicKey, Box<dyn Service>), ServiceError> {
        match self {
            Self::AwsKms(key) => key.open(opening).await,
            Self::Vault(key) => key.open(opening).await,
            #[cfg(feature = "pkcs11")]
            Self::Token(key) => key.open(opening).await,
        }
    }

    /// What signs.
    pub(super) async fn signer(&self, opening: &Opening<'_>) -> Result<ServiceSigner, ServiceError> {
        let (key, service) = self.open(opening).await?;
        Ok(ServiceSigner::new(self.to_string(), key, service, opening.limits))
    }

    /// The variables that hold who we are to the service alone.
    pub fn secret_variables(&self) -> &'static [&'static str] {
        match self {
            // The command may need the store's credentials, which these are.
            Self::AwsKms(_) => &[],
            Self::Vault(_) => &vault::SECRET_VARIABLES,
            #[cfg(feature = "pkcs11")]
            Self::Token(_) => &pkcs11::SECRET_VARIABLES,
        }
    }
}

/// As it was given.
impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwsKms(key) => fmt::Display::fmt(key, f),
            Self::Vault(key) => fmt::Display::fmt(key, f),
            #[cfg(feature = "pkcs11")]
            Self::Token(key) => fmt::Display::fmt(key, f),
        }
    }
}
