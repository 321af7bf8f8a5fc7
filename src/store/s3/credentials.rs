//! Who we are to the store: keys, files of keys, or a web identity.
//!
//! Keys that can change (files that a Secret's update replaces, a session that
//! STS gave) are fetched again before they are too old, and at once when the
//! store says that they have expired.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use argo_attest_core::secret::shown_path;
use rustix::fs::{Mode, OFlags, ResolveFlags};
use zeroize::Zeroizing;

use super::config::{self, Endpoint};
use super::container::Container;
use super::instance::Instance;
use super::profile::Profile;
use super::settings::ConfigError;
use crate::net::Trust;
use crate::store::Env;

/// Bytes of a key file or token that are read; a longer one is refused.
const MAX_FILE: usize = 64 * 1024;

/// Bytes of an access key id (IAM, `AccessKey`). It is sent as it is.
const MAX_ID: usize = 128;

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
    /// From the platform, for this container: EKS Pod Identity, ECS.
    Container(Container),
    /// From the platform, for this machine: EC2's metadata service.
    Instance(Instance),
    /// From a profile of AWS's shared files, of a person at a command line.
    Profile(Box<Profile>),
    /// A role that STS gives to who has other credentials (`AssumeRole`).
    Role(Box<AssumedRole>),
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
    /// Which certificates are believed of STS. Those of the platform, never those that a
    /// template names for its own store: the token is for STS alone.
    pub trust: Trust,
}

/// A role, and who may take it.
#[derive(Debug, Clone)]
pub struct AssumedRole {
    /// The role to take.
    pub role_arn: String,
    /// What the session is called in the store's audit log.
    pub session_name: String,
    /// Who takes it.
    pub base: Credentials,
    /// STS itself; `None` is AWS's, by region.
    pub endpoint: Option<Endpoint>,
    /// Which certificates are believed of STS: the platform's.
    pub trust: Trust,
}

/// What a session is called if nobody says.
const SESSION: &str = "argo-attest";

fn session_name(env: &dyn Env) -> Result<String, ConfigError> {
    Ok(text(env, "AWS_ROLE_SESSION_NAME")?.unwrap_or_else(|| SESSION.to_owned()))
}

impl AssumedRole {
    /// The role, taken by whoever the environment says we are; `None` if it says nobody.
    pub fn by_ambient(role_arn: &str, env: &dyn Env) -> Result<Option<Self>, ConfigError> {
        let Some(base) = Credentials::ambient(env)? else { return Ok(None) };
        Ok(Some(Self {
            role_arn: role_arn.to_owned(),
            session_name: session_name(env)?,
            base,
            endpoint: config::endpoint(env, STS)?,
            trust: Trust::from_env(env),
        }))
    }
}

impl Credentials {
    /// Whoever the environment says we are: what [`Self::from_env`] finds, else the role of
    /// this machine. `None` if that is forbidden (`AWS_EC2_METADATA_DISABLED`).
    pub fn ambient(env: &dyn Env) -> Result<Option<Self>, ConfigError> {
        match Self::from_env(env)? {
            Some(found) => Ok(Some(found)),
            None => Ok(Instance::from_env(env)?.map(Self::Instance)),
        }
    }

    /// Whoever a person at a command line is, in the order of AWS's SDK for Rust: keys in
    /// variables, the profile, and what else [`Self::ambient`] knows.
    pub(super) fn at_command_line(
        env: &dyn Env,
        profile: Option<Profile>,
    ) -> Result<Option<Self>, ConfigError> {
        match (Self::keys(env)?, profile) {
            (Some(keys), _) => Ok(Some(keys)),
            (None, Some(profile)) => Ok(Some(Self::Profile(Box::new(profile)))),
            (None, None) => Self::ambient(env),
        }
    }

    /// From `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`;
    /// else from `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`,
    /// `AWS_ROLE_SESSION_NAME` and `AWS_ENDPOINT_URL_STS`; else as [`Container::from_env`]
    /// has it. `None` if none of them is set.
    pub fn from_env(env: &dyn Env) -> Result<Option<Self>, ConfigError> {
        const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
        const ROLE: &str = "AWS_ROLE_ARN";
        if let Some(keys) = Self::keys(env)? {
            return Ok(Some(keys));
        }
        // A role alone is also what other ways to sign in set, so it is no half of a pair.
        let Some(token_file) = env.var(TOKEN_FILE).filter(|v| !v.is_empty()) else {
            return Ok(Container::from_env(env)?.map(Self::Container));
        };
        let Some(role_arn) = text(env, ROLE)? else {
            return Err(ConfigError::Incomplete { set: TOKEN_FILE, missing: ROLE });
        };
        Ok(Some(Self::WebIdentity(WebIdentity {
            token_file: token_file.into(),
            role_arn,
            session_name: session_name(env)?,
            endpoint: sts_endpoint(env)?,
            trust: Trust::from_env(env),
        })))
    }

    /// The keys that variables hold.
    pub(super) fn keys(env: &dyn Env) -> Result<Option<Self>, ConfigError> {
        const ID: &str = "AWS_ACCESS_KEY_ID";
        const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
        const TOKEN: &str = "AWS_SESSION_TOKEN";
        match (text(env, ID)?, text(env, SECRET)?) {
            (Some(access_key_id), Some(secret)) => {
                let pair = KeyPair {
                    access_key_id,
                    secret_access_key: Zeroizing::new(secret),
                    session_token: text(env, TOKEN)?.map(Zeroizing::new),
                };
                let token = pair.session_token.as_ref().map(|token| (TOKEN, token.as_str()));
                for (name, value) in [(ID, pair.access_key_id.as_str()), (SECRET, &pair.secret_access_key)]
                    .into_iter()
                    .chain(token)
                {
                    fit(value).map_err(|why| ConfigError::Variable { name, why })?;
                }
                Ok(Some(Self::Static(pair)))
            }
            (Some(_), None) => Err(ConfigError::Incomplete { set: ID, missing: SECRET }),
            (None, Some(_)) => Err(ConfigError::Incomplete { set: SECRET, missing: ID }),
            (None, None) => Ok(None),
        }
    }
}

/// What says where STS is.
const STS: [&str; 2] = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"];

/// Where STS is. The token crosses the network, so it must be https, or this machine.
fn sts_endpoint(env: &dyn Env) -> Result<Option<Endpoint>, ConfigError> {
    let endpoint = config::endpoint(env, STS)?;
    if endpoint.as_ref().is_some_and(|endpoint| !endpoint.is_secure() && !endpoint.is_loopback()) {
        let [first, second] = STS;
        let name = if text(env, first)?.is_some() { first } else { second };
        let why =
            "must be https where a web identity token is sent to it (set AWS_ENDPOINT_URL_STS for STS alone)";
        return Err(ConfigError::Variable { name, why });
    }
    Ok(endpoint)
}

/// What goes into a request, or signs it, is no key of another kind: where a server is
/// named by whoever names the file, it would be handed over.
pub(super) fn fit(value: &str) -> Result<(), &'static str> {
    if value.bytes().any(|b| b.is_ascii_control()) {
        return Err("has more than one line, or control characters");
    }
    let is_key = value.contains("-----") || value.contains("AGE-SECRET-KEY-");
    if is_key { Err("holds a key of another kind, and not an access key") } else { Ok(()) }
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
    let path = id;
    let id = read_secret(path)?;
    if id.len() > MAX_ID {
        let source = io::Error::new(io::ErrorKind::InvalidData, "it is longer than an access key id");
        return Err(ConfigError::File { path: shown(path), source });
    }
    Ok(aws_credential_types::Credentials::new(
        id.as_str(),
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

/// A small file of a mounted Secret, byte for byte.
pub(super) fn read_raw(path: &Path) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let fail = |source| ConfigError::File { path: shown(path), source };
    let mut bytes = Zeroizing::new(Vec::new());
    let file = open(path).map_err(fail)?;
    file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() > MAX_FILE {
        return Err(fail(io::Error::new(io::ErrorKind::FileTooLarge, "it is longer than 64 KiB")));
    }
    Ok(bytes)
}

/// A small file's text without the newline that editors leave at its end.
pub(super) fn read_secret(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let fail = |source| ConfigError::File { path: shown(path), source };
    let bytes = read_raw(path)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) if !text.trim().is_empty() => match fit(text.trim()) {
            Ok(()) => Ok(Zeroizing::new(text.trim().to_owned())),
            Err(why) => Err(fail(io::Error::new(io::ErrorKind::InvalidData, format!("it {why}")))),
        },
        Ok(_) => Err(fail(io::Error::new(io::ErrorKind::InvalidData, "it is empty"))),
        Err(_) => Err(fail(io::Error::new(io::ErrorKind::InvalidData, "it is not valid UTF-8"))),
    }
}

/// Opens a file of a mounted Secret, `SECRET/KEY`. The links that the kubelet makes stay
/// in their folder; one that leads out of it would send what lies elsewhere, such as the
/// service account's token, to whom the template names.
fn open(path: &Path) -> io::Result<File> {
    let secret = path.parent().unwrap_or_else(|| Path::new("."));
    let folder =
        secret.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let leads_out = || io::Error::new(io::ErrorKind::PermissionDenied, "it leads out of the Secrets' folder");
    let within = path.strip_prefix(folder).unwrap_or(path);
    // O_NONBLOCK: a FIFO without a writer would hold an ordinary open for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let root = rustix::fs::open(folder, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let file = match rustix::fs::openat2(root, within, flags, Mode::empty(), resolve) {
        Ok(file) => File::from(file),
        Err(rustix::io::Errno::XDEV | rustix::io::Errno::LOOP) => {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it leads out of the Secrets' folder",
            ));
        }
        // Where the call does not exist, as in gVisor.
        Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {
            if !path.canonicalize()?.starts_with(folder.canonicalize()?) {
                return Err(leads_out());
            }
            File::from(rustix::fs::open(path, flags, Mode::empty())?)
        }
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a regular file")) }
}

/// A path for an error's text.
pub(super) fn shown(path: &Path) -> String {
    shown_path(path)
}

#[cfg(test)]
mod tests;
