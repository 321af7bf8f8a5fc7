//! Whom commands that sign ask to vouch for what was signed.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use argo_attest_core::contract::variable;
use clap::{Args, ValueEnum};

use super::{Exit, Failure};
use crate::store::s3::InvalidEndpoint;
use crate::witness::{Endpoint, LogSettings, LogVersion, OnFailure, WitnessSettings};

/// Where the help has them.
pub(super) const HEADING: &str = "Logs and times";

/// Options of all that sign.
#[derive(Debug, Args)]
pub(super) struct WitnessArgs {
    /// Timestamp authority (RFC 3161) that is to have seen each signature
    #[arg(long, value_name = "URL", env = variable::TIMESTAMP_URL, help_heading = HEADING)]
    timestamp_url: Option<Address>,
    /// Transparency log (Rekor) that is to hold each signature; needs --trusted-root
    #[arg(long, value_name = "URL", env = variable::REKOR_URL, help_heading = HEADING)]
    rekor_url: Option<Address>,
    /// Which Rekor it is. 1 takes whole statements; 2 takes hashes, of ECDSA P-256 keys only, and needs
    /// --timestamp-url
    #[arg(long, value_name = "VERSION", env = variable::REKOR_VERSION, default_value = "1",
          help_heading = HEADING)]
    rekor_version: RekorVersion,
    /// What becomes of an attestation for which the log or the timestamp authority does not vouch
    #[arg(long, value_name = "WHAT", env = variable::LOG_FAILURE, default_value = "fail",
          help_heading = HEADING)]
    log_failure: LogFailure,
    /// Trusted root (JSON) by which their answers are judged
    #[arg(long, value_name = "FILE", env = variable::TRUSTED_ROOT, help_heading = HEADING)]
    trusted_root: Option<PathBuf>,
}

/// Which of Rekor's interfaces.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum RekorVersion {
    /// Rekor 1
    #[value(name = "1")]
    One,
    /// Rekor 2
    #[value(name = "2")]
    Two,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LogFailure {
    /// There is none, and why is said
    Fail,
    /// It is there without their word, and that is said
    Warn,
}

impl WitnessArgs {
    /// Whom to ask.
    ///
    /// Errors: an address that is none.
    pub(super) fn settings(&self) -> Result<WitnessSettings, Failure> {
        let version = match self.rekor_version {
            RekorVersion::One => LogVersion::One,
            RekorVersion::Two => LogVersion::Two,
        };
        let rekor_url = address("--rekor-url", self.rekor_url.as_ref())?;
        Ok(WitnessSettings {
            timestamp_url: address("--timestamp-url", self.timestamp_url.as_ref())?,
            log: rekor_url.map(|url| LogSettings { url, version }),
            on_failure: match self.log_failure {
                LogFailure::Fail => OnFailure::Fail,
                LogFailure::Warn => OnFailure::Warn,
            },
            trusted_root: self.trusted_root.clone(),
        })
    }
}

/// An address as it was given. What is wrong with it is told by us: clap would repeat it, and it may hold a
/// password.
#[derive(Debug, Clone)]
pub(super) struct Address(Result<Endpoint, InvalidEndpoint>);

impl FromStr for Address {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.parse()))
    }
}

pub(super) fn address(option: &str, given: Option<&Address>) -> Result<Option<Endpoint>, Failure> {
    let given = given.map(|Address(address)| address.clone()).transpose();
    given.map_err(|why| {
        Failure::new(Exit::Usage, format!("the address in {option} {why}"))
            .remedy("write it as https://host/path, without credentials")
    })
}
