//! Where profiles are written down, and reading them: bounded, and by AWS's own parser.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::{brief, causes};
use aws_config::profile::ProfileSet;
use aws_runtime::env_config::file::{EnvConfigFileKind as Kind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env as Variables, Fs};
use futures_util::FutureExt as _;
use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::super::settings::ConfigError;
use crate::environment::Env;

/// Bytes of a file; a longer one is refused. Those of big organizations, a profile for each
/// role of each account, have some hundred kilobytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;
/// Bytes of what a parser complains of.
const MAX_COMPLAINT: usize = 300;

/// What was in the two files when the store was opened. They are not read again: the command
/// of `run` can write to them, and would name one of its own as `credential_process`.
#[derive(Clone)]
pub(super) struct Files {
    names: String,
    config: Zeroizing<String>,
    credentials: Zeroizing<String>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Files({})", self.names)
    }
}

impl Files {
    /// Those that variables name. `wanted`: whether a profile was asked for by its name.
    pub(super) fn read(env: &dyn Env, wanted: bool) -> Result<Self, ConfigError> {
        let config = Place::from_env(env, "AWS_CONFIG_FILE", "config", wanted);
        let credentials = Place::from_env(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials", wanted);
        let names = format!("{} or {}", config.name(), credentials.name());
        Ok(Self {
            names,
            config: config.read(Kind::Config)?,
            credentials: credentials.read(Kind::Credentials)?,
        })
    }

    /// Both, for people.
    pub(super) fn names(&self) -> String {
        self.names.clone()
    }

    /// All that is in them, with this profile chosen.
    pub(super) fn sections(&self, profile: &str) -> Result<ProfileSet, ConfigError> {
        parse(&self.contents(), profile)
            .map_err(|said| ConfigError::ProfileFile { path: self.names.clone(), said })
    }

    /// The same for the providers of AWS's.
    pub(super) fn contents(&self) -> EnvConfigFiles {
        EnvConfigFiles::builder()
            .with_contents(Kind::Config, self.config.as_str())
            .with_contents(Kind::Credentials, self.credentials.as_str())
            .build()
    }
}

struct Place {
    /// `None` without a home directory.
    path: Option<PathBuf>,
    /// Whether somebody asked for what is in it, so that it has to be readable.
    wanted: bool,
}

impl Place {
    fn from_env(env: &dyn Env, name: &'static str, file: &str, wanted: bool) -> Self {
        let home = env.var("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        match env.var(name).filter(|path| !path.is_empty()).map(PathBuf::from) {
            Some(path) => {
                let path = match (path.strip_prefix("~"), &home) {
                    (Ok(rest), Some(home)) => home.join(rest),
                    _ => path,
                };
                Self { path: Some(path), wanted: true }
            }
            None => Self { path: home.map(|home| home.join(".aws").join(file)), wanted },
        }
    }

    fn name(&self) -> String {
        self.path.as_deref().map_or_else(|| "~/.aws (HOME is not set)".to_owned(), shown_path)
    }

    /// One that is not there is empty, as for AWS's tools.
    fn read(&self, kind: Kind) -> Result<Zeroizing<String>, ConfigError> {
        let Some(path) = &self.path else { return Ok(Zeroizing::default()) };
        match read(path).map(Zeroizing::new) {
            Ok(text) => {
                // By itself first: of both together the parser does not say which it complains of.
                let alone = EnvConfigFiles::builder().with_contents(kind, text.as_str()).build();
                parse(&alone, "default")
                    .map_err(|said| ConfigError::ProfileFile { path: shown_path(path), said })?;
                Ok(text)
            }
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Ok(Zeroizing::default())
            }
            // Another user's home: it is none of ours, unless we are sent there.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && !self.wanted => {
                Ok(Zeroizing::default())
            }
            Err(source) => Err(ConfigError::File { path: shown_path(path), source }),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    // O_NONBLOCK: a FIFO without a writer would hold an ordinary open for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is longer than 4 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not valid UTF-8"))
}

fn parse(files: &EnvConfigFiles, profile: &str) -> Result<ProfileSet, String> {
    let (fs, variables) = (Fs::from_raw_map(HashMap::new()), Variables::from_slice(&[]));
    // What it is given is in memory, so there is nothing that it could wait for.
    match aws_config::profile::load(&fs, &variables, files, Some(profile.to_owned().into())).now_or_never() {
        Some(Ok(sections)) => Ok(sections),
        Some(Err(error)) => Err(brief(&causes(&error).replace('\n', " "), MAX_COMPLAINT)),
        None => Err("it could not be read at once".to_owned()),
    }
}
