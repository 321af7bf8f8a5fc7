//! A timestamp authority over HTTP (RFC 3161 section 3.4).

use argo_attest_core::proof::asking::{Fresh, TimestampQuery, Word};
use async_trait::async_trait;
use hyper::Method;
use tokio::time::Instant;

use super::error::WitnessError;
use super::exchange::{Exchange, Question, done};
use super::port::Witness;
use crate::service::ServiceError;

/// One authority.
#[derive(Debug)]
pub(super) struct TimestampAuthority {
    name: String,
    exchange: Exchange,
}

impl TimestampAuthority {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self { name: format!("the timestamp authority {}", exchange.endpoint), exchange }
    }
}

#[async_trait]
impl Witness for TimestampAuthority {
    async fn ask(&self, fresh: &Fresh<'_>, until: Option<Instant>) -> Result<Word, WitnessError> {
        let asked = |source| WitnessError::Asked { who: self.name.clone(), source };
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce)
            .map_err(|_| asked(ServiceError::Odd("there is no randomness to ask with")))?;
        let query = TimestampQuery::new(fresh, nonce);
        let question = Question {
            method: Method::POST,
            path: String::new(),
            content_type: "application/timestamp-query",
            accept: "application/timestamp-reply",
            body: query.to_der(),
        };
        let once = || async { done(self.exchange.ask(&question).await?).map(Ok) };
        let answer = self.exchange.persist(until, once).await.map_err(asked)?;
        query.answer(&answer).map_err(|source| WitnessError::Answer { who: self.name.clone(), source })
    }

    fn name(&self) -> &str {
        &self.name
    }
}
