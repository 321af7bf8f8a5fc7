//! Rekor's two interfaces: what is posted, and the entry in what comes back.
//!
//! What is asked of version 1 is the type `dsse` 0.0.1: the envelope goes there whole, and the log keeps
//! hashes of it. Of version 2 it is `hashedrekord` 0.0.2, of the SHA-256 of what was signed: its own
//! type for envelopes makes a bundle that others cannot read.

use std::collections::BTreeMap;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::entry::Entry;
use super::{AnswerError, Fresh, Said, Word};
use crate::dsse::base64;
use crate::json::{self, AtMost, Limits, Object};
use crate::keys::KeyType;
use crate::proof::inclusion::MAX_PATH;

/// Bytes of an answer. An entry has a few hashes.
const MAX_ANSWER: usize = 256 * 1024;

/// Rekor 1.
#[derive(Debug, Clone, Copy)]
pub struct Rekor1;

/// Rekor 2.
#[derive(Debug, Clone, Copy)]
pub struct Rekor2;

impl Rekor1 {
    /// The path of its interface, behind the log's address.
    pub const PATH: &str = "/api/v1/log/entries";

    /// What is posted there.
    pub fn request(fresh: &Fresh<'_>) -> String {
        let envelope = String::from_utf8_lossy(&fresh.envelope.to_json()).into_owned();
        let key = STANDARD.encode(fresh.verifier_pem());
        let content = json!({"envelope": envelope, "verifiers": [key]});
        json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {"proposedContent": content}}).to_string()
    }

    /// The entry in its answer, of one that was made or is asked for.
    ///
    /// Errors: [`AnswerError`].
    pub fn answer(answer: &[u8]) -> Result<Word, AnswerError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            body: String,
            integrated_time: u64,
            #[serde(rename = "logID")]
            log_id: String,
            log_index: u64,
            verification: Object<Verification>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Verification {
            inclusion_proof: Object<Proof>,
            signed_entry_timestamp: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Proof {
            checkpoint: String,
            hashes: AtMost<String, MAX_PATH>,
            log_index: u64,
            root_hash: String,
            tree_size: u64,
        }
        let entries: BTreeMap<String, Object<Wire>> = json::parse(answer, Limits::from(MAX_ANSWER))?;
        let mut entries = entries.into_values();
        let (Some(Object(wire)), None) = (entries.next(), entries.next()) else {
            return Err(AnswerError::Entry("one was asked for"));
        };
        let Object(Verification { inclusion_proof: Object(proof), signed_entry_timestamp }) =
            wire.verification;
        let hash = |text: &String| unhex(text).ok_or(AnswerError::Entry("a hash of it is none"));
        let bytes = |text: &str| base64(text).ok_or(AnswerError::Entry("a part of it is no base64"));
        let entry = Entry {
            index: wire.log_index,
            log_id: hash(&wire.log_id)?,
            kind: "dsse",
            version: "0.0.1",
            time: wire.integrated_time,
            promise: Some(bytes(&signed_entry_timestamp)?),
            index_in_tree: proof.log_index,
            root: hash(&proof.root_hash)?,
            size: proof.tree_size,
            path: proof.hashes.0.iter().map(hash).collect::<Result<_, _>>()?,
            checkpoint: proof.checkpoint,
            body: bytes(&wire.body)?,
        };
        Ok(Word::new(Said::Entry(entry.opaque()?)))
    }

    /// The path of an entry that is there already, of the address that the log gives when it refuses to
    /// take it again. Of that only the name of the entry counts, if it is one.
    pub fn existing(location: &str) -> Option<String> {
        let name = location.rsplit('/').next()?;
        let is_hex = name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        // The hash of the leaf; before it, that of the tree.
        (is_hex && matches!(name.len(), 64 | 80)).then(|| format!("{}/{name}", Self::PATH))
    }
}

impl Rekor2 {
    /// The path of its interface, behind the log's address.
    pub const PATH: &str = "/api/v2/log/entries";

    /// Whether it takes what this kind of key signs: it hashes what was signed, which pure Ed25519
    /// does not allow.
    pub fn takes(key: Option<KeyType>) -> bool {
        key == Some(KeyType::EcdsaP256)
    }

    /// What is posted there; `None` of a signature that it does not take.
    pub fn request(fresh: &Fresh<'_>) -> Option<String> {
        if !Self::takes(fresh.key().key_type()) {
            return None;
        }
        let (kind, der) = match fresh.certificate() {
            Some(issued) => ("x509Certificate", issued.leaf().der().to_vec()),
            None => ("publicKey", fresh.key().to_spki_der()),
        };
        let verifier = json!({
            kind: {"rawBytes": STANDARD.encode(der)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        });
        let record = json!({
            "digest": STANDARD.encode(Sha256::digest(fresh.valid.message())),
            "signature": {"content": STANDARD.encode(fresh.valid.signature()), "verifier": verifier},
        });
        Some(json!({"hashedRekordRequestV002": record}).to_string())
    }

    /// The entry in its answer.
    ///
    /// Errors: [`AnswerError`].
    pub fn answer(answer: &[u8]) -> Result<Word, AnswerError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire {
            log_index: Count,
            log_id: Object<LogId>,
            inclusion_proof: Object<Proof>,
            canonicalized_body: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct LogId {
            key_id: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Proof {
            #[serde(default)]
            log_index: Count,
            root_hash: String,
            tree_size: Count,
            #[serde(default)]
            hashes: AtMost<String, MAX_PATH>,
            checkpoint: Object<Checkpoint>,
        }
        #[derive(Deserialize)]
        struct Checkpoint {
            envelope: String,
        }
        /// Protobuf's JSON has a count as text.
        #[derive(Deserialize, Default)]
        #[serde(transparent)]
        struct Count(String);

        let wire: Wire = json::parse(answer, Limits::from(MAX_ANSWER))?;
        let Object(proof) = wire.inclusion_proof;
        let bytes = |text: &String| base64(text).ok_or(AnswerError::Entry("a part of it is no base64"));
        let count = |Count(text): &Count| match text.as_str() {
            "" => Ok(0),
            text => text.parse().map_err(|_| AnswerError::Entry("a count of it is none")),
        };
        let entry = Entry {
            index: count(&wire.log_index)?,
            log_id: bytes(&wire.log_id.0.key_id)?,
            kind: "hashedrekord",
            version: "0.0.2",
            time: 0,
            promise: None,
            index_in_tree: count(&proof.log_index)?,
            root: bytes(&proof.root_hash)?,
            size: count(&proof.tree_size)?,
            path: proof.hashes.0.iter().map(bytes).collect::<Result<_, _>>()?,
            checkpoint: proof.checkpoint.0.envelope,
            body: bytes(&wire.canonicalized_body)?,
        };
        Ok(Word::new(Said::Entry(entry.opaque()?)))
    }
}

/// Bytes in lower-case hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_where_an_entry_is_only_its_name_counts() {
        let name = "0f".repeat(40);
        let path = format!("/api/v1/log/entries/{name}");
        for location in [path.clone(), format!("https://elsewhere.example.com{path}"), name.clone()] {
            assert_eq!(Rekor1::existing(&location), Some(path.clone()));
        }
        let leaf = &name[16..];
        assert_eq!(Rekor1::existing(leaf), Some(format!("/api/v1/log/entries/{leaf}")));
        for bad in ["", "/", &name[1..], &name.to_uppercase(), &format!("{path}?x"), &format!("{path}/..")] {
            assert_eq!(Rekor1::existing(bad), None, "{bad}");
        }
    }

    #[test]
    fn hexadecimal_is_read_as_it_is_written() {
        assert_eq!(unhex("00ff7a"), Some(vec![0, 255, 0x7a]));
        for bad in ["0", "0g", "0F", "é"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
