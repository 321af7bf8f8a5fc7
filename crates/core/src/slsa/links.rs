//! An artifact's symbolic links as a by-product: they are no files, so that no subject can
//! speak of them. Specified in `docs/formats.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{ARGO_STEP_BUILD_TYPE, COMMAND_BUILD_TYPE, Provenance};
use crate::digest::Sha256Digest;
use crate::intoto::ResourceDescriptor;
use crate::json::{self, JsonError, Limits};
use crate::links::{Links, MAX_LINKS};

/// The by-product's name.
pub const SYMBOLIC_LINKS: &str = "symbolic-links";

/// Bytes of the document: each byte of a path or a target may be escaped.
const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// The by-product's content.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<L> {
    links: L,
}

/// Why the by-product does not say which links there are.
#[derive(Debug, thiserror::Error)]
pub enum InvalidLinks {
    /// One list, or none.
    #[error("the provenance has more than one list of symbolic links")]
    Several,
    /// The content is missing, is no base64, or not what its digest is of.
    #[error("the list of symbolic links has no content, or other content than its digest is of")]
    Content,
    /// Not in its form.
    #[error("the list of symbolic links is malformed")]
    Document(#[from] JsonError),
}

/// The by-product that lists an artifact's links; `None` where there are none.
pub fn links_byproduct(links: &Links) -> Option<ResourceDescriptor> {
    if links.is_empty() {
        return None;
    }
    // Text always can be written as JSON.
    let document = serde_json::to_vec(&Document { links }).unwrap_or_default();
    Some(ResourceDescriptor {
        content: STANDARD.encode(&document),
        media_type: "application/json".into(),
        ..ResourceDescriptor::named(SYMBOLIC_LINKS, Sha256Digest::of(&document))
    })
}

impl Provenance {
    /// The links of the artifact: those that are listed, and none where the build type has no
    /// such list or the version that made the statement had not.
    pub fn links(&self) -> Result<Links, InvalidLinks> {
        if ![ARGO_STEP_BUILD_TYPE, COMMAND_BUILD_TYPE].contains(&self.build_definition.build_type.as_str()) {
            return Ok(Links::default());
        }
        let mut listed = self.run_details.byproducts.iter().filter(|b| b.name == SYMBOLIC_LINKS);
        let Some(list) = listed.next() else { return Ok(Links::default()) };
        if listed.next().is_some() {
            return Err(InvalidLinks::Several);
        }
        let document = STANDARD.decode(&list.content).map_err(|_| InvalidLinks::Content)?;
        if list.digest.sha256() != Some(Sha256Digest::of(&document)) {
            return Err(InvalidLinks::Content);
        }
        // The list, and of each link itself, its path and its target.
        let limits = Limits { bytes: MAX_DOCUMENT, values: 2 + 3 * MAX_LINKS, depth: 3 };
        let Document { links } = json::parse(&document, limits)?;
        Ok(links)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::links::{LinkTarget, MAX_TARGET};
    use crate::relpath::RelPath;

    fn provenance(build_type: &str, byproducts: &[ResourceDescriptor]) -> Provenance {
        let text = json!({
            "buildDefinition": {"buildType": build_type, "externalParameters": {}},
            "runDetails": {"builder": {"id": "b"}, "byproducts": byproducts},
        });
        Provenance::from_predicate(&text.to_string()).unwrap()
    }

    fn links(all: impl IntoIterator<Item = (String, String)>) -> Links {
        let link = |(at, to): (String, String)| {
            (RelPath::from_bytes(at.as_bytes()).unwrap(), LinkTarget::from_bytes(to.as_bytes()).unwrap())
        };
        all.into_iter().map(link).collect()
    }

    #[test]
    fn what_is_listed_is_read() {
        let few = links([("a".into(), "b".into())]);
        let many = links((0..MAX_LINKS).map(|n| (n.to_string(), format!("\u{1}{n}"))));
        let long = links((0..127).map(|n| (n.to_string(), "\u{1}".repeat(MAX_TARGET))));
        assert!(!many.are_too_many() && !long.are_too_many());
        for all in [few, many, long] {
            let list = links_byproduct(&all).unwrap();
            for build_type in [ARGO_STEP_BUILD_TYPE, COMMAND_BUILD_TYPE] {
                assert_eq!(provenance(build_type, std::slice::from_ref(&list)).links().unwrap(), all);
            }
            // Whatever others mean by that name.
            assert!(provenance("https://example.com/t", &[list]).links().unwrap().is_empty());
        }
        assert!(links_byproduct(&Links::default()).is_none());
        assert!(provenance(COMMAND_BUILD_TYPE, &[]).links().unwrap().is_empty());
    }

    #[test]
    fn what_is_no_list_is_an_error_and_no_lack_of_links() {
        let list = links_byproduct(&links([("a".into(), "b".into())])).unwrap();
        let of = |document: &str| ResourceDescriptor {
            content: STANDARD.encode(document),
            ..ResourceDescriptor::named(SYMBOLIC_LINKS, Sha256Digest::of(document.as_bytes()))
        };
        let without = ResourceDescriptor { content: String::new(), ..list.clone() };
        for wrong in [
            vec![list.clone(), list.clone()],
            vec![without],
            vec![ResourceDescriptor { content: "?".into(), ..list.clone() }],
            vec![ResourceDescriptor { digest: Sha256Digest::of(b"").into(), ..list }],
            vec![of("")],
            vec![of("{}")],
            vec![of("[]")],
            vec![of(r#"{"links":[],"more":1}"#)],
            vec![of(r#"{"links":[{"path":"a","target":[]}]}"#)],
        ] {
            assert!(provenance(COMMAND_BUILD_TYPE, &wrong).links().is_err(), "{wrong:?}");
        }
    }
}
