//! The types that a step's documents may be signed as.

use std::fmt;
use std::str::FromStr;

use crate::digest::Sha256Digest;
use crate::text::brief;

/// The types that have a name, by which they are written in an annotation and asked for.
///
/// The first five are those of the in-toto predicates of these names, and of cosign (`--type`). Nobody
/// has agreed on one for SARIF: this is the address of its specification.
pub const NAMES: [(&str, &str); 6] = [
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("spdx", "https://spdx.dev/Document"),
    ("test-result", "https://in-toto.io/attestation/test-result/v0.1"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("sarif", "https://docs.oasis-open.org/sarif/sarif/v2.1.0"),
];

/// Hosts of those who have types by which others say how something was made, checked or published. With
/// the platform's signature, a tenant's document of such a type would be the platform's word.
const RESERVED: [&str; 9] = [
    "argo-attest.github.io",
    "slsa.dev",
    "in-toto.io",
    "sigstore.dev",
    "pypi.org",
    "npmjs.com",
    "testifysec.com",
    "witness.dev",
    "aflock.ai",
];
/// Places on a host that anybody may have, from which the same is said.
const RESERVED_PLACES: [&str; 4] = [
    "https://github.com/npm/",
    "https://github.com/in-toto/",
    "https://github.com/slsa-framework/",
    "https://github.com/sigstore/",
];

/// Bytes of a type.
const MAX_URI: usize = 256;
/// Bytes of foreign text in a message.
const SHOWN: usize = 100;
/// Digits that stand for a type without a name.
pub const LABEL_DIGITS: usize = 16;

/// A type that a document of a step may have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PredicateType(String);

/// Why text names no such type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPredicateType {
    /// Neither a name nor an address.
    #[error("{0:?} is neither a known type ({names}) nor an https:// URI of letters, digits and -._~/:@%+", names = names())]
    Unknown(String),
    /// A type of others, that says how something was made or checked.
    #[error(
        "{0:?} is a type by which a builder or a verifier speaks, and no document of a step is signed as that"
    )]
    Reserved(String),
}

/// The names, for people.
fn names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

impl PredicateType {
    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&'static str> {
        NAMES.iter().find(|(_, uri)| *uri == self.0).map(|(name, _)| *name)
    }

    /// What stands for it in the names of files: its name, or the beginning of the URI's SHA-256.
    pub fn label(&self) -> String {
        self.name().map_or_else(
            || Sha256Digest::of(self.0.as_bytes()).to_string().chars().take(LABEL_DIGITS).collect(),
            str::to_owned,
        )
    }
}

/// Whether a text is the [label](PredicateType::label) of a type.
pub fn is_label(text: &str) -> bool {
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    NAMES.iter().any(|(name, _)| *name == text) || (text.len() == LABEL_DIGITS && text.bytes().all(is_digit))
}

impl FromStr for PredicateType {
    type Err = InvalidPredicateType;

    fn from_str(text: &str) -> Result<Self, InvalidPredicateType> {
        if let Some((_, uri)) = NAMES.iter().find(|(name, uri)| *name == text || *uri == text) {
            return Ok(Self((*uri).to_owned()));
        }
        let shown = || brief(text, SHOWN);
        let Some(host) = host(text) else { return Err(InvalidPredicateType::Unknown(shown())) };
        let is_of = |reserved: &str| {
            host.strip_suffix(reserved).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let reserved = RESERVED.iter().any(|reserved| is_of(reserved))
            || RESERVED_PLACES.iter().any(|place| text.starts_with(place));
        if reserved { Err(InvalidPredicateType::Reserved(shown())) } else { Ok(Self(text.to_owned())) }
    }
}

/// The host of a plain address: no name, no port, nothing that two readers could read in two ways.
fn host(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("https://").filter(|_| uri.len() <= MAX_URI)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let labels = || host.split('.');
    let is_host = labels().count() > 1 && labels().all(|label| !label.is_empty() && label.bytes().all(plain));
    let is_path = path.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/:@%+".contains(&b));
    (is_host && is_path).then_some(host)
}

impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PredicateType, InvalidPredicateType> {
        text.parse()
    }

    #[test]
    fn a_name_stands_for_its_type_and_the_type_for_itself() {
        for (name, uri) in NAMES {
            assert_eq!(read(name).unwrap(), read(uri).unwrap());
            assert_eq!((read(name).unwrap().as_str(), read(uri).unwrap().label().as_str()), (uri, name));
        }
        let own = read("https://example.com/licences/v1").unwrap();
        assert_eq!((own.name(), own.label().len()), (None, LABEL_DIGITS));
        assert!(is_label(&own.label()) && is_label("spdx") && !is_label("x") && !is_label("CycloneDX"));
        assert_ne!(own.label(), read("https://example.com/licences/v2").unwrap().label());
    }

    /// With these a tenant could have the platform say how something was made.
    #[test]
    fn what_a_builder_or_a_verifier_says_is_no_documents_type() {
        for uri in [
            "https://slsa.dev/provenance/v1",
            "https://slsa.dev/provenance/v0.2",
            "https://slsa.dev/verification_summary/v1",
            "https://in-toto.io/Link/v1",
            "https://in-toto.io/attestation/link/v0.3",
            "https://sigstore.dev/cosign/sign/v1",
            "https://cosign.sigstore.dev/attestation/v1",
            "https://argo-attest.github.io/step-outcome/v1",
            "https://docs.pypi.org/attestations/publish/v1",
            "https://github.com/npm/attestation/tree/main/specs/publish/v0.1",
            "https://witness.testifysec.com/attestation-collection/v0.1",
        ] {
            assert!(matches!(read(uri), Err(InvalidPredicateType::Reserved(_))), "{uri}");
        }
        read("https://myslsa.dev/x").unwrap();
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_type() {
        for text in [
            "",
            "slsaprovenance1",
            "CycloneDX",
            "http://example.com/t",
            "https://example/t",
            "https://user@slsa.dev/provenance/v1",
            "https://slsa.dev:443/provenance/v1",
            "https://SLSA.dev/provenance/v1",
            "https://slsa.dev./provenance/v1",
            "https://slsa.dev\\@example.com/",
            "https://example.com/a b",
            "https://example.com/a?b",
            "https://example.com/\u{202e}",
            "{{inputs.parameters.type}}",
        ] {
            assert!(matches!(read(text), Err(InvalidPredicateType::Unknown(_))), "{text}");
        }
        read(&format!("https://example.com/{}", "x".repeat(MAX_URI))).unwrap_err();
    }
}
