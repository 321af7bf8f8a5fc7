//! Whom the sidecar of `inject` is to ask to vouch for what it signs.

use argo_attest_core::contract::variable;
use argo_attest_core::inject::Witnessing;
use argo_attest_core::object_name::ObjectName;
use clap::Args;

use super::super::witness::{Address, HEADING, LogFailure, RekorVersion, address};
use super::{Exit, Failure};

/// The same options as of all that sign, of which the sidecar is told.
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
