//! What a statement of a step says of an image that it is about: under which name it was seen,
//! and on what it rests that this step made it.

use serde_json::{Map, Value};

use super::{Provenance, insert_object, insert_text};
use crate::digest::Sha256Digest;
use crate::image::ImageReference;

/// Where it stands among the internal parameters.
const IMAGE: &str = "image";
const EVIDENCE: &str = "evidence";

/// On what it rests that a step made the image that its registry has. A later one is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageEvidence {
    /// Main wrote its digest into a file. It may have read it somewhere.
    Named,
    /// The name pointed to something else when the sidecar got ready (before main started, or at the
    /// latest before it had ended), and to this after that. Whoever else may push there can have done
    /// it meanwhile, and the image may have been there under another name.
    Changed,
    /// Main wrote all its bytes to a volume under watch.
    Written,
}

impl ImageEvidence {
    /// By its name in a policy and in a statement.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Named, Self::Changed, Self::Written].into_iter().find(|evidence| evidence.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Changed => "changed",
            Self::Written => "written",
        }
    }

    /// What a provenance says of its image; `None` where it is about no image.
    pub fn said(provenance: &Provenance) -> Option<&str> {
        provenance.build_definition.internal_parameters.get(IMAGE)?.get(EVIDENCE)?.as_str()
    }
}

/// An image as a step left it.
#[derive(Debug, Clone)]
pub struct StepImage<'a> {
    /// As the step names it.
    pub reference: &'a ImageReference,
    /// The best that there is.
    pub evidence: ImageEvidence,
    /// To what the name pointed when the sidecar got ready, if to anything.
    pub before: Option<Sha256Digest>,
    /// The output in which it was found, or in which its digest was.
    pub output: Option<&'a str>,
}

impl Provenance {
    /// The same of an image.
    #[must_use]
    pub fn of_image(mut self, image: &StepImage<'_>) -> Self {
        let mut said = Map::new();
        insert_text(&mut said, "reference", &image.reference.to_string());
        said.insert(EVIDENCE.to_owned(), Value::from(image.evidence.name()));
        let before = image.before.map(|digest| format!("sha256:{digest}")).unwrap_or_default();
        insert_text(&mut said, "before", &before);
        insert_text(&mut said, "output", image.output.unwrap_or_default());
        insert_object(&mut self.build_definition.internal_parameters, IMAGE, said);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_are_in_their_order_and_read_as_written() {
        let all = [ImageEvidence::Named, ImageEvidence::Changed, ImageEvidence::Written];
        assert!(all.is_sorted());
        for evidence in all {
            assert_eq!(ImageEvidence::named(evidence.name()), Some(evidence));
        }
        assert_eq!(ImageEvidence::named("seen"), None);
    }
}
