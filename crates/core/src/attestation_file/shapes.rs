//! The forms that are known, each by its members.

use serde_json::value::RawValue;

use super::certificate::CertificateSummary;
use super::classic::Classic;
use super::item::{Claimed, FileSignature, Found, Metablock, Signed, Unsigned};
use super::members::{Members, items};
use super::{MAX_FILE, MAX_NAMED};
use crate::bundle::{Bundle, Certificate, Evidence, Unjudged};
use crate::dsse::{Envelope, ForeignEnvelope, ForeignSignature, base64};
use crate::intoto::Outline;
use crate::text::causes;

const PAYLOAD_TYPE: [&str; 2] = ["payloadType", "payload_type"];
const DSSE: [&str; 2] = ["dsseEnvelope", "dsse_envelope"];
const MESSAGE: [&str; 2] = ["messageSignature", "message_signature"];
const MATERIAL: [&str; 2] = ["verificationMaterial", "verification_material"];
const MEDIA_TYPE: [&str; 2] = ["mediaType", "media_type"];
const RAW_BYTES: [&str; 2] = ["rawBytes", "raw_bytes"];
/// The one member of PEP 740's envelope that no other has.
const PEP_740: [&str; 1] = ["statement"];
/// The one member of cosign's older bundle that no other has.
const COSIGN: [&str; 1] = ["base64Signature"];

/// Whether it is of any form.
pub(super) fn is_known(members: &Members<'_>) -> bool {
    is_bundle(members)
        || is_envelope(members)
        || is_pep_740(members)
        || members.get(&COSIGN).is_some()
        || is_statement(members)
        || is_metablock(members)
}

pub(super) fn is_envelope(members: &Members<'_>) -> bool {
    members.get(&["payload"]).is_some()
        && (members.get(&PAYLOAD_TYPE).is_some() || members.get(&["signatures"]).is_some())
}

fn is_bundle(members: &Members<'_>) -> bool {
    [&DSSE, &MESSAGE].into_iter().any(|names| members.get(names).is_some())
        || (members.get(&MEDIA_TYPE).is_some() && members.get(&MATERIAL).is_some())
}

fn is_pep_740(members: &Members<'_>) -> bool {
    members.object(&["envelope"]).is_some_and(|envelope| envelope.get(&PEP_740).is_some())
}

fn is_statement(members: &Members<'_>) -> bool {
    let says = |kind: String| kind.starts_with("https://in-toto.io/Statement/");
    members.get(&["predicateType"]).is_some()
        && (members.get(&["subject"]).is_some() || members.get(&["_type"]).is_some())
        || members.text(&["_type"]).is_some_and(says)
}

fn is_metablock(members: &Members<'_>) -> bool {
    members.get(&["signed"]).is_some() && members.get(&["signatures"]).is_some()
}

/// What it is; `None` if it is nothing by itself. `odd`: in what the place where it is is not
/// that in which this program writes.
pub(super) fn recognise(
    value: &RawValue,
    members: &Members<'_>,
    odd: Option<&str>,
) -> Option<Result<Found, String>> {
    let found = if is_bundle(members) {
        bundle(value, members)
    } else if is_envelope(members) {
        let strict = Envelope::from_json(value.get().as_bytes());
        envelope(members, "DSSE envelope", Carried::default(), strict)
    } else if is_pep_740(members) {
        pep_740(members)
    } else if members.get(&COSIGN).is_some() {
        cosign(members)
    } else if is_statement(members) {
        Outline::read(value.get().as_bytes(), MAX_FILE)
            .map(|outline| Found::Statement(Unsigned { outline, text: value.into() }))
            .map_err(|e| format!("an unsigned in-toto statement, and malformed: {e}"))
    } else if is_metablock(members) {
        metablock(members)
    } else {
        return None;
    };
    Some(found.map(|found| match (found, odd) {
        (Found::Attestation(signed), Some(odd)) => {
            let content = signed.content.deviating(|| odd.to_owned());
            Found::Attestation(Signed { content, ..signed })
        }
        (found, _) => found,
    }))
}

/// What is around an envelope.
#[derive(Default)]
struct Carried {
    claimed: Vec<Claimed>,
    evidence: Evidence,
}

fn bundle(value: &RawValue, members: &Members<'_>) -> Result<Found, String> {
    const WHAT: &str = "Sigstore bundle";
    let unusable = |why: String| format!("a Sigstore bundle, and not usable: {why}");
    if let Some(twice) =
        [&DSSE, &MESSAGE, &MATERIAL, &MEDIA_TYPE].into_iter().find_map(|names| members.twice(names))
    {
        return Err(unusable(twice));
    }
    if let Some(other) = members.text(&MEDIA_TYPE).filter(|kind| !is_bundle_type(kind)) {
        return Err(unusable(format!("its media type {other:?} is that of no version that is known")));
    }
    let material = members.object(&MATERIAL).map(|m| material(&m)).transpose().map_err(unusable)?;
    let around = material.unwrap_or_default();
    match (members.object(&DSSE), members.object(&MESSAGE)) {
        (Some(dsse), None) => {
            let strict = Bundle::as_written(value.get().as_bytes()).map(Bundle::into_envelope);
            envelope(&dsse, WHAT, around, strict).map_err(unusable)
        }
        (None, Some(message)) => {
            let digest = message.object(&["messageDigest", "message_digest"]).and_then(|digest| {
                let bytes = base64(&digest.text(&["digest"])?)?;
                Some(format!("{}:{}", algorithm(&digest.text(&["algorithm"])?), hex(&bytes)))
            });
            let unjudged = around.evidence.unjudged();
            Ok(Found::FileSignature(FileSignature {
                carrier: "Sigstore bundle with the signature of a file",
                digest,
                claimed: around.claimed,
                unjudged,
            }))
        }
        (Some(_), Some(_)) => Err(unusable("it holds an envelope and the signature of a file".to_owned())),
        (None, None) => Err(unusable("it holds neither an envelope nor a signature".to_owned())),
    }
}

/// `application/vnd.dev.sigstore.bundle+json;version=0.1` to `0.3`, and, since 0.3,
/// `application/vnd.dev.sigstore.bundle.v0.3+json`.
fn is_bundle_type(media_type: &str) -> bool {
    let Some(rest) = media_type.strip_prefix("application/vnd.dev.sigstore.bundle") else { return false };
    let older = rest.strip_prefix("+json;").map(|rest| rest.trim_start().trim_start_matches("version="));
    let newer = rest.strip_prefix(".v").and_then(|rest| rest.strip_suffix("+json"));
    let version = older.or(newer).unwrap_or_default().trim_matches('"');
    ["0.1", "0.2", "0.3"].iter().any(|known| {
        version == *known || version.strip_prefix(known).is_some_and(|patch| patch.starts_with('.'))
    })
}

fn material(material: &Members<'_>) -> Result<Carried, String> {
    const CHAIN: [&str; 2] = ["x509CertificateChain", "x509_certificate_chain"];
    let opaque = |value: &RawValue| value.into();
    let named =
        |member, names: &[&str]| material.get(names).map(|value| Certificate::carried(member, opaque(value)));
    let certificate =
        named("certificate", &["certificate"]).or_else(|| named("x509CertificateChain", &CHAIN));
    let leaf = material.object(&["certificate"]).or_else(|| {
        let chain = material.object(&CHAIN)?;
        Members::of(chain.array(&["certificates"]).into_iter().next()?)
    });
    let key = material.object(&["publicKey", "public_key"]);
    let claimed = match (leaf.and_then(|leaf| leaf.text(&RAW_BYTES)), key) {
        (Some(leaf), _) => vec![certificate_of(&leaf)],
        (None, Some(key)) => {
            key.text(&["hint"]).filter(|hint| !hint.is_empty()).map(Claimed::Key).into_iter().collect()
        }
        (None, None) => Vec::new(),
    };
    let entries = material.array(&["tlogEntries", "tlog_entries"]).into_iter().map(opaque).collect();
    let timestamps = material.get(&["timestampVerificationData", "timestamp_verification_data"]).map(opaque);
    let evidence = Evidence::new(entries, timestamps, certificate).map_err(|e| causes(&e))?;
    Ok(Carried { claimed, evidence })
}

/// The envelope as this program writes it, if it is that; else as the specification has it.
fn envelope<E: std::error::Error>(
    members: &Members<'_>,
    carrier: &'static str,
    around: Carried,
    strict: Result<Envelope, E>,
) -> Result<Found, String> {
    let unusable = |why: &str| match carrier {
        "DSSE envelope" => format!("a DSSE envelope, and not usable: {why}"),
        _ => why.to_owned(),
    };
    if let Some(twice) = members.twice(&PAYLOAD_TYPE) {
        return Err(unusable(&twice));
    }
    let text = |names: &[&str]| members.text(names).unwrap_or_default();
    let Some(payload) = members.text_of(&["payload"]) else { return Err(unusable("its payload is no text")) };
    let payload_type = text(&PAYLOAD_TYPE);
    let signatures = members.array(&["signatures"]);
    if members.get(&["signatures"]).is_some_and(|value| items(value).is_none()) {
        return Err(unusable("its `signatures` are no array"));
    }
    let signatures: Vec<_> =
        signatures.into_iter().filter_map(Members::of).map(|s| Signature::of(&s)).collect();
    let foreign = ForeignEnvelope {
        payload_type: &payload_type,
        payload: &payload,
        signatures: signatures.iter().map(Signature::foreign).collect(),
    };
    let Carried { mut claimed, evidence } = around;
    for signature in &signatures {
        for claim in signature.claimed() {
            if !claimed.contains(&claim) && claimed.len() < MAX_NAMED {
                claimed.push(claim);
            }
        }
    }
    let mut unjudged = evidence.unjudged();
    for signature in &signatures {
        unjudged.certificates += signature.certificates;
        unjudged.timestamps += signature.timestamps;
    }
    if foreign.is_statement() {
        let content = match strict {
            Ok(envelope) if envelope.is_encoded_twice() => foreign
                .decode(|| "what is in it is base64 of base64".to_owned())
                .map_err(|e| unusable(&causes(&e)))?,
            Ok(envelope) => envelope,
            Err(why) => foreign.decode(|| causes(&why)).map_err(|e| unusable(&causes(&e)))?,
        };
        Ok(Found::Attestation(Signed { content, carrier, claimed, evidence, unjudged }))
    } else {
        let content = foreign.other().map_err(|e| unusable(&causes(&e)))?;
        Ok(Found::Other(Signed { content, carrier, claimed, evidence, unjudged }))
    }
}

/// A signature's members, and what tools add to them.
struct Signature {
    sig: String,
    keyid: Option<String>,
    certificate: Option<String>,
    certificates: usize,
    timestamps: usize,
}

impl Signature {
    fn of(members: &Members<'_>) -> Self {
        let certificate = members.text(&["cert", "certificate"]).filter(|text| !text.is_empty());
        let intermediates = members.array(&["intermediates"]).len();
        Self {
            sig: members.text(&["sig"]).unwrap_or_default(),
            keyid: members.text(&["keyid"]).filter(|keyid| !keyid.is_empty()),
            certificates: intermediates + usize::from(certificate.is_some()),
            timestamps: members.array(&["timestamps"]).len(),
            certificate,
        }
    }

    fn foreign(&self) -> ForeignSignature<'_> {
        ForeignSignature { sig: &self.sig, keyid: self.keyid.as_deref() }
    }

    fn claimed(&self) -> Vec<Claimed> {
        let certificate = self.certificate.as_deref().map(certificate_of);
        certificate.into_iter().chain(self.keyid.clone().map(Claimed::Key)).collect()
    }
}

/// The attestation of `PyPI` (PEP 740): the envelope's type is always that of a statement.
fn pep_740(members: &Members<'_>) -> Result<Found, String> {
    let unusable = |why: String| format!("a PyPI attestation (PEP 740), and not usable: {why}");
    let envelope = members.object(&["envelope"]);
    let text = |name| envelope.as_ref().and_then(|envelope| envelope.text_of(&[name])).unwrap_or_default();
    let (payload, sig) = (text("statement"), text("signature"));
    let material = members.object(&MATERIAL);
    let certificate = material.as_ref().and_then(|m| m.text(&["certificate"]));
    let claimed: Vec<_> = certificate.as_deref().map(certificate_of).into_iter().collect();
    let entries = material.as_ref().map(|m| m.array(&["transparency_entries"])).unwrap_or_default();
    let kept = material.as_ref().and_then(|m| m.get(&["certificate"]));
    let kept = kept.map(|value| Certificate::carried("certificate", value.into()));
    let evidence = Evidence::new(entries.into_iter().map(Into::into).collect(), None, kept)
        .map_err(|e| unusable(causes(&e)))?;
    let foreign = ForeignEnvelope {
        payload_type: crate::dsse::PAYLOAD_TYPE,
        payload: &payload,
        signatures: vec![ForeignSignature { sig: &sig, keyid: None }],
    };
    let content = foreign.decode(|| "it is in PyPI's form".to_owned()).map_err(|e| unusable(causes(&e)))?;
    let unjudged = evidence.unjudged();
    Ok(Found::Attestation(Signed {
        content,
        carrier: "PyPI attestation (PEP 740)",
        claimed,
        evidence,
        unjudged,
    }))
}

/// cosign's bundle from before Sigstore's: of a file or, where what is signed is one, of an
/// envelope.
fn cosign(members: &Members<'_>) -> Result<Found, String> {
    const CARRIER: &str = "cosign's older bundle";
    let unusable = |why: String| format!("{CARRIER}, and not usable: {why}");
    let claimed: Vec<_> = members
        .text(&["cert"])
        .filter(|cert| !cert.is_empty())
        .as_deref()
        .map(certificate_of)
        .into_iter()
        .collect();
    let log = members.object(&["rekorBundle"]);
    let unjudged =
        Unjudged { log_entries: usize::from(log.is_some()), certificates: claimed.len(), timestamps: 0 };
    let signed = members.text_of(&COSIGN).and_then(|text| base64(&text));
    let Some(signed) = signed else { return Err(unusable("its `base64Signature` is no base64".to_owned())) };
    if let Ok(inner) = super::document(&signed)
        && let Some(inside) = Members::of(inner).filter(is_envelope)
    {
        let strict = Envelope::from_json(inner.get().as_bytes());
        let around = Carried { claimed, evidence: Evidence::default() };
        return Ok(match envelope(&inside, CARRIER, around, strict).map_err(unusable)? {
            Found::Attestation(signed) => Found::Attestation(Signed { unjudged, ..signed }),
            other => other,
        });
    }
    let entry = log.and_then(|log| log.object(&["Payload"])).and_then(|payload| payload.text(&["body"]));
    let digest = entry.and_then(|body| logged_digest(&base64(&body)?));
    Ok(Found::FileSignature(FileSignature {
        carrier: "cosign's older bundle with the signature of a file",
        digest,
        claimed,
        unjudged,
    }))
}

/// The digest of which a log's entry (`hashedrekord`) is.
fn logged_digest(entry: &[u8]) -> Option<String> {
    let entry = super::document(entry).ok()?;
    let hash = Members::of(entry)?.object(&["spec"])?.object(&["data"])?.object(&["hash"])?;
    Some(format!("{}:{}", hash.text(&["algorithm"])?, hash.text(&["value"])?))
}

fn metablock(members: &Members<'_>) -> Result<Found, String> {
    let signed = members.get(&["signed"]).map(RawValue::get).unwrap_or_default();
    let content = Classic::read(signed.as_bytes(), MAX_FILE)?;
    let keyid =
        |signature: &RawValue| Members::of(signature)?.text(&["keyid"]).filter(|keyid| !keyid.is_empty());
    let signatures = members.array(&["signatures"]);
    let claimed = signatures.into_iter().filter_map(keyid).take(MAX_NAMED).map(Claimed::Key).collect();
    Ok(Found::Metablock(Metablock { content, claimed }))
}

/// A certificate as text: PEM, or base64 of PEM or of DER.
fn certificate_of(text: &str) -> Claimed {
    let decoded = (!text.trim_start().starts_with("-----BEGIN ")).then(|| base64(text)).flatten();
    Claimed::Certificate(Box::new(CertificateSummary::read(decoded.as_deref().unwrap_or(text.as_bytes()))))
}

/// `SHA2_256` as in-toto calls it.
fn algorithm(name: &str) -> String {
    match name {
        "SHA2_256" => "sha256".to_owned(),
        "SHA2_384" => "sha384".to_owned(),
        "SHA2_512" => "sha512".to_owned(),
        other => other.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().take(128).fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
