//! Credentials that a platform gives its containers over HTTP: EKS Pod Identity and ECS.
//!
//! Which address is asked and what it is told come from variables, so both are held to what
//! AWS's SDKs take: over plain HTTP only the platform's own addresses and this machine; and
//! what is read from a file to be sent is a token, never a key. No proxy is used.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use argo_attest_core::secret::shown_path;
use aws_credential_types::Credentials as Keys;
use hyper::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use hyper::{Request, Uri};
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::credentials::text;
use super::fault::Fault;
use super::settings::ConfigError;
use crate::environment::Env;
use crate::net::{self, Anchors, Client, Keep, Proxies, Trust};
use crate::token::Token;

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

/// Where ECS answers.
const ECS: &str = "http://169.254.170.2";
/// Who may be asked over plain HTTP besides this machine: ECS, and EKS Pod Identity's agent.
const PLATFORM: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
/// How long a connection may take: what answers is on this node.
const CONNECT: Duration = Duration::from_secs(2);
/// Bytes of an answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Who gives credentials, and what it is told.
#[derive(Debug, Clone)]
pub struct Container {
    uri: Uri,
    authorization: Authorization,
    trust: Trust,
}

#[derive(Clone)]
enum Authorization {
    None,
    Value(Zeroizing<String>),
    File(PathBuf),
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Value(_) => f.write_str("Value(…)"),
            Self::File(path) => write!(f, "File({})", shown_path(path)),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<Timestamp>,
}

impl Container {
    /// As ECS and EKS set `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`, and
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` or `…_TOKEN`. `None` if neither is set.
    pub fn from_env(env: &dyn Env) -> Result<Option<Self>, ConfigError> {
        let invalid = |name, why| ConfigError::Variable { name, why };
        let uri = if let Some(path) = text(env, RELATIVE)? {
            let uri = Some(format!("{ECS}{path}")).filter(|_| path.starts_with('/'));
            uri.and_then(|uri| uri.parse().ok()).ok_or_else(|| invalid(RELATIVE, "is not a path"))?
        } else if let Some(uri) = text(env, FULL)? {
            let uri: Uri = uri.parse().map_err(|_| invalid(FULL, "is not an address"))?;
            allowed(&uri).map_err(|why| invalid(FULL, why))?;
            uri
        } else {
            return Ok(None);
        };
        let file = env.var(TOKEN_FILE).filter(|value| !value.is_empty());
        let authorization = match (file, text(env, TOKEN)?) {
            (Some(file), _) => Authorization::File(file.into()),
            (None, Some(value)) => Authorization::Value(value.into()),
            (None, None) => Authorization::None,
        };
        Ok(Some(Self { uri, authorization, trust: Trust::from_env(env) }))
    }

    /// Who answers, for people.
    pub(super) fn name(&self) -> String {
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        format!("the container's credentials endpoint, {authority},")
    }

    /// Asks for credentials, once.
    pub(super) async fn fetch(&self) -> Result<Keys, Fault> {
        let broken = |error: net::Source| Fault::SignIn { server: self.name(), source: error };
        let request = self.request()?;
        let anchors = match self.uri.scheme_str() {
            Some("https") => self
                .trust
                .anchors()
                .map_err(|error| Fault::Settings(ConfigError::trust(error, &self.name())))?,
            _ => Anchors::none(),
        };
        let client = Client::new(anchors, Proxies::none(), Some(CONNECT), Keep::Nothing)
            .map_err(|error| Fault::Settings(ConfigError::Request(error.into())))?;
        let reply = client.send(request).await.map_err(|error| broken(error.into()))?;
        let status = reply.status();
        if status.is_server_error() || status.as_u16() == 429 {
            return Err(broken(format!("it answered {}", status.as_u16()).into()));
        }
        if !status.is_success() {
            let said = format!("it answered {}", status.as_u16());
            return Err(Fault::Settings(ConfigError::SignIn { server: self.name(), said }));
        }
        let body = Zeroizing::new(net::read(reply.into_body(), MAX_ANSWER).await.map_err(broken)?);
        // What was read may be part of the parser's complaint, and is a secret.
        let given: Given =
            serde_json::from_slice(&body).map_err(|_| broken("its answer could not be understood".into()))?;
        let expiry = given.expiration.map(SystemTime::from);
        Ok(Keys::new(given.access_key_id, given.secret_access_key, given.token, expiry, "container"))
    }

    fn request(&self) -> Result<Request<String>, Fault> {
        let token = match &self.authorization {
            Authorization::None => None,
            Authorization::Value(value) => Some(value.clone()),
            Authorization::File(path) => {
                let token = Token::read(path).map_err(|source| {
                    Fault::Settings(ConfigError::ContainerToken { path: shown_path(path), source })
                })?;
                Some(Zeroizing::new(token.as_str().to_owned()))
            }
        };
        let mut request = Request::get(&self.uri).header(ACCEPT, "application/json");
        if let Some(token) = token {
            let invalid =
                |_| Fault::Settings(ConfigError::Variable { name: TOKEN, why: "has more than one line" });
            let mut value = HeaderValue::from_str(&token).map_err(invalid)?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(String::new()).map_err(|error| Fault::Settings(ConfigError::Request(error.into())))
    }
}

/// Over plain HTTP, only whom nobody else can pose as.
fn allowed(uri: &Uri) -> Result<(), &'static str> {
    let host = uri.host().filter(|host| !host.is_empty()).ok_or("is not an address")?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("must not hold credentials");
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") => {
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
            let address = bare.parse::<IpAddr>();
            let own = address.as_ref().map_or(bare == "localhost", IpAddr::is_loopback);
            let platform = address.is_ok_and(|address| {
                PLATFORM.iter().any(|known| known.parse().is_ok_and(|known: IpAddr| known == address))
            });
            if own || platform { Ok(()) } else { Err("must be https, or the platform's own address") }
        }
        _ => Err("is not an address"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn read(name: &str, value: &str) -> Result<Option<Container>, String> {
        let (name, value) = (name.to_owned(), OsString::from(value));
        let env = move |asked: &str| Some(value.clone()).filter(|_| asked == name);
        Container::from_env(&env).map_err(|error| error.to_string())
    }

    #[test]
    fn only_the_platform_is_asked_over_plain_http() {
        for good in [
            "http://169.254.170.23/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://169.254.170.2/x",
            "http://127.0.0.1:8080/x",
            "http://localhost/x",
            "https://credentials.example.com/x",
        ] {
            assert_eq!(read(FULL, good).unwrap().unwrap().uri.to_string(), good);
        }
        for bad in [
            "http://169.254.170.24/x",
            "http://169.254.169.254/x",
            "http://credentials.example.com/x",
            "http://localhost.example.com/x",
            "http://169.254.170.23@evil.example/x",
            "http://10.0.0.1/x",
            "ftp://169.254.170.2/x",
            "/v1/credentials",
            "169.254.170.2",
        ] {
            let error = read(FULL, bad).unwrap_err();
            assert!(error.starts_with(FULL), "{bad}: {error}");
        }
        let relative = read(RELATIVE, "/v2/credentials/x").unwrap().unwrap();
        assert_eq!(relative.uri.to_string(), "http://169.254.170.2/v2/credentials/x");
        for bad in ["@evil.example/x", ".evil.example/x", "evil"] {
            read(RELATIVE, bad).unwrap_err();
        }
        assert!(read("AWS_REGION", "x").unwrap().is_none());
    }
}
