//! Which kind of claim a statement is asked for.

use std::convert::Infallible;
use std::str::FromStr;

use crate::predicate::{self, PredicateType};
use crate::slsa::{PROVENANCE_V0_2, PROVENANCE_V1};

/// The names that cosign knows types by (`cosign verify-blob-attestation --type`), beside those that a
/// step's documents have.
const NAMES: [(&str, &str); 6] = [
    ("slsaprovenance", PROVENANCE_V0_2),
    ("slsaprovenance02", PROVENANCE_V0_2),
    ("slsaprovenance1", PROVENANCE_V1),
    ("spdxjson", "https://spdx.dev/Document"),
    ("link", "https://in-toto.io/Link/v1"),
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

    /// What stands for it in the name of a file that holds such a statement, if a step can have left one:
    /// see [`PredicateType::label`].
    pub fn label(&self) -> Option<String> {
        match self {
            Self::Provenance => None,
            Self::Type(wanted) => wanted.parse::<PredicateType>().ok().map(|kind| kind.label()),
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
        let known =
            NAMES.iter().chain(&predicate::NAMES).find(|(name, _)| *name == text).map(|(_, uri)| *uri);
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
        assert!(wanted("cyclonedx").takes("https://cyclonedx.org/bom"));
        assert!(wanted("https://example.com/t").takes("https://example.com/t"));
        assert!(!wanted("https://example.com/t").takes("https://example.com/t/"));
        assert!(Wanted::default().takes(PROVENANCE_V0_2) && Wanted::default().takes(PROVENANCE_V1));
        assert!(!Wanted::default().takes("https://slsa.dev/provenance/v0.1"));
    }

    #[test]
    fn what_a_step_can_leave_is_looked_for_under_its_own_name() {
        let label = |text: &str| text.parse::<Wanted>().unwrap().label();
        assert_eq!(label("sarif").as_deref(), Some("sarif"));
        assert_eq!(label("https://cyclonedx.org/bom").as_deref(), Some("cyclonedx"));
        assert_eq!(label("https://example.com/t").map(|label| label.len()), Some(16));
        for none in ["slsaprovenance1", "link", "custom", "https://slsa.dev/provenance/v1", "x"] {
            assert_eq!(label(none), None, "{none}");
        }
        assert_eq!(Wanted::default().label(), None);
    }
}
