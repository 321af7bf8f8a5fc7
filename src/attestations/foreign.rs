//! Something else under an attestation's name: damaged, or not ours. It is never read as an
//! attestation, and never lost.

use argo_attest_core::digest::Sha256Digest;
use tracing::warn;

use super::{MAX_ATTESTATION, PutError};
use crate::store::{ObjectKey, PutMode, Revision, Store, StoreError};

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// It stays where it is, and nothing is attested.
    Refuse,
    /// It is copied under another name, which its digest is part of, and then replaced, if it
    /// is still the same.
    SetAside,
}

/// In the name of what was set aside, before its digest.
const ASIDE: &str = ".set-aside-";
/// Hexadecimal digits of the digest in such a name.
const DIGITS: usize = 16;

/// Copies what is there, and says in what state that was and where it is now.
pub(super) async fn set_aside(store: &dyn Store, key: &ObjectKey) -> Result<(Revision, String), PutError> {
    let foreign = || PutError::Foreign { uri: store.uri(key), what: None };
    let there = match store.get(key, MAX_ATTESTATION).await {
        // As it comes: that it is not what the store once took is why it is in the way.
        Err(StoreError::Corrupt { .. }) => store.salvage(key, MAX_ATTESTATION).await,
        read => read,
    };
    let there = match there {
        Ok(there) => there,
        Err(StoreError::TooLarge { .. }) => return Err(foreign()),
        Err(error) => return Err(error.into()),
    };
    let digest = Sha256Digest::of(&there.bytes).to_string();
    let name = format!("{key}{ASIDE}{}", digest.get(..DIGITS).unwrap_or(&digest));
    let name = ObjectKey::new(&name).map_err(|_| foreign())?;
    match store.put(&name, there.bytes, PutMode::Create).await {
        Ok(_) => {}
        // Other bytes with that name: nobody's copy of these.
        Err(StoreError::Conflict { .. }) => return Err(foreign()),
        Err(error) => return Err(error.into()),
    }
    let (uri, aside) = (store.uri(key), store.uri(&name));
    warn!(uri, aside, "what was there is no attestation, or is damaged: it was set aside");
    Ok((there.info.revision, aside))
}
