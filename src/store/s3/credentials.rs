//! Who we are to the store: keys, files of keys, or a web identity.
//!
//! Keys that can change (files that a Secret's update replaces, a session that
//! STS gave) are fetched again before they are too old, and at once when the
//! store says that they have expired.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

use super::config::{self, Endpoint};
use crate::regular_file::{self, Links};
use crate::relpath::printable;
use crate::store::{ConfigError, Env};

/// Bytes of a key file or token that are read; a longer one is refused.
const MAX_FILE: usize = 64 * 1024;

/// Where credentials come from.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// These, for good.
    Static(KeyPair),
    /// Files, one value each, as a mounted Secret has them; read again every minute.
    Files {
        /// The file that holds the access key id.
        access_key_id: PathBuf,
        /// The file that holds the secret access key.
        secret_access_key: PathBuf,
        /// The file that holds a session token, if there is one.
        session_token: Option<PathBuf>,
    },
    /// A token of the platform's, exchanged at STS (`AssumeRoleWithWebIdentity`).
    WebIdentity(WebIdentity),
    /// None: requests are not signed. For public buckets.
    Anonymous,
}

/// An access key. Its secret parts are zeroised when dropped and never shown.
#[derive(Clone)]
pub struct KeyPair {
    /// The public part.
    pub access_key_id: String,
    /// The secret part.
    pub secret_access_key: Zeroizing<String>,
    /// With temporary credentials.
    pub session_token: Option<Zeroizing<String>>,
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// What STS is asked with.
#[derive(Debug, Clone)]
pub struct WebIdentity {
    /// The file that holds the token; read at every exchange.
    pub token_file: PathBuf,
    /// The role to take.
    pub role_arn: String,
    /// What the session is called in the store's audit log.
    pub session_name: String,
    /// STS itself; `None` is AWS's, by region.
    pub endpoint: Option<Endpoint>,
}

impl Credentials {
    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`;
    /// else from `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`,
    /// `AWS_ROLE_SESSION_NAME` and `AWS_ENDPOINT_URL_STS`. `None` if neither is set.
    pub fn from_env(env: &dyn Env) -> Result<Option<Self>, ConfigError> {
        const ID: &str = "AWS_ACCESS_KEY_ID";
        const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
        const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
        const ROLE: &str = "AWS_ROLE_ARN";
        match (text(env, ID)?, text(env, SECRET)?) {
            (Some(access_key_id), Some(secret)) => {
                return Ok(Some(Self::Static(KeyPair {
                    access_key_id,
                    secret_access_key: Zeroizing::new(secret),
                    session_token: text(env, "AWS_SESSION_TOKEN")?.map(Zeroizing::new),
                })));
            }
            (Some(_), None) => return Err(ConfigError::Incomplete { set: ID, missing: SECRET }),
            (None, Some(_)) => return Err(ConfigError::Incomplete { set: SECRET, missing: ID }),
            (None, None) => {}
        }
        // A role alone is also what other ways to sign in set, so it is no half of a pair.
        let Some(token_file) = env.var(TOKEN_FILE).filter(|v| !v.is_empty()) else { return Ok(None) };
        let Some(role_arn) = text(env, ROLE)? else {
            return Err(ConfigError::Incomplete { set: TOKEN_FILE, missing: ROLE });
        };
        Ok(Some(Self::WebIdentity(WebIdentity {
            token_file: token_file.into(),
            role_arn,
            session_name: text(env, "AWS_ROLE_SESSION_NAME")?.unwrap_or_else(|| "argo-attest".to_owned()),
            endpoint: config::endpoint(env, ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"])?,
        })))
    }
}

/// A variable as text; an empty one counts as not set, as it does for AWS's tools.
pub(super) fn text(env: &dyn Env, name: &'static str) -> Result<Option<String>, ConfigError> {
    match env.var(name).filter(|v| !v.is_empty()).map(std::ffi::OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(ConfigError::Variable { name, why: "is not valid UTF-8" }),
    }
}

/// How long keys from files last; they are read again half a minute before that.
const FILES_LAST: Duration = Duration::from_secs(90);

/// Reads a pair of keys from files.
pub(super) fn read_files(
    id: &Path,
    secret: &Path,
    token: Option<&Path>,
) -> Result<aws_credential_types::Credentials, ConfigError> {
    let token = token.map(read_secret).transpose()?;
    Ok(aws_credential_types::Credentials::new(
        read_secret(id)?.as_str(),
        read_secret(secret)?.as_str(),
        token.map(|t| t.as_str().to_owned()),
        Some(SystemTime::now() + FILES_LAST),
        "files",
    ))
}

pub(super) fn static_keys(pair: &KeyPair) -> aws_credential_types::Credentials {
    aws_credential_types::Credentials::new(
        pair.access_key_id.as_str(),
        pair.secret_access_key.as_str(),
        pair.session_token.as_ref().map(|t| t.as_str().to_owned()),
        None,
        "static",
    )
}

/// A small file's text without the newline that editors leave at its end.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let fail = |source| ConfigError::File { path: shown(path), source };
    let bytes =
        Zeroizing::new(regular_file::read(path, Links::Followed, MAX_FILE).map_err(|e| fail(e.into()))?);
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.trim().is_empty() => Ok(Zeroizing::new(text.trim().to_owned())),
        Ok(_) => Err(fail(io::Error::new(io::ErrorKind::InvalidData, "it is empty"))),
        Err(_) => Err(fail(io::Error::new(io::ErrorKind::InvalidData, "it is not valid UTF-8"))),
    }
}

/// A path for an error's text.
pub(super) fn shown(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    printable(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_secrets_as_kubernetes_mounts_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "abc\n").unwrap();
        assert_eq!(read_secret(&path).unwrap().as_str(), "abc");
        for (bytes, why) in [
            (&b" \n"[..], "it is empty"),
            (b"\xff", "it is not valid UTF-8"),
            ("x".repeat(70_000).as_bytes(), "it is larger than 65536 bytes"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            match read_secret(&path) {
                Err(ConfigError::File { source, .. }) => assert_eq!(source.to_string(), why),
                other => panic!("{other:?}"),
            }
        }
        match read_secret(&dir.path().join("none\n")) {
            Err(ConfigError::File { path, .. }) => assert!(path.ends_with("none%0A"), "{path}"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn never_shows_a_secret() {
        let pair = KeyPair {
            access_key_id: "id".to_owned(),
            secret_access_key: Zeroizing::new("canary-1".to_owned()),
            session_token: Some(Zeroizing::new("canary-2".to_owned())),
        };
        let shown = format!("{:?} {:?}", Credentials::Static(pair.clone()), static_keys(&pair));
        assert!(!shown.contains("canary"), "{shown}");
    }
}
