//! Who we are to registries, as Docker's configuration file says it, which kaniko, buildkit,
//! crane and cosign read too.
//!
//! A file has entries for registries, each with a user and a password, or with a token in
//! their place; and names of programs that give logins (`helper`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use argo_attest_core::image::Registry;
use argo_attest_core::secret::shown_path;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::helper::Helper;
use crate::environment::Env;
use crate::regular_file::{self, Links, ReadError};

/// Bytes of a configuration that are read. ECR's tokens have some two thousand.
const MAX_CONFIG: usize = 1024 * 1024;
/// Its name in its directory.
const CONFIG: &str = "config.json";
/// Its name in a Secret of type `kubernetes.io/dockerconfigjson` that is mounted as it is.
const OF_SECRET: &str = ".dockerconfigjson";
/// Where builders' own images have it mounted: kaniko's, buildah's and buildkit's as root, and
/// buildkit's rootless one.
const OF_BUILDERS: [&str; 3] = ["/kaniko/.docker", "/root/.docker", "/home/user/.docker"];
/// Docker Hub's entry has the address of what was its API once.
pub(super) const DOCKER_HUB_ENTRY: &str = "https://index.docker.io/v1/";

/// How one registry is told who asks. Never shown; wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// By user and password.
    Password { user: String, password: Zeroizing<String> },
    /// The same, told to the registry itself, and not to whom it names for tokens.
    Direct { user: String, password: Zeroizing<String> },
    /// By what is exchanged for tokens (OAuth 2.0, `refresh_token`).
    Identity(Zeroizing<String>),
    /// By this token itself.
    Token(Zeroizing<String>),
}

/// Logins by registry.
#[derive(Clone, Default)]
pub(super) struct Logins {
    entries: BTreeMap<String, Login>,
    /// Who gives the login of a registry.
    helpers: BTreeMap<String, Helper>,
    /// Who gives those of all others.
    store: Option<Helper>,
}

/// Where configurations are looked for: the first that there is counts.
#[derive(Debug, Clone)]
pub(super) struct Places(Vec<Place>);

#[derive(Debug, Clone)]
struct Place {
    directory: PathBuf,
    /// It is passed over where it cannot be read.
    is_guessed: bool,
}

/// Why there are no logins. Nothing of the file is repeated.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// It cannot be read.
    #[error("cannot read {path}")]
    File {
        /// Which, printable.
        path: String,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// It is not what Docker writes.
    #[error("{path} is no configuration of Docker: {problem}")]
    Malformed {
        /// Which, printable.
        path: String,
        /// What is wrong, without what is in it.
        problem: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
    #[serde(default)]
    cred_helpers: BTreeMap<String, String>,
    #[serde(default)]
    creds_store: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default, deserialize_with = "secret")]
    auth: Zeroizing<String>,
    #[serde(default)]
    username: String,
    #[serde(default, deserialize_with = "secret")]
    password: Zeroizing<String>,
    #[serde(default, deserialize_with = "secret")]
    identitytoken: Zeroizing<String>,
    #[serde(default, deserialize_with = "secret")]
    registrytoken: Zeroizing<String>,
}

pub(super) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

impl Places {
    /// `DOCKER_CONFIG`'s directory, else `~/.docker`.
    pub(super) fn from_env(env: &dyn Env) -> Self {
        let named = env.var("DOCKER_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from);
        let home = || Some(PathBuf::from(env.var("HOME").filter(|path| !path.is_empty())?).join(".docker"));
        let own = named.or_else(home).map(|directory| Place { directory, is_guessed: false });
        Self(own.into_iter().collect())
    }

    /// The same beside a step's main container, whose mounts are here, too: without a
    /// `DOCKER_CONFIG`, first those that builders use.
    pub(super) fn in_pod(env: &dyn Env) -> Self {
        let Self(own) = Self::from_env(env);
        if env.var("DOCKER_CONFIG").is_some_and(|path| !path.is_empty()) {
            return Self(own);
        }
        // Root's own may not be read, where this is another user.
        let guessed = OF_BUILDERS.iter().map(|path| Place { directory: path.into(), is_guessed: true });
        Self(guessed.chain(own).collect())
    }

    /// What is there now; no logins if there is no file.
    ///
    /// Errors: [`LoginError`] for one that is there and cannot be used.
    pub(super) fn read(&self) -> Result<Logins, LoginError> {
        for Place { directory, is_guessed } in &self.0 {
            match Logins::beneath(directory) {
                Ok(None) => {}
                Err(LoginError::File { .. }) if *is_guessed => {}
                Ok(Some(found)) => return Ok(found),
                Err(error) => return Err(error),
            }
        }
        Ok(Logins::default())
    }
}

impl Logins {
    /// Those in a directory; `None` if it has none.
    fn beneath(directory: &Path) -> Result<Option<Self>, LoginError> {
        for name in [CONFIG, OF_SECRET] {
            match Self::read(&directory.join(name)) {
                Err(LoginError::File { source: ReadError::Missing(_), .. }) => {}
                read => return read.map(Some),
            }
        }
        Ok(None)
    }

    /// Those of one file.
    fn read(path: &Path) -> Result<Self, LoginError> {
        let shown = || shown_path(path);
        let bytes = regular_file::read(path, Links::Followed, MAX_CONFIG)
            .map_err(|source| LoginError::File { path: shown(), source })?;
        let bytes = Zeroizing::new(bytes);
        Self::of(&bytes).map_err(|problem| LoginError::Malformed { path: shown(), problem })
    }

    fn of(bytes: &[u8]) -> Result<Self, &'static str> {
        // The parser's own words quote what it reads.
        let Config { auths, cred_helpers, creds_store } =
            argo_attest_core::json::parse(bytes, MAX_CONFIG).map_err(|_| "it is not JSON of that form")?;
        let mut entries = BTreeMap::new();
        for (server, entry) in auths {
            if let Some(login) = entry.login()? {
                entries.insert(host_of(&server).to_owned(), login);
            }
        }
        // Docker takes an empty name for none.
        let helper = |name: &str| {
            let read = || Helper::new(name).ok_or("the name of a helper is no plain word");
            if name.is_empty() { Ok(None) } else { read().map(Some) }
        };
        let mut helpers = BTreeMap::new();
        for (server, name) in cred_helpers {
            helpers.extend(helper(&name)?.map(|helper| (host_of(&server).to_owned(), helper)));
        }
        Ok(Self { entries, helpers, store: helper(&creds_store)? })
    }

    /// The login for a registry, if there is one.
    pub(super) fn of_registry(&self, registry: &Registry) -> Option<&Login> {
        self.entries.get(registry.as_str()).or_else(|| self.entries.get(registry.server()))
    }

    /// Whether the configuration names this registry: a login, or a program of its own.
    pub(super) fn has(&self, registry: &Registry) -> bool {
        self.of_registry(registry).is_some() || self.helpers.contains_key(registry.as_str())
    }

    /// The program that gives a registry's login, if one is named for it or for all.
    pub(super) fn helper(&self, registry: &Registry) -> Option<&Helper> {
        self.helpers.get(registry.as_str()).or(self.store.as_ref())
    }
}

impl Entry {
    fn login(&self) -> Result<Option<Login>, &'static str> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Login::Token(self.registrytoken.clone())));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Login::Identity(self.identitytoken.clone())));
        }
        if !self.username.is_empty() || !self.password.is_empty() {
            return Ok(Some(Login::Password {
                user: self.username.clone(),
                password: self.password.clone(),
            }));
        }
        if self.auth.is_empty() {
            // `docker login` with a helper leaves such a one.
            return Ok(None);
        }
        let problem = "an `auth` is not the base64 of user:password";
        let decoded = Zeroizing::new(BASE64_STANDARD.decode(self.auth.trim_end()).map_err(|_| problem)?);
        let text = str::from_utf8(&decoded).map_err(|_| problem)?;
        let (user, password) = text.split_once(':').ok_or(problem)?;
        // Docker pads with zero bytes.
        let password = Zeroizing::new(password.trim_end_matches('\0').to_owned());
        Ok(Some(Login::Password { user: user.to_owned(), password }))
    }
}

/// The registry that an entry is for, whose address may be that of an API.
fn host_of(entry: &str) -> &str {
    if entry == DOCKER_HUB_ENTRY {
        return "docker.io";
    }
    let host = entry.strip_prefix("https://").or_else(|| entry.strip_prefix("http://")).unwrap_or(entry);
    match host.split('/').next().unwrap_or(host) {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        host => host,
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Login::Password",
            Self::Direct { .. } => "Login::Direct",
            Self::Identity(_) => "Login::Identity",
            Self::Token(_) => "Login::Token",
        })
    }
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entries.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(user: &str, password: &str) -> Login {
        Login::Password { user: user.into(), password: Zeroizing::new(password.into()) }
    }

    fn login(config: &str, registry: &str) -> Option<Login> {
        Logins::of(config.as_bytes()).unwrap().of_registry(&registry.parse().unwrap()).cloned()
    }

    #[test]
    fn entries_are_found_as_docker_writes_them() {
        let config = r#"{"auths":{
            "https://index.docker.io/v1/":{"auth":"dTpwOnE="},
            "ghcr.io":{"username":"a","password":"b","auth":"ignored"},
            "https://r.example:5000/v2/":{"identitytoken":"refresh","auth":"PHRva2VuPjo="},
            "t.example":{"registrytoken":"t"},
            "e.example":{},
            "z.example":{"auth":"dTpwAAA="}
        },"credHelpers":{"1.dkr.ecr.eu-west-1.amazonaws.com":"ecr-login"},"HttpHeaders":{"x":"y"}}"#;
        assert_eq!(login(config, "docker.io"), Some(password("u", "p:q")));
        assert_eq!(login(config, "index.docker.io"), Some(password("u", "p:q")));
        assert_eq!(login(config, "ghcr.io"), Some(password("a", "b")));
        assert_eq!(login(config, "r.example:5000"), Some(Login::Identity(Zeroizing::new("refresh".into()))));
        assert_eq!(login(config, "r.example"), None, "another port is another registry");
        assert_eq!(login(config, "t.example"), Some(Login::Token(Zeroizing::new("t".into()))));
        assert_eq!(login(config, "e.example"), None);
        assert_eq!(login(config, "z.example"), Some(password("u", "p")));
    }

    #[test]
    fn helpers_are_of_a_registry_or_of_all_others() {
        let helper = |config: &str, registry: &str| {
            let logins = Logins::of(config.as_bytes()).unwrap();
            logins.helper(&registry.parse().unwrap()).map(Helper::program)
        };
        let both =
            r#"{"credHelpers":{"https://a.example":"ecr-login","b.example":""},"credsStore":"desktop"}"#;
        assert_eq!(helper(both, "a.example").unwrap(), "docker-credential-ecr-login");
        assert_eq!(helper(both, "b.example").unwrap(), "docker-credential-desktop");
        assert_eq!(helper(both, "docker.io").unwrap(), "docker-credential-desktop");
        assert_eq!(helper(r#"{"credHelpers":{"a.example":"x"},"credsStore":""}"#, "b.example"), None);
        for name in ["../x", "a b", "-x", ".", "a/b", "ä"] {
            let config = format!(r#"{{"credsStore":"{name}"}}"#);
            assert_eq!(Logins::of(config.as_bytes()).unwrap_err(), "the name of a helper is no plain word");
        }
    }

    #[test]
    fn nothing_of_a_file_is_repeated() {
        let secret = "c2VjcmV0c2VjcmV0";
        for config in [
            format!(r#"{{"auths":{{"r.example":{{"auth":"{secret}"}}}}}}"#),
            format!(r#"{{"auths":{{"r.example":"{secret}"}}}}"#),
            secret.to_owned(),
        ] {
            let problem = Logins::of(config.as_bytes()).map(|_| ()).unwrap_err();
            assert!(!problem.contains(secret), "{problem}");
        }
        let config = format!(r#"{{"auths":{{"r.example":{{"registrytoken":"{secret}"}}}}}}"#);
        let logins = Logins::of(config.as_bytes()).unwrap();
        let shown = format!("{logins:?} {:?}", logins.of_registry(&"r.example".parse().unwrap()));
        assert!(shown.contains("r.example") && !shown.contains(secret), "{shown}");
    }

    #[test]
    fn no_file_is_no_login() {
        let home = tempfile::tempdir().unwrap();
        let at = home.path().to_owned();
        let env = move |name: &str| (name == "DOCKER_CONFIG").then(|| at.clone().into_os_string());
        let places = Places::from_env(&env);
        assert!(places.read().unwrap().entries.is_empty());
        std::fs::write(home.path().join(CONFIG), "[]").unwrap();
        places.read().unwrap_err();
    }
}
