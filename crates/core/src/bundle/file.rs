//! The Sigstore bundle, read whole.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::evidence::{Certificate, Evidence, MAX_LOG_ENTRIES};
use crate::dsse::wire::WireEnvelope;
use crate::dsse::{Envelope, EnvelopeError, MAX_ENVELOPE, Spelling, envelope_key_name};
use crate::json::{self, AtMost, JsonError, Object, Opaque, quoted};

/// The media type of a bundle, version 0.3.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Bytes that are read of a bundle: the largest envelope, and half as much of log entries.
pub const MAX_BUNDLE: usize = MAX_ENVELOPE / 2 * 3;

/// Why bytes are not a bundle that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Not JSON, or not a bundle's JSON.
    #[error("not a Sigstore bundle")]
    Json(#[from] JsonError),
    /// A bundle of another version, or something else.
    #[error("the bundle's media type is not {MEDIA_TYPE}")]
    MediaType,
    /// What is inside is no envelope.
    #[error("the bundle's envelope is not usable")]
    Envelope(#[from] EnvelopeError),
    /// A signature over a file and not over a statement.
    #[error("the bundle holds the signature of a file (`messageSignature`) and not an attestation")]
    NotAttestation,
    /// Signed with a short-lived certificate.
    #[error("the bundle is signed with a certificate; only bundles that are signed with a key are supported")]
    Certificate,
    /// It is signed with a certificate that is written in another way than ours are.
    #[error("the certificate is not written as protobuf's JSON writes a single one")]
    CertificateSpelling,
    /// More than anybody has a use for.
    #[error("the bundle has {count} timestamps, which are more than are read")]
    Timestamps {
        /// How many there are.
        count: usize,
    },
    /// Nothing says that a key was used.
    #[error("the bundle has no `publicKey`")]
    NoKey,
    /// A bundle's envelope has exactly one signature.
    #[error("the bundle's envelope has {count} signatures, and exactly one is expected")]
    Signatures {
        /// How many there are.
        count: usize,
    },
    /// The key that the bundle names is not the one that its envelope names.
    #[error("the bundle's `hint` and its envelope's `keyid` name different keys")]
    Hint,
}

/// One envelope with exactly one signature, and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    envelope: Envelope,
    hint: Option<String>,
    evidence: Evidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireBundle<'a> {
    #[serde(borrow)]
    media_type: Cow<'a, str>,
    #[serde(borrow)]
    verification_material: Object<WireMaterial<'a>>,
    #[serde(borrow)]
    dsse_envelope: Option<Object<WireEnvelope<'a>>>,
    message_signature: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireMaterial<'a> {
    #[serde(borrow)]
    public_key: Option<Object<WireKey<'a>>>,
    certificate: Option<Opaque>,
    x509_certificate_chain: Option<Opaque>,
    #[serde(default)]
    tlog_entries: AtMost<Opaque, MAX_LOG_ENTRIES>,
    timestamp_verification_data: Option<Opaque>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey<'a> {
    #[serde(borrow)]
    hint: Option<Cow<'a, str>>,
}

impl Bundle {
    /// Puts an envelope into a bundle whose hint is the name of the envelope's key.
    /// The envelope must have exactly one signature.
    pub fn new(envelope: Envelope) -> Result<Self, BundleError> {
        let hint = match envelope.signatures() {
            [signature] => signature.keyid().map(str::to_owned),
            many => return Err(BundleError::Signatures { count: many.len() }),
        };
        Ok(Self { envelope, hint, evidence: Evidence::default() })
    }

    /// With what others say of the signature.
    #[must_use]
    pub(crate) fn with_evidence(self, evidence: Evidence) -> Self {
        Self { evidence, ..self }
    }

    /// Reads the JSON of a bundle that was signed with a key, as [`Self::whole`] does.
    /// One with a certificate cannot be verified here, and is refused.
    pub fn from_json(json: &[u8]) -> Result<Self, BundleError> {
        let bundle = Self::whole(json)?;
        if bundle.evidence.certificate().is_some() { Err(BundleError::Certificate) } else { Ok(bundle) }
    }

    /// Reads the JSON of a bundle as [`Self::to_json`] writes it of what was signed here: with a key, or with a
    /// single certificate that is spelt as protobuf's JSON writes it.
    pub(crate) fn as_written(json: &[u8]) -> Result<Self, BundleError> {
        let bundle = Self::whole(json)?;
        let is_ours = bundle.evidence.certificate().is_none_or(Certificate::is_as_written);
        if is_ours { Ok(bundle) } else { Err(BundleError::CertificateSpelling) }
    }

    /// Reads the JSON of any bundle of at most [`MAX_BUNDLE`] bytes, to be shown or kept.
    /// The [`Evidence`] is kept as it is and not looked at. If there are both a hint and
    /// a `keyid` they must be the same (cosign's own bundles have only a hint), and
    /// base64 must be spelt as protobuf's JSON writes it: so no byte of a bundle
    /// that [`Self::to_json`] wrote can be changed without notice.
    pub fn whole(json: &[u8]) -> Result<Self, BundleError> {
        let wire: WireBundle<'_> = json::parse(json, MAX_BUNDLE)?;
        if wire.media_type != MEDIA_TYPE {
            return Err(BundleError::MediaType);
        }
        let Object(material) = wire.verification_material;
        let named = |member, json: Option<Opaque>| json.map(|json| Certificate { member, json });
        // One of the three, as the format has it: who says two things cannot be held to either.
        let certificate = match (
            material.public_key.is_some(),
            named("certificate", material.certificate),
            named("x509CertificateChain", material.x509_certificate_chain),
        ) {
            (_, None, None) => None,
            (false, Some(certificate), None) | (false, None, Some(certificate)) => Some(certificate),
            _ => return Err(BundleError::Certificate),
        };
        let key = match (material.public_key, &certificate) {
            (Some(Object(key)), _) => key,
            (None, Some(_)) => WireKey { hint: None },
            (None, None) => return Err(BundleError::NoKey),
        };
        let (Some(Object(envelope)), None) = (wire.dsse_envelope, wire.message_signature) else {
            return Err(BundleError::NotAttestation);
        };
        let bundle = Self::new(Envelope::from_wire(envelope, Spelling::Canonical)?)?;
        let hint = envelope_key_name(key.hint.as_deref())?;
        if hint.is_some() && bundle.hint.is_some() && hint != bundle.hint {
            return Err(BundleError::Hint);
        }
        let evidence =
            Evidence::new(material.tlog_entries.0, material.timestamp_verification_data, certificate)?;
        Ok(Self { hint, evidence, ..bundle })
    }

    /// The JSON, without a line's end: on one line unless log entries or timestamps
    /// that were read have line ends. The same bundle always gives the same bytes.
    pub fn to_json(&self) -> Vec<u8> {
        let signed_with = match self.evidence.certificate() {
            Some(certificate) => format!(r#""{}":{}"#, certificate.member, certificate.as_json()),
            None => format!(r#""publicKey":{{"hint":{}}}"#, quoted(self.hint.as_deref().unwrap_or_default())),
        };
        let mut out =
            format!(r#"{{"mediaType":"{MEDIA_TYPE}","verificationMaterial":{{{signed_with},"tlogEntries":["#)
                .into_bytes();
        for (index, entry) in self.evidence.log_entries().iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(entry.as_json().as_bytes());
        }
        out.push(b']');
        if let Some(timestamps) = self.evidence.timestamps() {
            out.extend_from_slice(br#","timestampVerificationData":"#);
            out.extend_from_slice(timestamps.as_json().as_bytes());
        }
        out.extend_from_slice(br#"},"dsseEnvelope":"#);
        out.extend_from_slice(&self.envelope.to_json());
        out.push(b'}');
        out
    }

    /// The envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The envelope, without a copy; for whoever has no use for what came with it.
    pub fn into_envelope(self) -> Envelope {
        self.envelope
    }

    /// The envelope and what came with it, without a copy.
    pub fn into_parts(self) -> (Envelope, Evidence) {
        (self.envelope, self.evidence)
    }

    /// What it carries beside the envelope, none of it checked.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Which key the bundle names; a hint, as [`crate::dsse::EnvelopeSignature::keyid`].
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}
