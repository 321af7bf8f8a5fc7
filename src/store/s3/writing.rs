//! Requests that write: in the manner that this store takes.

use std::borrow::Cow;

use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ability::{Demand, Manner, Precondition};
use super::client::Client;
use super::encryption::Encryption;
use super::fault::Fault;
use super::keyed::Keyed as _;
use super::plain::Ask;
use super::replay::{self, Answer};
use super::{Target, reading, success};
use crate::store::{
    Checksums, Corruption, NewObject, ObjectInfo, Operation, PutMode, PutOutcome, Revision, StoreError,
};

/// One object to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Write<'w> {
    pub(super) target: &'w Target,
    pub(super) content: &'w NewObject,
    pub(super) mode: &'w PutMode,
}

impl Client {
    /// Writes the object in one attempt; in another manner, if the store does not take this one.
    pub(super) async fn put_once(&self, write: Write<'_>) -> Result<PutOutcome, Fault> {
        let manner = self.ability.manner();
        let refused = match self.put_as(write, manner).await {
            Ok(outcome) => return Ok(outcome),
            Err(fault) => fault,
        };
        for other in self.others(write, manner, &refused).await {
            match self.put_as(write, other).await {
                Ok(outcome) => {
                    self.ability.learn(&write.target.uri, other, &refused.reason());
                    return Ok(outcome);
                }
                Err(fault) if fault.is_transient() => return Err(fault),
                // Whether other bytes are there does not hang on the manner.
                Err(conflict @ Fault::Final(StoreError::Conflict { .. })) => return Err(conflict),
                Err(_) => {}
            }
        }
        Err(refused)
    }

    /// What else may work.
    async fn others(&self, write: Write<'_>, manner: Manner, refused: &Fault) -> Vec<Manner> {
        match (refused, write.mode) {
            (Fault::Reply(answer), _) => manner.after(&answer.reply),
            (Fault::Final(StoreError::Conflict { .. }), PutMode::Replace(expected))
                if manner.precondition == Precondition::Quoted =>
            {
                match self.head_once(write.target).await {
                    // It is what was expected, and was refused for not being that.
                    Ok(info) if info.revision == *expected => {
                        vec![Manner { precondition: Precondition::Unquoted, ..manner }]
                    }
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    async fn put_as(&self, write: Write<'_>, manner: Manner) -> Result<PutOutcome, Fault> {
        let sent = if manner.precondition == Precondition::None {
            let _alone = self.ability.alone.lock().await;
            if let Some(there) = self.before(write).await? {
                return Ok(there);
            }
            // What is there afterwards decides, so that nothing has to be said of it before.
            match self.send(write, manner).await {
                Ok(_) | Err(Fault::Odd(NO_ETAG)) => return self.after(write).await,
                Err(fault) => return Err(fault),
            }
        } else if let Some(there) = self.foreseen(write).await? {
            return Ok(there);
        } else {
            self.send(write, manner).await
        };
        match sent {
            Ok(outcome) => Ok(outcome),
            Err(fault) => match fault.status() {
                Some(412) => self.compare(write, None).await,
                Some(409) => self.compare(write, Some(fault)).await,
                _ => Err(fault),
            },
        }
    }

    /// Sends it, and takes what is said of it; without the SDK, if it is written as the bucket keeps
    /// objects by itself.
    async fn send(&self, write: Write<'_>, manner: Manner) -> Result<PutOutcome, Fault> {
        let plain = manner.demand == Demand::Nothing && matches!(self.config.encryption, Encryption::Default);
        let sending = async move {
            let answer = if plain { self.plainly(write.plain(manner)).await } else { None };
            if let Some(Ok(reply)) = &answer
                && let Ok(receipt) = success::receipt(reply)
            {
                return written(write, &receipt);
            }
            self.send_by_sdk(write, manner, answer).await
        };
        self.answer(write.content.size(), Box::pin(sending)).await
    }

    async fn send_by_sdk(
        &self,
        write: Write<'_>,
        manner: Manner,
        answer: Option<Answer>,
    ) -> Result<PutOutcome, Fault> {
        let Write { target, content, mode } = write;
        let customer = self.customer_key(target).await?;
        let mut request = self
            .s3()
            .put_object()
            .bucket(self.bucket())
            .key(&target.key)
            .content_length(i64::try_from(content.size()).unwrap_or(i64::MAX))
            .body(ByteStream::from(content.bytes()))
            .with_customer_key(customer);
        if manner.checksum {
            request = request.checksum_sha256(STANDARD.encode(content.digest().as_bytes()));
        }
        // RFC 9110 section 13.1, as S3's conditional writes have it.
        request = match (mode, manner.precondition) {
            (_, Precondition::None) => request,
            (PutMode::Create, _) => request.if_none_match("*"),
            (PutMode::Replace(revision), Precondition::Quoted) => request.if_match(revision.as_str()),
            (PutMode::Replace(revision), Precondition::Unquoted) => {
                request.if_match(revision.as_str().trim_matches('"'))
            }
        };
        if manner.demand == Demand::OwnerControls {
            request = request.acl(ObjectCannedAcl::BucketOwnerFullControl);
        }
        // What the template says of encryption counts before what the store was found to demand.
        request = match (&self.config.encryption, manner.demand) {
            (Encryption::Managed, _) | (Encryption::Default, Demand::Aes256) => {
                request.server_side_encryption(ServerSideEncryption::Aes256)
            }
            (Encryption::Kms { key_id, context }, _) => request
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id(key_id)
                .set_ssekms_encryption_context(context.clone()),
            (Encryption::Default, Demand::Kms) => {
                request.server_side_encryption(ServerSideEncryption::AwsKms)
            }
            // A customer's key is in headers of its own.
            (Encryption::Customer(_), _) | (Encryption::Default, Demand::Nothing | Demand::OwnerControls) => {
                request
            }
        };
        let (request, is_plain) = (request.customize(), answer.is_some());
        let request = match answer {
            Some(answer) => request.config_override(replay::answered(answer)),
            None => request,
        };
        match Box::pin(request.send()).await.map_err(|error| Fault::from_sdk(error, Operation::Write)) {
            Ok(output) => written(write, &WriteReceipt::from(&output)),
            // Other bytes are there: that is no no to how it was asked.
            Err(fault) if fault.status() == Some(409) => Err(fault),
            Err(fault) => Err(self.noted(is_plain, fault)),
        }
    }

    /// After a refused precondition: is what is there ours? `refusal` is what to
    /// say if nothing is there, where that is possible.
    async fn compare(&self, write: Write<'_>, refusal: Option<Fault>) -> Result<PutOutcome, Fault> {
        let Write { target, content, mode } = write;
        match self.read_once(target, content.size()).await {
            Ok(there) if content.is_in(&there) => Ok(PutOutcome::AlreadyThere(there.info)),
            // A write that collided may still be repeated; S3 asks for that with 409.
            Ok(_) | Err(Fault::Final(StoreError::TooLarge { .. })) => match (refusal, mode) {
                (Some(fault), PutMode::Replace(_)) if fault.is_transient() => Err(fault),
                _ => Err(conflict(target)),
            },
            Err(fault) if fault.status() == Some(404) => match (refusal, mode) {
                (Some(refusal), _) => Err(refusal),
                (None, PutMode::Create) => Err(Fault::Odd("the object went away while it was compared")),
                (None, PutMode::Replace(_)) => Err(fault),
            },
            Err(other) => Err(other),
        }
    }

    /// Of what is large: what a precondition would come to now. A store that refuses closes the
    /// connection while megabytes are being sent, and its answer is lost with it.
    async fn foreseen(&self, write: Write<'_>) -> Result<Option<PutOutcome>, Fault> {
        if write.content.whole().is_some() {
            return Ok(None);
        }
        match (self.head_once(write.target).await, write.mode) {
            (Ok(there), PutMode::Replace(expected)) if there.revision == *expected => Ok(None),
            (Ok(_), _) => self.compare(write, None).await.map(Some),
            (Err(fault), mode) => match fault.status() {
                Some(404) if *mode == PutMode::Create => Ok(None),
                // Whoever may not look may still write.
                Some(403) => Ok(None),
                _ => Err(fault),
            },
        }
    }

    /// Without preconditions: what is there already, if it is what is written. An error if it is
    /// not what may be replaced.
    async fn before(&self, write: Write<'_>) -> Result<Option<PutOutcome>, Fault> {
        let Write { target, content, mode } = write;
        let there = match self.read_once(target, content.size()).await {
            Ok(there) if content.is_in(&there) => return Ok(Some(PutOutcome::AlreadyThere(there.info))),
            Ok(there) => Some(there.info.revision),
            Err(Fault::Final(StoreError::TooLarge { .. }) | Fault::Mismatch) => {
                Some(self.head_once(target).await?.revision)
            }
            Err(fault) if fault.status() == Some(404) && *mode == PutMode::Create => None,
            Err(fault) => return Err(fault),
        };
        match (mode, there) {
            (PutMode::Create, None) => Ok(None),
            (PutMode::Replace(expected), Some(there)) if there == *expected => Ok(None),
            _ => Err(conflict(target)),
        }
    }

    /// Without preconditions: whether what was written is there, and was not overtaken.
    async fn after(&self, write: Write<'_>) -> Result<PutOutcome, Fault> {
        let Write { target, content, .. } = write;
        match self.read_once(target, content.size()).await {
            Ok(there) if content.is_in(&there) => Ok(PutOutcome::Written(there.info)),
            Ok(_) | Err(Fault::Final(StoreError::TooLarge { .. })) => Err(conflict(target)),
            Err(other) => Err(other),
        }
    }
}

fn conflict(target: &Target) -> Fault {
    Fault::Final(StoreError::Conflict { uri: target.uri.clone() })
}

/// What a store says of an object that it has taken.
pub(super) struct WriteReceipt<'r> {
    pub(super) etag: Option<&'r str>,
    pub(super) version_id: Option<&'r str>,
    pub(super) sha256: Option<&'r str>,
}

impl<'r> From<&'r PutObjectOutput> for WriteReceipt<'r> {
    fn from(output: &'r PutObjectOutput) -> Self {
        Self { etag: output.e_tag(), version_id: output.version_id(), sha256: output.checksum_sha256() }
    }
}

impl<'w> Write<'w> {
    /// As a request without the SDK, which says the same.
    fn plain(self, manner: Manner) -> Ask<'w> {
        let Write { target, content, mode } = self;
        let mut headers: Vec<(_, Cow<'w, str>)> = Vec::new();
        if manner.checksum {
            headers.push(("x-amz-checksum-sha256", STANDARD.encode(content.digest().as_bytes()).into()));
        }
        match (mode, manner.precondition) {
            (_, Precondition::None) => {}
            (PutMode::Create, _) => headers.push(("if-none-match", "*".into())),
            (PutMode::Replace(revision), Precondition::Quoted) => {
                headers.push(("if-match", revision.as_str().into()));
            }
            (PutMode::Replace(revision), Precondition::Unquoted) => {
                headers.push(("if-match", revision.as_str().trim_matches('"').into()));
            }
        }
        Ask::put(&target.key, content, headers)
    }
}

/// What is odd about a write of which the store says nothing.
const NO_ETAG: &str = "the store confirmed a write without an ETag";

fn written(write: Write<'_>, receipt: &WriteReceipt<'_>) -> Result<PutOutcome, Fault> {
    let confirmed = reading::sha256(receipt.sha256);
    if confirmed.is_some_and(|confirmed| confirmed != write.content.digest()) {
        let uri = write.target.uri.clone();
        return Err(Fault::Final(StoreError::Corrupt { uri, kind: Corruption::Confirmed }));
    }
    let etag = receipt.etag.ok_or(Fault::Odd(NO_ETAG))?;
    Ok(PutOutcome::Written(ObjectInfo {
        size: write.content.size(),
        revision: Revision::new(etag),
        version_id: receipt.version_id.map(str::to_owned),
        checksums: Checksums { sha256: confirmed, crc64nvme: None },
    }))
}
