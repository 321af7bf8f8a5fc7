//! What anything that calls itself a statement says, as far as it says it: to be shown. It
//! may have no subjects, no digests, no type; nothing is decided by it.

use serde::Deserialize;

use super::ResourceDescriptor;
use crate::json::{self, JsonError, Limits, Opaque};

/// The parts of a statement that are there.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// `_type`, foreign text.
    pub kind: String,
    /// `subject`.
    pub subjects: Vec<ResourceDescriptor>,
    /// `predicateType`, foreign text.
    pub predicate_type: String,
    /// `predicate`, whatever it is.
    pub predicate: Option<Opaque>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(default, rename = "_type", deserialize_with = "json::or_unset")]
    kind: String,
    #[serde(default, rename = "subject", deserialize_with = "json::objects_or_unset")]
    subjects: Vec<ResourceDescriptor>,
    #[serde(default, deserialize_with = "json::or_unset")]
    predicate_type: String,
    predicate: Option<Opaque>,
}

impl Outline {
    /// Reads an object within the limits, whatever it has; what it has must be of the kind
    /// that a statement gives it.
    pub fn read(bytes: &[u8], limits: impl Into<Limits>) -> Result<Self, JsonError> {
        let Read { kind, subjects, predicate_type, predicate } = json::parse(bytes, limits)?;
        Ok(Self { kind, subjects, predicate_type, predicate })
    }

    /// Whether it says to be a statement of in-toto, of any version.
    pub fn is_statement(&self) -> bool {
        self.kind.starts_with("https://in-toto.io/Statement/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_told_and_what_is_not_is_not_missed() {
        let read = |text: &str| Outline::read(text.as_bytes(), 1000).unwrap();
        let whole = read(
            r#"{"_type":"https://in-toto.io/Statement/v9","subject":[{"name":"a"}],"predicateType":"t","predicate":[1],"more":1}"#,
        );
        assert!(whole.is_statement());
        assert_eq!((whole.subjects[0].name.as_str(), whole.predicate_type.as_str()), ("a", "t"));
        assert_eq!(whole.predicate.unwrap().as_json(), "[1]");
        for bare in ["{}", r#"{"_type":null,"subject":null,"predicate":null}"#] {
            let bare = read(bare);
            assert!(!bare.is_statement() && bare.subjects.is_empty() && bare.predicate.is_none());
        }
        Outline::read(br#"{"subject":{}}"#, 1000).unwrap_err();
    }
}
