//! The port, over a key that lives as long as the process, and certificates that live for minutes.

use std::fmt;
use std::sync::Arc;

use argo_attest_core::keys::{PrivateKey, PublicKey};
use argo_attest_core::trouble::Trouble as _;
use async_trait::async_trait;
use tokio::task::AbortHandle;

use super::super::certified::Certified;
use super::super::port::{SignError, Signed, Signer};
use super::asking::Asking;
use super::renewal::Renewal;
use crate::service::ServiceError;

/// Somebody's key for as long as this process lives.
pub(in super::super) struct KeylessSigner {
    /// Who gives the certificates, printable.
    name: String,
    renewal: Arc<Renewal>,
    /// What renews in time, whether or not anything is signed.
    task: AbortHandle,
}

impl fmt::Debug for KeylessSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeylessSigner").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for KeylessSigner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl KeylessSigner {
    /// With the first certificate, which says for whom all others have to be. From now on there is always one that
    /// holds, as far as they are given: what is to be signed does not wait for it.
    pub(super) async fn begin(name: String, key: PrivateKey, asking: Asking) -> Result<Self, ServiceError> {
        let first = asking.certificate(&key).await?;
        let renewal = Arc::new(Renewal::new(key, asking, first));
        let task = Arc::clone(&renewal);
        let task = tokio::spawn(async move { task.keep().await }).abort_handle();
        Ok(Self { name, renewal, task })
    }
}

#[async_trait]
impl Signer for KeylessSigner {
    async fn sign(&self, pae: &[u8]) -> Result<Signed, SignError> {
        match self.renewal.certificate().await {
            Ok(certified) => {
                let key = self.renewal.key();
                let (signature, key) = (key.sign(pae), key.public().clone());
                Ok(Signed { signature, key, certified: Some(certified) })
            }
            Err(error) => {
                let (signer, remedy) = (self.name.clone(), error.remedy());
                Err(if error.is_passing() {
                    SignError::Passing { signer, source: Box::new(error), remedy }
                } else {
                    SignError::Final { signer, source: Box::new(error), remedy }
                })
            }
        }
    }

    fn public_key(&self) -> PublicKey {
        self.renewal.key().public().clone()
    }

    fn certified(&self) -> Option<Certified> {
        Some(self.renewal.current())
    }
}
