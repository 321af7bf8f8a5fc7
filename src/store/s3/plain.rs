//! Requests for an object, for what is known of it, or to write it, that do without the SDK's
//! machinery: its rules, layers and interceptors take several times what all else of a small request
//! does.
//!
//! The SDK shows how. A request of its own that was answered says where the bucket is, and by what
//! it is signed; if there is anything about it that is not known here, or the answer was none, all
//! requests stay the SDK's. What comes of a plain request is taken from here if it is a plain
//! success. Any other answer, and the lack of one, is handed over to the SDK ([`super::replay`]),
//! which makes of it what it would have made of an answer to itself: one attempt is one request, and
//! nothing else but time tells the two ways apart.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use aws_credential_types::Credentials as Keys;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request};
use jiff::Timestamp;
use jiff::fmt::strtime;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::fault::SKEW;
use super::sent;
use crate::store::{NewObject, ObjectInfo};

/// What AWS's signatures leave as it is in a path: RFC 3986 section 2.3, and the `/` of S3's keys.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What marks a GET of an object, for the SDK and for who bounds replies.
const OF_OBJECT: &str = "?x-id=GetObject";

/// The same of a PUT.
const TO_OBJECT: &str = "?x-id=PutObject";

/// All that a request may have in its head of which it is known here what it is for.
const KNOWN: [&str; 12] = [
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "host",
    "if-match",
    "range",
    "user-agent",
    "x-amz-checksum-mode",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
];

/// One request.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    method: Method,
    key: &'a str,
    query: &'static str,
    /// What is said beside who asks.
    headers: Vec<(&'static str, Cow<'a, str>)>,
    /// What is written.
    content: Option<&'a NewObject>,
}

/// That the store says which checksums it has.
const CHECKED: (&str, Cow<'_, str>) = ("x-amz-checksum-mode", Cow::Borrowed("ENABLED"));

impl<'a> Ask<'a> {
    /// For an object, or for the rest of it if it is still as it was.
    pub(super) fn get(key: &'a str, rest: Option<(&'a ObjectInfo, u64)>) -> Self {
        let mut headers = vec![CHECKED];
        if let Some((info, position)) = rest {
            headers.push(("range", format!("bytes={position}-").into()));
            headers.push(("if-match", info.revision.as_str().into()));
        }
        Self { method: Method::GET, key, query: OF_OBJECT, headers, content: None }
    }

    /// For what is known of it.
    pub(super) fn head(key: &'a str) -> Self {
        Self { method: Method::HEAD, key, query: "", headers: vec![CHECKED], content: None }
    }

    /// To write it, with these headers.
    pub(super) fn put(
        key: &'a str,
        content: &'a NewObject,
        mut headers: Vec<(&'static str, Cow<'a, str>)>,
    ) -> Self {
        headers.push(("content-type", "application/octet-stream".into()));
        headers.push(("content-length", content.size().to_string().into()));
        Self { method: Method::PUT, key, query: TO_OBJECT, headers, content: Some(content) }
    }
}

/// Where a bucket is, and how it is asked.
#[derive(Debug)]
pub(super) struct Plain {
    /// The address up to the key.
    before_key: String,
    region: String,
    user_agent: String,
}

impl Plain {
    /// What a request of the SDK's for the object with this key shows.
    fn shown_by(request: &HttpRequest, key: &str, now: Timestamp) -> Option<Self> {
        let headers = request.headers();
        if headers.iter().any(|(name, _)| !KNOWN.contains(&name)) {
            return None;
        }
        // A clock that is off is corrected by the SDK alone.
        let signed_at = strtime::parse("%Y%m%dT%H%M%SZ", headers.get("x-amz-date")?).ok()?;
        let signed_at = signed_at.to_datetime().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        if signed_at.duration_since(now).unsigned_abs() > SKEW {
            return None;
        }
        let address = request.uri().strip_suffix(OF_OBJECT)?;
        let before_key = address.strip_suffix(&encoded(key).to_string())?;
        let credential = headers.get("authorization")?.strip_prefix("AWS4-HMAC-SHA256 Credential=")?;
        let mut scope = credential.split(',').next()?.rsplit('/');
        let (request, service, region) = (scope.next()?, scope.next()?, scope.next()?);
        (request == "aws4_request" && service == "s3" && before_key.ends_with('/')).then(|| Self {
            before_key: before_key.to_owned(),
            region: region.to_owned(),
            user_agent: headers.get("user-agent").unwrap_or_default().to_owned(),
        })
    }

    /// The request, signed; `None` if it cannot be made here.
    pub(super) fn request(&self, ask: &Ask<'_>, keys: Keys, now: SystemTime) -> Option<Request<SdkBody>> {
        let Ask { method, key, query, headers, content } = ask;
        if !is_usual(key) {
            return None;
        }
        let uri = format!("{}{}{query}", self.before_key, encoded(key));
        let mut said: Vec<(&'static str, &str)> = vec![("user-agent", &self.user_agent)];
        said.extend(headers.iter().map(|(name, value)| (*name, value.as_ref())));
        let identity = Identity::from(keys);
        let params = self.signing(&identity, now)?;
        let (body, digest) = match content {
            Some(content) => (sent::body(content), SignableBody::Precomputed(content.digest().to_string())),
            None => (SdkBody::empty(), SignableBody::Bytes(&[])),
        };
        let signable =
            SignableRequest::new(method.as_str(), uri.as_str(), said.iter().copied(), digest).ok()?;
        let (instructions, _) = sign(signable, &params).ok()?.into_parts();
        let mut request = Request::builder().method(method).uri(&uri).body(body).ok()?;
        for (name, value) in said {
            request.headers_mut().insert(name, HeaderValue::from_str(value).ok()?);
        }
        for header in instructions.into_parts().0 {
            let mut value = HeaderValue::from_str(header.value()).ok()?;
            value.set_sensitive(header.sensitive());
            request.headers_mut().insert(HeaderName::from_static(header.name()), value);
        }
        Some(request)
    }

    /// As S3 has it: the path as it is sent, and the payload's digest in a header of its own.
    fn signing<'a>(&'a self, identity: &'a Identity, now: SystemTime) -> Option<SigningParams<'a>> {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(identity)
            .region(&self.region)
            .name("s3")
            .time(now)
            .settings(settings);
        params.build().ok().map(Into::into)
    }
}

/// A slash at the beginning may be taken for one too many by whoever joins paths.
fn is_usual(key: &str) -> bool {
    !key.starts_with('/')
}

fn encoded(key: &str) -> percent_encoding::PercentEncode<'_> {
    utf8_percent_encode(key, ENCODED)
}

/// Looks at a request of the SDK's for one object.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    key: Arc<str>,
    shown: Arc<OnceLock<Option<Arc<Plain>>>>,
}

#[dyn_dispatch_hint]
impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let plain = || Plain::shown_by(context.request(), &self.key, Timestamp::now()).map(Arc::new);
        self.shown.get_or_init(plain);
        Ok(())
    }
}

/// Whether requests can be plain, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Shortcut {
    closed: AtomicBool,
    known: Mutex<Option<Arc<Plain>>>,
}

impl Shortcut {
    /// One that is never taken.
    pub(super) fn closed() -> Self {
        Self { closed: AtomicBool::new(true), ..Self::default() }
    }

    /// How it is done, for requests that are signed for this region.
    pub(super) fn known(&self, region: &str) -> Option<Arc<Plain>> {
        if self.closed.load(Ordering::Relaxed) {
            return None;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone().filter(|plain| plain.region == region)
    }

    /// Who looks how the SDK asks for the object with this key, if that is worth while.
    pub(super) fn watch(&self, key: &str) -> Option<Watch> {
        let is_open = !self.closed.load(Ordering::Relaxed) && is_usual(key);
        is_open.then(|| Watch { key: key.into(), shown: Arc::default() })
    }

    /// Takes over how the SDK did it, with a request that was answered by the object.
    pub(super) fn learn(&self, watch: &Watch) {
        match watch.shown.get().cloned().flatten() {
            Some(plain) => *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(plain),
            None => self.close(),
        }
    }

    /// Is not taken any more: the SDK may know better how to ask there.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}
