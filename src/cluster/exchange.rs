//! One request over a connection of its own: HTTP/1.1 (RFC 9112) over TLS.
//!
//! No redirect is followed: the token is for this server. A proxy is used where Go's client
//! would use one, as Argo's own containers have that; it sees TLS, not the token. The answer
//! is read no further than it matters: of what is changed its head, of what is asked for a
//! body up to a limit.

use std::error::Error;

use argo_attest_core::text::brief;
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Method, Request};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ClusterError;
use crate::net::{self, Client, TooLong};

/// Bytes of a refusal that are read for its reason.
const REFUSAL: usize = 16 * 1024;
/// Bytes of that reason that are kept.
const REASON: usize = 300;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// `GET` of an object.
    Get,
    /// `PATCH` with a JSON merge patch (RFC 7396).
    MergePatch,
    /// `POST` of a new object.
    Post,
}

/// A request, and whom to send it to.
pub(super) struct Exchange<'a> {
    pub(super) host: &'a str,
    pub(super) port: &'a str,
    pub(super) client: Client<String>,
    pub(super) token: &'a str,
    pub(super) verb: Verb,
    pub(super) path: String,
    pub(super) body: String,
}

/// The part of Kubernetes's `Status` that people read.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Exchange<'_> {
    /// Sends it, and waits until it is done. Dropped, it hangs up.
    pub(super) async fn run(self) -> Result<(), ClusterError> {
        self.answer().await.map(drop)
    }

    /// Sends it, and reads an answer of at most `limit` bytes. Dropped, it hangs up.
    pub(super) async fn read(self, limit: usize) -> Result<Vec<u8>, ClusterError> {
        net::read(self.answer().await?, limit).await.map_err(|error| {
            if error.is::<TooLong>() {
                ClusterError::TooLarge { limit }
            } else {
                ClusterError::Unreachable(error)
            }
        })
    }

    /// The answer's body, if it is a success.
    async fn answer(self) -> Result<Incoming, ClusterError> {
        let request = self.request()?;
        let answer = self.client.send(request).await.map_err(|e| ClusterError::Unreachable(e.into()))?;
        let status = answer.status();
        let body = answer.into_body();
        if status.is_success() {
            return Ok(body);
        }
        Err(ClusterError::Refused { status: status.as_u16(), message: reason(body).await })
    }

    fn request(&self) -> Result<Request<String>, ClusterError> {
        let unusable = |error: Box<dyn Error + Send + Sync>| ClusterError::Address(error);
        let port: u16 = self.port.parse().map_err(|e: std::num::ParseIntError| unusable(e.into()))?;
        let (method, kind) = match self.verb {
            Verb::Get => (Method::GET, None),
            Verb::MergePatch => (Method::PATCH, Some("application/merge-patch+json")),
            Verb::Post => (Method::POST, Some("application/json")),
        };
        // RFC 3986 section 3.2.2: an IPv6 address goes in brackets.
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_owned() };
        let bearer = Zeroizing::new(format!("Bearer {}", self.token));
        let mut bearer =
            HeaderValue::from_str(&bearer).map_err(|_| unusable("the token is no header's value".into()))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://{host}:{port}{}", self.path))
            .header(AUTHORIZATION, bearer)
            .header(ACCEPT, "application/json")
            .header(CONNECTION, "close")
            .header(USER_AGENT, concat!("argo-attest/", env!("CARGO_PKG_VERSION")));
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        request.body(self.body.clone()).map_err(|e| unusable(e.into()))
    }
}

/// What the server says of its refusal, if it says it in few bytes.
pub(super) async fn reason(body: Incoming) -> Option<String> {
    let bytes = net::read(body, REFUSAL).await.ok()?;
    let refusal: Refusal = serde_json::from_slice(&bytes).ok()?;
    Some(brief(&refusal.message, REASON))
}
