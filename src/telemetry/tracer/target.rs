//! Where spans are sent, by the variables that all of OpenTelemetry's exporters take
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>), and who is told to have sent them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use argo_attest_core::contract::opentelemetry as variable;
use argo_attest_core::text::brief;
use hyper::Request;
use hyper::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING, USER_AGENT,
};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::recorder::LONGEST;
use crate::environment::Env;
use crate::net::{InvalidProxy, Proxies, Trust};
use crate::service::{Http, Limits, ServiceError};
use crate::store::percent_decoded;
use crate::store::s3::{Endpoint, InvalidEndpoint};

/// Behind an address that is for all signals.
const TRACES: &str = "/v1/traces";
/// Bytes of a variable, and headers or attributes in one.
const MAX_TEXT: usize = 16 * 1024;
const MOST: usize = 64;
/// What we are called where nobody says otherwise.
const SERVICE: &str = "argo-attest";
const SERVICE_NAME: &str = "service.name";
/// Where collectors speak gRPC by default, and HTTP.
const GRPC_PORT: &str = ":4317";
/// What a request says of itself, and nobody for it.
const OUR_OWN: [HeaderName; 5] = [HOST, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING];

/// Where spans are sent, and as whose.
#[derive(Clone)]
pub struct Target {
    endpoint: Endpoint,
    path: &'static str,
    headers: HeaderMap,
    resource: BTreeMap<String, String>,
    trust: Trust,
    proxies: Proxies,
}

/// Why spans are sent nowhere. No value is repeated: one may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    /// The address is none.
    #[error("the address in {name} {why}")]
    Endpoint {
        /// Where it is from.
        name: &'static str,
        /// What is wrong with it.
        why: InvalidEndpoint,
    },
    /// A variable that is not understood.
    #[error("{name} is not understood: name=value, several by commas, percent-encoded")]
    Variable {
        /// Which one.
        name: &'static str,
    },
    /// Another protocol is asked for.
    #[error(
        "{name} asks for a protocol that is not spoken here: http/json is, which servers of http/protobuf take"
    )]
    Protocol {
        /// Which variable.
        name: &'static str,
    },
    /// The environment names a proxy that is none.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
}

/// Why spans were not sent, or not all were taken. Nothing of an answer is repeated: it may have what it was sent.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    /// There is no connection, or no answer on it.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// There is nobody to wait for it any more.
    #[error("it did not answer within {0:?}")]
    Late(Duration),
    /// It does not take them.
    #[error("it answered with status {0}")]
    Refused(u16),
    /// It does not take all of them.
    #[error("it did not take {0} of them")]
    Partly(u64),
}

impl Target {
    /// What the option says, or these variables; `None` where nothing is to be sent.
    ///
    /// Errors: [`InvalidTarget`], where the variables are not understood.
    pub fn from_env(given: Option<&Endpoint>, env: &dyn Env) -> Result<Option<Self>, InvalidTarget> {
        let Some((endpoint, path)) = address(given, env)? else { return Ok(None) };
        let mut headers = HeaderMap::new();
        for name in [variable::HEADERS, variable::TRACES_HEADERS] {
            for (header, value) in pairs(env, name)? {
                let invalid = || InvalidTarget::Variable { name };
                let header = header.parse::<HeaderName>().map_err(|_| invalid())?;
                if OUR_OWN.contains(&header) {
                    return Err(invalid());
                }
                let mut value = HeaderValue::from_str(&value).map_err(|_| invalid())?;
                value.set_sensitive(true);
                headers.insert(header, value);
            }
        }
        let told = |(key, text): (String, Zeroizing<String>)| (brief(&key, LONGEST), brief(&text, LONGEST));
        let mut resource: BTreeMap<_, _> =
            pairs(env, variable::RESOURCE_ATTRIBUTES)?.into_iter().map(told).collect();
        if let Some(service) = text(env, variable::SERVICE_NAME)? {
            resource.insert(SERVICE_NAME.to_owned(), brief(&service, LONGEST));
        }
        let mut target =
            Self { endpoint, path, headers, resource, trust: trust(env)?, proxies: Proxies::from_env(env)? };
        target.describe(SERVICE_NAME, SERVICE);
        target.describe("service.version", env!("CARGO_PKG_VERSION"));
        Ok(Some(target))
    }

    /// Says something of whose spans they are, unless whoever set this up has said it.
    pub fn describe(&mut self, name: &str, text: &str) {
        self.resource.entry(name.to_owned()).or_insert_with(|| brief(text, LONGEST));
    }

    /// Who sends.
    pub(super) fn resource(&self) -> impl Iterator<Item = (&str, &str)> {
        self.resource.iter().map(|(key, text)| (key.as_str(), text.as_str()))
    }

    /// What to do where it does not take them, as far as that can be told from here.
    pub(super) fn help(&self) -> &'static str {
        if self.endpoint.as_str().ends_with(GRPC_PORT) {
            "port 4317 is for gRPC: name the collector's port for OTLP over HTTP, 4318"
        } else {
            "see whether it takes OTLP over HTTP in JSON at this address"
        }
    }

    /// Sends a body once, and waits for the answer no longer than `within`.
    pub(super) async fn post(&self, body: Vec<u8>, within: Duration) -> Result<(), Unsent> {
        timeout(within, self.posted(body, within)).await.unwrap_or(Err(Unsent::Late(within)))
    }

    async fn posted(&self, body: Vec<u8>, within: Duration) -> Result<(), Unsent> {
        // Whoever waits for this gives up first, in its own words.
        let limits = Limits { attempt: within.saturating_mul(2), ..Limits::default() };
        let (is_secure, trust, proxies) =
            (self.endpoint.is_secure(), self.trust.clone(), self.proxies.clone());
        // Certificates are read from a file, which may lie where nothing answers.
        let http = spawn_blocking(move || Http::new(is_secure, &trust, proxies, limits));
        let http = http.await.map_err(|lost| ServiceError::Unreachable(lost.into()))??;
        let mut request = Request::post(format!("{}{}", self.endpoint, self.path))
            .body(body)
            .map_err(|_| ServiceError::Odd("its address makes no request"))?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers
            .insert(USER_AGENT, HeaderValue::from_static(concat!("argo-attest/", env!("CARGO_PKG_VERSION"))));
        let reply = http.ask(request).await?;
        if !reply.status.is_success() {
            return Err(Unsent::Refused(reply.status.as_u16()));
        }
        match rejected(&reply.body) {
            0 => Ok(()),
            some => Err(Unsent::Partly(some)),
        }
    }
}

/// Where to, and what comes behind it.
fn address(
    given: Option<&Endpoint>,
    env: &dyn Env,
) -> Result<Option<(Endpoint, &'static str)>, InvalidTarget> {
    // Argo's own containers may speak gRPC, which the variables then ask for.
    if let Some(endpoint) = given {
        return Ok(Some((endpoint.clone(), TRACES)));
    }
    let is = |name, value: &str| {
        Ok::<_, InvalidTarget>(text(env, name)?.is_some_and(|text| text.eq_ignore_ascii_case(value)))
    };
    if is(variable::SDK_DISABLED, "true")? || is(variable::TRACES_EXPORTER, "none")? {
        return Ok(None);
    }
    let named = |name: &'static str| -> Result<Option<Endpoint>, InvalidTarget> {
        let parsed = text(env, name)?.map(|text| text.parse::<Endpoint>()).transpose();
        parsed.map_err(|why| InvalidTarget::Endpoint { name, why })
    };
    let found = match named(variable::TRACES_ENDPOINT)? {
        // As it is.
        Some(endpoint) => Some((endpoint, "")),
        None => named(variable::ENDPOINT)?.map(|endpoint| (endpoint, TRACES)),
    };
    if found.is_some() {
        for name in [variable::TRACES_PROTOCOL, variable::PROTOCOL] {
            let Some(protocol) = text(env, name)? else { continue };
            if !matches!(protocol.as_str(), "http/json" | "http/protobuf") {
                return Err(InvalidTarget::Protocol { name });
            }
            break;
        }
    }
    Ok(found)
}

/// `OTEL_EXPORTER_OTLP_CERTIFICATE`, else what everybody is believed by who is no store.
fn trust(env: &dyn Env) -> Result<Trust, InvalidTarget> {
    for name in [variable::TRACES_CERTIFICATE, variable::CERTIFICATE] {
        if let Some(path) = text(env, name)? {
            return Ok(Trust::Bundle(path.into()));
        }
    }
    let named = env.var("SSL_CERT_FILE").filter(|value| !value.is_empty());
    Ok(named.map_or(Trust::System, |path| Trust::Bundle(PathBuf::from(path))))
}

/// How many spans a collector says that it did not take. What it says otherwise counts for nothing.
fn rejected(answer: &[u8]) -> u64 {
    let said: Option<Answer> = serde_json::from_slice(answer).ok();
    match said.and_then(|said| said.partial_success?.rejected_spans) {
        Some(Count::Number(count)) => count,
        Some(Count::Text(count)) => count.parse().unwrap_or_default(),
        None => 0,
    }
}

/// `ExportTraceServiceResponse`, as far as it is read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    partial_success: Option<PartialSuccess>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialSuccess {
    rejected_spans: Option<Count>,
}

/// A number of 64 bits is a text in this form of JSON, and both are to be read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Text(String),
}

/// A variable, if it is set to something.
fn text(env: &dyn Env, name: &'static str) -> Result<Option<String>, InvalidTarget> {
    let Some(value) = env.var(name) else { return Ok(None) };
    let text = value.into_string().ok().filter(|text| text.len() <= MAX_TEXT);
    let text = text.ok_or(InvalidTarget::Variable { name })?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// `name=value`, several by commas, as W3C Baggage writes them.
fn pairs(env: &dyn Env, name: &'static str) -> Result<Vec<(String, Zeroizing<String>)>, InvalidTarget> {
    let invalid = || InvalidTarget::Variable { name };
    let text = Zeroizing::new(text(env, name)?.unwrap_or_default());
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let mut pairs = Vec::new();
    for part in parts {
        let (key, value) = part.split_once('=').ok_or_else(invalid)?;
        let (key, value) = (key.trim(), value.trim());
        let decoded = percent_decoded(value.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
        let decoded = decoded.ok_or_else(invalid)?;
        let is_name = !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic());
        if !is_name || pairs.len() >= MOST {
            return Err(invalid());
        }
        pairs.push((key.to_owned(), Zeroizing::new(decoded)));
    }
    Ok(pairs)
}

/// The address, and nothing else: headers are secrets.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.endpoint, self.path)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}
