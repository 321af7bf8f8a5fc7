//! Programs that give logins, as Docker's configuration names them (`credHelpers`, `credsStore`):
//! `docker-credential-NAME get`, which is given the registry's name and prints a login.
//!
//! They are run at a command line, for the person whose keychain it is, and never in a pod, where
//! the file and the program would be a volume's or an image's.

use argo_attest_core::image::Registry;
use serde::Deserialize;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::login::{DOCKER_HUB_ENTRY, Login};
use crate::credential_program::{self, ProgramError};

/// Bytes of a name. The longest in use has some twenty.
const MAX_NAME: usize = 64;
/// Bytes that are read of what one prints; ECR's tokens have some two thousand.
const MAX_PRINTED: usize = 64 * 1024;
/// In place of a user, beside what is exchanged for tokens.
const IDENTITY: &str = "<token>";
/// What one prints that has no login for a registry.
const NONE: &[u8] = b"credentials not found in native keychain";

/// One such program, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Helper(String);

/// Why there is no login of a program's. Nothing that it printed is repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum HelperError {
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("what it printed is no login")]
    Nonsense,
}

/// What it prints (docker-credential-helpers, `credentials.Credentials`).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    username: String,
    #[serde(deserialize_with = "super::login::secret")]
    secret: Zeroizing<String>,
}

impl Helper {
    /// By a name that is a plain word: it becomes part of a program's.
    pub(super) fn new(name: &str) -> Option<Self> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let fits = name.len() <= MAX_NAME && name.bytes().all(is_plain);
        (fits && name.starts_with(|c: char| c.is_ascii_alphanumeric())).then(|| Self(name.to_owned()))
    }

    /// Whether it is the one of ECR, whose work is done here.
    pub(super) fn is_of_ecr(&self) -> bool {
        self.0 == "ecr-login"
    }

    /// The program's name.
    pub(super) fn program(&self) -> String {
        format!("docker-credential-{}", self.0)
    }

    /// What it has for a registry; nothing, if it says so.
    pub(super) async fn login(&self, registry: &Registry) -> Result<Option<Login>, HelperError> {
        let mut program = Command::new(self.program());
        let question = entry_of(registry).as_bytes();
        let answer = credential_program::ask(program.arg("get"), Some(question), MAX_PRINTED).await?;
        if !answer.ended.success() && answer.printed.trim_ascii() == NONE {
            return Ok(None);
        }
        login_of(&answer.if_well()?)
    }
}

/// By what name Docker asks for a registry's login.
fn entry_of(registry: &Registry) -> &str {
    if registry.as_str() == "docker.io" { DOCKER_HUB_ENTRY } else { registry.as_str() }
}

fn login_of(printed: &[u8]) -> Result<Option<Login>, HelperError> {
    let Printed { username: user, secret } =
        argo_attest_core::json::parse(printed, MAX_PRINTED).map_err(|_| HelperError::Nonsense)?;
    Ok(match (user.as_str(), secret.is_empty()) {
        ("", true) => None,
        (IDENTITY, _) => Some(Login::Identity(secret)),
        _ => Some(Login::Password { user, password: secret }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_a_login_or_none() {
        let read = |printed: &str| login_of(printed.as_bytes()).map_err(|error| error.to_string());
        let password =
            |user: &str| Login::Password { user: user.into(), password: Zeroizing::new("s".into()) };
        assert_eq!(
            read(r#"{"ServerURL":"r.example","Username":"u","Secret":"s"}"#).unwrap(),
            Some(password("u"))
        );
        assert_eq!(read(r#"{"Username":"","Secret":"s"}"#).unwrap(), Some(password("")));
        assert_eq!(
            read(r#"{"Username":"<token>","Secret":"s"}"#).unwrap(),
            Some(Login::Identity(Zeroizing::new("s".into())))
        );
        assert_eq!(read(r#"{"Username":"","Secret":""}"#).unwrap(), None);
        for printed in ["", "s3cret", r#"{"Secret":"s3cret"}"#, r#"["s3cret"]"#] {
            assert_eq!(read(printed).unwrap_err(), "what it printed is no login");
        }
    }
}
