//! The role of the machine that this runs on, from EC2's metadata service (`IMDSv2`).
//!
//! Where there is none, nobody answers or packets are lost: that is known in less than a
//! second, and means that there are no credentials. No proxy is used.

use std::time::Duration;

use aws_config::imds;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;

use super::config::Endpoint;
use super::fault::Fault;
use super::http::http_client;
use super::settings::ConfigError;
use crate::environment::Env;
use crate::net::{Proxies, Trust};

/// How long it may take to begin to answer: it is on this machine.
const ABSENT: Duration = Duration::from_millis(700);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(1);
/// All requests together, once it answers.
const WHOLE: Duration = Duration::from_secs(5);

/// The metadata service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance(Option<Endpoint>);

impl Instance {
    /// Where AWS has it, or `AWS_EC2_METADATA_SERVICE_ENDPOINT`; `None` if
    /// `AWS_EC2_METADATA_DISABLED` is `true`.
    pub fn from_env(env: &dyn Env) -> Result<Option<Self>, ConfigError> {
        const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
        let disabled = super::credentials::text(env, "AWS_EC2_METADATA_DISABLED")?;
        if disabled.is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        Ok(Some(Self(super::config::endpoint(env, [ENDPOINT, ENDPOINT])?)))
    }

    /// Asks for the role's credentials.
    pub(super) async fn fetch(&self) -> Result<Keys, Fault> {
        let unusable = |error| Fault::Settings(ConfigError::Request(error));
        let url = self.0.as_ref().map_or("http://169.254.169.254", Endpoint::as_str);
        let plain: Endpoint = url.parse().map_err(|error: super::InvalidEndpoint| unusable(error.into()))?;
        let http =
            http_client(&Trust::System, &Proxies::none(), Some(&plain), ABSENT).map_err(Fault::Settings)?;
        let config = ProviderConfig::without_region().with_http_client(http);
        let client = imds::Client::builder()
            .configure(&config)
            .endpoint(url)
            .map_err(unusable)?
            .max_attempts(1)
            .operation_attempt_timeout(ANSWER)
            .operation_timeout(WHOLE)
            .build();
        let provider = ImdsCredentialsProvider::builder().configure(&config).imds_client(client).build();
        match provider.provide_credentials().await {
            Ok(keys) => Ok(keys),
            // Nobody there, or a machine without a role.
            Err(CredentialsError::CredentialsNotLoaded(_)) => {
                Err(Fault::Settings(ConfigError::NoCredentials))
            }
            Err(error) => Err(Fault::SignIn {
                server: "the machine's metadata service".to_owned(),
                source: error.into(),
            }),
        }
    }
}
