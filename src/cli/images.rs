//! How images are asked for.

use std::path::PathBuf;

use argo_attest_core::argo::Check;
use argo_attest_core::contract::variable;
use argo_attest_core::image::{ImageReference, Platform, Registry};
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use crate::chain::Images;
use crate::registry::Registries;
use crate::store::ProcessEnv;

/// How images are asked for.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ImageArgs {
    /// Of an index of images, take the one for this platform
    #[arg(long, value_name = "OS/ARCH", env = variable::PLATFORM)]
    pub(super) platform: Option<Platform>,
    /// Ask registries over HTTP without TLS: for tests
    #[arg(long, env = variable::PLAIN_HTTP, value_parser = FalseyValueParser::new())]
    pub(super) plain_http: bool,
}

/// Which registries are asked for what statements name.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct RegistryArgs {
    /// Registry to ask for attestations of images that statements and outcomes name, beside those of oci://
    /// artifacts and those that you are logged in to; can be given several times
    #[arg(long, value_name = "HOST", env = variable::REGISTRY)]
    registry: Vec<Registry>,
}

impl RegistryArgs {
    /// Those, and those of images among the artifacts. `plain`: without TLS.
    pub(super) fn images(&self, plain: bool, artifacts: &[PathBuf]) -> Images {
        let named = artifacts.iter().filter_map(|artifact| super::asked::image(artifact));
        let named = named.filter_map(|name| name.parse::<ImageReference>().ok());
        let named = named.map(|image| image.repository().registry().clone());
        let named: Vec<_> = self.registry.iter().cloned().chain(named).collect();
        Images::new(move || Registries::from_env(&ProcessEnv, plain), named)
    }
}

/// How attestations are put with images.
#[derive(Debug, Clone, Args)]
pub(super) struct PushArgs {
    /// Put an image's attestation also where cosign 2 looks for it: under the tag sha256-DIGEST.att
    #[arg(long, env = variable::COSIGN_TAG, value_parser = FalseyValueParser::new())]
    pub(super) cosign_tag: bool,
    /// Ask registries over HTTP without TLS: for tests
    #[arg(long, env = variable::PLAIN_HTTP, value_parser = FalseyValueParser::new())]
    pub(super) plain_http: bool,
}

/// Of which steps the images of the containers are checked.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CheckImages {
    /// All
    Always,
    /// All but those whose annotation argo-attest.io/verify-images is "false"
    OptOut,
    /// Only those whose annotation argo-attest.io/verify-images is "true"
    OptIn,
}

impl From<CheckImages> for Check {
    fn from(check: CheckImages) -> Self {
        match check {
            CheckImages::Always => Self::Always,
            CheckImages::OptOut => Self::OptOut,
            CheckImages::OptIn => Self::OptIn,
        }
    }
}
