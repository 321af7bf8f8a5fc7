//! Which of many names are artifacts, and which the attestations of those.
//!
//! Only names are looked at here, and names come from whoever writes to the place: each of them
//! ends up somewhere, and none is left out. What is called like an attestation may be anything: its
//! bytes have to tell ([`Sorted::Beside`], [`Sorted::Doubtful`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use argo_attest_core::contract::store::APART;
use argo_attest_core::relpath::RelPath;

use super::names::{BUNDLE_SUFFIX, LINES_SUFFIX, MANIFEST_SUFFIX, OF_SOME_FILES, without_label_of};

/// Paths, `/` between their parts, from one place.
pub type Names = BTreeSet<Box<[u8]>>;

/// All that there is beneath a place.
#[derive(Debug, Default)]
pub struct There {
    /// Files, or objects.
    pub files: Names,
    /// Directories, whether or not there is a file in them. Those that the files are in need
    /// not be among them, as long as their names are text.
    pub directories: Names,
    /// What is there and is neither.
    pub others: Names,
    /// What is kept apart, by the names that it would have beside its artifacts.
    pub apart: Names,
}

/// What a name turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sorted {
    /// An artifact.
    Artifact(Box<[u8]>),
    /// A directory with an attestation of its own, and all files in it.
    Directory(Box<[u8]>, Vec<Box<[u8]>>),
    /// Called like the attestation, or the manifest, of something that is there.
    Beside(Box<[u8]>),
    /// The same of something that is not there.
    Doubtful(Box<[u8]>),
}

/// Whether a name is one that an attestation has, or the manifest that belongs to one.
pub fn is_called_attestation(name: &[u8]) -> bool {
    Called::of(name).is_some()
}

/// Whether a name is that of the manifest that belongs to an attestation.
pub fn is_called_manifest(name: &[u8]) -> bool {
    Called::of(name).is_some_and(|called| called.is_manifest)
}

/// Whether a name is that of an attestation in the form of lines.
pub fn is_called_lines(name: &str) -> bool {
    super::names::is_lines(name)
}

/// Whether a name is that of an attestation of some files of the directory that it lies in.
pub fn is_of_some_files(name: &[u8]) -> bool {
    Called::of(name)
        .is_some_and(|called| called.of.rsplit(|b| *b == b'/').next() == Some(OF_SOME_FILES.as_bytes()))
}

/// The names of all forms of the attestation of which this is the name of one.
pub fn all_forms(name: &str) -> Option<[String; 2]> {
    let stem = super::names::stem(name)?;
    Some([super::names::bundle(stem), super::names::lines(stem)])
}

/// The name of the first form of the attestation that a name belongs to: as one of its forms, or as
/// its manifest.
pub fn first_form_of(name: &str) -> Option<String> {
    let stem = super::names::stem(name).or_else(|| name.strip_suffix(MANIFEST_SUFFIX))?;
    Some(super::names::bundle(stem))
}

/// What the names of an artifact, of its attestations, wherever they are kept, and of its manifest have
/// in common: the artifact's own.
pub fn stem_of_any(name: &[u8]) -> &[u8] {
    Called::of(name).map_or(name, |called| called.of)
}

/// Whether it is the form that is asked for first of an artifact.
pub fn is_first_form(name: &str) -> bool {
    all_forms(name).is_some_and(|[first, _]| first == name)
}

/// Sorts what is there, in the order of the names. `top`: the directory that all of it is in,
/// empty for the place itself; only what is beneath counts as a directory of its own.
///
/// Takes memory in proportion to the names that there are: each may lie in hundreds of directories
/// of its own.
pub fn sorted(there: &There, top: &[u8]) -> Vec<Sorted> {
    let whole = there.whole(top);
    let stored: Names =
        there.files.iter().chain(&there.directories).filter_map(|name| renamed(name)).collect();
    let is_there =
        |name: &[u8]| there.files.contains(name) || there.is_directory(name, top) || stored.contains(name);
    let outermost = |name| directories(name, top).find(|directory| whole.contains(*directory));
    let mut parts: BTreeMap<&[u8], Sorted> = BTreeMap::new();
    for directory in &whole {
        if outermost(directory).is_none() {
            parts.insert(directory, Sorted::Directory(directory.clone(), Vec::new()));
        }
    }
    for file in &there.files {
        if let Some(directory) = outermost(file) {
            if let Some(Sorted::Directory(_, members)) = parts.get_mut(directory) {
                members.push(file.clone());
            }
            continue;
        }
        let part = match Called::of(file) {
            None => Sorted::Artifact(file.clone()),
            Some(called) if !is_there(called.of) => Sorted::Doubtful(file.clone()),
            // Nothing would ever read it.
            Some(called) if called.is_manifest && !there.is_attested(called.of) => {
                Sorted::Artifact(file.clone())
            }
            Some(_) => Sorted::Beside(file.clone()),
        };
        parts.insert(file, part);
    }
    parts.into_values().collect()
}

impl There {
    /// The directories that are one artifact, as far as their attestations say so. They are found
    /// by those. An object with a directory's very name has the attestation.
    fn whole(&self, top: &[u8]) -> Names {
        let attested = |name| Called::of(name).filter(|called| !called.is_manifest && !called.is_labelled);
        let beside = self.files.iter().chain(&self.others).filter_map(|name| attested(name));
        let apart = self.apart.iter().filter_map(|name| attested(name)).map(|called| called.stem);
        let named = beside.flat_map(|called| [called.stem, called.of]).chain(apart);
        let mut whole: Names = named.filter(|name| self.is_directory(name, top)).map(Box::from).collect();
        let renamed =
            self.directories.iter().filter(|name| renamed(name).is_some_and(|name| self.is_attested(&name)));
        whole.extend(renamed.cloned());
        whole.retain(|directory| !self.files.contains(directory));
        whole
    }

    /// Whether a name beneath the top is that of a directory.
    fn is_directory(&self, name: &[u8], top: &[u8]) -> bool {
        let beneath_top = top.is_empty() || name.strip_prefix(top).is_some_and(|rest| rest.starts_with(b"/"));
        let within = [name, b"/"].concat();
        let holds = |names: &Names| {
            let mut behind = names.range::<[u8], _>((Bound::Included(within.as_slice()), Bound::Unbounded));
            behind.next().is_some_and(|first| first.starts_with(&within))
        };
        beneath_top && (self.directories.contains(name) || holds(&self.files) || holds(&self.others))
    }

    fn is_attested(&self, stored: &[u8]) -> bool {
        [BUNDLE_SUFFIX, LINES_SUFFIX].iter().any(|suffix| {
            let name = [stored, suffix.as_bytes()].concat();
            let apart = [APART.as_bytes(), &name].concat();
            let beside = |names: &Names| names.contains(name.as_slice()) || names.contains(apart.as_slice());
            beside(&self.files) || beside(&self.others) || self.apart.contains(name.as_slice())
        })
    }
}

/// The name of an attestation.
struct Called<'a> {
    /// The artifact's.
    of: &'a [u8],
    /// What it begins with, which is another artifact's name where `of` is kept apart.
    stem: &'a [u8],
    is_manifest: bool,
    /// Whether it is that of another statement than the provenance.
    is_labelled: bool,
}

impl<'a> Called<'a> {
    fn of(name: &'a [u8]) -> Option<Self> {
        let stem = |suffix: &str| name.strip_suffix(suffix.as_bytes());
        let (stem, is_manifest) = match stem(BUNDLE_SUFFIX).or_else(|| stem(LINES_SUFFIX)) {
            Some(stem) => (stem, false),
            None => (stem(MANIFEST_SUFFIX)?, true),
        };
        let artifact = without_label_of(stem).filter(|_| !is_manifest);
        let (stem, is_labelled) = (artifact.unwrap_or(stem), artifact.is_some());
        let of = stem.strip_prefix(APART.as_bytes()).unwrap_or(stem);
        (!of.is_empty() && !of.ends_with(b"/")).then_some(Self { of, stem, is_manifest, is_labelled })
    }
}

/// The directories that a name is in, beneath `top`, the outermost first. What has an empty last
/// part has no name of its own.
fn directories<'a>(name: &'a [u8], top: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let begin = if top.is_empty() { 0 } else { top.len() + 1 };
    let slashes = name.iter().enumerate().skip(begin).filter(|(_, byte)| **byte == b'/');
    slashes
        .filter_map(|(at, _)| name.get(..at))
        .filter(|directory| !directory.is_empty() && !directory.ends_with(b"/"))
}

/// As the name is written in that of an attestation, if that is another one.
fn renamed(name: &[u8]) -> Option<Box<[u8]>> {
    let (above, last) = match name.iter().rposition(|byte| *byte == b'/') {
        Some(at) => name.split_at(at + 1),
        None => (&b""[..], name),
    };
    if std::str::from_utf8(last).is_ok() {
        return None;
    }
    let escaped = RelPath::from_bytes(last).ok()?.escaped();
    Some([above, escaped.as_bytes()].concat().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(all: &[&str]) -> Names {
        all.iter().map(|name| name.as_bytes().into()).collect()
    }

    fn told(there: &There, top: &str) -> Vec<String> {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let told = |sorted| match sorted {
            Sorted::Artifact(name) => text(&name),
            Sorted::Directory(name, members) => format!("{}/ {}", text(&name), members.len()),
            Sorted::Doubtful(name) => format!("{}?", text(&name)),
            Sorted::Beside(_) => String::new(),
        };
        let told = |sorted| Some(told(sorted)).filter(|told| !told.is_empty());
        sorted(there, top.as_bytes()).into_iter().filter_map(told).collect()
    }

    fn files(all: &[&str]) -> There {
        There { files: names(all), ..There::default() }
    }

    #[test]
    fn attestations_of_what_is_there_are_passed_over() {
        let there = files(&["a", "a.sigstore.json", "a.intoto.jsonl", "b", "sub/c", "sub/c.intoto.jsonl"]);
        assert_eq!(told(&there, ""), ["a", "b", "sub/c"]);
        // And nothing else is, however it is called.
        let there = files(&["x.sigstore.json", "x.manifest.sha256", ".sigstore.json", "d/.intoto.jsonl"]);
        assert_eq!(
            told(&there, ""),
            [".sigstore.json", "d/.intoto.jsonl", "x.manifest.sha256?", "x.sigstore.json?"]
        );
        assert_eq!(told(&files(&["a", "a.manifest.sha256"]), ""), ["a", "a.manifest.sha256"]);
        // An attestation that is an artifact itself has one of its own.
        let there = files(&["a", "a.sigstore.json", "a.sigstore.json.sigstore.json"]);
        assert_eq!(told(&there, ""), ["a"]);
    }

    #[test]
    fn a_directory_with_an_attestation_is_one_artifact() {
        let all = [
            "d/x",
            "d/x.sigstore.json",
            "d/e/y",
            "d/e.sigstore.json",
            "d.sigstore.json",
            "d.manifest.sha256",
        ];
        assert_eq!(told(&files(&all), ""), ["d/ 4"], "the outermost, with all that is in it");
        assert_eq!(told(&files(&all[..4]), ""), ["d/e/ 1", "d/x"]);
        // In the place that was asked about, and not around it.
        let within: Vec<_> = all.iter().map(|name| format!("p/{name}")).collect();
        let mut within: Vec<_> = within.iter().map(String::as_str).collect();
        within.push("p.sigstore.json");
        assert_eq!(told(&files(&within), "p"), ["p.sigstore.json?", "p/d/ 4"]);
        // An object of the same name is what is attested.
        assert_eq!(told(&files(&["d", "d.sigstore.json", "d/x"]), ""), ["d", "d/x"]);
        let empty = There { directories: names(&["d"]), ..files(&["d.intoto.jsonl"]) };
        assert_eq!(told(&empty, ""), ["d/ 0"]);
        // A link in the attestation's place makes no other thing of the directory.
        let link = There { others: names(&["d.sigstore.json"]), ..files(&["d/x"]) };
        assert_eq!(told(&link, ""), ["d/ 1"]);
    }

    #[test]
    fn what_is_kept_apart_counts_as_well() {
        let apart =
            There { apart: names(&["p/d.sigstore.json", "p/a.sigstore.json"]), ..files(&["p/d/x", "p/a"]) };
        assert_eq!(told(&apart, "p"), ["p/a", "p/d/ 1"]);
        let whole = files(&[
            ".attestations/d.sigstore.json",
            ".attestations/x",
            "d/x",
            ".attestations/y.intoto.jsonl",
        ]);
        assert_eq!(told(&whole, ""), [".attestations/x", ".attestations/y.intoto.jsonl?", "d/ 1"]);
    }

    #[test]
    fn other_statements_lie_beside_what_they_are_about_and_make_nothing_whole() {
        let there = files(&[
            "a",
            "a.predicate-spdx.sigstore.json",
            "a.predicate-spdx.intoto.jsonl",
            "a.sigstore.json",
        ]);
        assert_eq!(told(&there, ""), ["a"]);
        let there = files(&["a", "a.predicate-own.sigstore.json", "b.predicate-spdx.sigstore.json"]);
        assert_eq!(
            told(&there, ""),
            ["a", "a.predicate-own.sigstore.json?", "b.predicate-spdx.sigstore.json?"]
        );
        let there = files(&["d/x", "d.predicate-spdx.sigstore.json"]);
        assert_eq!(told(&there, ""), ["d/x"]);
    }

    #[test]
    fn odd_names_are_artifacts() {
        let there = files(&["a//b", "/a", "./x", "../y", "a/", "a\n", "d/../e"]);
        assert_eq!(told(&there, "").len(), 7);
        let not_text: Names = [&b"\xff"[..], b"%FF.sigstore.json"].map(Into::into).into();
        let there = There { files: not_text, ..There::default() };
        let beside = Sorted::Beside(b"%FF.sigstore.json"[..].into());
        assert_eq!(sorted(&there, b""), [beside, Sorted::Artifact(b"\xff"[..].into())]);
        let directory = There {
            directories: [b"\xff"[..].into()].into(),
            files: [&b"\xff/x"[..], b"%FF.sigstore.json"].map(Into::into).into(),
            ..There::default()
        };
        let whole = Sorted::Directory(b"\xff"[..].into(), vec![b"\xff/x"[..].into()]);
        assert!(sorted(&directory, b"").contains(&whole));
    }

    fn tree() -> impl Strategy<Value = Names> {
        let part = prop_oneof![Just("a"), Just("b"), Just("d"), Just(""), Just(".attestations")];
        let end =
            prop_oneof![Just(""), Just(".sigstore.json"), Just(".intoto.jsonl"), Just(".manifest.sha256")];
        let name = (proptest::collection::vec(part, 1..4), end);
        let name = name.prop_map(|(parts, end)| format!("{}{end}", parts.join("/")).into_bytes().into());
        proptest::collection::btree_set(name, 0..12)
    }

    proptest! {
        /// What is passed over is called like an attestation, and of something that is verified.
        #[test]
        fn nothing_slips_by(files in tree(), apart in tree()) {
            let there = There { files: files.clone(), apart, ..There::default() };
            let mut seen = Names::new();
            let mut verified = Names::new();
            for part in sorted(&there, b"") {
                match part {
                    Sorted::Beside(_) => {}
                    Sorted::Artifact(name) => { verified.insert(name.clone()); seen.insert(name); }
                    Sorted::Doubtful(name) => { seen.insert(name); }
                    Sorted::Directory(name, members) => {
                        verified.insert(name);
                        verified.extend(members.iter().cloned());
                        seen.extend(members);
                    }
                }
            }
            for name in files.difference(&seen) {
                let called = Called::of(name);
                prop_assert!(called.is_some(), "{:?}", name);
                let of = called.map(|called| called.of).unwrap_or_default();
                let beneath = [of, b"/"].concat();
                prop_assert!(
                    files.contains(of) || files.iter().any(|file| file.starts_with(&beneath)),
                    "{:?}", name
                );
            }
        }
    }
}
