//! Keys in the transit engine of `HashiCorp` Vault or `OpenBao`: `hashivault://NAME`, as cosign has it.
//!
//! Two questions over HTTP: for the public key of the newest version, when the key is opened, and
//! for a signature with that very version. A key that is rotated meanwhile signs on with the
//! version that was opened, until Vault refuses it.

mod answer;
mod login;
mod settings;
mod transit;

use std::fmt;

use argo_attest_core::keys::PublicKey;
use argo_attest_core::secret::shown;

use super::opening::Opening;
use super::service::Service;
use crate::service::{Http, ServiceError};
use login::Login;
use settings::Settings;
use transit::Transit;

/// What such a name begins with.
pub(super) const SCHEME: &str = "hashivault://";
/// The variables whose content alone lets anybody sign: what is read here, and `OpenBao`'s own.
pub(super) const SECRET_VARIABLES: [&str; 2] = [settings::TOKEN, "BAO_TOKEN"];
/// Bytes of a key's name.
const MAX_NAME: usize = 200;

/// The name of a key in the transit engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultKey(String);

impl VaultKey {
    /// What follows `hashivault://`: letters, digits and `_`, and between them also `-` and `.`.
    pub(super) fn new(name: &str) -> Option<Self> {
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let ends = name.bytes().next().is_some_and(is_word) && name.bytes().last().is_some_and(is_word);
        let within = name.bytes().all(|b| is_word(b) || b == b'-' || b == b'.');
        (ends && within && name.len() <= MAX_NAME).then(|| Self(name.to_owned()))
    }

    /// Asks for the public key, and holds its version.
    pub(super) async fn open(
        &self,
        opening: &Opening<'_>,
    ) -> Result<(PublicKey, Box<dyn Service>), ServiceError> {
        let settings = Settings::from_env(opening.environment, opening.home)?;
        let Settings { server, mount, who, trust, proxies } = settings;
        let http = Http::new(server.is_secure(), &trust, proxies, opening.limits)?;
        let login = Login::new(who, server, http);
        let transit = Transit::new(login, mount, self.0.clone());
        let newest = opening.limits.ask(|refused| transit.renew(refused), || transit.newest()).await?;
        let (key, service) = transit.with(newest);
        Ok((key, Box::new(service)))
    }
}

/// As it was given, unless it may be a key.
impl fmt::Display for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", shown(self.0.as_bytes()))
    }
}
