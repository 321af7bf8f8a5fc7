//! What an object is to hold.

use std::fmt;
use std::sync::Arc;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::manifest::Manifest;
use bytes::Bytes;

use super::Object;

/// All bytes of an object that is to be written. Those of a large one are not there as a whole, but
/// made anew for each who sends them.
#[derive(Clone)]
pub struct NewObject {
    size: u64,
    digest: Sha256Digest,
    parts: Parts,
}

#[derive(Clone)]
enum Parts {
    There(Bytes),
    Made(Arc<Manifest>),
}

impl NewObject {
    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Their digest.
    pub fn digest(&self) -> Sha256Digest {
        self.digest
    }

    /// They themselves, from the beginning. No part is empty.
    pub fn parts(&self) -> Box<dyn Iterator<Item = Bytes> + Send + Sync> {
        match &self.parts {
            Parts::There(bytes) => {
                Box::new(Some(bytes.clone()).into_iter().filter(|bytes| !bytes.is_empty()))
            }
            Parts::Made(manifest) => Box::new(manifest.chunks().map(Bytes::from)),
        }
    }

    /// All of them, where they are there.
    pub fn whole(&self) -> Option<&Bytes> {
        match &self.parts {
            Parts::There(bytes) => Some(bytes),
            Parts::Made(_) => None,
        }
    }

    /// All of them at once, however many.
    pub fn bytes(&self) -> Bytes {
        self.whole().cloned().unwrap_or_else(|| self.parts().collect::<Vec<_>>().concat().into())
    }

    /// Whether it is what an object holds.
    pub(super) fn is_in(&self, there: &Object) -> bool {
        match &self.parts {
            Parts::There(bytes) => there.bytes == *bytes,
            Parts::Made(_) => Sha256Digest::of(&there.bytes) == self.digest,
        }
    }
}

impl From<Bytes> for NewObject {
    fn from(bytes: Bytes) -> Self {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { size, digest: Sha256Digest::of(&bytes), parts: Parts::There(bytes) }
    }
}

impl From<&Manifest> for NewObject {
    fn from(manifest: &Manifest) -> Self {
        let parts = Parts::Made(Arc::new(manifest.clone()));
        Self { size: manifest.size(), digest: manifest.digest(), parts }
    }
}

impl fmt::Debug for NewObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewObject")
            .field("size", &self.size)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}
