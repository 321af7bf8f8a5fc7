//! What a bundle carries beside its envelope: entries of a transparency log, timestamps,
//! a certificate. Each is somebody's word on the signature: that it was published, when it
//! was there, whose key made it.
//!
//! Nobody here can tell whether any of it is true. It is kept as it was read, for whoever
//! can, and counted, so that it can be said what was not judged. It never makes anything
//! accepted.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::BundleError;
use crate::dsse::base64;
use crate::json::{self, Object, Opaque};

/// Log entries in one bundle; sigstore-go's bound.
pub(super) const MAX_LOG_ENTRIES: usize = 32;
/// Timestamps in one bundle; sigstore-go's bound.
const MAX_TIMESTAMPS: usize = 32;

/// Evidence as others wrote it, none of it judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    log_entries: Vec<Opaque>,
    timestamps: Option<Timestamps>,
    certificate: Option<Certificate>,
}

/// `timestampVerificationData`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Timestamps {
    json: Opaque,
    count: usize,
}

/// A certificate, or a chain of them, that the signature is to be checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The member of `verificationMaterial` that it is.
    pub(super) member: &'static str,
    pub(super) json: Opaque,
}

/// How much evidence was not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unjudged {
    /// Entries of a transparency log.
    pub log_entries: usize,
    /// Timestamps.
    pub timestamps: usize,
    /// Certificates, or chains of them.
    pub certificates: usize,
}

impl Evidence {
    pub(crate) fn new(
        log_entries: Vec<Opaque>,
        timestamps: Option<Opaque>,
        certificate: Option<Certificate>,
    ) -> Result<Self, BundleError> {
        let timestamps = timestamps.map(Timestamps::new).transpose()?;
        Ok(Self { log_entries, timestamps, certificate })
    }

    /// Such as was written here: entries of logs, and timestamps in base64.
    pub(crate) fn written(log_entries: Vec<Opaque>, timestamps: &[&str]) -> Self {
        let one = |stamp: &&str| format!(r#"{{"signedTimestamp":{}}}"#, json::quoted(stamp));
        let all: Vec<_> = timestamps.iter().map(one).collect();
        let json = format!(r#"{{"rfc3161Timestamps":[{}]}}"#, all.join(","));
        let json = serde_json::from_str(&json).ok().filter(|_| !timestamps.is_empty());
        let timestamps = json.map(|json| Timestamps { json, count: timestamps.len() });
        Self { log_entries, timestamps, certificate: None }
    }

    /// With the certificate that the signature was made with.
    pub(crate) fn with_certificate(self, certificate: Certificate) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    /// The log entries, as JSON.
    pub fn log_entries(&self) -> &[Opaque] {
        &self.log_entries
    }

    /// The bundle's `timestampVerificationData`, as JSON.
    pub fn timestamps(&self) -> Option<&Opaque> {
        self.timestamps.as_ref().map(|timestamps| &timestamps.json)
    }

    /// The certificate.
    pub fn certificate(&self) -> Option<&Certificate> {
        self.certificate.as_ref()
    }

    /// How much of it there is. As nothing here is judged, that is all of it.
    pub fn unjudged(&self) -> Unjudged {
        Unjudged {
            log_entries: self.log_entries.len(),
            timestamps: self.timestamps.as_ref().map_or(0, |timestamps| timestamps.count),
            certificates: self.certificate.iter().count(),
        }
    }
}

impl Certificate {
    /// As this member of `verificationMaterial` has it.
    pub(crate) fn carried(member: &'static str, json: Opaque) -> Self {
        Self { member, json }
    }

    /// A single one, of its DER, as it is written in version 0.3.
    pub(crate) fn written(der: &[u8]) -> Option<Self> {
        let text = ::base64::Engine::encode(&::base64::engine::general_purpose::STANDARD, der);
        let json = serde_json::from_str(&format!(r#"{{"rawBytes":"{text}"}}"#)).ok()?;
        Some(Self { member: "certificate", json })
    }

    /// Whether it is what [`Self::written`] makes of it, to the byte.
    pub(crate) fn is_as_written(&self) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Wire {
            raw_bytes: String,
        }
        let der = serde_json::from_str::<Wire>(self.as_json()).ok().and_then(|wire| base64(&wire.raw_bytes));
        let same = der.and_then(|der| Self::written(&der));
        same.is_some_and(|same| same.member == self.member && same.as_json() == self.as_json())
    }

    /// The certificate as JSON, as the bundle has it.
    pub fn as_json(&self) -> &str {
        self.json.as_json()
    }
}

impl Unjudged {
    /// Whether there is nothing that could have been judged.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl Timestamps {
    fn new(json: Opaque) -> Result<Self, BundleError> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(
                default,
                rename = "rfc3161Timestamps",
                alias = "rfc3161_timestamps",
                deserialize_with = "json::or_unset"
            )]
            timestamps: Vec<IgnoredAny>,
        }
        // In another shape it is something of which nothing is known: that counts, too.
        let read = serde_json::from_str::<Object<Wire>>(json.as_json());
        let count = read.map_or(1, |Object(Wire { timestamps })| timestamps.len());
        if count > MAX_TIMESTAMPS {
            return Err(BundleError::Timestamps { count });
        }
        Ok(Self { json, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(timestamps: &str) -> Result<Evidence, BundleError> {
        let opaque = |text: &str| serde_json::from_str(text).unwrap();
        Evidence::new(vec![opaque("{}"), opaque("1")], Some(opaque(timestamps)), None)
    }

    #[test]
    fn all_that_is_there_counts_whatever_it_is() {
        for (timestamps, count) in [
            ("{}", 0),
            (r#"{"rfc3161Timestamps":[]}"#, 0),
            (r#"{"rfc3161Timestamps":[{"signedTimestamp":"AA=="},{"signedTimestamp":7}]}"#, 2),
            (r#"{"rfc3161Timestamps":[1],"rfc9999":[2]}"#, 1),
            (r#"{"rfc3161Timestamps":7}"#, 1),
            ("[]", 1),
            ("7", 1),
        ] {
            let evidence = evidence(timestamps).unwrap();
            let unjudged = Unjudged { log_entries: 2, timestamps: count, certificates: 0 };
            assert_eq!(evidence.unjudged(), unjudged, "{timestamps}");
            assert_eq!(evidence.timestamps().unwrap().as_json(), timestamps);
        }
    }

    #[test]
    fn timestamps_have_a_limit() {
        let many = |count| format!(r#"{{"rfc3161Timestamps":[{}]}}"#, vec!["1"; count].join(","));
        assert_eq!(evidence(&many(MAX_TIMESTAMPS)).unwrap().unjudged().timestamps, MAX_TIMESTAMPS);
        let count = MAX_TIMESTAMPS + 1;
        assert_eq!(evidence(&many(count)).unwrap_err(), BundleError::Timestamps { count });
    }
}
