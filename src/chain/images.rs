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

/// How long one image's attestation may take, all retries included.
pub const EACH: Duration = Duration::from_mins(1);

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

    /// What gives access to a registry; `None` if it may not be asked.
    pub async fn of(&self, registry: &Registry) -> Result<Option<&Registries>, RegistryError> {
        let Some(open) = &self.open else { return Ok(None) };
        let opened = self.opened.get_or_try_init(|| async { open() }).await?;
        let may_be_asked = self.named.contains(&registry.to_string()) || opened.knows(registry);
        Ok(may_be_asked.then_some(opened))
    }

    pub(super) async fn fetch(
        &self,
        at: &Repository,
        digest: Sha256Digest,
        limit: usize,
    ) -> Result<Bytes, FetchError> {
        let Some(registries) = self.of(at.registry()).await.map_err(FetchError::Registry)? else {
            let (uri, registry) = (format!("oci://{at}"), at.registry().to_string());
            return Err(FetchError::Unnamed { uri, registry });
        };
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
