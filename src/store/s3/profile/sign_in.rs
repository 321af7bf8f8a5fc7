//! Credentials of a profile, by AWS's own providers: keys, roles by `source_profile` and
//! `credential_source`, `credential_process`, web identities, and SSO by the token that
//! `aws sso login` leaves in `~/.aws/sso/cache`.

use std::error::Error;
use std::path::Path;

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::{brief, causes};
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials as Keys;
use aws_credential_types::provider::error::{CredentialsError, TokenError};
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sso::operation::get_role_credentials::GetRoleCredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::region::Region;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use super::super::config::Reach;
use super::super::credentials::{Credentials, fit, static_keys};
use super::super::fault::Fault;
use super::super::settings::ConfigError;
use super::asking::{self, NoAnswer};
use super::{Profile, Sources};
use crate::token::Token;

/// Bytes of what a provider, or a process, says that went wrong.
const MAX_SAID: usize = 500;
/// Links of a chain of errors, or of profiles, that are looked at.
const MAX_LINKS: usize = 32;

/// Asks the profile for credentials.
#[derive(Debug)]
pub(in super::super) struct SignIn {
    profile: Profile,
    provider: ProviderConfig,
}

impl SignIn {
    pub(in super::super) fn new(profile: &Profile, reach: &Reach, region: &str) -> Result<Self, ConfigError> {
        // Repeating, and deadlines, are decided here.
        let provider = ProviderConfig::without_region()
            .with_region(Some(Region::new(region.to_owned())))
            .with_http_client(asking::client(reach)?)
            .with_retry_config(RetryConfig::disabled())
            .with_timeout_config(TimeoutConfig::disabled());
        Ok(Self { profile: profile.clone(), provider })
    }

    /// Asks once.
    pub(in super::super) async fn fetch(&self) -> Result<Keys, Fault> {
        let Profile { name, files, sources } = &self.profile;
        self.check(&files.sections(name).map_err(Fault::Settings)?)?;
        let Sources { environment, container, instance } = sources.clone();
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&self.provider)
            .profile_files(files.contents())
            .profile_name(name)
            .with_custom_provider("Environment", Named(environment))
            .with_custom_provider("EcsContainer", Named(container))
            .with_custom_provider("Ec2InstanceMetadata", Named(instance))
            .build();
        // Not logged by anybody else: what they warn of has replies in it, whole.
        let given = provider.provide_credentials().with_subscriber(NoSubscriber::default()).await;
        let keys = given.map_err(|error| self.fault(&error))?;
        for value in [keys.access_key_id(), keys.secret_access_key()].into_iter().chain(keys.session_token())
        {
            fit(value).map_err(|why| self.refused(&format!("an access key {why}")))?;
        }
        Ok(keys)
    }

    /// That what the profile, or one that it builds on, would send as a web identity is a token:
    /// the provider sends whatever is in the file. And that it can be asked at all.
    fn check(&self, sections: &ProfileSet) -> Result<(), Fault> {
        let mut name = sections.selected_profile();
        for _ in 0..MAX_LINKS {
            let Some(profile) = sections.get_profile(name) else { break };
            if let Some(path) = profile.get("web_identity_token_file").map(Path::new) {
                Token::read(path).map_err(|source| {
                    Fault::Settings(ConfigError::Token { path: shown_path(path), source })
                })?;
            }
            if profile.get("login_session").is_some() {
                return Err(self.refused(
                    "login_session is not supported, and aws configure export-credentials gives keys of it",
                ));
            }
            match profile.get("source_profile") {
                Some(next) => name = next,
                None => break,
            }
        }
        Ok(())
    }

    fn fault(&self, error: &CredentialsError) -> Fault {
        let mut next: Option<&(dyn Error + 'static)> = Some(error);
        let mut told: &(dyn Error + 'static) = error;
        for _ in 0..MAX_LINKS {
            let Some(error) = next else { break };
            if let Some(NoAnswer { server, source }) = error.downcast_ref() {
                let server = format!("{server} (profile {})", self.profile.name());
                return Fault::SignIn { server, source: causes(&**source).into() };
            }
            if let Some(said) = answer(error) {
                return self.refused(&said);
            }
            next = error.source();
            // These say no more than that there was an error.
            if error.is::<CredentialsError>() || error.is::<TokenError>() {
                told = next.unwrap_or(error);
            }
        }
        self.refused(&causes(told))
    }

    fn refused(&self, said: &str) -> Fault {
        Fault::Settings(ConfigError::Profile {
            profile: self.profile.name(),
            files: self.profile.files.names(),
            said: brief(&said.trim().replace('\n', " "), MAX_SAID),
        })
    }
}

/// What STS or SSO answered, if that is what went wrong.
fn answer(error: &(dyn Error + 'static)) -> Option<String> {
    of::<AssumeRoleError>(error)
        .or_else(|| of::<AssumeRoleWithWebIdentityError>(error))
        .or_else(|| of::<GetRoleCredentialsError>(error))
}

fn of<E: ProvideErrorMetadata + Error + 'static>(error: &(dyn Error + 'static)) -> Option<String> {
    match error.downcast_ref::<SdkError<E, HttpResponse>>()? {
        SdkError::ServiceError(error) if !error.raw().status().is_success() => {
            let status = error.raw().status().as_u16();
            let (code, message) = (error.err().code(), error.err().message());
            let words = [code, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
            Some(format!("it answered {status} {words}"))
        }
        // What was read of the reply may be part of the parser's complaint, and may be a secret.
        SdkError::ServiceError(_) | SdkError::ResponseError(_) => {
            Some("the answer could not be understood".to_owned())
        }
        _ => None,
    }
}

/// Whom a `credential_source` names: ours, which are held to what the rest of this is.
#[derive(Debug)]
struct Named(Option<Credentials>);

impl Named {
    async fn fetch(&self) -> Result<Keys, CredentialsError> {
        let broken = |fault: Fault| CredentialsError::provider_error(fault.reason());
        match &self.0 {
            Some(Credentials::Static(pair)) => Ok(static_keys(pair)),
            Some(Credentials::Container(container)) => container.fetch().await.map_err(broken),
            Some(Credentials::Instance(instance)) => instance.fetch().await.map_err(broken),
            _ => Err(CredentialsError::not_loaded("what its credential_source names is not there")),
        }
    }
}

impl ProvideCredentials for Named {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.fetch())
    }
}
