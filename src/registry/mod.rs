//! Registries of container images (OCI Distribution 1.1), as far as attestations need them:
//! manifests, small blobs, and what refers to a manifest.
//!
//! Nothing that a registry says is believed where a digest says it too: bytes are compared
//! with the digest that they were asked for by, and what was pushed is read back. How much
//! is read is bounded everywhere.

mod challenge;
mod client;
mod ecr;
mod error;
mod helper;
mod login;
mod pulling;
mod pushing;
mod referring;
mod sign_in;
mod tagging;
mod who;

use std::sync::Arc;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ImageReference, Manifest, Registry, Repository};
use bytes::Bytes;

pub use error::{Advice, NoLogin, RegistryError};
pub use login::LoginError;

use crate::environment::Env;
use client::Http;
use who::{Where, Who};

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
    /// Those that the environment gives a person at a command line access to: logins of Docker's
    /// configuration and of the programs that it names, AWS's credentials, authorities, proxies.
    /// `plain`: over HTTP without TLS, for tests.
    pub fn from_env(env: &dyn Env, plain: bool) -> Result<Self, RegistryError> {
        Self::at(env, Where::CommandLine, plain)
    }

    /// Whether the user's configuration has a login for a registry: then it is one of the user's.
    pub fn knows(&self, registry: &Registry) -> bool {
        self.http.who.knows(registry)
    }

    /// The same from beside a step: with logins also from where builders have them mounted, and of
    /// no program.
    pub fn in_pod(env: &dyn Env, plain: bool) -> Result<Self, RegistryError> {
        Self::at(env, Where::Pod, plain)
    }

    fn at(env: &dyn Env, at: Where, plain: bool) -> Result<Self, RegistryError> {
        let who = Who::new(env, at, plain).map_err(RegistryError::Login)?;
        Ok(Self { http: Arc::new(Http::new(env, who, plain)?) })
    }
}

/// As people write it.
fn shown(repository: &Repository, digest: Sha256Digest) -> String {
    format!("oci://{}", repository.at(digest))
}

fn shown_reference(reference: &ImageReference) -> String {
    format!("oci://{reference}")
}
