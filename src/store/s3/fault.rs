//! How one attempt failed: whether another may help, and what to call it.

use std::error::Error;
use std::io;
use std::time::{Duration, SystemTime};

use argo_attest_core::text::causes;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::reply::{Reply, foreign};
use super::settings::ConfigError;
use crate::store::{Corruption, Operation, Source, StoreError};

/// Clocks this far apart make AWS refuse signatures (it allows 15 minutes; a
/// reply can be slow, so less is already suspicious).
pub(super) const SKEW: Duration = Duration::from_mins(4);

/// One attempt's failure.
#[derive(Debug)]
pub(super) enum Fault {
    /// The store answered, and not with what was wanted.
    Reply(Answer),
    /// No answer, or half of one, or one that came too late.
    Transport(Source),
    /// No useful answer from who gives credentials.
    SignIn { server: String, source: Source },
    /// TLS said no.
    Tls(Source),
    /// Fewer bytes came than were announced.
    Cut { announced: u64, received: u64 },
    /// All bytes came, and not with the checksum that the store sent along.
    Mismatch,
    /// A success that lacks what every success has; a proxy's page, or S3's
    /// "200 OK" with an error in its body.
    Odd(&'static str),
    /// Settings are wrong, which no attempt will change.
    Settings(ConfigError),
    /// Already as the caller is to see it.
    Final(StoreError),
}

/// A reply with what matters only to the next attempt.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Box<Reply>,
    pub(super) operation: Operation,
    pub(super) retry_after: Option<Duration>,
    skewed: bool,
}

impl Fault {
    pub(super) fn from_sdk<E>(error: SdkError<E, HttpResponse>, operation: Operation) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        if let Some(raw) = error.raw_response().filter(|raw| raw.status().as_u16() >= 300) {
            return Self::Reply(answer(raw, error.as_service_error(), operation));
        }
        let unusable = match &error {
            SdkError::ConstructionFailure(_) => true,
            SdkError::DispatchFailure(dispatch) => dispatch.is_user(),
            // What was read of the reply may be part of the parser's complaint, and may be a secret.
            SdkError::ResponseError(_) | SdkError::ServiceError(_) => {
                return Self::Odd("the store's answer could not be understood");
            }
            _ => false,
        };
        let Ok(source) = error.into_source() else { return Self::Odd("the request failed without a reason") };
        if unusable {
            Self::Settings(ConfigError::Request(source))
        } else if speaks_of_tls(&*source) {
            Self::Tls(source)
        } else {
            Self::Transport(source)
        }
    }

    /// That an object is not there, if the body of a 404 says so, or nothing.
    pub(super) fn missing(body: &[u8]) -> Option<Self> {
        let code = match element(body, "Code") {
            None if body.is_empty() => None,
            Some(code @ "NoSuchKey") if body.windows(6).filter(|at| at == b"<Code>").count() == 1 => {
                Some(code)
            }
            _ => return None,
        };
        let reply = Box::new(Reply { status: 404, code: code.map(foreign), ..Reply::default() });
        Some(Self::Reply(Answer { reply, operation: Operation::Read, retry_after: None, skewed: false }))
    }

    pub(super) fn timed_out(what: &'static str) -> Self {
        Self::Transport(Box::new(io::Error::new(io::ErrorKind::TimedOut, what)))
    }

    /// Whether the same attempt may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Transport(_) | Self::SignIn { .. } | Self::Cut { .. } | Self::Mismatch | Self::Odd(_) => {
                true
            }
            Self::Reply(answer) => answer.is_transient(),
            Self::Tls(_) | Self::Settings(_) | Self::Final(_) => false,
        }
    }

    /// Whether no connection came about.
    pub(super) fn is_unreached(&self) -> bool {
        matches!(self, Self::Transport(source) if crate::net::is_unconnected(&**source))
    }

    /// Whether it is who gives credentials that fails, and not the store.
    pub(super) fn is_sign_in(&self) -> bool {
        matches!(self, Self::SignIn { .. })
    }

    /// Whether bytes came, and not all or not the right ones.
    pub(super) fn is_broken(&self) -> bool {
        matches!(self, Self::Cut { .. } | Self::Mismatch)
    }

    /// Whether the refusal may come from a wrong clock, which the SDK has by
    /// now corrected from the reply's `Date`.
    pub(super) fn may_be_clock_skew(&self) -> bool {
        matches!(self, Self::Reply(answer) if answer.reply.status == 403 && answer.skewed)
    }

    /// Whether the refusal may come from credentials that were replaced.
    pub(super) fn may_be_stale_credentials(&self) -> bool {
        const STALE: [&str; 6] = [
            "XAdminUserNotFound",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidToken",
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
        ];
        // A reply to HEAD says 403 and no more.
        matches!(self, Self::Reply(answer)
            if answer.reply.code.as_deref().map_or(answer.reply.status == 403, |code| STALE.contains(&code)))
    }

    /// Whether the store does not take the request as it is, whatever there is of the object.
    pub(super) fn is_refusal(&self) -> bool {
        const OF_OBJECTS_OR_LATER: [u16; 5] = [404, 408, 412, 416, 429];
        self.status()
            .is_some_and(|status| matches!(status, 300..=499 | 501) && !OF_OBJECTS_OR_LATER.contains(&status))
    }

    /// The region that the bucket is in, if that is what is wrong with a request.
    pub(super) fn other_region(&self) -> Option<&str> {
        match self {
            Self::Reply(answer) if matches!(answer.reply.status, 301 | 307 | 400 | 403) => {
                answer.reply.region.as_deref()
            }
            _ => None,
        }
    }

    /// Whether it was sent to a region that the bucket is not in, in whatever words.
    pub(super) fn is_for_another_region(&self) -> bool {
        matches!(self, Self::Reply(answer) if matches!(answer.reply.status, 301 | 307)
            || answer.reply.code.as_deref() == Some("AuthorizationHeaderMalformed"))
    }

    /// Why, in one line, with what caused it.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Reply(answer) => answer.reply.to_string(),
            Self::Transport(source) | Self::Tls(source) => causes(&**source),
            Self::SignIn { server, source } => format!("{server}: {}", causes(&**source)),
            Self::Cut { announced, received } => {
                Corruption::Length { announced: *announced, received: *received }.to_string()
            }
            Self::Mismatch => Corruption::Checksum.to_string(),
            Self::Odd(what) => (*what).to_owned(),
            Self::Settings(error) => causes(error),
            Self::Final(error) => causes(error),
        }
    }

    /// As a failure of who gives credentials, if it may pass; why, and to whom.
    pub(super) fn of_sign_in(self, server: impl FnOnce() -> String) -> Self {
        let source: Source = match self {
            Self::Transport(source) | Self::Tls(source) => source,
            Self::Odd(what) => what.into(),
            Self::Reply(answer) if answer.is_transient() => answer.reply.to_string().into(),
            other => return other,
        };
        Self::SignIn { server: server(), source }
    }

    pub(super) fn status(&self) -> Option<u16> {
        if let Self::Reply(answer) = self { Some(answer.reply.status) } else { None }
    }

    /// What the caller is to see, after `attempts` attempts.
    pub(super) fn into_error(self, uri: String, attempts: u64) -> StoreError {
        match self {
            Self::Reply(answer) => answer.into_error(uri, attempts),
            Self::Transport(source) => unreachable(uri, attempts, source),
            Self::SignIn { server, source } => StoreError::Unreachable {
                uri,
                server: server.into(),
                attempts,
                source,
                remedy: Some(SIGN_IN.to_owned()),
            },
            Self::Tls(source) => {
                let remedy = if speaks_no_tls(&*source) { PLAIN } else { TRUST };
                StoreError::Tls { uri, source, remedy: Some(remedy.to_owned()) }
            }
            Self::Cut { announced, received } => {
                StoreError::Corrupt { uri, kind: Corruption::Length { announced, received } }
            }
            Self::Mismatch => StoreError::Corrupt { uri, kind: Corruption::Checksum },
            Self::Odd(what) => unreachable(uri, attempts, what.into()),
            Self::Settings(source) => source.about(uri),
            Self::Final(error) => error,
        }
    }
}

/// What to do about a certificate that is not accepted.
const TRUST: &str = "set AWS_CA_BUNDLE to the CA certificates that the endpoint's certificate is signed by, \
    and use the host name that is in it";

/// What to do about a server that speaks something else than TLS.
const PLAIN: &str = "what answers at this port speaks no TLS: is the endpoint http:// and not https://?";

/// What to do about credentials that nobody gives.
const SIGN_IN: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; or, where the platform \
    gives credentials, check AWS_ENDPOINT_URL_STS, AWS_REGION and the network to it, and try again";

fn unreachable(uri: String, attempts: u64, source: Source) -> StoreError {
    let remedy = "check the endpoint (AWS_ENDPOINT_URL_S3) and the network, and try again";
    let (server, remedy) = ("the store".into(), Some(remedy.to_owned()));
    StoreError::Unreachable { uri, server, attempts, source, remedy }
}

impl Answer {
    fn is_transient(&self) -> bool {
        const TRANSIENT: [&str; 8] = [
            "SlowDown",
            "InternalError",
            "ServiceUnavailable",
            "RequestTimeout",
            "Throttling",
            "ThrottlingException",
            "OperationAborted",
            "ConditionalRequestConflict",
        ];
        matches!(self.reply.status, 408 | 429 | 500 | 502 | 503 | 504)
            || self.reply.code.as_deref().is_some_and(|code| TRANSIENT.contains(&code))
    }

    fn into_error(self, uri: String, attempts: u64) -> StoreError {
        let transient = self.is_transient();
        let Self { reply, operation, .. } = self;
        match (reply.status, reply.code.as_deref()) {
            _ if transient => unreachable(uri, attempts, reply.to_string().into()),
            (404, Some("NoSuchBucket")) => StoreError::NoBucket { uri },
            (404, None | Some("NoSuchKey" | "NoSuchVersion" | "NotFound")) => StoreError::NotFound { uri },
            // versitygw has no user of that name: a 404 that is not about the object.
            (401 | 403, _) | (_, Some("ExpiredToken" | "InvalidToken" | "XAdminUserNotFound")) => {
                let denial = reply.denial();
                StoreError::Denied { denial, refusal: reply.denied(operation, &uri).into(), uri }
            }
            _ => StoreError::Rejected { uri, refusal: reply.rejected(operation).into() },
        }
    }
}

fn answer<E: ProvideErrorMetadata>(raw: &HttpResponse, error: Option<&E>, operation: Operation) -> Answer {
    let header = |name: &str| raw.headers().get(name);
    let date = header("date").and_then(|d| DateTime::from_str(d, DateTimeFormat::HttpDate).ok());
    let apart = date.and_then(|d| SystemTime::try_from(d).ok()).map(|theirs| {
        let ours = SystemTime::now();
        ours.duration_since(theirs).unwrap_or_else(|ahead| ahead.duration())
    });
    let reply = Box::new(Reply {
        status: raw.status().as_u16(),
        // The SDK calls a HEAD's 404 "NotFound"; that is not the store's word, and does no harm.
        code: error.and_then(ProvideErrorMetadata::code).map(foreign),
        message: error.and_then(ProvideErrorMetadata::message).map(foreign),
        request_id: header("x-amz-request-id").map(foreign),
        region: header("x-amz-bucket-region")
            .or_else(|| element(raw.body().bytes()?, "Region"))
            .filter(|name| is_region(name))
            .map(str::to_owned),
    });
    Answer {
        reply,
        operation,
        // RFC 9110 section 10.2.3 also allows a date, which no S3 sends.
        retry_after: header("retry-after").and_then(|s| s.trim().parse().ok()).map(Duration::from_secs),
        skewed: apart.is_some_and(|apart| apart > SKEW),
    }
}

/// The text of the one element of that name in S3's form of an error.
fn element<'a>(body: &'a [u8], name: &str) -> Option<&'a str> {
    let text = str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

/// Whether text can be a region's name: the remedy tells people to type it.
pub(super) fn is_region(text: &str) -> bool {
    (1..40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// What rustls says, if it is among the causes. An `io::Error` hides what it was made
/// of from `source()`, so those are opened by hand.
fn of_tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    // No honest chain is longer; a bound costs nothing.
    for _ in 0..32 {
        let error = next?;
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn speaks_of_tls(error: &(dyn Error + 'static)) -> bool {
    of_tls(error).is_some()
}

/// Whether what came in answer to a greeting in TLS was no TLS at all.
fn speaks_no_tls(error: &(dyn Error + 'static)) -> bool {
    matches!(of_tls(error), Some(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)))
}

#[cfg(test)]
impl Fault {
    /// A 503 that names a pause.
    pub(super) fn busy(retry_after: Duration) -> Self {
        let reply = Box::new(Reply { status: 503, ..Reply::default() });
        Self::Reply(Answer {
            reply,
            operation: Operation::Write,
            retry_after: Some(retry_after),
            skewed: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: Option<&str>) -> StoreError {
        let reply = Box::new(Reply { status, code: code.map(str::to_owned), ..Reply::default() });
        let answer = Answer { reply, operation: Operation::Read, retry_after: None, skewed: false };
        Fault::Reply(answer).into_error("s3://bucket/key".into(), 1)
    }

    #[test]
    fn only_an_object_can_be_missing() {
        for code in [None, Some("NoSuchKey"), Some("NoSuchVersion"), Some("NotFound")] {
            assert!(matches!(said(404, code), StoreError::NotFound { .. }), "{code:?}");
        }
        assert!(matches!(said(404, Some("NoSuchBucket")), StoreError::NoBucket { .. }));
        assert!(matches!(said(404, Some("XAdminUserNotFound")), StoreError::Denied { .. }));
        assert!(matches!(said(404, Some("NoSuchUpload")), StoreError::Rejected { .. }));
    }
}
