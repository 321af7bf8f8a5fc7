//! In place of profiles, where the program is built for pods: there are none, and a variable that
//! names one is refused, since whoever set it expects somebody's credentials.

use std::future::Ready;

use aws_credential_types::Credentials as Keys;

use super::config::{Endpoint, Reach};
use super::credentials::text;
use super::fault::Fault;
use super::settings::ConfigError;
use crate::environment::Env;

/// A profile, of which none can be made.
#[derive(Debug, Clone)]
pub enum Profile {}

/// What a profile says: nothing.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) credentials: Option<Profile>,
}

impl Settings {
    /// Errors: a profile is named.
    pub(super) fn from_env(env: &dyn Env) -> Result<Self, ConfigError> {
        match text(env, "AWS_PROFILE")? {
            Some(_) => Err(ConfigError::NoProfiles),
            None => Ok(Self::default()),
        }
    }
}

impl Profile {
    pub(super) fn name(&self) -> String {
        match *self {}
    }
}

/// Who would ask it for credentials.
#[derive(Debug)]
pub(super) enum SignIn {}

impl SignIn {
    pub(super) fn new(profile: &Profile, _: &Reach, _: &str) -> Result<Self, ConfigError> {
        match *profile {}
    }

    pub(super) fn fetch(&self) -> Ready<Result<Keys, Fault>> {
        match *self {}
    }
}
