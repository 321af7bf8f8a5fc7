//! What a key is opened with, beside its name.

use std::path::Path;

use argo_attest_core::keys::KeyId;

use super::password::Password;
use crate::environment::Env;

/// What is at hand when a key is opened.
#[derive(Clone)]
pub struct Opening<'a> {
    /// The variables.
    pub environment: &'a dyn Env,
    /// What an encrypted key's password is looked for in.
    pub password: Password,
    /// The key that it has to be, if that is said.
    pub expected: Option<KeyId>,
}

impl<'a> Opening<'a> {
    /// With these variables and nothing else.
    pub fn new(environment: &'a dyn Env) -> Self {
        Self { environment, password: Password::new(None, environment), expected: None }
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
