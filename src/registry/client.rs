//! Requests to registries: who asks, how often, and how much of an answer is read.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{Registry, Repository};
use argo_attest_core::text::brief;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use serde::Deserialize;

use super::who::Who;
use super::{Access, RegistryError};
use crate::environment::Env;
use crate::net::{self, Anchors, Client, Keep, Proxies, Source, TooLong, Trust};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one request may take, its answer included.
const REQUEST: Duration = Duration::from_mins(1);
/// How often something is asked for that was not answered.
const ATTEMPTS: u32 = 3;
/// The first pause before it is asked for again.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause that a registry may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Bytes of a refusal that are read, and of it that are told.
const REFUSAL: usize = 16 * 1024;
const REASON: usize = 300;
/// Places to which an answer may send us on.
const REDIRECTS: usize = 4;

/// Speaks with registries. Clones share connections; tokens are kept for as long as it lives.
#[derive(Debug)]
pub(super) struct Http {
    client: Client<Bodied>,
    pub(super) who: Who,
    pub(super) plain: bool,
    tokens: Mutex<HashMap<(Registry, String), HeaderValue>>,
}

type Bodied = http_body_util::Full<Bytes>;

/// What is asked for.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) repository: &'a Repository,
    pub(super) access: Access,
    /// Beneath `/v2/NAME/`, or a whole address that the registry gave.
    pub(super) at: At,
    pub(super) headers: Vec<(HeaderName, &'static str)>,
    pub(super) kind: Option<String>,
    pub(super) body: Bytes,
    /// As it is told to people.
    pub(super) what: String,
}

#[derive(Debug, Clone)]
pub(super) enum At {
    Path(String),
    Address(Uri),
}

/// An answer, no more of it read than was wanted.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Where it came from.
    pub(super) from: Uri,
}

/// OCI Distribution 1.1, "Error Codes".
#[derive(Deserialize)]
struct Refusals {
    errors: Vec<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Http {
    pub(super) fn new(env: &dyn Env, who: Who, plain: bool) -> Result<Self, RegistryError> {
        let anchors = match Trust::from_env(env).anchors() {
            Ok(anchors) => anchors,
            Err(net::TrustError::NoneFound) if plain => Anchors::none(),
            Err(error) => return Err(RegistryError::Trust(error)),
        };
        let settings = |error: Source| RegistryError::Settings(error);
        let proxies = Proxies::from_env(env).map_err(|error| settings(error.into()))?;
        let client = Client::new(anchors, proxies, Some(CONNECT), Keep::Alive)
            .map_err(|error| settings(error.into()))?;
        Ok(Self { client, who, plain, tokens: Mutex::default() })
    }

    /// Asks, tells who we are if that is wanted, and gives the answer if it is a success, or one
    /// of the `expected`. At most `limit` bytes of it are read.
    pub(super) async fn ask(
        &self,
        ask: &Ask<'_>,
        expected: &[StatusCode],
        limit: usize,
    ) -> Result<Answer, RegistryError> {
        let scope = ask.access.scope(ask.repository);
        let known = (ask.repository.registry().clone(), scope.clone());
        let home = self.home(ask.repository);
        let is_home = |at: &Uri| home.as_ref().is_ok_and(|home| is_same_server(home, at));
        // Whither the registry sent us, and what comes after that, is told nothing of who we are.
        let is_own = self.address(ask).is_ok_and(|at| is_home(&at));
        let known_token = || self.tokens.lock().ok()?.get(&known).cloned();
        let mut authorization = if is_own { known_token() } else { None };
        let answer = self.persist(ask, authorization.as_ref(), limit).await?;
        let asks_us = answer.status == StatusCode::UNAUTHORIZED && is_own && is_home(&answer.from);
        let answer = if asks_us {
            if authorization.is_some() {
                self.who.refused(ask.repository.registry()).await;
            }
            authorization = self.sign_in(ask, &answer.headers, &scope).await?;
            let Some(authorization) = authorization else { return Err(self.refused(ask, &answer)) };
            let again = self.persist(ask, Some(&authorization), limit).await?;
            if let (Ok(mut tokens), true) = (self.tokens.lock(), again.status != StatusCode::UNAUTHORIZED) {
                tokens.insert(known, authorization);
            }
            again
        } else {
            answer
        };
        if answer.status.is_success() || expected.contains(&answer.status) {
            return Ok(answer);
        }
        Err(self.refused(ask, &answer))
    }

    /// Asks again while there is no answer that means anything.
    pub(super) async fn persist(
        &self,
        ask: &Ask<'_>,
        authorization: Option<&HeaderValue>,
        limit: usize,
    ) -> Result<Answer, RegistryError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (error, wait) =
                match tokio::time::timeout(REQUEST, self.follow(ask, authorization, limit)).await {
                    Ok(Ok(answer)) if is_passing(answer.status) => {
                        let wait = wanted_pause(&answer.headers);
                        let said = said(&answer);
                        (Source::from(format!("it answered {said}")), wait)
                    }
                    Ok(Ok(answer)) => return Ok(answer),
                    Ok(Err(error)) if error.is::<TooLong>() => {
                        return Err(RegistryError::TooLarge { what: ask.what.clone(), limit });
                    }
                    Ok(Err(error)) => (error, None),
                    Err(_) => (Source::from(format!("no answer within {REQUEST:?}")), None),
                };
            if attempts >= ATTEMPTS {
                let (what, server) = (ask.what.clone(), ask.repository.registry().server().to_owned());
                return Err(RegistryError::Unreachable { what, server, attempts, source: error });
            }
            let doubled = PAUSE.saturating_mul(1 << attempts);
            tokio::time::sleep(wait.unwrap_or(doubled).min(LONGEST_PAUSE)).await;
        }
    }

    /// One request, and whither its answer sends us, if it is a question only.
    async fn follow(
        &self,
        ask: &Ask<'_>,
        authorization: Option<&HeaderValue>,
        limit: usize,
    ) -> Result<Answer, Source> {
        let own = self.address(ask)?;
        let mut at = own.clone();
        for _ in 0..=REDIRECTS {
            // Who we are is for the registry alone: where blobs lie is somebody else's server.
            let authorization = authorization.filter(|_| is_same_server(&at, &own));
            let reply = self.client.send(request(ask, &at, authorization)?).await?;
            let is_question = matches!(ask.method, Method::GET | Method::HEAD);
            if !(is_question && reply.status().is_redirection()) {
                return read(reply, at, limit).await;
            }
            at = self.next(&at, reply.headers())?;
        }
        Err("it sends us on and on".into())
    }

    fn next(&self, from: &Uri, headers: &HeaderMap) -> Result<Uri, Source> {
        let location = headers.get(LOCATION).ok_or("it sends us on and does not say whither")?;
        let next = resolve(from, location.to_str()?)?;
        let downgrade =
            next.scheme_str() != Some("https") && !(self.plain && from.scheme_str() == Some("http"));
        if downgrade { Err("it sends us to a place without TLS".into()) } else { Ok(next) }
    }

    fn address(&self, ask: &Ask<'_>) -> Result<Uri, Source> {
        match &ask.at {
            At::Address(address) => Ok(address.clone()),
            At::Path(path) => Ok(format!("{}{path}", self.home(ask.repository)?).parse()?),
        }
    }

    /// Beneath which all of a repository is asked for.
    fn home(&self, repository: &Repository) -> Result<Uri, Source> {
        let scheme = if self.plain { "http" } else { "https" };
        let (server, name) = (repository.registry().server(), repository.name());
        Ok(format!("{scheme}://{server}/v2/{name}/").parse()?)
    }

    fn refused(&self, ask: &Ask<'_>, answer: &Answer) -> RegistryError {
        let (what, said) = (ask.what.clone(), said(answer));
        match answer.status {
            StatusCode::NOT_FOUND => {
                let by_registry = refusal(&answer.body).is_some_and(|refusal| !refusal.code.is_empty());
                RegistryError::NotFound { what, by_registry }
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                RegistryError::Denied { what, said, advice: self.who.advice(ask.repository.registry()) }
            }
            _ => RegistryError::Refused { what, said },
        }
    }
}

fn request(ask: &Ask<'_>, at: &Uri, authorization: Option<&HeaderValue>) -> Result<Request<Bodied>, Source> {
    let mut request = Request::builder()
        .method(ask.method.clone())
        .uri(at)
        .header(USER_AGENT, concat!("argo-attest/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &ask.headers {
        request = request.header(name, *value);
    }
    if let Some(kind) = &ask.kind {
        request = request.header(CONTENT_TYPE, kind);
    }
    if let Some(authorization) = authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    if ask.body.is_empty() && !matches!(ask.method, Method::GET | Method::HEAD) {
        request = request.header(CONTENT_LENGTH, 0);
    }
    Ok(request.body(Bodied::new(ask.body.clone()))?)
}

async fn read(reply: Response<Incoming>, from: Uri, limit: usize) -> Result<Answer, Source> {
    let (parts, body) = reply.into_parts();
    // What is no success is read for its reason alone.
    let limit = if parts.status.is_success() { limit } else { REFUSAL };
    let body = match net::read(body, limit).await {
        Err(error) if error.is::<TooLong>() && !parts.status.is_success() => Vec::new(),
        read => read?,
    };
    Ok(Answer { status: parts.status, headers: parts.headers, body, from })
}

fn is_same_server(one: &Uri, other: &Uri) -> bool {
    (one.scheme(), one.authority()) == (other.scheme(), other.authority())
}

/// Whether it may be another answer the next time.
fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || status.is_server_error()
}

fn wanted_pause(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

/// The answer in one line: its status and the registry's own words.
fn said(answer: &Answer) -> String {
    let status = answer.status.as_u16();
    match refusal(&answer.body) {
        Some(Refusal { code, message }) if message.is_empty() => format!("{status} {}", brief(&code, REASON)),
        Some(Refusal { message, .. }) => format!("{status} {}", brief(&message, REASON)),
        None => answer.status.to_string(),
    }
}

/// The first of the registry's own words, if they are such.
fn refusal(body: &[u8]) -> Option<Refusal> {
    serde_json::from_slice::<Refusals>(body).ok()?.errors.into_iter().next()
}

/// RFC 3986 section 5: an address from there, as far as registries give such.
pub(super) fn resolve(from: &Uri, to: &str) -> Result<Uri, Source> {
    if to.starts_with('/') && !to.starts_with("//") {
        let (scheme, authority) = (from.scheme_str().unwrap_or("https"), from.authority().ok_or("no host")?);
        return Ok(format!("{scheme}://{authority}{to}").parse()?);
    }
    let uri: Uri = to.parse()?;
    if uri.authority().is_none() || uri.scheme().is_none() {
        return Err("an address without a host".into());
    }
    Ok(uri)
}

/// That these are the bytes which have that digest.
pub(super) fn checked(what: &str, bytes: &[u8], digest: Sha256Digest) -> Result<(), RegistryError> {
    let found = Sha256Digest::of(bytes);
    if found == digest {
        return Ok(());
    }
    Err(RegistryError::OtherBytes { what: what.to_owned(), found: found.to_string() })
}
