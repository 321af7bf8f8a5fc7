//! What a log holds of a signature (Rekor's types `hashedrekord` and `dsse`, of versions 1 and 2,
//! and `intoto` 0.0.2), and whether that is this very signature.

use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::claim::{Claim, SignedWith};
use crate::dsse::base64;
use crate::json::{self, Limits, Object};

/// Bytes of a body; one of `intoto` holds the payload, encoded twice.
const MAX_BODY: usize = 32 * 1024 * 1024;

/// What an entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// This signature by this key, over these bytes.
    Bound,
    /// Something else.
    Other,
    /// Nobody here knows: a kind that is not read.
    Unknown,
    /// It is not what it says that it is.
    Damaged,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<S> {
    spec: Object<S>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
}

/// A hash as version 1 has it.
#[derive(Deserialize)]
struct HexHash {
    algorithm: String,
    value: String,
}

/// A hash as version 2 has it.
#[derive(Deserialize)]
struct BytesHash {
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
struct Content<T> {
    content: T,
}

#[derive(Deserialize)]
struct HashOf {
    hash: Object<HexHash>,
}

/// `hashedrekord` 0.0.1.
#[derive(Deserialize)]
struct HashedRekord1 {
    data: Object<HashOf>,
    signature: Object<HashedSignature1>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HashedSignature1 {
    content: String,
    public_key: Object<Content<String>>,
}

/// `dsse` 0.0.1.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dsse1 {
    payload_hash: Object<HexHash>,
    signatures: Vec<Object<DsseSignature1>>,
}

#[derive(Deserialize)]
struct DsseSignature1 {
    signature: String,
    verifier: String,
}

/// `intoto` 0.0.2.
#[derive(Deserialize)]
struct Intoto {
    content: Object<IntotoContent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntotoContent {
    payload_hash: Object<HexHash>,
    envelope: Object<IntotoEnvelope>,
}

#[derive(Deserialize)]
struct IntotoEnvelope {
    signatures: Vec<Object<IntotoSignature>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IntotoSignature {
    sig: String,
    public_key: String,
}

/// `hashedrekord` 0.0.2.
#[derive(Deserialize)]
struct HashedRekord2 {
    #[serde(rename = "hashedRekordV002")]
    record: Object<Record2>,
}

#[derive(Deserialize)]
struct Record2 {
    data: Object<BytesHash>,
    signature: Object<Signature2>,
}

#[derive(Deserialize)]
struct Signature2 {
    content: String,
    verifier: Object<Verifier2>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verifier2 {
    #[serde(default, deserialize_with = "json::object_or_none")]
    public_key: Option<RawBytes>,
    #[serde(default, deserialize_with = "json::object_or_none")]
    x509_certificate: Option<RawBytes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBytes {
    raw_bytes: String,
}

/// `dsse` 0.0.2.
#[derive(Deserialize)]
struct Dsse2 {
    #[serde(rename = "dsseV002")]
    record: Object<DsseRecord2>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DsseRecord2 {
    payload_hash: Object<BytesHash>,
    signatures: Vec<Object<Signature2>>,
}

/// Which kinds of entries have a place of their own in the whole of a log's shards, beside that in
/// their tree.
pub(super) fn is_of_version_2(kind: &str, version: &str) -> bool {
    matches!((kind, version), ("hashedrekord" | "dsse", "0.0.2"))
}

/// What the body of an entry that calls itself so is, for this claim.
pub(super) fn standing(body: &[u8], kind: &str, version: &str, claim: &Claim<'_>) -> Standing {
    let Ok(head) = json::parse::<Head>(body, Limits::from(MAX_BODY)) else { return Standing::Damaged };
    if head.kind != kind || head.api_version != version {
        return Standing::Damaged;
    }
    let bound = match (kind, version) {
        ("hashedrekord", "0.0.1") => read::<HashedRekord1>(body).map(|spec| hashed_1(&spec, claim)),
        ("dsse", "0.0.1") => read::<Dsse1>(body).map(|spec| dsse_1(&spec, claim)),
        ("intoto", "0.0.2") => read::<Intoto>(body).map(|spec| intoto(&spec, claim)),
        ("hashedrekord", "0.0.2") => read::<HashedRekord2>(body).map(|spec| hashed_2(&spec.record.0, claim)),
        ("dsse", "0.0.2") => read::<Dsse2>(body).map(|spec| dsse_2(&spec.record.0, claim)),
        _ => return Standing::Unknown,
    };
    match bound {
        None => Standing::Damaged,
        Some(true) => Standing::Bound,
        Some(false) => Standing::Other,
    }
}

fn read<'a, S: Deserialize<'a>>(body: &'a [u8]) -> Option<S> {
    serde_json::from_slice::<Object<Body<S>>>(body).ok().map(|Object(body)| body.spec.0)
}

fn hashed_1(spec: &HashedRekord1, claim: &Claim<'_>) -> bool {
    let Object(signature) = &spec.signature;
    spec.data.0.hash.0.is_of(claim.message())
        && is_signature(&signature.content, claim)
        && is_pem(&signature.public_key.0.content, claim)
}

fn dsse_1(spec: &Dsse1, claim: &Claim<'_>) -> bool {
    let is_this = |Object(signature): &Object<DsseSignature1>| {
        is_signature(&signature.signature, claim) && is_pem(&signature.verifier, claim)
    };
    claim.payload().is_some_and(|payload| spec.payload_hash.0.is_of(payload))
        && spec.signatures.iter().any(is_this)
}

fn intoto(spec: &Intoto, claim: &Claim<'_>) -> bool {
    let Object(content) = &spec.content;
    // Its clients wrote what was base64 in base64 again.
    let is_signature = |sig: &str| {
        let once = base64(sig);
        let twice = || base64(std::str::from_utf8(once.as_deref()?).ok()?);
        once.as_deref() == Some(claim.signature()) || twice().as_deref() == Some(claim.signature())
    };
    let is_this = |Object(signature): &Object<IntotoSignature>| {
        is_signature(&signature.sig) && is_pem(&signature.public_key, claim)
    };
    claim.payload().is_some_and(|payload| content.payload_hash.0.is_of(payload))
        && content.envelope.0.signatures.iter().any(is_this)
}

fn hashed_2(record: &Record2, claim: &Claim<'_>) -> bool {
    record.data.0.is_of(claim.message()) && record.signature.0.is_this(claim)
}

fn dsse_2(record: &DsseRecord2, claim: &Claim<'_>) -> bool {
    claim.payload().is_some_and(|payload| record.payload_hash.0.is_of(payload))
        && record.signatures.iter().any(|Object(signature)| signature.is_this(claim))
}

fn is_signature(text: &str, claim: &Claim<'_>) -> bool {
    base64(text).is_some_and(|signature| signature == claim.signature())
}

/// Whether base64 of PEM is of the key or the certificate of the claim.
fn is_pem(text: &str, claim: &Claim<'_>) -> bool {
    let Some(pem) = base64(text) else { return false };
    let Some((label, der)) = std::str::from_utf8(&pem).ok().and_then(pem_block) else { return false };
    is_verifier(label, &der, claim)
}

/// The label and the content of one PEM block, its lines of whatever length: what a log has was
/// written by many.
pub(super) fn pem_block(text: &str) -> Option<(&str, Vec<u8>)> {
    let (label, rest) = text.trim().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let (body, end) = rest.strip_suffix("-----")?.rsplit_once("-----END ")?;
    let body: String = body.split_ascii_whitespace().collect();
    if end == label { Some((label, base64(&body)?)) } else { None }
}

fn is_verifier(label: &str, der: &[u8], claim: &Claim<'_>) -> bool {
    match (claim.signed_with(), label) {
        (SignedWith::Certificate(leaf), "CERTIFICATE") => leaf.der() == der,
        (SignedWith::Key(key), "PUBLIC KEY") => key.to_spki_der() == der,
        _ => false,
    }
}

impl Signature2 {
    fn is_this(&self, claim: &Claim<'_>) -> bool {
        let Object(verifier) = &self.verifier;
        let (label, raw) = match (&verifier.public_key, &verifier.x509_certificate) {
            (Some(key), None) => ("PUBLIC KEY", key),
            (None, Some(certificate)) => ("CERTIFICATE", certificate),
            _ => return false,
        };
        is_signature(&self.content, claim)
            && base64(&raw.raw_bytes).is_some_and(|der| is_verifier(label, &der, claim))
    }
}

impl HexHash {
    fn is_of(&self, bytes: &[u8]) -> bool {
        let hash = hash(&self.algorithm, bytes).unwrap_or_default();
        !hash.is_empty() && self.value == hex(&hash)
    }
}

impl BytesHash {
    fn is_of(&self, bytes: &[u8]) -> bool {
        let found = hash(&self.algorithm, bytes);
        found.is_some() && found == base64(&self.digest)
    }
}

fn hash(algorithm: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    Some(match algorithm {
        "sha256" | "SHA2_256" => Sha256::digest(bytes).to_vec(),
        "sha384" | "SHA2_384" => Sha384::digest(bytes).to_vec(),
        "sha512" | "SHA2_512" => Sha512::digest(bytes).to_vec(),
        _ => return None,
    })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
