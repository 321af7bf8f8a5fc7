//! Who we are to Vault, while it lasts: a token that is given, or one that Vault gives a pod for
//! the token of its service account (its auth method `kubernetes`).

use std::fmt;
use std::path::Path;
use std::time::Duration;

use argo_attest_core::secret::shown_path;
use argo_attest_core::text::causes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::answer;
use super::settings::{Server, Who};
use crate::service::{Http, Reply, ServiceError};
use crate::token::Token;

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// What Vault's agents want of each request, so that no web page can make one.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

/// A token is renewed so long before it ends.
const MARGIN: Duration = Duration::from_secs(15);
/// Seconds that a token lasts of which Vault says nothing, or that it is for ever.
const LASTS: u64 = 3600;

/// Asks Vault, as who we are.
pub(super) struct Login {
    who: Who,
    server: Server,
    http: Http,
    /// What Vault gave, and until when it is good.
    given: Mutex<Option<(Zeroizing<String>, Instant)>>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("server", &self.server).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Option<Auth>,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
    #[serde(default)]
    lease_duration: u64,
}

impl Login {
    pub(super) fn new(who: Who, server: Server, http: Http) -> Self {
        Self { who, server, http, given: Mutex::default() }
    }

    /// `GET`, or `POST` of a body; a success's body.
    pub(super) async fn ask(&self, path: &str, body: Option<Value>) -> Result<Vec<u8>, ServiceError> {
        let token = self.token().await?;
        let reply = self.http.ask(self.request(path, body, Some(&token))?).await?;
        answer::success(reply, &token)
    }

    /// Forgets a token that Vault gave and does not take any more; `false` if there never will be
    /// another.
    pub(super) fn renew(&self) -> bool {
        if let Who::Token(_) = self.who {
            return false;
        }
        // Where it is held, somebody else is at it.
        if let Ok(mut given) = self.given.try_lock() {
            *given = None;
        }
        true
    }

    async fn token(&self) -> Result<Zeroizing<String>, ServiceError> {
        let (role, path, file) = match &self.who {
            Who::Token(token) => return Ok(token.clone()),
            Who::Pod { role, path, token } => (role, path, token),
        };
        // One signs in; the others wait for what comes of it.
        let mut given = self.given.lock().await;
        if let Some((token, end)) = &*given
            && Instant::now() + MARGIN < *end
        {
            return Ok(token.clone());
        }
        let pod = pod_token(file)?;
        let body = json!({"role": role, "jwt": pod.as_str()});
        let reply: Reply =
            self.http.ask(self.request(&format!("auth/{path}/login"), Some(body), None)?).await?;
        let body = Zeroizing::new(answer::login(reply, pod.as_str())?);
        let odd = ServiceError::Odd("it has no token");
        let Ok(LoggedIn { auth: Some(Auth { client_token, lease_duration }) }) =
            serde_json::from_slice(&body)
        else {
            return Err(odd);
        };
        let client_token = Zeroizing::new(client_token);
        if client_token.is_empty() {
            return Err(odd);
        }
        let seconds = if lease_duration == 0 { LASTS } else { lease_duration.min(LASTS) };
        *given = Some((client_token.clone(), Instant::now() + Duration::from_secs(seconds)));
        Ok(client_token)
    }

    fn request(
        &self,
        path: &str,
        body: Option<Value>,
        token: Option<&str>,
    ) -> Result<Request<String>, ServiceError> {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(self.server.at(path))
            .header(REQUEST, "true")
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("argo-attest/", env!("CARGO_PKG_VERSION")));
        if let Some(namespace) = &self.server.namespace {
            request = request.header(NAMESPACE, namespace);
        }
        if let Some(token) = token {
            let mut value =
                HeaderValue::from_str(token).map_err(|_| ServiceError::Odd("its token is none"))?;
            value.set_sensitive(true);
            request = request.header(TOKEN, value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        request.body(body).map_err(|e| ServiceError::Unreachable(e.into()))
    }
}

/// Read each time: the kubelet replaces it.
fn pod_token(file: &Path) -> Result<Token, ServiceError> {
    Token::read(file).map_err(|error| ServiceError::Settings {
        what: format!("the pod's token, {}, is not sent: {}", shown_path(file), causes(&error)),
        remedy: "mount a projected service account token, and name its file in VAULT_AUTH_TOKEN_FILE".into(),
    })
}
