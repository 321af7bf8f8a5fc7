//! Profiles of AWS's shared files, `~/.aws/config` and `~/.aws/credentials`: who a person is
//! at a command line, as AWS's own tools have it.
//!
//! Nothing of this is read in a pod: a home directory there is part of an image or a volume,
//! and what is in it, which may be a command to run, would be said by whoever made those.

mod asking;
mod files;
mod sign_in;

use argo_attest_core::text::brief;
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::EnvConfigValue;
use aws_types::os_shim_internal::Env as Variables;

use super::config::Endpoint;
use super::container::Container;
use super::credentials::{Credentials, text};
use super::fault::is_region;
use super::instance::Instance;
use super::settings::ConfigError;
use crate::environment::Env;
use files::Files;

pub(super) use sign_in::SignIn;

/// Bytes of a profile's name that are shown.
const MAX_NAME: usize = 100;
/// What makes a profile one that gives credentials.
const SIGNS_IN: [&str; 13] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "role_arn",
    "credential_source",
    "credential_process",
    "web_identity_token_file",
    "login_session",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
];

/// A profile that credentials are asked of.
#[derive(Debug, Clone)]
pub struct Profile {
    name: String,
    files: Files,
    sources: Sources,
}

/// Who a role's `credential_source` can name.
#[derive(Debug, Clone)]
struct Sources {
    environment: Option<Credentials>,
    container: Option<Credentials>,
    instance: Option<Credentials>,
}

/// What the profile says that is in force.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<Endpoint>,
    /// The profile itself, if it gives credentials.
    pub(super) credentials: Option<Profile>,
}

impl Settings {
    /// Of the profile that `AWS_PROFILE` names, else of `default`, in the files that
    /// `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE` name, else in those in `~/.aws`.
    ///
    /// Errors: the profile that is named is not there; a file is none of profiles.
    pub(super) fn from_env(env: &dyn Env) -> Result<Self, ConfigError> {
        let named = text(env, "AWS_PROFILE")?;
        let files = Files::read(env, named.is_some())?;
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let sections = files.sections(&name)?;
        if sections.get_profile(&name).is_none() {
            return match named {
                Some(_) => Err(ConfigError::NoProfile { profile: shown(&name), files: files.names() }),
                None => Ok(Self::default()),
            };
        }
        let wrong = |setting, why| ConfigError::ProfileSetting {
            profile: shown(&name),
            files: files.names(),
            setting,
            why,
        };
        let region = sections.get("region").filter(|region| !region.is_empty()).map(str::to_owned);
        if region.as_deref().is_some_and(|region| !is_region(region)) {
            return Err(wrong("region", "is not a region's name".to_owned()));
        }
        let endpoint = endpoint_of(&sections, "s3")
            .map(|url| {
                url.parse().map_err(|why: super::InvalidEndpoint| wrong("endpoint_url", why.to_string()))
            })
            .transpose()?;
        let credentials = if SIGNS_IN.iter().any(|setting| sections.get(setting).is_some()) {
            Some(Profile { name, files, sources: Sources::from_env(env)? })
        } else {
            None
        };
        Ok(Self { region, endpoint, credentials })
    }
}

impl Sources {
    fn from_env(env: &dyn Env) -> Result<Self, ConfigError> {
        Ok(Self {
            environment: Credentials::keys(env)?,
            container: Container::from_env(env)?.map(Credentials::Container),
            instance: Instance::from_env(env)?.map(Credentials::Instance),
        })
    }
}

impl Profile {
    /// The name, for people.
    pub(super) fn name(&self) -> String {
        shown(&self.name)
    }
}

fn shown(name: &str) -> String {
    brief(name, MAX_NAME)
}

/// `endpoint_url` of the service in the profile's `services` section, else of the profile.
fn endpoint_of(sections: &ProfileSet, service: &str) -> Option<String> {
    let none = Variables::from_slice(&[]);
    let (url, _) =
        EnvConfigValue::new().profile("endpoint_url").service_id(service).load(&none, Some(sections))?;
    Some(url.into_owned()).filter(|url| !url.is_empty())
}
