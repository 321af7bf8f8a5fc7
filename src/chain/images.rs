//! Registries that are asked for attestations of images.
//!
//! Which image a step ran may be a tenant's word. So no registry is asked because a statement names
//! it, only those that the caller named, or that the user is logged in to.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{Registry, Repository};
use bytes::Bytes;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::FetchError;
use crate::registry::{Registries, RegistryError};

/// How long one attestation may take, all retries included.
const EACH: Duration = Duration::from_mins(1);

/// What gives access to registries; it makes no request.
type Opener = Box<dyn Fn() -> Result<Registries, RegistryError> + Send + Sync>;

/// Registries that may be asked. None, by default.
#[derive(Default)]
pub struct Images {
    open: Option<Opener>,
    opened: OnceCell<Registries>,
    named: BTreeSet<String>,
}

impl Images {
    /// Those that are named, and those for which there is a login.
    pub fn new(
        open: impl Fn() -> Result<Registries, RegistryError> + Send + Sync + 'static,
        named: impl IntoIterator<Item = Registry>,
    ) -> Self {
        let named = named.into_iter().map(|registry| registry.to_string()).collect();
        Self { open: Some(Box::new(open)), opened: OnceCell::new(), named }
    }

    pub(super) async fn fetch(
        &self,
        at: &Repository,
        digest: Sha256Digest,
        limit: usize,
    ) -> Result<Bytes, FetchError> {
        let unnamed =
            || FetchError::Unnamed { uri: format!("oci://{at}"), registry: at.registry().to_string() };
        let open = self.open.as_ref().ok_or_else(unnamed)?;
        let opened = self.opened.get_or_try_init(|| async { open() });
        let registries = opened.await.map_err(FetchError::Registry)?;
        if !self.named.contains(&at.registry().to_string()) && !registries.knows(at.registry()) {
            return Err(unnamed());
        }
        let what = format!("oci://{}", at.at(digest));
        let late = || RegistryError::Unreachable {
            what: what.clone(),
            server: at.registry().server().to_owned(),
            attempts: 1,
            source: format!("no answer within {} s", EACH.as_secs()).into(),
        };
        match timeout(EACH, registries.blob(at, digest, limit)).await.unwrap_or_else(|_| Err(late())) {
            Ok(bytes) => Ok(bytes),
            Err(RegistryError::NotFound { .. }) => Err(FetchError::Missing { uri: what }),
            Err(error) => Err(FetchError::Registry(error)),
        }
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Images").field("named", &self.named).finish_non_exhaustive()
    }
}
