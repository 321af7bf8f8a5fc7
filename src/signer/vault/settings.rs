//! Where Vault is and who we are to it, by the variables that its own tools and cosign read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use argo_attest_core::contract::place;
use argo_attest_core::secret::{is_private, shown_path};
use argo_attest_core::text::causes;
use hyper::header::HeaderValue;
use zeroize::Zeroizing;

use super::super::opening::Home;
use crate::environment::Env;
use crate::net::{Proxies, Trust};
use crate::regular_file::{self, Links};
use crate::service::ServiceError;
use crate::store::s3::Endpoint;

const ADDRESS: &str = "VAULT_ADDR";
pub(super) const TOKEN: &str = "VAULT_TOKEN";
const NAMESPACE: &str = "VAULT_NAMESPACE";
const AUTHORITIES: &str = "VAULT_CACERT";
const ROLE: &str = "VAULT_AUTH_ROLE";
const AUTH_PATH: &str = "VAULT_AUTH_PATH";
/// The file of the token that is exchanged for one of Vault's.
const AUTH_TOKEN_FILE: &str = "VAULT_AUTH_TOKEN_FILE";
/// As cosign has it.
const MOUNT: &str = "TRANSIT_SECRET_ENGINE_PATH";

/// Where `vault login` leaves a person's token.
const LEFT: &str = ".vault-token";
/// Bytes of a token; Vault's have some hundred, batch tokens a few thousand.
const MAX_TOKEN: usize = 16 * 1024;

/// All that is set.
pub(super) struct Settings {
    pub(super) server: Server,
    /// Where the transit engine is mounted.
    pub(super) mount: String,
    pub(super) who: Who,
    pub(super) trust: Trust,
    pub(super) proxies: Proxies,
}

/// Whom to ask.
#[derive(Debug, Clone)]
pub(super) struct Server {
    endpoint: Endpoint,
    pub(super) namespace: Option<HeaderValue>,
}

/// Who we are.
pub(super) enum Who {
    /// Whoever has this token.
    Token(Zeroizing<String>),
    /// A pod, by the token that its kubelet mounts.
    Pod {
        /// Which of Vault's roles to take.
        role: String,
        /// Where the auth method is mounted.
        path: String,
        /// The file of the token.
        token: PathBuf,
    },
}

impl Server {
    pub(super) fn is_secure(&self) -> bool {
        self.endpoint.is_secure()
    }

    /// The address of what is at this path of the API.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.endpoint)
    }
}

impl Settings {
    pub(super) fn from_env(env: &dyn Env, home: Home) -> Result<Self, ServiceError> {
        let address = text(env, ADDRESS)?.ok_or_else(|| {
            wrong(format!("{ADDRESS} is not set"), format!("set {ADDRESS} to Vault's address"))
        })?;
        let endpoint: Endpoint = address
            .parse()
            .map_err(|why: crate::store::s3::InvalidEndpoint| variable(ADDRESS, &why.to_string()))?;
        if !endpoint.is_secure() && !endpoint.is_loopback() {
            return Err(variable(ADDRESS, "must be https where a token is sent to it"));
        }
        let namespace = text(env, NAMESPACE)?
            .map(|name| HeaderValue::from_str(&name).map_err(|_| variable(NAMESPACE, "is not a namespace")))
            .transpose()?;
        let trust = [AUTHORITIES, "SSL_CERT_FILE"]
            .into_iter()
            .find_map(|name| env.var(name).filter(|value| !value.is_empty()))
            .map_or(Trust::System, |path| Trust::Bundle(path.into()));
        let proxies = Proxies::from_env(env)
            .map_err(|error| wrong(error.to_string(), format!("correct {}", error.name)))?;
        Ok(Self {
            server: Server { endpoint, namespace },
            mount: path(env, MOUNT, "transit")?,
            who: Who::from_env(env, home)?,
            trust,
            proxies,
        })
    }
}

impl Who {
    /// A token that is given goes before a role, and that before what a person left in their home.
    fn from_env(env: &dyn Env, home: Home) -> Result<Self, ServiceError> {
        if let Some(token) = text(env, TOKEN)? {
            return Ok(Self::Token(sendable(token.into()).map_err(|why| variable(TOKEN, why))?));
        }
        if let Some(role) = text(env, ROLE)? {
            let token = env.var(AUTH_TOKEN_FILE).filter(|value| !value.is_empty());
            let token = token.map_or_else(|| Path::new(place::SERVICE_ACCOUNT).join("token"), PathBuf::from);
            return Ok(Self::Pod { role, path: path(env, AUTH_PATH, "kubernetes")?, token });
        }
        let left = match (home, env.var("HOME").filter(|home| !home.is_empty())) {
            (Home::Person, Some(home)) => Path::new(&home).join(LEFT),
            _ => return Err(nobody()),
        };
        if left.symlink_metadata().is_err() {
            return Err(nobody());
        }
        let remedy = || "sign in again with vault login or bao login, or set VAULT_TOKEN".to_owned();
        let read = regular_file::read(&left, Links::Followed, MAX_TOKEN).map(Zeroizing::new);
        let bytes =
            read.map_err(|e| wrong(format!("cannot read {}: {}", shown_path(&left), causes(&e)), remedy()))?;
        let token = str::from_utf8(bytes.trim_ascii()).map(|text| Zeroizing::new(text.to_owned()));
        let token = token.map_err(|_| "is not valid UTF-8").and_then(sendable);
        token
            .map(Self::Token)
            .map_err(|why| wrong(format!("the token in {} {why}", shown_path(&left)), remedy()))
    }
}

/// What may be sent as a token: one word, and no key.
fn sendable(token: Zeroizing<String>) -> Result<Zeroizing<String>, &'static str> {
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("is not a token");
    }
    if is_private(token.as_bytes()) { Err("holds a key, and a key is sent to nobody") } else { Ok(token) }
}

/// A place in Vault's tree, in a variable: parts of plain characters between slashes.
fn path(env: &dyn Env, name: &'static str, usual: &str) -> Result<String, ServiceError> {
    let given = text(env, name)?.unwrap_or_else(|| usual.to_owned());
    let path = given.trim_matches('/');
    let is_part = |part: &str| {
        let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        plain && !part.is_empty() && part != "." && part != ".."
    };
    if path.split('/').all(is_part) {
        Ok(path.to_owned())
    } else {
        Err(variable(name, "is not a path in Vault"))
    }
}

/// A variable as text; an empty one is not set.
fn text(env: &dyn Env, name: &'static str) -> Result<Option<String>, ServiceError> {
    let value = env.var(name).filter(|value| !value.is_empty()).map(OsString::into_string).transpose();
    value.map_err(|_| variable(name, "is not valid UTF-8"))
}

fn wrong(what: String, remedy: String) -> ServiceError {
    ServiceError::Settings { what, remedy }
}

/// The value is not repeated.
fn variable(name: &str, why: &str) -> ServiceError {
    wrong(format!("{name} {why}"), format!("correct {name}"))
}

fn nobody() -> ServiceError {
    wrong(
        format!("no token for Vault is set: neither {TOKEN} nor {ROLE}"),
        format!("set {TOKEN}; in a pod, set {ROLE} to the role that Vault's Kubernetes auth has for it"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &[(&str, &str)], home: Home) -> Result<Settings, ServiceError> {
        let given: Vec<_> = given.iter().map(|(n, v)| ((*n).to_owned(), OsString::from(v))).collect();
        let env =
            move |name: &str| given.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        Settings::from_env(&env, home)
    }

    const AT: (&str, &str) = (ADDRESS, "https://vault.example:8200/");

    #[test]
    fn follows_the_usual_variables() {
        let read =
            settings(&[AT, (TOKEN, "hvs.x"), (NAMESPACE, "team/a"), (MOUNT, "/a/transit/")], Home::Pod)
                .unwrap();
        assert_eq!(read.server.at("sys/x"), "https://vault.example:8200/v1/sys/x");
        assert_eq!(read.mount, "a/transit");
        assert!(matches!(read.who, Who::Token(token) if token.as_str() == "hvs.x"));
        assert_eq!(read.server.namespace.unwrap(), "team/a");
        let read = settings(&[AT, (ROLE, "ci"), (AUTHORITIES, "/ca.pem")], Home::Pod).unwrap();
        match read.who {
            Who::Pod { role, path, token } => {
                assert_eq!((role.as_str(), path.as_str()), ("ci", "kubernetes"));
                assert_eq!(token, Path::new(place::SERVICE_ACCOUNT).join("token"));
            }
            Who::Token(_) => panic!("a token"),
        }
        assert_eq!(read.trust, Trust::Bundle("/ca.pem".into()));
    }

    #[test]
    fn a_persons_token_is_not_read_in_a_pod() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(LEFT), "hvs.left\n").unwrap();
        let given = [AT, ("HOME", dir.path().to_str().unwrap())];
        assert!(
            matches!(settings(&given, Home::Person).unwrap().who, Who::Token(t) if t.as_str() == "hvs.left")
        );
        let error = settings(&given, Home::Pod).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "no token for Vault is set: neither VAULT_TOKEN nor VAULT_AUTH_ROLE");
    }

    #[test]
    fn what_cannot_be_used_is_told_and_not_repeated() {
        let token = (TOKEN, "canary");
        for (given, why) in [
            (vec![token], "VAULT_ADDR is not set"),
            (
                vec![(ADDRESS, "http://vault.example"), token],
                "VAULT_ADDR must be https where a token is sent to it",
            ),
            (vec![(ADDRESS, "https://u:canary@vault"), token], "VAULT_ADDR must not hold credentials"),
            (vec![AT, (TOKEN, "can ary")], "VAULT_TOKEN is not a token"),
            (vec![AT, token, (MOUNT, "a/../b")], "TRANSIT_SECRET_ENGINE_PATH is not a path in Vault"),
            (vec![AT, token, (MOUNT, "a?b")], "TRANSIT_SECRET_ENGINE_PATH is not a path in Vault"),
            (vec![AT, (ROLE, "r"), (AUTH_PATH, "a b")], "VAULT_AUTH_PATH is not a path in Vault"),
            (vec![AT, token, (NAMESPACE, "a\nb")], "VAULT_NAMESPACE is not a namespace"),
            (
                vec![AT, (TOKEN, "AGE-SECRET-KEY-canary")],
                "VAULT_TOKEN holds a key, and a key is sent to nobody",
            ),
        ] {
            let error = settings(&given, Home::Pod).map(|_| ()).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
        // This machine is told without TLS.
        settings(&[(ADDRESS, "http://127.0.0.1:8200"), token], Home::Pod).unwrap();
    }
}
