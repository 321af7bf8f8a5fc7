//! Requests that read, and what their replies say of an object.

use std::fmt::Write as _;

use argo_attest_core::digest::Sha256Digest;
use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;

use super::body::Body;
use super::client::Client;
use super::encryption::CustomerKey;
use super::fault::Fault;
use super::keyed::Keyed as _;
use super::plain::Ask;
use super::replay::Answer;
use super::success::Found;
use super::{Target, replay, success};
use crate::store::{Checksums, Corruption, Object, ObjectInfo, Operation, Revision, StoreError};

/// What GET and HEAD both say.
pub(super) struct Facts<'r> {
    pub(super) size: Option<i64>,
    pub(super) etag: Option<&'r str>,
    pub(super) version_id: Option<&'r str>,
    pub(super) sha256: Option<&'r str>,
    pub(super) crc64nvme: Option<&'r str>,
    /// Of what the checksums are.
    pub(super) of: Option<&'r str>,
}

impl<'r> From<&'r HeadObjectOutput> for Facts<'r> {
    fn from(output: &'r HeadObjectOutput) -> Self {
        Self {
            size: output.content_length(),
            etag: output.e_tag(),
            version_id: output.version_id(),
            sha256: output.checksum_sha256(),
            crc64nvme: output.checksum_crc64_nvme(),
            of: output.checksum_type().map(ChecksumType::as_str),
        }
    }
}

impl<'r> From<&'r GetObjectOutput> for Facts<'r> {
    fn from(output: &'r GetObjectOutput) -> Self {
        Self {
            size: output.content_length(),
            etag: output.e_tag(),
            version_id: output.version_id(),
            sha256: output.checksum_sha256(),
            crc64nvme: output.checksum_crc64_nvme(),
            of: output.checksum_type().map(ChecksumType::as_str),
        }
    }
}

pub(super) fn describe(facts: &Facts<'_>, target: &Target) -> Result<ObjectInfo, Fault> {
    let etag = facts.etag.ok_or(Fault::Odd("the store described an object without an ETag"))?;
    let size = facts.size.and_then(|size| u64::try_from(size).ok()).ok_or_else(|| {
        Fault::Final(StoreError::Corrupt { uri: target.uri.clone(), kind: Corruption::NoLength })
    })?;
    // Some stores leave the type out; a composite one shows by its `-2` at the end, which is no base64.
    let full = facts.of.is_none_or(|of| of == ChecksumType::FullObject.as_str());
    let checksums = Checksums {
        sha256: sha256(facts.sha256.filter(|_| full)),
        crc64nvme: crc64nvme(facts.crc64nvme.filter(|_| full)),
    };
    Ok(ObjectInfo {
        size,
        revision: Revision::new(etag),
        version_id: facts.version_id.map(str::to_owned),
        checksums,
    })
}

/// A checksum header's SHA-256.
pub(super) fn sha256(base64: Option<&str>) -> Option<Sha256Digest> {
    let bytes = STANDARD.decode(base64?).ok()?;
    let mut hex = String::with_capacity(64);
    bytes.iter().try_for_each(|b| write!(hex, "{b:02x}")).ok()?;
    hex.parse().ok()
}

/// A checksum header's CRC-64/NVME: eight bytes, most significant first.
fn crc64nvme(base64: Option<&str>) -> Option<u64> {
    let bytes = STANDARD.decode(base64?).ok()?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

impl Client {
    /// Asks for what is known of the object.
    pub(super) async fn head_once(&self, target: &Target) -> Result<ObjectInfo, Fault> {
        let customer = self.customer_key(target).await?;
        let reply = Box::pin(async move {
            let answer = match customer {
                None => self.plainly(Ask::head(&target.key)).await,
                Some(_) => None,
            };
            let answer = match answer {
                Some(Ok(reply)) => match success::facts(&reply) {
                    Ok(facts) => return describe(&facts, target),
                    Err(_) => match success::missing(reply).await {
                        Ok(missing) => return Err(missing),
                        Err(reply) => Some(Ok(*reply)),
                    },
                },
                answer => answer,
            };
            self.head_by_sdk(target, customer, answer).await
        });
        self.answer(0, reply).await
    }

    async fn head_by_sdk(
        &self,
        target: &Target,
        customer: Option<CustomerKey>,
        answer: Option<Answer>,
    ) -> Result<ObjectInfo, Fault> {
        let request = self
            .s3()
            .head_object()
            .bucket(self.bucket())
            .key(&target.key)
            .checksum_mode(ChecksumMode::Enabled)
            .with_customer_key(customer)
            .customize();
        let is_plain = answer.is_some();
        let request = match answer {
            Some(answer) => request.config_override(replay::answered(answer)),
            None => request,
        };
        match Box::pin(request.send()).await.map_err(|error| Fault::from_sdk(error, Operation::Look)) {
            Ok(output) => describe(&Facts::from(&output), target),
            Err(fault) => Err(self.noted(is_plain, fault)),
        }
    }

    /// Asks for the whole object.
    pub(super) async fn open(&self, target: &Target) -> Result<(ObjectInfo, Body), Fault> {
        self.request(target, None).await
    }

    /// Asks for the rest of an object that is still as `info` says.
    pub(super) async fn open_at(
        &self,
        target: &Target,
        info: &ObjectInfo,
        position: u64,
    ) -> Result<Body, Fault> {
        let (rest, body) = match self.request(target, Some((info, position))).await {
            Err(fault) if fault.status() == Some(412) => return Err(changed(target)),
            other => other?,
        };
        // A store may ignore `If-Match` or `Range`; then this is not the rest of that object.
        if rest.revision != info.revision || rest.size != info.size.saturating_sub(position) {
            return Err(changed(target));
        }
        Ok(body)
    }

    async fn request(
        &self,
        target: &Target,
        from: Option<(&ObjectInfo, u64)>,
    ) -> Result<(ObjectInfo, Body), Fault> {
        let customer = self.customer_key(target).await?;
        let reply = Box::pin(async move {
            let answer = match customer {
                None => self.plainly(Ask::get(&target.key, from)).await,
                Some(_) => None,
            };
            let answer = match answer {
                Some(Ok(reply)) => match success::object(reply, target) {
                    Ok(found) => return found,
                    Err(reply) => match success::missing(*reply).await {
                        Ok(missing) => return Err(missing),
                        Err(reply) => Some(Ok(*reply)),
                    },
                },
                answer => answer,
            };
            self.get_by_sdk(target, from, customer, answer).await
        });
        let (info, body) = self.answer(0, reply).await?;
        let body = Body::new(ByteStream::new(body), info.size, self.config.limits);
        Ok((info, body))
    }

    async fn get_by_sdk(
        &self,
        target: &Target,
        from: Option<(&ObjectInfo, u64)>,
        customer: Option<CustomerKey>,
        answer: Option<Answer>,
    ) -> Found {
        let mut request = self
            .s3()
            .get_object()
            .bucket(self.bucket())
            .key(&target.key)
            .checksum_mode(ChecksumMode::Enabled)
            .with_customer_key(customer);
        if let Some((info, position)) = from {
            request = request.range(format!("bytes={position}-")).if_match(info.revision.as_str());
        }
        let request = request.customize();
        let (is_plain, watch) = (answer.is_some(), self.shortcut.watch(&target.key));
        let request = match (answer, &watch) {
            (Some(answer), _) => request.config_override(replay::answered(answer)),
            (None, Some(watch)) => request.interceptor(watch.clone()),
            (None, None) => request,
        };
        let sent = Box::pin(request.send()).await.map_err(|error| Fault::from_sdk(error, Operation::Read));
        let output = sent.map_err(|fault| self.noted(is_plain, fault))?;
        if let Some(watch) = watch.filter(|_| !is_plain) {
            self.shortcut.learn(&watch);
        }
        let info = describe(&Facts::from(&output), target)?;
        Ok((info, output.body.into_inner()))
    }

    /// Of a fault it is remembered that the store does not take plain requests.
    pub(super) fn noted(&self, is_plain: bool, fault: Fault) -> Fault {
        if is_plain && fault.is_refusal() {
            self.shortcut.close();
        }
        fault
    }

    /// Reads a whole object of at most `limit` bytes, in one attempt.
    pub(super) async fn read_once(&self, target: &Target, limit: u64) -> Result<Object, Fault> {
        let (info, body) = self.open(target).await?;
        let object = gather(target, info, body, limit).await?;
        if object.info.checksums.sha256.is_some_and(|sha256| sha256 != Sha256Digest::of(&object.bytes)) {
            return Err(Fault::Mismatch);
        }
        Ok(object)
    }

    /// The same, of an object that does not have the checksum that the store holds for it.
    pub(super) async fn salvage_once(&self, target: &Target, limit: u64) -> Result<Object, Fault> {
        let as_it_comes = aws_sdk_s3::config::Builder::default()
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        let customer = self.customer_key(target).await?;
        let request =
            self.s3().get_object().bucket(self.bucket()).key(&target.key).with_customer_key(customer);
        let request = request.customize().config_override(as_it_comes);
        let reply =
            Box::pin(async { request.send().await.map_err(|error| Fault::from_sdk(error, Operation::Read)) });
        let output = self.answer(0, reply).await?;
        let info = describe(&Facts::from(&output), target)?;
        let body = Body::new(output.body, info.size, self.config.limits);
        gather(target, ObjectInfo { checksums: Checksums::default(), ..info }, body, limit).await
    }
}

async fn gather(target: &Target, info: ObjectInfo, mut body: Body, limit: u64) -> Result<Object, Fault> {
    if info.size > limit {
        return Err(Fault::Final(StoreError::TooLarge { uri: target.uri.clone(), limit }));
    }
    // What was announced is not allocated before it comes.
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(Object { bytes: bytes.freeze(), info })
}

fn changed(target: &Target) -> Fault {
    Fault::Final(StoreError::Corrupt { uri: target.uri.clone(), kind: Corruption::Changed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_checksums_of_the_full_object() {
        let target = Target { key: "k".to_owned(), uri: "s3://b/k".to_owned() };
        let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let facts = |sha256, of| Facts {
            size: Some(0),
            etag: Some("\"e\""),
            version_id: None,
            sha256: Some(sha256),
            crc64nvme: Some("AAAAAAAAAQA="),
            of,
        };
        let found = |facts| describe(&facts, &target).unwrap().checksums;
        let (full, composite) = (ChecksumType::FullObject.as_str(), ChecksumType::Composite.as_str());
        let both = Checksums { sha256: Some(Sha256Digest::of(b"")), crc64nvme: Some(256) };
        assert_eq!(found(facts(empty, Some(full))), both);
        assert_eq!(found(facts(empty, None)), both);
        assert_eq!(found(facts(empty, Some(composite))), Checksums::default());
        let suffixed = format!("{empty}-2");
        assert_eq!(found(facts(&suffixed, None)).sha256, None);
        assert_eq!(found(facts("AAAA", None)).sha256, None);
    }
}
