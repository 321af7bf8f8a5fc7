//! An entry of a transparency log (`TransparencyLogEntry` of Sigstore's `protobuf-specs`): that the
//! log holds it, that it is of this signature, and when the log says that it came.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::body::{self, Standing, hex};
use super::checkpoint::Checkpoint;
use super::claim::Claim;
use super::inclusion::{self, Hash, MAX_PATH};
use super::root::{Log, TrustedRoot};
use crate::dsse::base64;
use crate::json::{self, AtMost, Object, Opaque};

/// Why an entry is false.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Not one.
    #[error("it is damaged")]
    Damaged,
    /// Only promised, or not even that.
    #[error("it has no proof that it is in the log")]
    NoProof,
    /// The checkpoint is of another log, or was changed.
    #[error("its checkpoint is not signed by {log}")]
    Checkpoint {
        /// Which log should have.
        log: String,
    },
    /// It is not in the tree that the checkpoint is of.
    #[error("its proof does not lead to the checkpoint of {log}")]
    Inclusion {
        /// Which log.
        log: String,
    },
    /// The promise that came with it is not the log's.
    #[error("its promise (signed entry timestamp) is not signed by {log}")]
    Promise {
        /// Which log should have.
        log: String,
    },
    /// In the log, and about something else.
    #[error("it is of another signature")]
    OtherSignature,
    /// The trusted root believes the log's key at other times.
    #[error("the trusted root does not believe {log} at {time}")]
    Window {
        /// Which log.
        log: String,
        /// When it says that it took the entry.
        time: Timestamp,
    },
}

/// What a log proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) log: Log,
    /// Its place: among all that the log ever took, where that is proven.
    pub(super) index: u64,
    /// When the log took it, if it promised that.
    pub(super) time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireEntry {
    #[serde(default, alias = "log_index")]
    log_index: Number,
    #[serde(alias = "log_id")]
    log_id: Object<WireLogId>,
    #[serde(alias = "kind_version")]
    kind_version: Object<WireKind>,
    #[serde(default, alias = "integrated_time")]
    integrated_time: Number,
    #[serde(default, alias = "inclusion_promise", deserialize_with = "json::object_or_none")]
    inclusion_promise: Option<WirePromise>,
    #[serde(default, alias = "inclusion_proof", deserialize_with = "json::object_or_none")]
    inclusion_proof: Option<WireProof>,
    #[serde(alias = "canonicalized_body")]
    canonicalized_body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireLogId {
    #[serde(alias = "key_id")]
    key_id: String,
}

#[derive(Deserialize)]
struct WireKind {
    kind: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePromise {
    #[serde(alias = "signed_entry_timestamp")]
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireProof {
    #[serde(default, alias = "log_index")]
    log_index: Number,
    #[serde(alias = "root_hash")]
    root_hash: String,
    #[serde(default, alias = "tree_size")]
    tree_size: Number,
    #[serde(default)]
    hashes: AtMost<String, MAX_PATH>,
    checkpoint: Object<WireCheckpoint>,
}

#[derive(Deserialize)]
struct WireCheckpoint {
    envelope: String,
}

/// A count of 63 bits; protobuf's JSON has it as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(String),
            Count(u64),
        }
        let read = Option::<Either>::deserialize(deserializer)?;
        let count = match read {
            None => 0,
            Some(Either::Count(count)) => count,
            Some(Either::Text(text)) => text.parse().map_err(serde::de::Error::custom)?,
        };
        match i64::try_from(count) {
            Ok(_) => Ok(Self(count)),
            Err(error) => Err(serde::de::Error::custom(error)),
        }
    }
}

/// What an entry proves of a signature; `None` if it is in no log that the trusted root names, or
/// of a kind that is not read.
pub(super) fn judge(
    entry: &Opaque,
    claim: &Claim<'_>,
    root: &TrustedRoot,
) -> Result<Option<Held>, EntryError> {
    let read = serde_json::from_str::<Object<WireEntry>>(entry.as_json());
    let Object(entry) = read.map_err(|_| EntryError::Damaged)?;
    let id = base64(&entry.log_id.0.key_id).ok_or(EntryError::Damaged)?;
    let Some(log) = root.logs.iter().find(|log| log.id == id) else { return Ok(None) };
    let body = base64(&entry.canonicalized_body).ok_or(EntryError::Damaged)?;
    let Object(WireKind { kind, version }) = &entry.kind_version;
    let is_version_2 = body::is_of_version_2(kind, version);
    // First whether the log holds it: what it is of is told of what the log holds.
    let proof = entry.inclusion_proof.as_ref().ok_or(EntryError::NoProof)?;
    included(&body, proof, log)?;
    let time = match &entry.inclusion_promise {
        Some(promise) => Some(promised(promise, &body, &entry, log)?),
        None => None,
    };
    // Of the two places only that in the tree is proven by the proof; in Rekor 2 they are one.
    if is_version_2 && entry.log_index != proof.log_index {
        return Err(EntryError::Damaged);
    }
    if let Some(time) = time.filter(|time| !log.window.holds(*time)) {
        return Err(EntryError::Window { log: log.name.clone(), time });
    }
    let index = if time.is_some() { entry.log_index.0 } else { proof.log_index.0 };
    match body::standing(&body, kind, version, claim) {
        Standing::Bound => Ok(Some(Held { log: log.clone(), index, time })),
        Standing::Unknown => Ok(None),
        Standing::Damaged => Err(EntryError::Damaged),
        Standing::Other => Err(EntryError::OtherSignature),
    }
}

fn included(body: &[u8], proof: &WireProof, log: &Log) -> Result<(), EntryError> {
    let damaged = || EntryError::Damaged;
    let checkpoint = Checkpoint::read(&proof.checkpoint.0.envelope).ok_or_else(damaged)?;
    if !checkpoint.is_of(log) {
        return Err(EntryError::Checkpoint { log: log.name.clone() });
    }
    let hash = |text: &String| Hash::try_from(base64(text)?).ok();
    let path: Option<Vec<Hash>> = proof.hashes.0.iter().map(hash).collect();
    let path = path.ok_or_else(damaged)?;
    let stated = hash(&proof.root_hash).ok_or_else(damaged)?;
    let found = inclusion::root(inclusion::leaf(body), proof.log_index.0, checkpoint.size, &path);
    let holds =
        proof.tree_size.0 == checkpoint.size && stated == checkpoint.root && found == Some(checkpoint.root);
    if holds { Ok(()) } else { Err(EntryError::Inclusion { log: log.name.clone() }) }
}

/// When the log promised that it took the entry (Rekor's signed entry timestamp: the signature of
/// the entry's canonical JSON, RFC 8785).
fn promised(
    promise: &WirePromise,
    body: &[u8],
    entry: &WireEntry,
    log: &Log,
) -> Result<Timestamp, EntryError> {
    use ::base64::Engine as _;
    let body = ::base64::engine::general_purpose::STANDARD.encode(body);
    let (id, index, time) = (hex(&log.id), entry.log_index.0, entry.integrated_time.0);
    let signed = format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{id}","logIndex":{index}}}"#);
    let signature = base64(&promise.signed_entry_timestamp).ok_or(EntryError::Damaged)?;
    if log.key.verify(signed.as_bytes(), &signature).is_err() {
        return Err(EntryError::Promise { log: log.name.clone() });
    }
    let time = i64::try_from(time).ok().and_then(|time| Timestamp::from_second(time).ok());
    time.ok_or(EntryError::Damaged)
}
