//! One question and its answer over HTTP: within a deadline, and no more of it than is wanted.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use tokio::time::timeout;

use super::error::ServiceError;
use super::patience::Limits;
use crate::net::{self, Anchors, Client, Keep, Proxies, TooLong, Trust, TrustError};

/// Bytes of an answer that are read. A key of Vault's with a hundred versions has some 20 kB.
const MAX_ANSWER: usize = 256 * 1024;

/// Asks one service.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    client: Client<Full<Bytes>>,
    attempt: Duration,
}

/// What it answered.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Http {
    /// Of a server that is asked over TLS, `trust` says who is believed. Of one that is not,
    /// nobody is, but for a proxy.
    pub(crate) fn new(
        secure: bool,
        trust: &Trust,
        proxies: Proxies,
        limits: Limits,
    ) -> Result<Self, ServiceError> {
        let anchors = if secure || proxies.speak_tls() { trust.anchors() } else { Ok(Anchors::none()) };
        let anchors = anchors.map_err(|error| untrusted(&error))?;
        let unusable = |error: rustls::Error| ServiceError::Unreachable(error.into());
        let client = Client::new(anchors, proxies, Some(limits.attempt), Keep::Alive).map_err(unusable)?;
        Ok(Self { client, attempt: limits.attempt })
    }

    /// Sends it, and reads all of the answer.
    pub(crate) async fn ask(&self, request: Request<impl Into<Bytes>>) -> Result<Reply, ServiceError> {
        let request = request.map(|body| Full::new(body.into()));
        let asked = async {
            let answer = self.client.send(request).await.map_err(|e| ServiceError::Unreachable(e.into()))?;
            let (head, body) = answer.into_parts();
            let body = net::read(body, MAX_ANSWER).await.map_err(|error| {
                if error.is::<TooLong>() {
                    ServiceError::Odd("it is longer than is read")
                } else {
                    ServiceError::Unreachable(error)
                }
            })?;
            Ok(Reply { status: head.status, headers: head.headers, body })
        };
        let late = ServiceError::Late { seconds: self.attempt.as_secs() };
        timeout(self.attempt, asked).await.unwrap_or(Err(late))
    }
}

fn untrusted(error: &TrustError) -> ServiceError {
    ServiceError::Settings {
        what: argo_attest_core::text::causes(error),
        remedy: "name a file of the CA certificates that its certificate is signed by: VAULT_CACERT, \
                 AWS_CA_BUNDLE or SSL_CERT_FILE"
            .into(),
    }
}
