//! A body as it arrives: never waited for without end, taken up again where a
//! connection broke.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use tokio::time::{Instant, timeout};

use super::Target;
use super::client::Client;
use super::config::Limits;
use super::fault::Fault;
use crate::store::{ChunkSource, Corruption, ObjectInfo, StoreError};

/// How often one stream is taken up again.
const RESUMPTIONS: u32 = 5;

/// One reply's body.
pub(super) struct Body {
    stream: ByteStream,
    received: u64,
    announced: u64,
    waited: Duration,
    limits: Limits,
}

impl Body {
    pub(super) fn new(stream: ByteStream, announced: u64, limits: Limits) -> Self {
        Self { stream, received: 0, announced, waited: Duration::ZERO, limits }
    }

    /// The next bytes. Only the time spent waiting in here counts, and every
    /// byte that came buys more of it: a slow consumer is not the store's fault,
    /// and a slow stream that moves is let be, but one that drips is not.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let allowed = self.limits.stall.saturating_add(self.limits.transfer(self.received));
        let started = Instant::now();
        let next = timeout(allowed.saturating_sub(self.waited), self.stream.next()).await;
        self.waited = self.waited.saturating_add(started.elapsed());
        match next {
            Err(_) => Err(Fault::timed_out("the object's bytes stopped coming")),
            Ok(Some(Ok(chunk))) => {
                self.received = self.received.saturating_add(chunk.len() as u64);
                if self.received > self.announced { Err(self.cut()) } else { Ok(Some(chunk)) }
            }
            Ok(None) if self.received == self.announced => Ok(None),
            // All bytes came and still there is an error: the SDK compared the
            // checksum that the store sent along.
            Ok(Some(Err(_))) if self.received == self.announced => Err(Fault::Mismatch),
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, "a body broke off");
                Err(self.cut())
            }
            Ok(None) => Err(self.cut()),
        }
    }

    fn cut(&self) -> Fault {
        Fault::Cut { announced: self.announced, received: self.received }
    }
}

/// An object's bytes over as many replies as it takes.
pub(super) struct Resuming {
    client: Arc<Client>,
    target: Target,
    info: ObjectInfo,
    body: Body,
    position: u64,
    left: u32,
}

impl Resuming {
    pub(super) fn new(client: Arc<Client>, target: Target, info: ObjectInfo, body: Body) -> Self {
        Self { client, target, info, body, position: 0, left: RESUMPTIONS }
    }

    fn fail(&self, fault: Fault, attempts: u64) -> StoreError {
        match fault {
            Fault::Cut { .. } => StoreError::Corrupt {
                uri: self.target.uri.clone(),
                kind: Corruption::Length { announced: self.info.size, received: self.position },
            },
            other => other.into_error(self.target.uri.clone(), attempts),
        }
    }
}

#[async_trait]
impl ChunkSource for Resuming {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        loop {
            let fault = match self.body.next().await {
                Ok(Some(chunk)) => {
                    self.position = self.position.saturating_add(chunk.len() as u64);
                    return Ok(Some(chunk));
                }
                Ok(None) => return Ok(None),
                Err(fault) => fault,
            };
            let resumable = fault.is_transient() && self.position < self.info.size;
            let Some(left) = self.left.checked_sub(1).filter(|_| resumable) else {
                return Err(self.fail(fault, u64::from(RESUMPTIONS - self.left) + 1));
            };
            self.left = left;
            self.client.count_retry();
            tracing::debug!(uri = self.target.uri, position = self.position, ?fault, "taking up again");
            let again = self
                .client
                .run(&self.target.uri, || self.client.open_at(&self.target, &self.info, self.position));
            match again.await {
                Ok(body) => self.body = body,
                Err(gave_up) => return Err(self.fail(gave_up.fault, gave_up.attempts)),
            }
        }
    }
}
