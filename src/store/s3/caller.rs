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

/// Somebody with credentials, before it is known in which region they call.
#[derive(Debug, Clone)]
pub struct Callers {
    credentials: Credentials,
    /// The region of the profile.
    usual: Option<String>,
    /// What is set.
    set: Option<String>,
    reach: Reach,
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

impl Callers {
    /// As the environment says it; at a command line also the profile that `AWS_PROFILE` names.
    pub fn from_env(env: &dyn Env, at_command_line: bool) -> Result<Self, ConfigError> {
        let (credentials, usual) = if at_command_line {
            let profile::Settings { region, credentials, .. } = profile::Settings::from_env(env)?;
            (Credentials::at_command_line(env, credentials)?, region)
        } else {
            (Credentials::ambient(env)?, None)
        };
        let credentials = credentials.ok_or(ConfigError::NoCredentials)?;
        let mut set = None;
        for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            set = set.map_or_else(|| text(env, name), |region| Ok(Some(region)))?;
        }
        let reach = Reach {
            trust: Trust::from_env(env),
            proxies: Proxies::from_env(env)?,
            limits: Limits::default(),
        };
        Ok(Self { credentials, usual, set, reach })
    }

    /// In a region: this, or the one that is set, or the profile's. Who gives the credentials is
    /// asked in the one that is set, if one is.
    pub fn calling(&self, given: Option<&str>) -> Result<Caller, ConfigError> {
        let set = self.set.as_deref().or(self.usual.as_deref());
        let region = given.or(set).ok_or(ConfigError::NoRegion)?;
        let own = set.unwrap_or(region);
        // It becomes part of a host's name and of the signature's scope.
        if [region, own].into_iter().any(|region| !is_region(region)) {
            return Err(ConfigError::Variable { name: "AWS_REGION", why: "is not a region's name" });
        }
        Ok(Caller { identity: Identity::of(&self.credentials, &self.reach, own)?, region: region.to_owned() })
    }

    /// Which certificates are believed.
    pub fn trust(&self) -> &Trust {
        &self.reach.trust
    }

    /// Through which proxies others are asked.
    pub fn proxies(&self) -> &Proxies {
        &self.reach.proxies
    }
}

impl Caller {
    /// As [`Callers`] has it. The region is `given`, `AWS_REGION`, `AWS_DEFAULT_REGION`, or the
    /// profile's.
    pub fn from_env(env: &dyn Env, at_command_line: bool, given: Option<&str>) -> Result<Self, ConfigError> {
        Callers::from_env(env, at_command_line)?.calling(given)
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
