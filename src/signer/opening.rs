//! What a key is opened with, beside its name.

use std::path::Path;

use argo_attest_core::keys::KeyId;

use super::password::Password;
use crate::environment::Env;
use crate::service::Limits;

/// What is at hand when a key is opened.
#[derive(Clone)]
pub struct Opening<'a> {
    /// The variables.
    pub environment: &'a dyn Env,
    /// What an encrypted key's password is looked for in.
    pub password: Password,
    /// The key that it has to be, if that is said.
    pub expected: Option<KeyId>,
    /// Whose home directory counts, if any does.
    pub home: Home,
    /// How long a service that has the key is asked.
    pub limits: Limits,
}

/// Whether what lies in the home directory is somebody's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// Of a person, at a command line.
    Person,
    /// Of a pod, where it is part of an image or a volume: nothing in it is read.
    Pod,
}

impl<'a> Opening<'a> {
    /// With these variables and nothing else.
    pub fn new(environment: &'a dyn Env) -> Self {
        let password = Password::new(None, environment);
        Self { environment, password, expected: None, home: Home::Pod, limits: Limits::default() }
    }

    /// A person's home directory counts, as it does for the services' own tools.
    #[must_use]
    pub fn at_command_line(self) -> Self {
        Self { home: Home::Person, ..self }
    }

    /// A service that has the key is asked for so long.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The password is in this file, if one is named, and not in a variable.
    #[must_use]
    pub fn with_password_file(self, file: Option<&Path>) -> Self {
        Self { password: Password::new(file, self.environment), ..self }
    }

    /// It has to be this key, if one is named.
    #[must_use]
    pub fn expecting(self, expected: Option<KeyId>) -> Self {
        Self { expected, ..self }
    }
}
