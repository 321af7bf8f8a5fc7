//! Which kind of claim a statement is asked for.

use std::convert::Infallible;
use std::str::FromStr;

use crate::slsa::{PROVENANCE_V0_2, PROVENANCE_V1};

/// The names that cosign knows types by (`cosign verify-blob-attestation --type`).
const NAMES: [(&str, &str); 10] = [
    ("slsaprovenance", PROVENANCE_V0_2),
    ("slsaprovenance02", PROVENANCE_V0_2),
    ("slsaprovenance1", PROVENANCE_V1),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
];

/// Which predicates are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Wanted {
    /// SLSA provenance, v0.2 or v1: who built it, and how.
    #[default]
    Provenance,
    /// Exactly this `predicateType`.
    Type(String),
}

impl Wanted {
    /// Whether a statement of this type is one.
    pub fn takes(&self, predicate_type: &str) -> bool {
        match self {
            Self::Provenance => [PROVENANCE_V1, PROVENANCE_V0_2].contains(&predicate_type),
            Self::Type(wanted) => wanted == predicate_type,
        }
    }

    /// For people.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Provenance => "SLSA provenance v0.2 or v1".to_owned(),
            Self::Type(wanted) => crate::text::brief(wanted, 300),
        }
    }
}

impl FromStr for Wanted {
    type Err = Infallible;

    /// A name that cosign knows, or else the type itself.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let known = NAMES.iter().find(|(name, _)| *name == text).map(|(_, uri)| *uri);
        Ok(Self::Type(known.unwrap_or(text).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_a_type_and_a_type_for_itself() {
        let wanted = |text: &str| text.parse::<Wanted>().unwrap();
        assert!(wanted("slsaprovenance1").takes(PROVENANCE_V1));
        assert!(!wanted("slsaprovenance1").takes(PROVENANCE_V0_2));
        assert!(wanted("spdx").takes("https://spdx.dev/Document"));
        assert!(wanted("https://example.com/t").takes("https://example.com/t"));
        assert!(!wanted("https://example.com/t").takes("https://example.com/t/"));
        assert!(Wanted::default().takes(PROVENANCE_V0_2) && Wanted::default().takes(PROVENANCE_V1));
        assert!(!Wanted::default().takes("https://slsa.dev/provenance/v0.1"));
    }
}
