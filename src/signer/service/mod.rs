//! Services that have the key and give out signatures: what all of them have in common.
//!
//! What goes to them is a pre-authentication encoding or its digest, never an artifact. What comes
//! back is checked under the public key that was learnt when the key was opened: a signature by
//! another key, or by another algorithm, is none, whatever the service calls it.

mod signer;

use std::fmt;

use argo_attest_core::keys::Signature;
use async_trait::async_trait;

use crate::service::ServiceError;

pub(super) use signer::ServiceSigner;

/// One key of a service, as it was when it was opened.
#[async_trait]
pub(super) trait Service: fmt::Debug + Send + Sync {
    /// Asks once for a signature with exactly this key.
    async fn sign(&self, pae: &[u8]) -> Result<Signature, ServiceError>;

    /// Whether who we are to the service can be found out anew, for one more try, after it
    /// refused with this.
    fn renew(&self, refused: &ServiceError) -> bool;
}
