//! The images that a step says it pushes: `argo-attest.io/images`.
//!
//! The text may be made of what a tenant gave as a parameter. It says only where to look: what is
//! signed of an image is what was seen in its registry, never that it was named here.

use std::str::FromStr;

use crate::image::{ImageReference, InvalidReference};
use crate::text::brief;

/// Bytes of the annotation.
const MAX_TEXT: usize = 16 * 1024;
/// Images of one step.
const MAX_IMAGES: usize = 64;
/// Bytes of a foreign name in a message.
const SHOWN: usize = 100;

/// Images by name, in the order of the text, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Images(Vec<ImageReference>);

/// Why text names no images.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImages {
    /// Nothing, or nothing between two commas.
    #[error("a name in it is empty")]
    Empty,
    /// More than a step pushes.
    #[error("it names more than {MAX_IMAGES} images, or has more than {MAX_TEXT} bytes")]
    TooMany,
    /// Left as the variable's name.
    #[error("{0:?} in it is an unresolved variable")]
    Unresolved(String),
    /// Of one of them.
    #[error("{name:?} in it names no image: {why}")]
    Reference {
        /// As it is written, fit to be shown.
        name: String,
        /// Why.
        why: InvalidReference,
    },
}

impl Images {
    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &ImageReference> {
        self.0.iter()
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Images {
    type Err = InvalidImages;

    fn from_str(text: &str) -> Result<Self, InvalidImages> {
        if text.len() > MAX_TEXT {
            return Err(InvalidImages::TooMany);
        }
        let mut all = Vec::new();
        for name in text.split(',').map(str::trim) {
            // People write it, since `verify` takes it.
            let name = name.strip_prefix("oci://").unwrap_or(name);
            if name.is_empty() {
                return Err(InvalidImages::Empty);
            }
            if name.contains("{{") {
                return Err(InvalidImages::Unresolved(brief(name, SHOWN)));
            }
            let image: ImageReference =
                name.parse().map_err(|why| InvalidImages::Reference { name: brief(name, SHOWN), why })?;
            // A statement names what was looked at, and each once.
            let image = image.as_asked();
            if !all.contains(&image) {
                all.push(image);
            }
        }
        if all.len() > MAX_IMAGES {
            return Err(InvalidImages::TooMany);
        }
        Ok(Self(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_each_once() {
        let text = " r.example/a:1, r.example/b ,oci://r.example/a:1";
        let read: Images = text.parse().unwrap();
        let names: Vec<_> = read.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["r.example/a:1", "r.example/b:latest"]);
    }

    #[test]
    fn one_image_is_one_however_it_is_written() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        for (text, once) in [
            ("r.example/a,r.example/a:latest,R.example/a".to_owned(), "r.example/a:latest".to_owned()),
            (
                "a,docker.io/a,index.docker.io/library/a:latest".to_owned(),
                "docker.io/library/a:latest".to_owned(),
            ),
            // Nobody looks at a tag beside a digest: it must not be told as if somebody had.
            (format!("r.example/a:1@{digest},r.example/a@{digest}"), format!("r.example/a@{digest}")),
        ] {
            let read: Images = text.parse().unwrap();
            assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), [once], "{text}");
        }
    }

    #[test]
    fn what_names_no_images_says_why() {
        let many = vec!["a"; MAX_TEXT].join(",");
        let names: Vec<_> = (0..=MAX_IMAGES).map(|n| format!("r.example/{n}")).collect();
        for (text, why) in [
            ("", "a name in it is empty"),
            ("a:1,", "a name in it is empty"),
            ("{{inputs.parameters.image}}", "is an unresolved variable"),
            ("r.example/A", "names no image"),
            ("r.example/a b", "names no image"),
            ("-r.example/a", "names no image"),
            (many.as_str(), "more than"),
            (names.join(",").as_str(), "more than"),
        ] {
            let error = text.parse::<Images>().unwrap_err().to_string();
            assert!(error.contains(why) && error.len() < 400, "{error}");
        }
    }
}
