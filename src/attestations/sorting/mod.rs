//! Which of many names are artifacts, and which the attestations of those.
//!
//! Only names are looked at here, and names come from whoever writes to the place: each of them
//! ends up somewhere, and none is left out. What is called like an attestation may be anything: its
//! bytes have to tell ([`Sorted::Beside`], [`Sorted::Doubtful`]).

use argo_attest_core::contract::store::APART;
use argo_attest_core::relpath::RelPath;

use super::names::{BUNDLE_SUFFIX, LINES_SUFFIX, MANIFEST_SUFFIX, OF_SOME_FILES, without_label_of};
use crate::roll::{Gathering, Place, Roll};

/// All that there is beneath a place: paths, `/` between their parts, from there.
#[derive(Debug, Default)]
pub struct There {
    /// Files, or objects.
    pub files: Roll,
    /// Directories, whether or not there is a file in them. Those that the files are in need
    /// not be among them, as long as their names are text.
    pub directories: Roll,
    /// What is there and is neither.
    pub others: Roll,
    /// What is kept apart, by the names that it would have beside its artifacts.
    pub apart: Roll,
}

/// What a name turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sorted {
    /// An artifact.
    Artifact(Box<[u8]>),
    /// A directory with an attestation of its own; all files in it belong to it.
    Directory(Box<[u8]>),
    /// Called like the attestation, or the manifest, of something that is there.
    Beside(Box<[u8]>),
    /// The same of something that is not there.
    Doubtful(Box<[u8]>),
}

impl Sorted {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Artifact(name) | Self::Directory(name) | Self::Beside(name) | Self::Doubtful(name) => name,
        }
    }
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

/// What is there, sorted as far as names tell. Of each name is decided anew what it is whenever it is
/// asked: a million answers would take more room than the names.
#[derive(Debug)]
pub struct Sorting {
    there: There,
    /// The directory that all of it is in; empty for the place itself.
    top: Box<[u8]>,
    /// Directories that are one artifact.
    whole: Roll,
    /// How names that are no text are written in those of attestations.
    renamed: Roll,
}

/// Where somebody is who takes one thing after the other.
#[derive(Debug, Clone, Default)]
pub struct At {
    files: Ahead,
    directories: Ahead,
}

/// The next name of a roll, seen before it is taken.
#[derive(Debug, Clone, Default)]
struct Ahead {
    place: Place,
    seen: Option<Box<[u8]>>,
}

impl Ahead {
    fn see(&mut self, roll: &Roll) -> Option<&[u8]> {
        if self.seen.is_none() {
            self.seen = roll.next(&mut self.place).map(|(name, _)| name.into());
        }
        self.seen.as_deref()
    }
}

impl Sorting {
    /// Of this. `top`: the directory that all of it is in, empty for the place itself; only what is
    /// beneath counts as a directory of its own.
    pub fn of(there: There, top: &[u8]) -> Self {
        let whole = there.whole(top);
        let renamed = [&there.files, &there.directories].into_iter().flat_map(Roll::iter);
        let renamed = renamed.filter_map(|name| renamed_as(&name)).collect();
        Self { there, top: top.into(), whole, renamed }
    }

    /// What there is.
    pub fn there(&self) -> &There {
        &self.there
    }

    /// All of it, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = Sorted> + '_ {
        let mut at = At::default();
        std::iter::from_fn(move || self.next(&mut at))
    }

    /// The next thing, in the order of the names.
    pub fn next(&self, at: &mut At) -> Option<Sorted> {
        loop {
            let (file, directory) = (at.files.see(&self.there.files), at.directories.see(&self.whole));
            let is_directory = match (file, directory) {
                (None, None) => return None,
                (Some(file), Some(directory)) => directory < file,
                (file, _) => file.is_none(),
            };
            if is_directory {
                let directory = at.directories.seen.take()?;
                if !self.is_member(&directory) {
                    return Some(Sorted::Directory(directory));
                }
                continue;
            }
            let file = at.files.seen.take()?;
            if !self.is_member(&file) {
                return Some(self.sorted(file));
            }
        }
    }

    /// All files in a directory that is one artifact.
    pub fn members(&self, directory: &[u8]) -> Vec<Box<[u8]>> {
        self.there.files.beginning(&[directory, b"/"].concat()).collect()
    }

    /// Whether it is in a directory that is one artifact.
    pub fn is_member(&self, name: &[u8]) -> bool {
        !self.whole.is_empty() && directories(name, &self.top).any(|directory| self.whole.contains(directory))
    }

    /// What a file is that is in no such directory.
    fn sorted(&self, file: Box<[u8]>) -> Sorted {
        match Called::of(&file) {
            None => Sorted::Artifact(file),
            Some(called) if !self.is_there(called.of) => Sorted::Doubtful(file),
            // Nothing would ever read it.
            Some(called) if called.is_manifest && !self.there.is_attested(called.of) => {
                Sorted::Artifact(file)
            }
            Some(_) => Sorted::Beside(file),
        }
    }

    fn is_there(&self, name: &[u8]) -> bool {
        self.there.files.contains(name)
            || self.there.is_directory(name, &self.top)
            || self.renamed.contains(name)
    }
}

impl There {
    /// The directories that are one artifact, as far as their attestations say so. They are found
    /// by those. An object with a directory's very name has the attestation.
    fn whole(&self, top: &[u8]) -> Roll {
        let mut whole = Gathering::default();
        let mut note = |name: &[u8]| {
            if self.is_directory(name, top) && !self.files.contains(name) {
                whole.note(name, &[]);
            }
        };
        let is_of_provenance = |called: &Called<'_>| !called.is_manifest && !called.is_labelled;
        for name in self.files.iter().chain(self.others.iter()) {
            if let Some(called) = Called::of(&name).filter(is_of_provenance) {
                note(called.stem);
                if called.of != called.stem {
                    note(called.of);
                }
            }
        }
        for name in self.apart.iter() {
            if let Some(called) = Called::of(&name).filter(is_of_provenance) {
                note(called.stem);
            }
        }
        for name in self.directories.iter() {
            if renamed_as(&name).is_some_and(|stored| self.is_attested(&stored)) {
                note(&name);
            }
        }
        whole.roll()
    }

    /// Whether a name beneath the top is that of a directory.
    fn is_directory(&self, name: &[u8], top: &[u8]) -> bool {
        let beneath_top = top.is_empty() || name.strip_prefix(top).is_some_and(|rest| rest.starts_with(b"/"));
        if !beneath_top {
            return false;
        }
        let within = [name, b"/"].concat();
        self.directories.contains(name) || self.files.begins(&within) || self.others.begins(&within)
    }

    fn is_attested(&self, stored: &[u8]) -> bool {
        [BUNDLE_SUFFIX, LINES_SUFFIX].iter().any(|suffix| {
            let name = [stored, suffix.as_bytes()].concat();
            let apart = [APART.as_bytes(), &name].concat();
            let beside = |names: &Roll| names.contains(&name) || names.contains(&apart);
            beside(&self.files) || beside(&self.others) || self.apart.contains(&name)
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
fn renamed_as(name: &[u8]) -> Option<Box<[u8]>> {
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
mod tests;
