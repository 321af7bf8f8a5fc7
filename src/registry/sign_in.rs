//! Telling a registry who asks, in the way that it wants to be told.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hyper::header::{ACCEPT, HeaderValue, WWW_AUTHENTICATE};
use hyper::{HeaderMap, Method, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::challenge::Challenge;
use super::client::{Ask, At, Http};
use super::login::Login;
use super::{NoLogin, RegistryError};

/// Bytes of a token's answer.
const TOKEN: usize = 256 * 1024;

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

impl Http {
    /// What to tell the registry of who we are; nothing if it would not help.
    pub(super) async fn sign_in(
        &self,
        ask: &Ask<'_>,
        headers: &HeaderMap,
        scope: &str,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        let login = self.who.login(ask.repository.registry()).await;
        let none = |why: NoLogin| RegistryError::NoLogin { what: ask.what.clone(), why: Box::new(why) };
        let login = login.map_err(none)?;
        let login = login.as_ref();
        if let Some(Login::Token(token)) = login {
            return Ok(bearer(token));
        }
        let all = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|header| Challenge::of(header.to_str().ok()?));
        match all.min_by_key(|challenge| *challenge == Challenge::Basic) {
            Some(Challenge::Basic) => Ok(match login {
                Some(Login::Password { user, password } | Login::Direct { user, password }) => {
                    basic(user, password)
                }
                _ => None,
            }),
            Some(Challenge::Bearer { .. }) if matches!(login, Some(Login::Direct { .. })) => Ok(None),
            Some(Challenge::Bearer { realm, service }) => {
                self.token(ask, login, &realm, service.as_deref(), scope).await
            }
            None => Ok(None),
        }
    }

    /// A token from whom the registry names (OCI Distribution's token authentication; OAuth 2.0
    /// where we hold what is exchanged for one).
    async fn token(
        &self,
        ask: &Ask<'_>,
        login: Option<&Login>,
        realm: &str,
        service: Option<&str>,
        scope: &str,
    ) -> Result<Option<HeaderValue>, RegistryError> {
        let nonsense = |why: &str| RegistryError::Nonsense { what: ask.what.clone(), why: why.to_owned() };
        let realm_uri: Uri = realm.parse().map_err(|_| nonsense("where it gives tokens is no address"))?;
        if realm_uri.scheme_str() != Some("https") && !(self.plain && realm_uri.scheme_str() == Some("http"))
        {
            return Err(nonsense("it gives tokens without TLS"));
        }
        let mut query = vec![("scope", scope)];
        query.extend(service.map(|service| ("service", service)));
        let (method, at, kind, body, authorization) = match login {
            Some(Login::Identity(identity)) => {
                query.extend([
                    ("grant_type", "refresh_token"),
                    ("client_id", "argo-attest"),
                    ("refresh_token", identity),
                ]);
                let form = Some("application/x-www-form-urlencoded".to_owned());
                (Method::POST, realm_uri, form, Bytes::from(encoded(&query)), None)
            }
            login => {
                let joint = if realm.contains('?') { '&' } else { '?' };
                let at = format!("{realm}{joint}{}", encoded(&query));
                let at = at.parse().map_err(|_| nonsense("where it gives tokens is no address"))?;
                let authorization = match login {
                    Some(Login::Password { user, password }) => basic(user, password),
                    _ => None,
                };
                (Method::GET, at, None, Bytes::new(), authorization)
            }
        };
        let headers = vec![(ACCEPT, "application/json")];
        let what = format!("{}'s token for {}", ask.repository.registry(), ask.what);
        let asked = Ask { method, at: At::Address(at), kind, body, headers, what, ..ask.clone() };
        let answer = self.persist(&asked, authorization.as_ref(), TOKEN).await?;
        let body = Zeroizing::new(answer.body);
        if !answer.status.is_success() {
            return Err(RegistryError::Denied {
                what: ask.what.clone(),
                said: format!("no token: {}", answer.status),
                advice: self.who.advice(ask.repository.registry()),
            });
        }
        let given: Given = argo_attest_core::json::parse(&body, TOKEN)
            .map_err(|_| nonsense("what should be a token is none"))?;
        let [token, access_token] = [given.token, given.access_token].map(Zeroizing::new);
        let token = if token.is_empty() { access_token } else { token };
        bearer(&token).map(Some).ok_or_else(|| nonsense("what should be a token is none"))
    }
}

fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    sensitive(&format!("Basic {}", BASE64_STANDARD.encode(pair.as_bytes())))
}

fn bearer(token: &str) -> Option<HeaderValue> {
    if token.is_empty() { None } else { sensitive(&format!("Bearer {token}")) }
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What may stand in a query or a form as it is (RFC 3986 section 2.3).
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A query, or a form, of names that may stand as they are.
fn encoded(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", utf8_percent_encode(value, &RESERVED));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}
