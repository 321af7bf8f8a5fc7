//! Registries of container images (OCI Distribution 1.1), as far as attestations need them:
//! manifests, small blobs, and what refers to a manifest.
//!
//! Nothing that a registry says is believed where a digest says it too: bytes are compared
//! with the digest that they were asked for by, and what was pushed is read back. How much
//! is read is bounded everywhere.

mod challenge;
mod client;
mod error;
mod login;
mod pulling;
mod pushing;
mod referring;
mod sign_in;
mod tagging;

use std::sync::Arc;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ImageReference, Manifest, Registry, Repository};
use bytes::Bytes;

pub use error::RegistryError;
pub use login::{LoginError, Logins};

use crate::environment::Env;
use client::Http;

/// Whether a registry is only asked, or also given something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Pull,
    Push,
}

impl Access {
    fn scope(self, repository: &Repository) -> String {
        let actions = match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        };
        format!("repository:{}:{actions}", repository.name())
    }
}

/// Registries, as somebody with these logins sees them. Clones share connections and tokens.
#[derive(Debug, Clone)]
pub struct Registries {
    http: Arc<Http>,
}

/// A manifest with the bytes that it was read from.
#[derive(Debug, Clone)]
pub struct Pulled {
    /// What it says.
    pub manifest: Manifest,
    /// As it is.
    pub bytes: Bytes,
}

impl Registries {
    /// Those that the environment gives access to: logins of Docker's configuration,
    /// authorities, proxies. `plain`: over HTTP without TLS, for tests.
    pub fn from_env(env: &dyn Env, plain: bool) -> Result<Self, RegistryError> {
        let logins = Logins::from_env(env).map_err(RegistryError::Login)?;
        Ok(Self { http: Arc::new(Http::new(env, logins, plain)?) })
    }

    /// Whether the user's configuration has a login for a registry: then it is one of the user's.
    pub fn knows(&self, registry: &Registry) -> bool {
        self.http.logins.has(registry)
    }

    /// The same from beside a step: with logins also from where builders have them mounted.
    pub fn in_pod(env: &dyn Env, plain: bool) -> Result<Self, RegistryError> {
        let logins = Logins::in_pod(env).map_err(RegistryError::Login)?;
        Ok(Self { http: Arc::new(Http::new(env, logins, plain)?) })
    }
}

/// As people write it.
fn shown(repository: &Repository, digest: Sha256Digest) -> String {
    format!("oci://{}", repository.at(digest))
}

fn shown_reference(reference: &ImageReference) -> String {
    format!("oci://{reference}")
}
