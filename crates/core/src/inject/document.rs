//! What a document of a file is to us: Argo's, a list that may hold Argo's, or neither.
//!
//! kubectl flattens whatever has `items`, however its kind is called, and gives items
//! without a kind that of the list. Argo's own client looks at the kind and at nothing
//! else. What either of them would take for a workflow must not pass as something else:
//! where a document can be read in two ways, it is refused.

use super::refusal::Ambiguity;
use super::workflow::is_workflow;
use super::yaml::{Path, Value};
use crate::contract::annotation;

/// Keys by which objects are told apart. Some readers take them in any case.
const TELLING: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "items"];

/// The annotations that ask for our containers.
const ASKING: [&str; 5] = [
    annotation::ATTEST,
    annotation::IMAGES,
    annotation::PREDICATES,
    annotation::VERIFY_INPUTS,
    annotation::VERIFY_IMAGES,
];

/// How far lists may be in one another.
const DEEPEST_LIST: usize = 8;

/// An object of a file, wherever it stands.
#[derive(Debug)]
pub(super) struct Object<'v> {
    pub(super) path: Path,
    pub(super) value: &'v Value,
    /// Its kind, its own or that which its list gives it.
    pub(super) kind: String,
}

/// The objects of a document: itself, or those in its `items`.
pub(super) fn objects(document: &Value) -> Result<Vec<Object<'_>>, (Path, Ambiguity)> {
    let mut found = Vec::new();
    collect(document, Path::default(), None, 0, &mut found)?;
    Ok(found)
}

/// `given` is what the list says of its items: their kind and their apiVersion.
fn collect<'v>(
    value: &'v Value,
    path: Path,
    given: Option<(&str, &str)>,
    depth: usize,
    found: &mut Vec<Object<'v>>,
) -> Result<(), (Path, Ambiguity)> {
    let Value::Map(entries) = value else { return Ok(()) };
    if let Some(why) = ambiguity(entries) {
        return Err((path, why));
    }
    let own = |key| value.text_at(&[key]).filter(|text| !text.is_empty());
    let (kind, version) = match (own("kind"), own("apiVersion"), given) {
        (None, None, Some((kind, version))) => (kind, version),
        (kind, version, _) => (kind.unwrap_or_default(), version.unwrap_or_default()),
    };
    if let Some(Value::List(items)) = value.get("items") {
        if depth == DEEPEST_LIST {
            return Err((path, Ambiguity::Lists));
        }
        let given = Some((kind.strip_suffix("List").unwrap_or(kind), version));
        for (at, item) in items.iter().enumerate() {
            collect(item, path.key("items").index(at), given, depth + 1, found)?;
        }
    } else if is_workflow(kind) && version.starts_with("argoproj.io/") {
        found.push(Object { path, value, kind: kind.to_owned() });
    } else if is_workflow(kind) && version.is_empty() {
        return Err((path, Ambiguity::NoVersion));
    }
    Ok(())
}

/// Why two readers could take a mapping for two objects.
fn ambiguity(entries: &[(Value, Value)]) -> Option<Ambiguity> {
    let keys = || entries.iter().map(|(key, _)| key);
    if let Some((key, _)) = keys().zip(keys().skip(1)).find(|(one, next)| one == next) {
        return Some(Ambiguity::Twice(key.text().unwrap_or_default().to_owned()));
    }
    for (key, value) in entries {
        let Some(text) = key.text() else { continue };
        if let Some(known) = TELLING.iter().find(|known| text.eq_ignore_ascii_case(known) && text != **known)
        {
            return Some(Ambiguity::Case { key: text.to_owned(), known });
        }
        if matches!(text, "kind" | "apiVersion") {
            let plain = match value {
                Value::Scalar { tag, .. } => tag.as_deref().is_none_or(|tag| matches!(tag, "!!str" | "!")),
                _ => false,
            };
            if !plain {
                return Some(Ambiguity::Tag(text.to_owned()));
            }
        }
    }
    None
}

/// The first place outside the objects that asks for our containers, or, if `all` get
/// them, has a workflow.
pub(super) fn elsewhere(document: &Value, objects: &[Object<'_>], all: bool) -> Option<Path> {
    search(document, &mut Vec::new(), objects, all)
}

fn search(value: &Value, way: &mut Vec<Step>, objects: &[Object<'_>], all: bool) -> Option<Path> {
    if objects.iter().any(|object| std::ptr::eq(object.value, value)) {
        return None;
    }
    match value {
        Value::Scalar { .. } => None,
        Value::List(items) => items.iter().enumerate().find_map(|(at, item)| {
            way.push(Step::Index(at));
            let found = search(item, way, objects, all);
            way.pop();
            found
        }),
        Value::Map(entries) => {
            let asks = entries.iter().any(|(key, _)| key.text().is_some_and(|key| ASKING.contains(&key)));
            let runs = || {
                value.text_at(&["kind"]).is_some_and(is_workflow)
                    && value.text_at(&["apiVersion"]).is_some_and(|v| v.starts_with("argoproj.io/"))
            };
            if asks || (all && runs()) {
                return Some(path(way));
            }
            entries.iter().find_map(|(key, value)| {
                way.push(Step::Key(key.text().unwrap_or_default().to_owned()));
                let found = search(value, way, objects, all);
                way.pop();
                found
            })
        }
    }
}

enum Step {
    Key(String),
    Index(usize),
}

fn path(way: &[Step]) -> Path {
    way.iter().fold(Path::default(), |path, step| match step {
        Step::Key(key) => path.key(key),
        Step::Index(at) => path.index(*at),
    })
}
