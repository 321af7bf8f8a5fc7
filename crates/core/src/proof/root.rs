//! The trusted root: which logs, timestamp authorities and certificate authorities are believed,
//! and when (`TrustedRoot` of Sigstore's `protobuf-specs`, as JSON; what `cosign trusted-root
//! create` writes, and Sigstore's TUF repositories serve).
//!
//! It is the verifier's own file, as a policy is. What it says of a log or an authority and is not
//! known here is refused: it may ask for more than is judged, such as witnesses. Keys of kinds that
//! are not verified here are as if they were not named.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;

use super::chain::Authority;
use super::window::Window;
use crate::dsse::base64;
use crate::json::{self, JsonError, Limits, Object};
use crate::keys::PublicKey;
use crate::text::brief;

/// Bytes of a trusted root that are read. That of Sigstore's public instance has 7,000.
pub const MAX_TRUSTED_ROOT: usize = 1024 * 1024;
/// Logs, and authorities of each kind, in one.
const MAX_EACH: usize = 64;
/// Certificates in one chain.
const MAX_CHAIN: usize = 8;
/// What its media types begin with, whatever their version.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// Why bytes are not a trusted root that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRoot {
    /// Not JSON, or of another shape.
    #[error("not a Sigstore trusted root")]
    Json(#[from] JsonError),
    /// Another document.
    #[error("its media type is {found:?}, not that of a Sigstore trusted root")]
    MediaType {
        /// What it says that it is, bounded.
        found: String,
    },
    /// Something that it names cannot be used.
    #[error("{field} {what}")]
    Field {
        /// Which, such as `tlogs[0]`.
        field: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// What it says of a log or an authority is more than is understood.
    #[error(
        "{field} says {name:?}, which is not known here: it might ask for more than is judged, such as witnesses"
    )]
    Unknown {
        /// Of which log or authority, such as `tlogs[0]`.
        field: String,
        /// The name, bounded.
        name: String,
    },
    /// Nothing is trusted by it.
    #[error("it names no log, no timestamp authority and no certificate authority that can be used here")]
    Empty,
}

/// Whom to believe about time, publication and identities.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustedRoot {
    pub(super) logs: Vec<Log>,
    pub(super) ct_logs: Vec<Log>,
    pub(super) timestamp_authorities: Vec<Authority>,
    pub(super) certificate_authorities: Vec<Authority>,
}

/// A log of signatures or of certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    /// For people: its host.
    pub(super) name: String,
    /// By which entries name it.
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) window: Window,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRoot {
    #[serde(alias = "media_type")]
    media_type: String,
    #[serde(default, deserialize_with = "json::objects_or_unset")]
    tlogs: Vec<WireLog>,
    #[serde(default, deserialize_with = "json::objects_or_unset")]
    ctlogs: Vec<WireLog>,
    #[serde(default, alias = "certificate_authorities", deserialize_with = "json::objects_or_unset")]
    certificate_authorities: Vec<WireAuthority>,
    #[serde(default, alias = "timestamp_authorities", deserialize_with = "json::objects_or_unset")]
    timestamp_authorities: Vec<WireAuthority>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLog {
    #[serde(default, alias = "base_url", deserialize_with = "json::or_unset")]
    base_url: String,
    #[serde(alias = "public_key")]
    public_key: Object<WireKey>,
    #[serde(alias = "log_id")]
    log_id: Object<WireLogId>,
    #[serde(flatten)]
    others: Others,
}

/// What else is said.
type Others = BTreeMap<String, serde_json::Value>;

/// What is said of logs and authorities and changes nothing about who is believed. Which hash a log's
/// tree has, and which key signs its checkpoints, is known by its key and its kind.
const TOLD: [&str; 6] =
    ["hashAlgorithm", "hash_algorithm", "checkpointKeyId", "checkpoint_key_id", "operator", "subject"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireKey {
    #[serde(alias = "raw_bytes")]
    raw_bytes: String,
    #[serde(default, alias = "valid_for", deserialize_with = "json::object_or_none")]
    valid_for: Option<WireWindow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLogId {
    #[serde(alias = "key_id")]
    key_id: String,
}

#[derive(Deserialize, Default)]
struct WireWindow {
    #[serde(default, deserialize_with = "json::or_unset")]
    start: Option<String>,
    #[serde(default, deserialize_with = "json::or_unset")]
    end: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireAuthority {
    #[serde(default, deserialize_with = "json::or_unset")]
    uri: String,
    #[serde(alias = "cert_chain")]
    cert_chain: Object<WireChain>,
    #[serde(default, alias = "valid_for", deserialize_with = "json::object_or_none")]
    valid_for: Option<WireWindow>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Deserialize)]
struct WireChain {
    #[serde(default, deserialize_with = "json::objects_or_unset")]
    certificates: Vec<WireCertificate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCertificate {
    #[serde(alias = "raw_bytes")]
    raw_bytes: String,
}

impl TrustedRoot {
    /// Reads its JSON, of at most [`MAX_TRUSTED_ROOT`] bytes.
    pub fn read(json: &[u8]) -> Result<Self, InvalidRoot> {
        let wire: WireRoot = json::parse(json, Limits::from(MAX_TRUSTED_ROOT))?;
        if !wire.media_type.starts_with(MEDIA_TYPE) {
            return Err(InvalidRoot::MediaType { found: brief(&wire.media_type, 100) });
        }
        let root = Self {
            logs: logs("tlogs", wire.tlogs)?,
            ct_logs: logs("ctlogs", wire.ctlogs)?,
            timestamp_authorities: authorities("timestampAuthorities", wire.timestamp_authorities)?,
            certificate_authorities: authorities("certificateAuthorities", wire.certificate_authorities)?,
        };
        let is_empty = root.logs.is_empty()
            && root.timestamp_authorities.is_empty()
            && root.certificate_authorities.is_empty();
        if is_empty { Err(InvalidRoot::Empty) } else { Ok(root) }
    }

    /// Whether it names a log of signatures: else no entry could be judged.
    pub fn names_a_log(&self) -> bool {
        !self.logs.is_empty()
    }

    /// Whether it names an authority that issues certificates to identities.
    pub fn names_a_certificate_authority(&self) -> bool {
        !self.certificate_authorities.is_empty()
    }

    /// Whether it names a timestamp authority.
    pub fn names_a_timestamp_authority(&self) -> bool {
        !self.timestamp_authorities.is_empty()
    }
}

fn at(list: &str, index: usize, what: &'static str) -> InvalidRoot {
    InvalidRoot::Field { field: format!("{list}[{index}]"), what }
}

fn few<T>(list: &str, items: &[T]) -> Result<(), InvalidRoot> {
    if items.len() > MAX_EACH { Err(at(list, MAX_EACH, "is one more than are read")) } else { Ok(()) }
}

fn all_known(list: &str, index: usize, others: &Others) -> Result<(), InvalidRoot> {
    let unknown = others.keys().find(|name| !TOLD.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        Err(InvalidRoot::Unknown { field: format!("{list}[{index}]"), name: brief(name, 100) })
    })
}

fn logs(list: &str, wire: Vec<WireLog>) -> Result<Vec<Log>, InvalidRoot> {
    few(list, &wire)?;
    let mut logs: Vec<Log> = Vec::with_capacity(wire.len());
    for (index, log) in wire.into_iter().enumerate() {
        all_known(list, index, &log.others)?;
        let Object(key) = log.public_key;
        let id =
            base64(&log.log_id.0.key_id).ok_or_else(|| at(list, index, "has a `keyId` that is no base64"))?;
        if id.len() < 4 || id.len() > 64 {
            return Err(at(list, index, "has a `keyId` of a length that none has"));
        }
        let der = base64(&key.raw_bytes).ok_or_else(|| at(list, index, "has a key that is no base64"))?;
        let window = window(key.valid_for).ok_or_else(|| at(list, index, "has a `validFor` that is none"))?;
        // A key that always was trusted is one that nobody decided about.
        if window.start.is_none() {
            return Err(at(list, index, "has no `validFor.start`"));
        }
        if logs.iter().any(|other| other.id == id) {
            return Err(at(list, index, "has the `keyId` of another one"));
        }
        if let Ok(key) = PublicKey::from_spki_der(&der) {
            logs.push(Log { name: host(&log.base_url), id, key, window });
        }
    }
    Ok(logs)
}

fn authorities(list: &str, wire: Vec<WireAuthority>) -> Result<Vec<Authority>, InvalidRoot> {
    few(list, &wire)?;
    let mut authorities = Vec::with_capacity(wire.len());
    for (index, authority) in wire.into_iter().enumerate() {
        all_known(list, index, &authority.others)?;
        let Object(WireChain { certificates }) = authority.cert_chain;
        if certificates.is_empty() || certificates.len() > MAX_CHAIN {
            return Err(at(list, index, "has no certificates, or more than are read"));
        }
        let certificates = certificates.iter().map(|certificate| base64(&certificate.raw_bytes));
        let certificates: Option<Vec<_>> = certificates.collect();
        let certificates =
            certificates.ok_or_else(|| at(list, index, "has a certificate that is no base64"))?;
        let window =
            window(authority.valid_for).ok_or_else(|| at(list, index, "has a `validFor` that is none"))?;
        let authority = Authority::new(host(&authority.uri), certificates, window);
        authorities.push(authority.ok_or_else(|| at(list, index, "has a certificate that is damaged"))?);
    }
    Ok(authorities)
}

/// `None` if it is there, and none: no bound at all would trust too much.
fn window(wire: Option<WireWindow>) -> Option<Window> {
    let time = |text: Option<String>| match text {
        None => Some(None),
        Some(text) => text.parse::<Timestamp>().ok().map(Some),
    };
    let WireWindow { start, end } = wire.unwrap_or_default();
    let window = Window { start: time(start)?, end: time(end)? };
    let is_empty = window.start.zip(window.end).is_some_and(|(start, end)| end < start);
    (!is_empty).then_some(window)
}

/// What people call it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    brief(if host.is_empty() { "(unnamed)" } else { host }, 100)
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |logs: &[Log]| logs.iter().map(|log| log.name.clone()).collect::<Vec<_>>();
        let uris = |all: &[Authority]| all.iter().map(|one| one.name().to_owned()).collect::<Vec<_>>();
        f.debug_struct("TrustedRoot")
            .field("logs", &names(&self.logs))
            .field("ct_logs", &names(&self.ct_logs))
            .field("timestamp_authorities", &uris(&self.timestamp_authorities))
            .field("certificate_authorities", &uris(&self.certificate_authorities))
            .finish()
    }
}
