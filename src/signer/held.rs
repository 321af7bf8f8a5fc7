//! A key in this process's memory, which signs at once and never fails.

use argo_attest_core::keys::{PrivateKey, PublicKey};
use async_trait::async_trait;

use super::port::{SignError, Signed, Signer};

#[async_trait]
impl Signer for PrivateKey {
    async fn sign(&self, pae: &[u8]) -> Result<Signed, SignError> {
        Ok(Signed { signature: Self::sign(self, pae), key: self.public().clone(), certified: None })
    }

    fn public_key(&self) -> PublicKey {
        self.public().clone()
    }
}
