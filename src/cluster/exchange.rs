//! One request over a connection of its own: HTTP/1.1 (RFC 9112) over TLS.
//!
//! No redirect is followed and no proxy used: the token is for this server. The
//! answer is read no further than it matters: of what is changed its head, of what
//! is asked for a body up to a limit.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use argo_attest_core::text::brief;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::ClusterError;

/// Bytes of an answer's head.
const HEAD: usize = 16 * 1024;
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
    pub(super) tls: Arc<ClientConfig>,
    pub(super) token: &'a str,
    pub(super) verb: Verb,
    pub(super) path: String,
    pub(super) body: String,
}

/// A success, whose body has not been read yet.
struct Answer {
    body: Incoming,
    /// The connection, which ends with it.
    driving: JoinSet<hyper::Result<()>>,
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
        let Answer { mut body, driving: _driving } = self.answer().await?;
        // What announces too much is not read at all.
        if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(ClusterError::TooLarge { limit });
        }
        let mut bytes = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|e| ClusterError::Unreachable(e.into()))?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len() + data.len() > limit {
                return Err(ClusterError::TooLarge { limit });
            }
            bytes.extend_from_slice(data);
        }
        Ok(bytes)
    }

    /// The answer, if it is a success.
    async fn answer(self) -> Result<Answer, ClusterError> {
        let unusable = |error: Box<dyn Error + Send + Sync>| ClusterError::Address(error);
        let unreachable = |error: Box<dyn Error + Send + Sync>| ClusterError::Unreachable(error);
        let port: u16 = self.port.parse().map_err(|e: std::num::ParseIntError| unusable(e.into()))?;
        let name = ServerName::try_from(self.host.to_owned()).map_err(|e| unusable(e.into()))?;
        let request = self.request(port)?;
        let tcp = TcpStream::connect((self.host, port)).await.map_err(|e| unreachable(e.into()))?;
        let tls = TlsConnector::from(self.tls).connect(name, tcp).await;
        let stream = TokioIo::new(tls.map_err(|e| unreachable(e.into()))?);
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD)
            .handshake(stream)
            .await
            .map_err(|e| unreachable(e.into()))?;
        let mut driving = JoinSet::new();
        driving.spawn(connection);
        let answer: Response<Incoming> =
            sender.send_request(request).await.map_err(|e| unreachable(e.into()))?;
        let status = answer.status();
        let body = answer.into_body();
        if status.is_success() {
            return Ok(Answer { body, driving });
        }
        Err(ClusterError::Refused { status: status.as_u16(), message: reason(body).await })
    }

    fn request(&self, port: u16) -> Result<Request<String>, ClusterError> {
        let unusable = |error: Box<dyn Error + Send + Sync>| ClusterError::Address(error);
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
            .uri(&self.path)
            .header(HOST, format!("{host}:{port}"))
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
async fn reason(mut body: Incoming) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        bytes.extend_from_slice(frame.ok()?.data_ref()?);
        if bytes.len() > REFUSAL {
            return None;
        }
    }
    let refusal: Refusal = serde_json::from_slice(&bytes).ok()?;
    Some(brief(&refusal.message, REASON))
}
