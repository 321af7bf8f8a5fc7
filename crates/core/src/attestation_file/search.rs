//! From a document to what is in it: each part is told apart by its shape.

use serde_json::value::RawValue;

use super::item::{Found, Item};
use super::members::{Members, items};
use super::shapes;
use super::{FileError, MAX_ITEMS, MAX_NAMED, Unusable};
use crate::relpath::printable;
use crate::text::brief;

/// Objects and arrays in one another that are looked into. Those that registries and services
/// put around attestations are five deep; what is within an attestation is its own.
const MAX_WRAPPERS: usize = 8;
/// Bytes of one reason.
const MAX_WHY: usize = 400;
/// Members in which registries and services have their attestations. In any other an
/// attestation of ours is not where anybody puts it: its file may be one that was altered.
const WRAPPERS: [&str; 9] = [
    "attestations",
    "attestation",
    "attestation_bundles",
    "bundle",
    "bundles",
    "envelope",
    "envelopes",
    "provenance",
    "provenance_summary",
];

/// What was found so far.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) items: Vec<Item>,
    passed_over: Vec<PassedOver>,
    unnamed: usize,
    /// What is around all of it, in words.
    pub(super) wrapper: Option<&'static str>,
}

/// A part with which nothing can be done.
#[derive(Debug)]
struct PassedOver {
    part: Unusable,
    /// Whether it is of a form that is known, and broken: of all reasons the one that counts.
    meant: bool,
}

/// Where the search is.
#[derive(Debug, Clone)]
struct At {
    name: String,
    depth: usize,
    /// Why what is here is not where this program would have put it.
    odd: Option<String>,
}

impl Search {
    /// All of a file. `on_its_line`: whether there is nothing around it but the line's end.
    pub(super) fn document(&mut self, document: &RawValue, on_its_line: bool) -> Result<(), FileError> {
        self.wrapper = wrapper(document);
        // A bundle is a file, an envelope is a line.
        let line = Members::of(document).is_some_and(|members| shapes::is_envelope(&members));
        let odd = (line && !on_its_line).then(white_space);
        self.node(document, &At { name: String::new(), depth: 0, odd })
    }

    /// One line of several. `plain`: whether there is no white space around it.
    pub(super) fn line(&mut self, document: &RawValue, at: String, plain: bool) -> Result<(), FileError> {
        let odd = (!plain).then(white_space);
        self.node(document, &At { name: at, depth: 0, odd })
    }

    /// What is there is nothing that is known.
    pub(super) fn pass_over(&mut self, at: String, why: &str) {
        self.note(PassedOver { part: Unusable { at, why: brief(why, MAX_WHY) }, meant: false });
    }

    /// The parts with which nothing can be done, and how many more there are.
    pub(super) fn into_passed_over(self) -> (Vec<Item>, Vec<Unusable>, usize) {
        let parts = self.passed_over.into_iter().map(|passed| passed.part);
        (self.items, parts.collect(), self.unnamed)
    }

    /// Why there is nothing: what was meant and is broken, else the first that is nothing.
    pub(super) fn nothing(self) -> FileError {
        let mut all = self.passed_over;
        let first = all.iter().position(|passed| passed.meant).unwrap_or_default();
        if first < all.len() { FileError::Unusable(all.swap_remove(first).part) } else { FileError::Nothing }
    }

    fn note(&mut self, passed: PassedOver) {
        if self.passed_over.len() < MAX_NAMED {
            self.passed_over.push(passed);
        } else {
            self.unnamed += 1;
        }
    }

    fn node(&mut self, value: &RawValue, at: &At) -> Result<(), FileError> {
        if let Some(all) = items(value) {
            if self.is_too_deep(at) {
                return Ok(());
            }
            for (index, item) in all.into_iter().enumerate() {
                let name = format!("{}[{index}]", at.name);
                self.node(item, &At { name, depth: at.depth + 1, odd: at.odd.clone() })?;
            }
            return Ok(());
        }
        let Some(members) = Members::of(value) else {
            self.pass_over(at.name.clone(), "it is neither an object nor an array");
            return Ok(());
        };
        match shapes::recognise(value, &members, at.odd.as_deref()) {
            Some(Ok(found)) => self.add(at, found),
            Some(Err(why)) => {
                let part = Unusable { at: at.name.clone(), why: brief(&why, MAX_WHY) };
                self.note(PassedOver { part, meant: true });
                Ok(())
            }
            None => self.wrapped(&members, at),
        }
    }

    fn add(&mut self, at: &At, found: Found) -> Result<(), FileError> {
        if self.items.len() == MAX_ITEMS {
            return Err(FileError::TooMany);
        }
        self.items.push(Item { at: at.name.clone(), found });
        Ok(())
    }

    /// What is in the members of an object that is nothing itself.
    fn wrapped(&mut self, members: &Members<'_>, at: &At) -> Result<(), FileError> {
        if self.is_too_deep(at) {
            return Ok(());
        }
        // What is beside an envelope repeats what is in there.
        let envelope = members.get(&["envelope"]).filter(|value| Members::of(value).is_some());
        let only = envelope.map(|_| "envelope");
        let nested = |value: &RawValue| value.get().starts_with(['{', '[']);
        let before = (self.items.len(), self.passed_over.len() + self.unnamed);
        let mut beside = Self::default();
        for (name, value) in
            members.iter().filter(|(name, value)| nested(value) && only.is_none_or(|o| o == *name))
        {
            let known = WRAPPERS.contains(&name);
            let name = brief(&printable(name.as_bytes()), 60);
            let odd = || (!known).then(|| format!("it is in the member `{name}` of something else"));
            let odd = at.odd.clone().or_else(odd);
            let dot = if at.name.is_empty() { "" } else { "." };
            let inner = At { name: format!("{}{dot}{name}", at.name), depth: at.depth + 1, odd };
            // Only of what was to hold attestations it is said that it holds something else.
            let searched = if known { &mut *self } else { &mut beside };
            searched.node(value, &inner)?;
            self.items.append(&mut beside.items);
            beside.passed_over.retain(|passed| passed.meant);
            for passed in beside.passed_over.drain(..) {
                self.note(passed);
            }
            if self.items.len() > MAX_ITEMS {
                return Err(FileError::TooMany);
            }
        }
        if before == (self.items.len(), self.passed_over.len() + self.unnamed) {
            let names: Vec<_> =
                members.iter().take(6).map(|(name, _)| format!("`{}`", brief(name, 40))).collect();
            let why = match names.as_slice() {
                [] => "an empty object".to_owned(),
                names => {
                    format!("no attestation of any kind that is known: an object with {}", names.join(", "))
                }
            };
            self.pass_over(at.name.clone(), &why);
        }
        Ok(())
    }

    fn is_too_deep(&mut self, at: &At) -> bool {
        let too_deep = at.depth == MAX_WRAPPERS;
        if too_deep {
            self.pass_over(
                at.name.clone(),
                &format!("it is more than {MAX_WRAPPERS} levels deep in the file"),
            );
        }
        too_deep
    }
}

fn white_space() -> String {
    "there is white space around it".to_owned()
}

/// What a document is that holds attestations and is none.
fn wrapper(document: &RawValue) -> Option<&'static str> {
    let Some(members) = Members::of(document) else { return Some("array of attestations") };
    if shapes::is_known(&members) {
        return None;
    }
    let has = |name| members.get(&[name]).is_some();
    Some(if has("attestation_bundles") {
        "PyPI provenance (PEP 740)"
    } else if has("attestations") {
        "list of attestations (npm registry, GitHub API)"
    } else if has("provenance_summary") {
        "Google Cloud Build provenance"
    } else {
        "JSON with attestations in it"
    })
}
