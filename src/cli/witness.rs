//! Whom commands that sign ask to vouch for what was signed.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use argo_attest_core::contract::variable;
use argo_attest_core::inject::Witnessing;
use argo_attest_core::object_name::ObjectName;
use clap::{Args, ValueEnum};

use super::{Exit, Failure};
use crate::store::s3::InvalidEndpoint;
use crate::witness::{Endpoint, LogSettings, LogVersion, OnFailure, WitnessSettings};

/// Where the help has them.
const HEADING: &str = "Logs and times";

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
enum RekorVersion {
    /// Rekor 1
    #[value(name = "1")]
    One,
    /// Rekor 2
    #[value(name = "2")]
    Two,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFailure {
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

/// The same for `inject`, which writes them into the sidecar.
#[derive(Debug, Args)]
pub(super) struct InjectedWitnessArgs {
    /// Timestamp authority (RFC 3161) that is to have seen each signature of the sidecar's
    #[arg(long, value_name = "URL", env = variable::TIMESTAMP_URL, help_heading = HEADING)]
    timestamp_url: Option<Address>,
    /// Transparency log (Rekor) that is to hold each of them
    #[arg(long, value_name = "URL", env = variable::REKOR_URL, requires = "trusted_root_configmap",
          help_heading = HEADING)]
    rekor_url: Option<Address>,
    /// Which Rekor it is [default: 1]
    #[arg(long, value_name = "VERSION", env = variable::REKOR_VERSION, help_heading = HEADING)]
    rekor_version: Option<RekorVersion>,
    /// What becomes of an attestation for which they do not vouch [default: fail]
    #[arg(long, value_name = "WHAT", env = variable::LOG_FAILURE, help_heading = HEADING)]
    log_failure: Option<LogFailure>,
    /// Config map with the trusted root by which they are judged, an entry `trusted_root.json`
    #[arg(long, value_name = "NAME", env = variable::TRUSTED_ROOT_CONFIGMAP, help_heading = HEADING)]
    trusted_root_configmap: Option<ObjectName>,
}

impl InjectedWitnessArgs {
    /// What the sidecar is told, which has its key certified or not: a trusted root is then for that, too.
    ///
    /// Errors: an address that is none; what the sidecar would refuse whatever its key and its trusted root, or what
    /// says nothing without an address.
    pub(super) fn injected(self, certified: bool) -> Result<Witnessing, Failure> {
        let nobody = self.rekor_url.is_none() && self.timestamp_url.is_none();
        let vain = [
            ("--log-failure", self.log_failure.is_some()),
            ("--trusted-root-configmap", self.trusted_root_configmap.is_some() && !certified),
        ];
        if let Some((option, _)) = vain.into_iter().find(|(_, given)| nobody && *given) {
            let why = format!("{option} is given, and nobody is to be asked");
            let remedy = "name whom: --rekor-url URL, --timestamp-url URL, or both";
            return Err(Failure::new(Exit::Usage, why).remedy(remedy));
        }
        if matches!(self.rekor_version, Some(RekorVersion::Two))
            && self.rekor_url.is_some()
            && self.timestamp_url.is_none()
        {
            let why = "a log of Rekor 2 proves no time, and no timestamp authority is named";
            return Err(Failure::new(Exit::Usage, why).remedy("name one with --timestamp-url URL"));
        }
        let version = self.rekor_version.map(|version| match version {
            RekorVersion::One => "1",
            RekorVersion::Two => "2",
        });
        let failure = self.log_failure.map(|failure| match failure {
            LogFailure::Fail => "fail",
            LogFailure::Warn => "warn",
        });
        let timestamp_url = address("--timestamp-url", self.timestamp_url.as_ref())?;
        let rekor_url = address("--rekor-url", self.rekor_url.as_ref())?;
        let variables = [
            (variable::TIMESTAMP_URL, timestamp_url.map(|url| url.to_string())),
            (variable::REKOR_URL, rekor_url.map(|url| url.to_string())),
            (variable::REKOR_VERSION, version.map(str::to_owned)),
            (variable::LOG_FAILURE, failure.map(str::to_owned)),
        ];
        let variables = variables.into_iter().filter_map(|(name, given)| Some((name, given?))).collect();
        Ok(Witnessing { variables, trusted_root: self.trusted_root_configmap })
    }
}
