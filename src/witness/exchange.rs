//! One who is asked over HTTP: where, how long, and what a refusal means.

use argo_attest_core::text::brief;
use hyper::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use tokio::time::Instant;

use crate::service::{Http, Limits, Reply, ServiceError};
use crate::store::s3::Endpoint;

/// Characters of a refusal that are repeated.
const SAID: usize = 200;

/// One service.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) http: Http,
    pub(super) endpoint: Endpoint,
    pub(super) limits: Limits,
}

/// For which part of the time for all tries another is begun: a service that is not there is told of soon, and
/// one that takes its time may take it.
const AGAIN: u32 = 4;

/// What is sent.
pub(super) struct Question {
    pub(super) method: Method,
    /// Behind the service's address.
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) accept: &'static str,
    pub(super) body: Vec<u8>,
}

impl Exchange {
    /// Asks once; what came back, whatever it says.
    pub(super) async fn ask(&self, question: &Question) -> Result<Reply, ServiceError> {
        let request = Request::builder()
            .method(&question.method)
            .uri(format!("{}{}", self.endpoint, question.path))
            .header(CONTENT_TYPE, question.content_type)
            .header(ACCEPT, question.accept)
            .header(USER_AGENT, concat!("argo-attest/", env!("CARGO_PKG_VERSION")))
            .body(question.body.clone());
        let request = request.map_err(|_| ServiceError::Odd("its address makes no request"))?;
        self.http.ask(request).await
    }
}

impl Exchange {
    /// Asks until there is an answer. What the question fails with in vain, inside, is not asked for again;
    /// what it fails with otherwise is, for a while, where that may help.
    pub(super) async fn persist<F>(
        &self,
        until: Option<Instant>,
        question: impl Fn() -> F,
    ) -> Result<Vec<u8>, ServiceError>
    where
        F: Future<Output = Result<Result<Vec<u8>, ServiceError>, ServiceError>>,
    {
        let enough = Instant::now() + self.limits.total / AGAIN;
        // Whoever is dropped in mid-pause says nothing of why; a pause is at most as long again by chance.
        let until = until.map(|until| until.checked_sub(self.limits.longest_pause * 2).unwrap_or(until));
        let enough = until.map_or(enough, |until| enough.min(until));
        let question = || async {
            match question().await {
                Err(error) if Instant::now() >= enough => Ok(Err(error)),
                answer => answer,
            }
        };
        self.limits.ask(|_| false, question).await.flatten()
    }
}

/// The answer's bytes, if it is one of success.
pub(super) fn done(reply: Reply) -> Result<Vec<u8>, ServiceError> {
    if reply.status.is_success() { Ok(reply.body) } else { Err(refused(&reply)) }
}

/// What a status other than success is.
pub(super) fn refused(reply: &Reply) -> ServiceError {
    let busy = [
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    let text = String::from_utf8_lossy(&reply.body);
    let text = argo_attest_core::secret::redacted(text.trim());
    let said = if text.is_empty() { String::new() } else { format!(": {}", brief(&text, SAID)) };
    ServiceError::Refused {
        said: format!("{}{said}", reply.status.as_u16()),
        is_passing: busy.contains(&reply.status),
        is_sign_in: false,
        remedy: "check its address, and that it takes what it is sent".to_owned(),
    }
}
