//! The security token service: credentials for a token of the platform's, or for a role.

use std::time::SystemTime;

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::brief;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, IdentityCache, Region};
use aws_sdk_sts::types::Credentials as Session;

use super::config::{Endpoint, Reach};
use super::credentials::{AssumedRole, WebIdentity};
use super::fault::Fault;
use super::http::http_client;
use super::reply::Reply;
use super::settings::ConfigError;
use crate::net::Trust;
use crate::store::Operation;
use crate::token::Token;

/// Bytes of a role's name that are shown.
const MAX_ROLE: usize = 200;

#[derive(Debug)]
pub(super) struct Sts {
    client: aws_sdk_sts::Client,
    name: String,
}

impl Sts {
    /// Signs with `credentials`, if there are some; a web identity needs none.
    pub(super) fn new(
        reach: &Reach,
        region: &str,
        endpoint: Option<&Endpoint>,
        trust: &Trust,
        credentials: Option<SharedCredentialsProvider>,
    ) -> Result<Self, ConfigError> {
        let mut builder = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .http_client(http_client(trust, &reach.proxies, endpoint, reach.limits.connect)?)
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled());
        if let Some(endpoint) = endpoint {
            builder = builder.endpoint_url(endpoint.as_str());
        }
        builder.set_credentials_provider(credentials);
        let name = match endpoint {
            Some(endpoint) => format!("STS ({endpoint})"),
            None => format!("STS (AWS, {region})"),
        };
        Ok(Self { client: aws_sdk_sts::Client::from_conf(builder.build()), name })
    }

    /// What to call it, for people.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Exchanges the platform's token.
    pub(super) async fn web_identity(&self, web: &WebIdentity) -> Result<Keys, Fault> {
        let token = Token::read(&web.token_file).map_err(|source| {
            Fault::Settings(ConfigError::Token { path: shown_path(&web.token_file), source })
        })?;
        let response = self
            .client
            .assume_role_with_web_identity()
            .role_arn(&web.role_arn)
            .role_session_name(&web.session_name)
            .web_identity_token(token.as_str())
            .send()
            .await
            .map_err(|error| refused(Fault::from_sdk(error, Operation::SignIn), ConfigError::WebIdentity))?;
        keys(response.credentials, "web identity")
    }

    /// Takes a role.
    pub(super) async fn role(&self, role: &AssumedRole) -> Result<Keys, Fault> {
        let response = self
            .client
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(&role.session_name)
            .send()
            .await
            .map_err(|error| {
                let name = || brief(&role.role_arn, MAX_ROLE);
                refused(Fault::from_sdk(error, Operation::SignIn), |reply| ConfigError::Role {
                    role: name(),
                    reply,
                })
            })?;
        keys(response.credentials, "assumed role")
    }
}

/// A no that stays is one of the settings.
fn refused(fault: Fault, settings: impl FnOnce(Box<Reply>) -> ConfigError) -> Fault {
    match fault {
        fault if fault.is_transient() => fault,
        Fault::Reply(answer) if answer.reply.code.as_deref() == Some("IDPCommunicationError") => {
            Fault::Odd("STS could not reach the identity provider")
        }
        Fault::Reply(answer) => Fault::Settings(settings(answer.reply)),
        other => other,
    }
}

fn keys(session: Option<Session>, from: &'static str) -> Result<Keys, Fault> {
    let session = session.ok_or(Fault::Odd("STS gave no credentials"))?;
    let expiry = SystemTime::try_from(session.expiration).map_err(|e| Fault::Transport(e.into()))?;
    let token = Some(session.session_token);
    Ok(Keys::new(session.access_key_id, session.secret_access_key, token, Some(expiry), from))
}
