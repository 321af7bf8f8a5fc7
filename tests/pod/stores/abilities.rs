//! What a server does with what S3 has beyond reading and writing.

use std::fmt;

use argo_attest_core::digest::Sha256Digest;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, ChecksumMode, VersioningConfiguration};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::server::Server;
use crate::servers::BUCKET;

const VERSIONED: &str = "versioned";
const BODY: &[u8] = b"what is written";
/// CRC-64/NVME of the body.
fn crc(bytes: &[u8]) -> String {
    STANDARD.encode(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, bytes).to_be_bytes())
}

/// What became of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Header {
    /// It did what it is for.
    Kept,
    /// Only without the quotes of the entity tag.
    Unquoted,
    /// What it says is given back, true or not.
    Unchecked,
    /// As if it had not been there.
    Ignored,
    /// The write was refused for it: with this status and code.
    Refused(String),
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("yes"),
            Self::Unquoted => f.write_str("unquoted"),
            Self::Unchecked => f.write_str("given back unchecked"),
            Self::Ignored => f.write_str("ignored"),
            Self::Refused(how) => write!(f, "refused: {how}"),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Abilities {
    pub(crate) sha256: Header,
    pub(crate) crc64nvme: Header,
    pub(crate) if_none_match: Header,
    pub(crate) if_match: Header,
    pub(crate) lists: bool,
    /// Where there are versions: what becomes of `If-None-Match` in such a bucket.
    pub(crate) versions: Option<Header>,
}

impl Abilities {
    /// Whether Argo's client may send the checksum that it sends.
    pub(crate) fn takes_crc64nvme(&self) -> bool {
        !matches!(self.crc64nvme, Header::Refused(_))
    }
}

pub(crate) fn of(server: &Server) -> Abilities {
    let probe = Probe { sdk: server.sdk() };
    server.runtime.block_on(async {
        Abilities {
            sha256: probe.sha256().await,
            crc64nvme: probe.crc64nvme().await,
            if_none_match: probe.if_none_match(BUCKET).await,
            if_match: probe.if_match().await,
            lists: probe.lists().await,
            versions: probe.versions().await,
        }
    })
}

struct Probe {
    sdk: aws_sdk_s3::Client,
}

type Put = Result<PutObjectOutput, SdkError<PutObjectError>>;

impl Probe {
    fn put(&self, key: &str) -> PutObjectFluentBuilder {
        self.sdk.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(BODY))
    }

    async fn sha256(&self) -> Header {
        let (right, wrong) = (Sha256Digest::of(BODY), Sha256Digest::of(b"other"));
        let [right, wrong] = [right, wrong].map(|digest| STANDARD.encode(digest.as_bytes()));
        let put = self.put("probe/sha256").checksum_sha256(&right).send().await;
        let other = self.put("probe/sha256-wrong").checksum_sha256(wrong).send().await;
        let head = self.sdk.head_object().bucket(BUCKET).key("probe/sha256");
        let head = head.checksum_mode(ChecksumMode::Enabled).send().await;
        checksum(put, &other, head.ok().and_then(|head| head.checksum_sha256) == Some(right))
    }

    async fn crc64nvme(&self) -> Header {
        let put = self.put("probe/crc").checksum_crc64_nvme(crc(BODY)).send().await;
        let other = self.put("probe/crc-wrong").checksum_crc64_nvme(crc(b"other")).send().await;
        let head = self.sdk.head_object().bucket(BUCKET).key("probe/crc");
        let head = head.checksum_mode(ChecksumMode::Enabled).send().await;
        checksum(put, &other, head.ok().and_then(|head| head.checksum_crc64_nvme) == Some(crc(BODY)))
    }

    async fn if_none_match(&self, bucket: &str) -> Header {
        let put = || self.put("probe/create").bucket(bucket).if_none_match("*").send();
        if let Err(error) = put().await {
            return Header::Refused(told(&error));
        }
        precondition(&put().await)
    }

    async fn if_match(&self) -> Header {
        let key = "probe/replace";
        let Ok(first) = self.put(key).send().await else { return Header::Ignored };
        let tag = first.e_tag.unwrap_or_default();
        let stale = "\"0123456789abcdef0123456789abcdef\"";
        match precondition(&self.put(key).if_match(stale).send().await) {
            Header::Kept => {}
            other => return other,
        }
        match self.put(key).if_match(&tag).send().await {
            Ok(_) => Header::Kept,
            Err(error) => match self.put(key).if_match(tag.trim_matches('"')).send().await {
                Ok(_) => Header::Unquoted,
                Err(_) => Header::Refused(told(&error)),
            },
        }
    }

    async fn lists(&self) -> bool {
        let keys = ["list/a b", "list/grün", "list/in/a"];
        for key in keys {
            if self.put(key).send().await.is_err() {
                return false;
            }
        }
        let Ok(listed) = self.sdk.list_objects_v2().bucket(BUCKET).prefix("list/").send().await else {
            return false;
        };
        listed.contents().iter().filter_map(|object| object.key()).eq(keys)
    }

    async fn versions(&self) -> Option<Header> {
        self.sdk.create_bucket().bucket(VERSIONED).send().await.ok()?;
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let enable = self.sdk.put_bucket_versioning().bucket(VERSIONED).versioning_configuration(enabled);
        enable.send().await.ok()?;
        let put = || self.put("probe/versions").bucket(VERSIONED).send();
        let (one, two) = (put().await.ok()?.version_id?, put().await.ok()?.version_id?);
        if one == two {
            return None;
        }
        Some(self.if_none_match(VERSIONED).await)
    }
}

fn checksum(right: Put, wrong: &Put, given_back: bool) -> Header {
    match (right, given_back) {
        (Err(error), _) => Header::Refused(told(&error)),
        (Ok(_), false) => Header::Ignored,
        (Ok(_), true) if wrong.is_ok() => Header::Unchecked,
        (Ok(_), true) => Header::Kept,
    }
}

/// Of a write whose precondition does not hold.
fn precondition(put: &Put) -> Header {
    match put {
        Ok(_) => Header::Ignored,
        Err(error) if status(error) == 412 => Header::Kept,
        Err(error) => Header::Refused(told(error)),
    }
}

fn status(error: &SdkError<PutObjectError>) -> u16 {
    error.raw_response().map_or(0, |response| response.status().as_u16())
}

fn told(error: &SdkError<PutObjectError>) -> String {
    format!("{} {}", status(error), error.code().unwrap_or_default()).trim().to_owned()
}
