//! What a step says of its outputs in files of its own: `argo-attest.io/predicates`.
//!
//! The text may be made of what a tenant gave as a parameter. It says which of the step's own files are
//! signed, as what, and about what else of the same step; that a file is what it is named is seen in
//! the file, and what a builder or a verifier says cannot be named ([`PredicateType`]).

use std::fmt;
use std::str::FromStr;

use crate::image::{ImageReference, InvalidReference};
use crate::predicate::{InvalidPredicateType, PredicateType};
use crate::relpath::RelPath;
use crate::text::brief;

/// Bytes of the annotation.
const MAX_TEXT: usize = 16 * 1024;
/// Files of one step, each with one thing that it is about.
const MAX_REPORTS: usize = 64;
/// Bytes of foreign text in a message.
const SHOWN: usize = 100;
/// Between what is signed and what it is about.
const FOR: &str = " for ";

/// The files that are named, in the order of the text, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Predicates(Vec<Report>);

/// A file of a step that is to be signed as what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The output artifact that it is, or is in.
    pub artifact: String,
    /// Where in there; the root, if it is the artifact.
    pub path: RelPath,
    /// As what it is signed.
    pub kind: PredicateType,
    /// What it is about; `None` if that is all that the step leaves beside such files.
    pub about: Option<Subject>,
}

/// What a file of a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An output artifact, by its name.
    Artifact(String),
    /// An image that the step pushes.
    Image(ImageReference),
}

/// Why text names no such files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPredicates {
    /// More than a step writes.
    #[error("it names more than {MAX_REPORTS} files, or has more than {MAX_TEXT} bytes")]
    TooMany,
    /// Left as the variable's name.
    #[error("{0:?} in it is an unresolved variable")]
    Unresolved(String),
    /// Not in its form.
    #[error("{0:?} in it is not of the form OUTPUT=TYPE, OUTPUT/PATH=TYPE or OUTPUT=TYPE for WHAT")]
    Form(String),
    /// Nothing that an output can be called, or no path in it.
    #[error("{0:?} in it names no output artifact, or no file in one")]
    Artifact(String),
    /// No type.
    #[error("{entry:?} in it names no type: {why}")]
    Kind {
        /// As it is written, fit to be shown.
        entry: String,
        /// Why.
        why: InvalidPredicateType,
    },
    /// No image.
    #[error("{entry:?} in it names no image: {why}")]
    Image {
        /// As it is written, fit to be shown.
        entry: String,
        /// Why.
        why: InvalidReference,
    },
}

impl Predicates {
    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Report> {
        self.0.iter()
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are about an output artifact of this name. What is named as such a file itself is
    /// not what others of its kind are about, unless they say so.
    pub fn about_artifact(&self, name: &str) -> impl Iterator<Item = &Report> {
        let is_one = self.0.iter().any(|report| report.path.is_root() && report.artifact == name);
        self.0.iter().filter(move |report| match &report.about {
            Some(about) => *about == Subject::Artifact(name.to_owned()),
            None => !is_one,
        })
    }

    /// Those that are about an image.
    pub fn about_image(&self, image: &ImageReference) -> impl Iterator<Item = &Report> {
        let image = Subject::Image(image.clone());
        self.0.iter().filter(move |report| report.about.as_ref().is_none_or(|about| *about == image))
    }
}

impl Report {
    /// Its name: the artifact's, and the path in there.
    pub fn name(&self) -> String {
        if self.path.is_root() {
            self.artifact.clone()
        } else {
            format!("{}/{}", self.artifact, self.path.escaped())
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Artifact(name) => f.write_str(name),
            Self::Image(image) => write!(f, "oci://{image}"),
        }
    }
}

impl FromStr for Predicates {
    type Err = InvalidPredicates;

    fn from_str(text: &str) -> Result<Self, InvalidPredicates> {
        if text.len() > MAX_TEXT {
            return Err(InvalidPredicates::TooMany);
        }
        let mut all = Vec::new();
        for entry in text.split(',') {
            let report = report(entry.trim())?;
            if !all.contains(&report) {
                all.push(report);
            }
        }
        if all.len() > MAX_REPORTS { Err(InvalidPredicates::TooMany) } else { Ok(Self(all)) }
    }
}

fn report(entry: &str) -> Result<Report, InvalidPredicates> {
    let shown = || brief(entry, SHOWN);
    if entry.contains("{{") {
        return Err(InvalidPredicates::Unresolved(shown()));
    }
    let (file, rest) = entry.split_once('=').ok_or_else(|| InvalidPredicates::Form(shown()))?;
    let (kind, about) = match rest.split_once(FOR) {
        Some((kind, about)) => (kind, Some(about.trim())),
        None => (rest, None),
    };
    let (artifact, path) = file.trim().split_once('/').unwrap_or_else(|| (file.trim(), ""));
    let plain = RelPath::from_bytes(path.as_bytes()).ok().filter(|plain| plain.as_bytes() == path.as_bytes());
    let path = plain.filter(|path| !path.is_root() || !file.contains('/'));
    let path = path.ok_or_else(|| InvalidPredicates::Artifact(shown()))?;
    if !is_artifact(artifact) {
        return Err(InvalidPredicates::Artifact(shown()));
    }
    let kind = kind.trim().parse().map_err(|why| InvalidPredicates::Kind { entry: shown(), why })?;
    let about = about.map(|about| match about.strip_prefix("oci://") {
        Some(image) => match image.parse::<ImageReference>() {
            Ok(image) => Ok(Subject::Image(image.as_asked())),
            Err(why) => Err(InvalidPredicates::Image { entry: shown(), why }),
        },
        None if is_artifact(about) => Ok(Subject::Artifact(about.to_owned())),
        None => Err(InvalidPredicates::Artifact(shown())),
    });
    Ok(Report { artifact: artifact.to_owned(), path, kind, about: about.transpose()? })
}

/// What Argo takes as an artifact's name (`paramOrArtifactNameFmt` in its workflow/validate/validate.go).
fn is_artifact(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Predicates {
        text.parse().unwrap()
    }

    #[test]
    fn files_are_read_each_once() {
        let read = read("sbom=cyclonedx, dist/reports/scan.json = sarif ,sbom=https://cyclonedx.org/bom");
        let told: Vec<_> = read.iter().map(|report| (report.name(), report.kind.name().unwrap())).collect();
        assert_eq!(told, [("sbom".into(), "cyclonedx"), ("dist/reports/scan.json".into(), "sarif")]);
        assert!(read.iter().all(|report| report.about.is_none()));
    }

    #[test]
    fn a_file_is_about_all_else_unless_it_says_about_what() {
        let read = read(
            "sbom=spdx, app/bom.json=cyclonedx for app, scan=sarif for oci://r.example/a, scan=sarif for sbom",
        );
        let about = |name: &str| read.about_artifact(name).map(Report::name).collect::<Vec<_>>();
        assert_eq!(about("app"), ["sbom", "app/bom.json"]);
        assert_eq!(about("other"), ["sbom"]);
        // Of a report only what says so.
        assert_eq!(about("sbom"), ["scan"]);
        assert_eq!(about("scan"), Vec::<String>::new());
        let of_image = |name: &str| {
            let image: ImageReference = name.parse().unwrap();
            read.about_image(&image.as_asked()).map(Report::name).collect::<Vec<_>>()
        };
        assert_eq!(of_image("r.example/a:latest"), ["sbom", "scan"]);
        assert_eq!(of_image("r.example/a:2"), ["sbom"]);
    }

    #[test]
    fn what_names_no_files_says_why() {
        let many = vec!["a=spdx"; MAX_TEXT].join(",");
        let names: Vec<_> = (0..=MAX_REPORTS).map(|n| format!("a{n}=spdx")).collect();
        for (text, why) in [
            ("", "not of the form"),
            ("sbom", "not of the form"),
            ("sbom=spdx,", "not of the form"),
            ("=spdx", "names no output artifact"),
            ("s.b=spdx", "names no output artifact"),
            ("../x=spdx", "names no output artifact"),
            ("a/../b=spdx", "names no output artifact"),
            ("a//b=spdx", "names no output artifact"),
            ("a/=spdx", "names no output artifact"),
            ("a=spdx for ", "neither a known type"),
            ("a=spdx for b/c", "names no output artifact"),
            ("a=bom", "neither a known type"),
            ("a=spdx fora", "neither a known type"),
            ("a=https://slsa.dev/provenance/v1", "by which a builder or a verifier speaks"),
            ("a=spdx for oci://R", "names no image"),
            ("{{inputs.parameters.x}}", "is an unresolved variable"),
            ("a=spdx\u{1b}[2J", "neither a known type"),
            (many.as_str(), "more than"),
            (names.join(",").as_str(), "more than"),
        ] {
            let error = text.parse::<Predicates>().unwrap_err().to_string();
            assert!(error.contains(why) && error.len() < 500 && !error.contains('\u{1b}'), "{text}: {error}");
        }
    }
}
