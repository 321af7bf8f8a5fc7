//! The names of attestations, which follow from the artifact's own.
//!
//! Beside the artifact: `KEY.sigstore.json`. Apart from it, in the same bucket:
//! `.attestations/KEY.sigstore.json`, so that whoever takes a prefix of artifacts takes no
//! attestations with them. Another statement about it than its provenance, in either place, is
//! called after its type: `KEY.predicate-TYPE.sigstore.json`; one of either that counted by a certificate, and
//! that a newer one replaced, after its digest: `KEY.earlier-DIGITS.sigstore.json`. No artifact that is attested lies
//! beneath [`APART`] or is called like the latter two, so each name is that of one attestation of one
//! artifact. A `/` at the end of a key is the mark of a directory and no part of its name.

use argo_attest_core::argo::Placement;
use argo_attest_core::contract::store::APART;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::manifest;
use argo_attest_core::predicate::is_label;
use argo_attest_core::relpath::RelPath;

use super::Form;
use crate::store::{InvalidKey, ObjectKey};

/// Appended to an artifact's name to name its Sigstore bundle.
pub(super) const BUNDLE_SUFFIX: &str = ".sigstore.json";
/// Appended to an artifact's name to name its DSSE envelopes, one a line.
pub(super) const LINES_SUFFIX: &str = ".intoto.jsonl";
/// Appended to an artifact's name to name the list of its files.
pub(super) const MANIFEST_SUFFIX: &str = manifest::SUFFIX;

/// Appended to an artifact's name, before a type's label and the suffix, to name a statement of that
/// type.
const PREDICATE: &str = ".predicate-";

/// Appended to the name of an attestation, before the digits of its bundle's digest and the suffix, to name what it
/// was before it was replaced.
const EARLIER: &str = ".earlier-";
/// Hexadecimal digits of a digest in such a name.
const DIGITS: usize = 16;

/// What an attestation of some of a directory's files is called that lies in there, before
/// what is appended: it is beside no file of that name.
pub const OF_SOME_FILES: &str = "attestation";

/// What is looked for in one place, in this order.
pub(super) const LOOKED_FOR: [Form; 2] = [Form::Bundle, Form::Lines];

/// The objects of one attestation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestationNames {
    /// The Sigstore bundle.
    pub bundle: ObjectKey,
    /// The DSSE envelopes.
    pub lines: ObjectKey,
    /// The manifest, where there is one.
    pub manifest: ObjectKey,
}

/// Why an artifact's attestation has no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It would be no key.
    #[error(transparent)]
    Key(#[from] InvalidKey),
    /// It would be somewhere else.
    #[error("the key has an empty, `.` or `..` part, and no name for an attestation follows from that")]
    NotPlain,
    /// It would be an attestation among attestations.
    #[error("the key lies beneath {APART}, where attestations are kept")]
    AmongAttestations,
    /// It would be the name of a statement about something else.
    #[error("the key ends as the names of statements about other objects do ({PREDICATE}…, {EARLIER}…)")]
    CalledPredicate,
}

impl AttestationNames {
    /// The names for the artifact with this key.
    pub fn of(artifact: &str, placement: Placement) -> Result<Self, NameError> {
        let stem = stem_of(artifact, placement)?;
        Ok(Self {
            bundle: ObjectKey::new(&bundle(&stem))?,
            lines: ObjectKey::new(&lines(&stem))?,
            manifest: ObjectKey::new(&manifest(&stem))?,
        })
    }

    /// The names of another statement about the artifact than its provenance, of the type with this
    /// [label](argo_attest_core::predicate::PredicateType::label). Its manifest is that of the provenance.
    pub fn labelled(artifact: &str, placement: Placement, label: &str) -> Result<Self, NameError> {
        let stem = stem_of(artifact, placement)?;
        let labelled = with_label(&stem, Some(label));
        Ok(Self {
            bundle: ObjectKey::new(&bundle(&labelled))?,
            lines: ObjectKey::new(&lines(&labelled))?,
            manifest: ObjectKey::new(&manifest(&stem))?,
        })
    }

    /// The names beside the artifact with this key.
    pub fn beside(artifact: &str) -> Result<Self, NameError> {
        Self::of(artifact, Placement::Beside)
    }

    /// All of them.
    pub fn all(&self) -> [&ObjectKey; 3] {
        [&self.bundle, &self.lines, &self.manifest]
    }
}

/// What the names of an artifact's attestation begin with.
pub(super) fn stem_of(artifact: &str, placement: Placement) -> Result<String, NameError> {
    let name = artifact.strip_suffix('/').unwrap_or(artifact);
    if name.is_empty() {
        return Err(InvalidKey::Empty.into());
    }
    // It would lie within the directory.
    if name.ends_with('/') {
        return Err(NameError::NotPlain);
    }
    // However it is read, and whatever becomes of it with more behind.
    if name.starts_with(APART) || is_among_attestations(name) || is_among_attestations(&bundle(name)) {
        return Err(NameError::AmongAttestations);
    }
    if without_label(name).is_some() {
        return Err(NameError::CalledPredicate);
    }
    match placement {
        Placement::Beside => Ok(name.to_owned()),
        Placement::Apart => {
            // As it is: what a path parser would mend is another object's name.
            let plain =
                RelPath::from_bytes(name.as_bytes()).is_ok_and(|path| path.as_bytes() == name.as_bytes());
            if plain { Ok(format!("{APART}{name}")) } else { Err(NameError::NotPlain) }
        }
    }
}

/// Whether a key, as a store on a file system would take it, lies where attestations are
/// kept apart from their artifacts.
pub fn is_among_attestations(key: &str) -> bool {
    let plain = argo_attest_core::argo::path::join("/", key);
    format!("{plain}/").strip_prefix('/').is_some_and(|key| key.starts_with(APART))
}

/// The artifact of which an attestation of this name is one, if it is the name of one.
pub fn artifact_of(attestation: &str) -> Option<&str> {
    let stem = stem(attestation)?;
    let stem = without_label(stem).unwrap_or(stem);
    Some(stem.strip_prefix(APART).unwrap_or(stem))
}

/// What the name of a statement of this type begins with; of the provenance, if there is none.
pub(super) fn with_label(stem: &str, label: Option<&str>) -> String {
    label.map_or_else(|| stem.to_owned(), |label| format!("{stem}{PREDICATE}{label}"))
}

/// What is appended to an artifact's name, before the suffix.
pub(super) fn labelling(label: &str) -> String {
    with_label("", Some(label))
}

/// The name of the bundle that was called so and has this digest, when another took its place.
pub(super) fn earlier(name: &str, digest: Sha256Digest) -> Option<String> {
    let stem = name.strip_suffix(BUNDLE_SUFFIX)?;
    let digest = digest.to_string();
    Some(bundle(&format!("{stem}{EARLIER}{}", digest.get(..DIGITS)?)))
}

/// What the name of a statement that is no provenance, or that was replaced, begins with, before its type and its
/// digits; `None` if it is not called so.
fn without_label(stem: &str) -> Option<&str> {
    std::str::from_utf8(without_label_of(stem.as_bytes())?).ok()
}

/// The same of any bytes.
pub(super) fn without_label_of(stem: &[u8]) -> Option<&[u8]> {
    let is_digit = |b: &u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let current = without(EARLIER, |digits| digits.len() == DIGITS && digits.iter().all(is_digit), stem);
    let is_label = |label: &[u8]| std::str::from_utf8(label).is_ok_and(is_label);
    without(PREDICATE, is_label, current.unwrap_or(stem)).or(current)
}

/// What is before the last such mark, if something is, and what is behind it fits.
fn without<'a>(mark: &str, fits: impl Fn(&[u8]) -> bool, stem: &'a [u8]) -> Option<&'a [u8]> {
    let at = stem.windows(mark.len()).rposition(|part| part == mark.as_bytes())?;
    let (artifact, rest) = stem.split_at_checked(at)?;
    let is_named = !artifact.is_empty() && !artifact.ends_with(b"/");
    (is_named && fits(rest.get(mark.len()..)?)).then_some(artifact)
}

/// An attestation's name without what was appended to the artifact's.
pub(super) fn stem(attestation: &str) -> Option<&str> {
    [BUNDLE_SUFFIX, LINES_SUFFIX].iter().find_map(|suffix| attestation.strip_suffix(suffix))
}

/// The same of a path; all of it, if it has no such end.
pub(super) fn stem_of_path(path: &[u8]) -> &[u8] {
    let suffixes = [BUNDLE_SUFFIX, LINES_SUFFIX];
    suffixes.iter().find_map(|suffix| path.strip_suffix(suffix.as_bytes())).unwrap_or(path)
}

pub(super) fn is_lines(attestation: &str) -> bool {
    attestation.ends_with(LINES_SUFFIX)
}

/// What is appended to an artifact's name.
pub(super) fn suffix(form: Form) -> &'static str {
    match form {
        Form::Bundle | Form::Either => BUNDLE_SUFFIX,
        Form::Lines => LINES_SUFFIX,
    }
}

pub(super) fn bundle(stem: &str) -> String {
    format!("{stem}{BUNDLE_SUFFIX}")
}

pub(super) fn lines(stem: &str) -> String {
    format!("{stem}{LINES_SUFFIX}")
}

pub(super) fn manifest(stem: &str) -> String {
    format!("{stem}{MANIFEST_SUFFIX}")
}

/// What a statement calls the manifest of the artifact.
pub(super) fn manifest_name(artifact: &str) -> String {
    let name = manifest(artifact.strip_suffix('/').unwrap_or(artifact));
    name.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(key: &str, placement: Placement) -> Result<[String; 3], NameError> {
        AttestationNames::of(key, placement).map(|names| names.all().map(|key| key.as_str().to_owned()))
    }

    #[test]
    fn beside_and_apart() {
        let all = |stem: &str| {
            Ok([".sigstore.json", ".intoto.jsonl", ".manifest.sha256"].map(|s| format!("{stem}{s}")))
        };
        assert_eq!(names("a/b.tgz", Placement::Beside), all("a/b.tgz"));
        assert_eq!(names("a/b.tgz", Placement::Apart), all(".attestations/a/b.tgz"));
        // A directory's name has no slash: what lies in it is its own.
        assert_eq!(names("a/b/", Placement::Beside), all("a/b"));
        assert_eq!(names("a/b/", Placement::Apart), all(".attestations/a/b"));
    }

    #[test]
    fn no_name_leads_out_or_in() {
        for odd in ["../x", "a/../x", "a//x", "./x", "/x", "a/."] {
            assert_eq!(names(odd, Placement::Apart), Err(NameError::NotPlain), "{odd}");
            names(odd, Placement::Beside).unwrap();
        }
        for among in
            [".attestations/x", ".attestations", ".attestations/", "/.attestations/x", "a/../.attestations/x"]
        {
            for placement in [Placement::Beside, Placement::Apart] {
                assert_eq!(names(among, placement), Err(NameError::AmongAttestations), "{among}");
            }
        }
        names(".attestations2/x", Placement::Apart).unwrap();
        names("a/.attestations/x", Placement::Apart).unwrap();
        assert_eq!(names("/", Placement::Beside), Err(InvalidKey::Empty.into()));
        assert_eq!(names("a//", Placement::Beside), Err(NameError::NotPlain));
    }

    #[test]
    fn another_statement_has_a_name_of_its_own() {
        let labelled = |key: &str, placement| {
            AttestationNames::labelled(key, placement, "spdx")
                .map(|names| names.all().map(ToString::to_string))
        };
        assert_eq!(
            labelled("a/b/", Placement::Beside).unwrap(),
            ["a/b.predicate-spdx.sigstore.json", "a/b.predicate-spdx.intoto.jsonl", "a/b.manifest.sha256"]
        );
        let apart = labelled("a/b", Placement::Apart).unwrap();
        assert_eq!(apart[0], ".attestations/a/b.predicate-spdx.sigstore.json");
        assert_eq!(artifact_of(&apart[0]), Some("a/b"));
        // What is called like one is no artifact that anything is said of.
        for called in ["a.predicate-spdx", "a.predicate-0123456789abcdef", "d/a.predicate-sarif/"] {
            assert_eq!(names(called, Placement::Beside), Err(NameError::CalledPredicate), "{called}");
        }
        for other in
            ["a.predicate-", "a.predicate-x", ".predicate-spdx", "d/.predicate-spdx", "a.predicate-spdx/b"]
        {
            names(other, Placement::Beside).unwrap();
        }
    }

    fn keys() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("..".to_owned()),
            Just(".".to_owned()),
            Just(String::new()),
            Just(".attestations".to_owned()),
            Just("a".to_owned()),
            Just("x.sigstore.json".to_owned()),
            Just("x.intoto.jsonl".to_owned()),
            Just("x.predicate-spdx".to_owned()),
            Just("x.predicate-spdx.sigstore.json".to_owned()),
            "\\PC{1,8}",
        ];
        proptest::collection::vec(part, 1..5).prop_map(|parts| parts.join("/"))
    }

    proptest! {
        /// From a name back to the one artifact whose attestation it is.
        #[test]
        fn a_name_leads_back_to_its_artifact(key in keys()) {
            for placement in [Placement::Beside, Placement::Apart] {
                let Ok(names) = AttestationNames::of(&key, placement) else { continue };
                let labelled = AttestationNames::labelled(&key, placement, "spdx").unwrap();
                for name in [names.bundle, names.lines, labelled.bundle, labelled.lines] {
                    prop_assert_eq!(artifact_of(name.as_str()), Some(key.strip_suffix('/').unwrap_or(&key)));
                    prop_assert_eq!(is_among_attestations(name.as_str()), placement == Placement::Apart);
                }
            }
        }

        /// Two artifacts never share a name, wherever the attestation of either lies, and whatever is
        /// said of it.
        #[test]
        fn two_artifacts_share_no_name(one in keys(), other in keys()) {
            let all = |key: &str, placement| {
                let provenance = names(key, placement)?;
                let labelled = AttestationNames::labelled(key, placement, "spdx")?;
                let [bundle, lines, _] = labelled.all().map(ToString::to_string);
                Ok::<_, NameError>(provenance.into_iter().chain([bundle, lines]).collect::<Vec<_>>())
            };
            prop_assume!(one.strip_suffix('/').unwrap_or(&one) != other.strip_suffix('/').unwrap_or(&other));
            for placement in [Placement::Beside, Placement::Apart] {
                for against in [Placement::Beside, Placement::Apart] {
                    let (Ok(one), Ok(other)) = (all(&one, placement), all(&other, against)) else { continue };
                    prop_assert!(one.iter().all(|name| !other.contains(name)), "{:?} {:?}", one, other);
                }
            }
        }
    }
}
