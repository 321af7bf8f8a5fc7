//! Rekor, by both of its interfaces.

use std::sync::atomic::{AtomicBool, Ordering};

use argo_attest_core::proof::asking::{Fresh, Rekor1, Rekor2, Word};
use async_trait::async_trait;
use hyper::header::LOCATION;
use hyper::{Method, StatusCode};
use tokio::time::Instant;

use super::error::WitnessError;
use super::exchange::{Exchange, Question, done, refused};
use super::port::Witness;
use crate::net::is_unconnected;
use crate::service::{Reply, ServiceError};

const JSON: &str = "application/json";

/// A log of Rekor 1.
#[derive(Debug)]
pub(super) struct Log1 {
    name: String,
    exchange: Exchange,
}

/// A log of Rekor 2.
#[derive(Debug)]
pub(super) struct Log2 {
    name: String,
    exchange: Exchange,
}

fn question(method: Method, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Question {
    Question { method, path: path.into(), content_type: JSON, accept: JSON, body: body.into() }
}

impl Log1 {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self { name: format!("the log {}", exchange.endpoint), exchange }
    }

    /// Where the entry is, of a log that has it already: an answer that was lost was its first.
    fn existing(reply: &Reply) -> Result<String, ServiceError> {
        let location = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let path = location.and_then(Rekor1::existing);
        path.ok_or(ServiceError::Odd("it has the entry already, and does not say where"))
    }
}

#[async_trait]
impl Witness for Log1 {
    async fn ask(&self, fresh: &Fresh<'_>, until: Option<Instant>) -> Result<Word, WitnessError> {
        let posted = question(Method::POST, Rekor1::PATH, Rekor1::request(fresh));
        let is_existing = AtomicBool::new(false);
        let (posted, existing) = (&posted, &is_existing);
        let once = || async move {
            let reply = self.exchange.ask(posted).await?;
            existing.store(reply.status == StatusCode::CONFLICT, Ordering::Relaxed);
            if reply.status != StatusCode::CONFLICT {
                return done(reply).map(Ok);
            }
            done(self.exchange.ask(&question(Method::GET, Self::existing(&reply)?, "")).await?).map(Ok)
        };
        let answer = self.exchange.persist(until, once).await;
        let answer = answer.map_err(|source| WitnessError::Asked { who: self.name.clone(), source })?;
        let word = Rekor1::answer(&answer);
        let word = word.map_err(|source| WitnessError::Answer { who: self.name.clone(), source })?;
        Ok(if is_existing.into_inner() { word.existing() } else { word })
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Log2 {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self { name: format!("the log {}", exchange.endpoint), exchange }
    }
}

#[async_trait]
impl Witness for Log2 {
    async fn ask(&self, fresh: &Fresh<'_>, until: Option<Instant>) -> Result<Word, WitnessError> {
        let (who, kind) = (self.name.clone(), fresh.key().kind());
        let request = Rekor2::request(fresh).ok_or(WitnessError::Key { who, kind })?;
        let posted = question(Method::POST, Rekor2::PATH, request);
        let posted = &posted;
        // What it has already it gives to nobody a second time: whoever lost an answer is not helped by asking again,
        // and learns less than from how the answer was lost.
        let once = || async move {
            match self.exchange.ask(posted).await {
                Ok(reply) if reply.status == StatusCode::CONFLICT => Ok(Err(ServiceError::Odd(
                    "an identical statement was logged before, and its log gives the proof only once",
                ))),
                Ok(reply) if reply.status.is_success() => Ok(Ok(reply.body)),
                Ok(reply) => Err(refused(&reply)),
                Err(ServiceError::Unreachable(why)) if is_unconnected(&*why) => {
                    Err(ServiceError::Unreachable(why))
                }
                Err(lost) => Ok(Err(lost)),
            }
        };
        let answer = self.exchange.persist(until, once).await;
        let answer = answer.map_err(|source| WitnessError::Asked { who: self.name.clone(), source })?;
        Rekor2::answer(&answer).map_err(|source| WitnessError::Answer { who: self.name.clone(), source })
    }

    fn name(&self) -> &str {
        &self.name
    }
}
