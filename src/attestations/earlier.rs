//! What was an artifact's attestation until there was a newer one. An envelope that counts by a key stays as one of the
//! lines; one that counts by a certificate would lose that there, and stays as the bundle that it was, under another
//! name.

use argo_attest_core::bundle::Bundle;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::proof::Leaf;
use bytes::Bytes;
use tracing::info;

use super::{PutError, names};
use crate::store::{ObjectKey, PutMode, Store, StoreError};

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// It is copied under a name that its digest is part of: others may name it by that.
    Keep,
    /// What says that it is the same signer's is replaced: the newer one says all that it said. Anybody else's is
    /// not ours to replace.
    Supersede,
}

/// What is there, by how it is written.
pub(super) enum Written {
    /// A bundle as we write it of what a key signed.
    ByKey,
    /// The same of what counts by this certificate.
    Certified(Box<Leaf>),
    /// Anything else.
    Otherwise,
}

impl Written {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let Ok(bundle) = Bundle::whole(bytes) else { return Self::Otherwise };
        let Some(certificate) = bundle.evidence().certificate() else { return Self::ByKey };
        // Ours names its certificate's key.
        let named = bundle.envelope().signatures().first().and_then(|signature| signature.keyid());
        match Leaf::of(certificate) {
            Ok(leaf) if named == Some(leaf.key().key_id().to_string().as_str()) => {
                Self::Certified(Box::new(leaf))
            }
            _ => Self::Otherwise,
        }
    }
}

/// Whether both say that they are for the same, by the word of the same.
pub(super) fn is_same_signers(one: &Leaf, other: &Leaf) -> bool {
    one.says().is_some_and(|says| other.says() == Some(says))
}

/// Copies what is about to be replaced.
pub(super) async fn keep(store: &dyn Store, key: &ObjectKey, there: Bytes) -> Result<(), PutError> {
    let foreign = || PutError::Foreign { uri: store.uri(key), what: None };
    let name = names::earlier(key.as_str(), Sha256Digest::of(&there)).ok_or_else(foreign)?;
    let name = ObjectKey::new(&name)?;
    match store.put(&name, there, PutMode::Create).await {
        Ok(_) => {
            info!(uri = store.uri(key), copy = store.uri(&name), "an earlier attempt's attestation was kept");
            Ok(())
        }
        // Other bytes with that name: nobody's copy of these.
        Err(StoreError::Conflict { .. }) => Err(foreign()),
        Err(error) => Err(error.into()),
    }
}
