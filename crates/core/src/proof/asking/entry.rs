//! An entry of a log, as a bundle has it (`TransparencyLogEntry` of Sigstore's `protobuf-specs`),
//! written of what a log's own interface answered.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::AnswerError;
use crate::json::Opaque;

/// What is in one, all of it still as somebody said it.
pub(super) struct Entry {
    /// Its place among all that the log ever took.
    pub(super) index: u64,
    pub(super) log_id: Vec<u8>,
    pub(super) kind: &'static str,
    pub(super) version: &'static str,
    /// Seconds since 1970; 0 of a log that does not say.
    pub(super) time: u64,
    /// The promise of a log that gives one.
    pub(super) promise: Option<Vec<u8>>,
    /// Its place in its tree.
    pub(super) index_in_tree: u64,
    pub(super) root: Vec<u8>,
    pub(super) size: u64,
    pub(super) path: Vec<Vec<u8>>,
    pub(super) checkpoint: String,
    pub(super) body: Vec<u8>,
}

impl Entry {
    /// As protobuf's JSON has it: counts are texts.
    pub(super) fn opaque(&self) -> Result<Opaque, AnswerError> {
        let b64 = |bytes: &[u8]| STANDARD.encode(bytes);
        let path: Vec<String> = self.path.iter().map(|hash| b64(hash)).collect();
        let mut entry = json!({
            "logIndex": self.index.to_string(),
            "logId": {"keyId": b64(&self.log_id)},
            "kindVersion": {"kind": self.kind, "version": self.version},
            "integratedTime": self.time.to_string(),
            "inclusionProof": {
                "logIndex": self.index_in_tree.to_string(),
                "rootHash": b64(&self.root),
                "treeSize": self.size.to_string(),
                "hashes": path,
                "checkpoint": {"envelope": self.checkpoint},
            },
            "canonicalizedBody": b64(&self.body),
        });
        if let (Some(promise), Value::Object(fields)) = (&self.promise, &mut entry) {
            fields.insert("inclusionPromise".to_owned(), json!({"signedEntryTimestamp": b64(promise)}));
        }
        let raw = to_raw_value(&entry).map_err(|_| AnswerError::Entry("it cannot be written"))?;
        Ok(Opaque::from(&*raw))
    }
}
