//! Who we are to another service of AWS's: the credentials that a store has, found and renewed in
//! the same way.

use argo_attest_core::trouble::Trouble as _;
use aws_credential_types::Credentials as Keys;

use super::config::{Limits, Reach};
use super::credentials::{Credentials, text};
use super::fault::{Fault, is_region};
use super::identity::Identity;
use super::profile;
use super::settings::ConfigError;
use super::{Endpoint, config};
use crate::environment::Env;
use crate::net::{Proxies, Trust};

/// Somebody with credentials, in a region.
#[derive(Debug)]
pub struct Caller {
    identity: Identity,
    region: String,
}

/// Why there are no credentials.
#[derive(Debug)]
pub struct NoKeys {
    /// The reason, in one line.
    pub said: String,
    /// Whether it may be otherwise soon.
    pub is_passing: bool,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Caller {
    /// As the environment says it; at a command line also the profile that `AWS_PROFILE` names.
    /// The region is `given`, `AWS_REGION`, `AWS_DEFAULT_REGION`, or the profile's.
    pub fn from_env(env: &dyn Env, at_command_line: bool, given: Option<&str>) -> Result<Self, ConfigError> {
        let (credentials, usual) = if at_command_line {
            let profile::Settings { region, credentials, .. } = profile::Settings::from_env(env)?;
            (Credentials::at_command_line(env, credentials)?, region)
        } else {
            (Credentials::ambient(env)?, None)
        };
        let credentials = credentials.ok_or(ConfigError::NoCredentials)?;
        let mut region = given.map(str::to_owned);
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            region = region.map_or_else(|| text(env, name), |region| Ok(Some(region)))?;
        }
        let region = region.or(usual).ok_or(ConfigError::NoRegion)?;
        // It becomes part of a host's name and of the signature's scope.
        if !is_region(&region) {
            return Err(ConfigError::Variable { name: "AWS_REGION", why: "is not a region's name" });
        }
        let reach = Reach {
            trust: Trust::from_env(env),
            proxies: Proxies::from_env(env)?,
            limits: Limits::default(),
        };
        Ok(Self { identity: Identity::of(&credentials, &reach, &region)?, region })
    }

    /// The endpoint that the first of these variables names.
    pub fn endpoint(env: &dyn Env, names: [&'static str; 2]) -> Result<Option<Endpoint>, ConfigError> {
        config::endpoint(env, names)
    }

    /// The region to sign for.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Credentials that are good for a request now.
    pub async fn keys(&self) -> Result<Keys, NoKeys> {
        self.identity.ready().await.map_err(|fault| NoKeys {
            is_passing: fault.is_transient(),
            remedy: if let Fault::Settings(error) = &fault { error.remedy() } else { None },
            said: fault.reason(),
        })?;
        let none = || NoKeys { said: "there are none".into(), is_passing: false, remedy: None };
        self.identity.keys().ok_or_else(none)
    }

    /// Forgets credentials that are not taken any more; `false` if there will never be others.
    pub fn renew(&self) -> bool {
        self.identity.renew()
    }
}
