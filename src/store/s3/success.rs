//! A plain success: a reply of which all that is needed is in its head, once, and can be read. And the
//! one no that is as plain: that there is no such object.

use aws_smithy_checksums::ChecksumAlgorithm;
use aws_smithy_checksums::body::validate::ChecksumBody;
use aws_smithy_checksums::http::CHECKSUM_ALGORITHMS_IN_PRIORITY_ORDER;
use aws_smithy_types::body::SdkBody;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::header::HeaderMap;
use hyper::{Response, StatusCode};

use super::Target;
use super::fault::Fault;
use super::http::MAX_REPLY;
use super::reading::{Facts, describe};
use super::writing::WriteReceipt;
use crate::net;
use crate::store::ObjectInfo;

/// An object on its way: its bytes end in an error if they do not have the checksum that was sent along.
pub(super) type Found = Result<(ObjectInfo, SdkBody), Fault>;

/// Why a success is not plain: a header that is there twice, is not text, or says what only the SDK
/// may judge.
#[derive(Debug)]
pub(super) struct Odd;

/// What a reply's head says.
pub(super) fn facts(reply: &Response<SdkBody>) -> Result<Facts<'_>, Odd> {
    if !matches!(reply.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        return Err(Odd);
    }
    let one = |name| one(reply.headers(), name);
    Ok(Facts {
        size: Some(one("content-length")?.and_then(|size| size.parse().ok()).ok_or(Odd)?),
        etag: Some(one("etag")?.ok_or(Odd)?),
        version_id: one("x-amz-version-id")?,
        sha256: one("x-amz-checksum-sha256")?,
        crc64nvme: one("x-amz-checksum-crc64nvme")?,
        of: one("x-amz-checksum-type")?,
    })
}

/// The object that a reply brings; the reply as it came, if that is no plain success.
pub(super) fn object(reply: Response<SdkBody>, target: &Target) -> Result<Found, Box<Response<SdkBody>>> {
    let info = facts(&reply).map(|facts| describe(&facts, target));
    match (info, Announced::by(reply.headers())) {
        (Ok(info), Ok(announced)) => Ok(info.map(|info| (info, announced.held_by(reply.into_body())))),
        _ => Err(Box::new(reply)),
    }
}

/// What a reply says of what was written.
pub(super) fn receipt(reply: &Response<SdkBody>) -> Result<WriteReceipt<'_>, Odd> {
    let one = |name| one(reply.headers(), name);
    // A success that goes on may be none: S3 can say so in a body.
    if reply.status() != StatusCode::OK || one("content-length")? != Some("0") {
        return Err(Odd);
    }
    Ok(WriteReceipt {
        etag: Some(one("etag")?.ok_or(Odd)?),
        version_id: one("x-amz-version-id")?,
        sha256: one("x-amz-checksum-sha256")?,
    })
}

/// That an object is not there, if that is what a reply says, and nothing else; else the reply. The
/// body that a GET's has is read for it.
pub(super) async fn missing(reply: Response<SdkBody>) -> Result<Fault, Box<Response<SdkBody>>> {
    if reply.status() != StatusCode::NOT_FOUND {
        return Err(Box::new(reply));
    }
    let (head, body) = reply.into_parts();
    // What is cut short says as little as nothing at all.
    let bytes = net::read(body, MAX_REPLY).await.unwrap_or_default();
    match Fault::missing(&bytes) {
        Some(fault) => Ok(fault),
        None => Err(Box::new(Response::from_parts(head, SdkBody::from(bytes)))),
    }
}

/// The checksum that a body is compared with.
#[derive(Debug)]
struct Announced(Option<(ChecksumAlgorithm, Bytes)>);

impl Announced {
    /// That which the SDK would take: of those in the head the one that is soonest computed.
    fn by(headers: &HeaderMap) -> Result<Self, Odd> {
        for name in CHECKSUM_ALGORITHMS_IN_PRIORITY_ORDER {
            let algorithm: ChecksumAlgorithm = name.parse().map_err(|_| Odd)?;
            if let Some(checksum) = one(headers, algorithm.into_impl().header_name())? {
                // That of parts ends in their number, after a `-`: it is of no whole body.
                let checksum = STANDARD.decode(checksum).map_err(|_| Odd)?;
                return Ok(Self(Some((algorithm, checksum.into()))));
            }
        }
        Ok(Self(None))
    }

    /// The body, which ends in an error if it does not have it.
    fn held_by(self, body: SdkBody) -> SdkBody {
        match self.0 {
            Some((algorithm, checksum)) => {
                SdkBody::from_body_1_x(ChecksumBody::new(body, algorithm.into_impl(), checksum))
            }
            None => body,
        }
    }
}

/// A header's value, if it has one.
fn one<'r>(headers: &'r HeaderMap, name: &str) -> Result<Option<&'r str>, Odd> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| Odd),
        (Some(_), Some(_)) => Err(Odd),
    }
}
