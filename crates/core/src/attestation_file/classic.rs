//! in-toto's older documents, links and layouts (in-toto specification 1.0, sections 4.3 and
//! 4.4): no statements, and shown as what they are.

use serde::Deserialize;
use serde_json::Value;

use crate::intoto::{DigestSet, ResourceDescriptor};
use crate::json::{self, JsonError, Limits};

/// Files that are kept of one link.
const MAX_FILES: usize = 1024;

/// A link or a layout.
#[derive(Debug, Clone)]
pub struct Classic {
    is_layout: bool,
    /// A link's name, or none.
    pub name: String,
    /// When a layout expires, in its own words.
    pub expires: String,
    /// A link's products, by path; a layout has none.
    pub products: Vec<ResourceDescriptor>,
    /// The names of a layout's steps.
    pub steps: Vec<String>,
}

/// The document is neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotClassic {
    /// Not in its form.
    #[error("it is not a well-formed in-toto link or layout")]
    Json(#[from] JsonError),
    /// Something else, by its own words.
    #[error("its `_type` is neither `link` nor `layout`")]
    Kind,
}

#[derive(Deserialize)]
struct Read {
    #[serde(default, rename = "_type", deserialize_with = "json::or_unset")]
    kind: String,
    #[serde(default, deserialize_with = "json::or_unset")]
    name: String,
    #[serde(default, deserialize_with = "json::or_unset")]
    expires: String,
    #[serde(default, deserialize_with = "json::or_unset")]
    products: serde_json::Map<String, Value>,
    #[serde(default, deserialize_with = "json::or_unset")]
    steps: Vec<Value>,
}

impl Classic {
    /// Reads what is signed.
    pub fn read(bytes: &[u8], limits: impl Into<Limits>) -> Result<Self, NotClassic> {
        let Read { kind, name, expires, products, steps } = json::parse(bytes, limits)?;
        let is_layout = match kind.as_str() {
            "layout" => true,
            "link" => false,
            _ => return Err(NotClassic::Kind),
        };
        let product = |(path, digests): (String, Value)| {
            let digest: DigestSet = serde_json::from_value(digests).unwrap_or_default();
            ResourceDescriptor { name: path, digest, ..ResourceDescriptor::default() }
        };
        let step = |step: Value| Some(step.get("name")?.as_str()?.to_owned());
        Ok(Self {
            is_layout,
            name,
            expires,
            products: products.into_iter().take(MAX_FILES).map(product).collect(),
            steps: steps.into_iter().take(MAX_FILES).filter_map(step).collect(),
        })
    }

    /// What it is, in words.
    pub fn form(&self) -> &'static str {
        if self.is_layout { "in-toto layout" } else { "in-toto link" }
    }
}
