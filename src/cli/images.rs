//! How images are asked for.

use argo_attest_core::contract::variable;
use argo_attest_core::image::Platform;
use clap::Args;
use clap::builder::FalseyValueParser;

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
