//! Keys in tokens, hardware or not: `pkcs11:token=…;object=…?module-path=…`, as cosign, p11-kit and
//! OpenSSL have it (RFC 7512), by the module of the token's maker (PKCS#11 2.40 or later).
//!
//! The module is loaded into this process and spoken with by one thread. What it signed is verified
//! like what a service signed, under the public key of the start, whatever became of the token meanwhile.

mod encoding;
mod fault;
mod module;
mod name;
mod pin;
mod session;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argo_attest_core::keys::{PublicKey, Signature};
use async_trait::async_trait;

use super::opening::Opening;
use super::service::Service;
use crate::service::ServiceError;
use module::Module;
use session::{Kept, Open};

pub use name::{InvalidPkcs11, Pkcs11Key};

/// What such a name begins with.
pub(super) use super::service_key::PKCS11 as SCHEME;
/// The variables whose content alone lets anybody sign who reaches the token.
pub(super) const SECRET_VARIABLES: [&str; 1] = [pin::VARIABLE];

/// Where cosign's users have the module's path.
const MODULE: &str = "COSIGN_PKCS11_MODULE_PATH";

/// One key, with what signs with it.
#[derive(Debug)]
struct Pinned {
    module: Module,
    /// Until this is dropped.
    kept: Option<Arc<Mutex<Kept>>>,
    patience: Duration,
}

impl Pkcs11Key {
    /// Logs in, finds the key, and holds which it is: the one that signs and whose public half verifies that.
    pub(super) async fn open(
        &self,
        opening: &Opening<'_>,
    ) -> Result<(PublicKey, Box<dyn Service>), ServiceError> {
        let module = Module::at(&self.module(opening)?)?;
        let pin = pin::of(self, opening)?;
        // Tokens take one after the other: what waits for its turn has all the time that there is.
        let patience = opening.limits.total;
        let (name, said) = (self.clone(), pin.clone());
        let found = module.ask(patience, move |module| {
            let open = Open::find(module, &name, said.as_ref().map(|pin| pin.as_slice()), false)?;
            Ok((open.public_key()?, open))
        });
        let (key, open) = found.await?;
        let kept = Some(Arc::new(Mutex::new(Kept::new(self.clone(), pin, open))));
        Ok((key, Box::new(Pinned { module, kept, patience })))
    }

    fn module(&self, opening: &Opening<'_>) -> Result<PathBuf, ServiceError> {
        let set = || opening.environment.var(MODULE).filter(|path| !path.is_empty()).map(PathBuf::from);
        self.module.clone().or_else(set).ok_or_else(|| ServiceError::Settings {
            what: "no module is named that speaks with the token".into(),
            remedy: format!("name it by its path: ?module-path=/PATH.so in the key's name, or {MODULE}"),
        })
    }
}

#[async_trait]
impl Service for Pinned {
    async fn sign(&self, pae: &[u8]) -> Result<Signature, ServiceError> {
        let (kept, message) = (self.kept.clone(), pae.to_vec());
        let asked = self.module.ask(self.patience, move |module| {
            let kept = kept.ok_or(ServiceError::Odd("it was left"))?;
            kept.lock().unwrap_or_else(PoisonError::into_inner).sign(module, &message)
        });
        asked.await
    }

    /// A lost session is opened anew there and then, and a PIN never said twice.
    fn renew(&self, _: &ServiceError) -> bool {
        false
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        self.module.leave(self.kept.take());
    }
}
