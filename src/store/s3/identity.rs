//! Keeps the credentials that requests are signed with, and renews them.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime};

use argo_attest_core::secret::shown_path;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, IdentityCache, Region};
use tokio::sync::Mutex;

use super::S3Config;
use super::credentials::{Credentials, WebIdentity, read_files, static_keys};
use super::fault::Fault;
use super::http::http_client;
use super::settings::ConfigError;
use crate::store::Operation;
use crate::token::Token;

/// A session is renewed this long before its end, so that no request that is
/// on its way outlives it.
const MARGIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Identity {
    source: Credentials,
    sts: Option<aws_sdk_sts::Client>,
    // Only one task asks STS at a time; the others wait for its answer.
    renewal: Mutex<()>,
    current: StdMutex<Option<Keys>>,
}

impl Identity {
    pub(super) fn new(config: &S3Config, region: &str) -> Result<Self, ConfigError> {
        let sts = match &config.credentials {
            Credentials::WebIdentity(web) => Some(sts_client(config, web, region)?),
            _ => None,
        };
        let source = config.credentials.clone();
        Ok(Self { source, sts, renewal: Mutex::new(()), current: StdMutex::new(None) })
    }

    pub(super) fn is_anonymous(&self) -> bool {
        matches!(self.source, Credentials::Anonymous)
    }

    /// Makes sure that the next request has credentials to be signed with.
    pub(super) async fn ready(&self) -> Result<(), Fault> {
        if self.is_anonymous() || self.fresh().is_some() {
            return Ok(());
        }
        let _one_at_a_time = self.renewal.lock().await;
        if self.fresh().is_some() {
            return Ok(());
        }
        let keys = match &self.source {
            Credentials::Anonymous => return Ok(()),
            Credentials::Static(pair) => static_keys(pair),
            Credentials::Files { access_key_id, secret_access_key, session_token } => {
                read_files(access_key_id, secret_access_key, session_token.as_deref())
                    .map_err(Fault::Settings)?
            }
            Credentials::WebIdentity(web) => self.exchange(web).await?,
        };
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
        Ok(())
    }

    /// Forgets credentials that the store does not take any more. `false` if
    /// there will never be others.
    pub(super) fn renew(&self) -> bool {
        match self.source {
            Credentials::Anonymous | Credentials::Static(_) => false,
            Credentials::Files { .. } | Credentials::WebIdentity(_) => {
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
                true
            }
        }
    }

    fn fresh(&self) -> Option<Keys> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.clone().filter(|keys| keys.expiry().is_none_or(|end| SystemTime::now() + MARGIN < end))
    }

    async fn exchange(&self, web: &WebIdentity) -> Result<Keys, Fault> {
        let token = Token::read(&web.token_file).map_err(|source| {
            Fault::Settings(ConfigError::Token { path: shown_path(&web.token_file), source })
        })?;
        let Some(sts) = &self.sts else { return Err(Fault::Settings(ConfigError::NoCredentials)) };
        let response = sts
            .assume_role_with_web_identity()
            .role_arn(&web.role_arn)
            .role_session_name(&web.session_name)
            .web_identity_token(token.as_str())
            .send()
            .await
            .map_err(|error| match Fault::from_sdk(error, Operation::SignIn) {
                fault if fault.is_transient() => fault,
                Fault::Reply(answer) if answer.reply.code.as_deref() == Some("IDPCommunicationError") => {
                    Fault::Odd("STS could not reach the identity provider")
                }
                Fault::Reply(answer) => Fault::Settings(ConfigError::WebIdentity(answer.reply)),
                other => other,
            })?;
        let keys = response.credentials.ok_or(Fault::Odd("STS gave no credentials"))?;
        let expiry = SystemTime::try_from(keys.expiration).map_err(|e| Fault::Transport(e.into()))?;
        Ok(Keys::new(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
            Some(expiry),
            "web identity",
        ))
    }
}

fn sts_client(
    config: &S3Config,
    web: &WebIdentity,
    region: &str,
) -> Result<aws_sdk_sts::Client, ConfigError> {
    let mut builder = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .http_client(http_client(&web.trust, &config.proxies, web.endpoint.as_ref(), config.limits.connect)?)
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled());
    if let Some(endpoint) = &web.endpoint {
        builder = builder.endpoint_url(endpoint.as_str());
    }
    Ok(aws_sdk_sts::Client::from_conf(builder.build()))
}

/// What the SDK signs with: whatever [`Identity::ready`] fetched last.
#[derive(Debug)]
pub(super) struct Current(pub(super) std::sync::Arc<Identity>);

impl ProvideCredentials for Current {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let keys = self.0.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        future::ProvideCredentials::ready(
            keys.ok_or_else(|| CredentialsError::not_loaded("no credentials were fetched yet")),
        )
    }
}
