//! What was asked of this program for a step: an attestation, a check of its inputs.
//!
//! The platform knows it best: the pod's annotations are set by Argo's controller and
//! are no part of the template's text, which can be rewritten on its way here. So
//! whatever of them was handed to this container decides, and only what was not comes
//! from the text. Wherever they were read, an annotation of ours that is misspelt, or
//! says neither `true` nor `false`, is an error: it was meant to ask for something.

use crate::trouble::{Fault, Trouble};
use std::collections::BTreeMap;
use std::fmt;

use super::images::{Images, InvalidImages};
use super::placement::Placement;
use super::predicates::{InvalidPredicates, Predicates};
use super::step::Step;
use crate::contract::annotation::{ATTEST, IMAGES, PLACE, PREDICATES, PREFIX, VERIFY_IMAGES, VERIFY_INPUTS};
use crate::text::brief;

/// Whether an annotation is one of ours, or was meant to be: Kubernetes takes capitals too.
pub fn is_ours(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

/// Bytes of a foreign key or value in a message.
const SHOWN: usize = 100;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Whether the outputs are to be attested ([`ATTEST`]). Whoever names images, or files that speak
    /// of the outputs, asks for it, unless they say no.
    pub attest: bool,
    /// Whether the inputs are to be checked ([`VERIFY_INPUTS`]); `None` if nothing is
    /// said of them.
    pub verify_inputs: Option<bool>,
    /// Whether the images of its containers are to be checked ([`VERIFY_IMAGES`]); `None` if
    /// nothing is said of them.
    pub verify_images: Option<bool>,
    /// Where the attestations of the outputs are to lie ([`PLACE`]), if anything is said of
    /// it.
    pub placement: Option<Placement>,
    /// Which images are to be attested ([`IMAGES`]).
    pub images: Images,
    /// Which files of the outputs are to be signed as what they are ([`PREDICATES`]).
    pub predicates: Predicates,
}

/// What is known of the pod's annotations, beside the template's text.
#[derive(Debug, Clone, Copy, Default)]
pub struct AskedEvidence<'a> {
    /// Those that begin with `argo-attest.io/`, all of them, where the pod's spec was
    /// handed over.
    pub pod: Option<&'a BTreeMap<String, String>>,
    /// `$ARGO_ATTEST_ASKED_ATTEST`: the value of [`ATTEST`], which the downward API
    /// leaves empty where the pod has no such annotation.
    pub attest: Option<&'a str>,
    /// `$ARGO_ATTEST_ASKED_VERIFY_INPUTS`: the same of [`VERIFY_INPUTS`].
    pub verify_inputs: Option<&'a str>,
    /// `$ARGO_ATTEST_ASKED_VERIFY_IMAGES`: the same of [`VERIFY_IMAGES`].
    pub verify_images: Option<&'a str>,
}

/// Where an annotation was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedIn {
    /// The template's text.
    Template,
    /// The pod, as the admission policy handed it over.
    Pod,
    /// The pod, as the downward API told of it.
    Variable,
}

impl fmt::Display for AskedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Template => "the step's template",
            Self::Pod => "the step's pod",
            Self::Variable => "the step's pod (by the downward API)",
        })
    }
}

/// An annotation of ours that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationError {
    /// There is none of this name.
    #[error("{place} has the annotation {name}, which is none of argo-attest's")]
    Unknown {
        /// Where it is.
        place: AskedIn,
        /// Its name, fit to be shown.
        name: String,
    },
    /// Neither yes nor no.
    #[error(
        "{place} has the annotation {name} with the value {value:?}, which is neither \"true\" nor \"false\""
    )]
    Value {
        /// Where it is.
        place: AskedIn,
        /// Its name.
        name: &'static str,
        /// Its value, fit to be shown.
        value: String,
    },
    /// No place that there is.
    #[error(
        "{place} has the annotation {PLACE} with the value {value:?}, which is neither \"beside\" nor \"apart\""
    )]
    Placement {
        /// Where it is.
        place: AskedIn,
        /// Its value, fit to be shown.
        value: String,
    },
    /// No images.
    #[error("{place} has the annotation {IMAGES}, and {why}")]
    Images {
        /// Where it is.
        place: AskedIn,
        /// What is wrong.
        why: InvalidImages,
    },
    /// No files and types.
    #[error("{place} has the annotation {PREDICATES}, and {why}")]
    Predicates {
        /// Where it is.
        place: AskedIn,
        /// What is wrong.
        why: InvalidPredicates,
    },
}

impl Trouble for AnnotationError {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { .. } => {
                format!(
                    "write {ATTEST}, {IMAGES}, {PREDICATES}, {VERIFY_INPUTS}, {VERIFY_IMAGES} or {PLACE}, or take the annotation away"
                )
            }
            Self::Value { .. } => {
                "write \"true\" or \"false\", in quotes, or take the annotation away".into()
            }
            Self::Placement { .. } => "write \"beside\" or \"apart\", or take the annotation away".into(),
            Self::Images { .. } => {
                "write registry/repository:tag, several by commas, or take the annotation away".into()
            }
            Self::Predicates { .. } => {
                "write output=type, such as sbom=cyclonedx, several by commas, or take the annotation away"
                    .into()
            }
        })
    }
}

impl Asked {
    /// What is asked for `step`. The text's own annotations are looked at even where
    /// they do not decide: none of them may be misspelt.
    pub fn of(step: &Step, evidence: AskedEvidence<'_>) -> Result<Self, AnnotationError> {
        let text = Annotations::read(AskedIn::Template, &step.annotations)?;
        let pod = evidence.pod.map(|pod| Annotations::read(AskedIn::Pod, pod)).transpose()?;
        let attest = evidence.attest.map(|value| variable(ATTEST, value)).transpose()?;
        let verify_inputs = evidence.verify_inputs.map(|value| variable(VERIFY_INPUTS, value)).transpose()?;
        let verify_images = evidence.verify_images.map(|value| variable(VERIFY_IMAGES, value)).transpose()?;
        let decided = pod.as_ref();
        let attest = decided.map(|pod| pod.attest).or(attest).unwrap_or(text.attest);
        let verify_inputs =
            decided.map(|pod| pod.verify_inputs).or(verify_inputs).unwrap_or(text.verify_inputs);
        let verify_images =
            decided.map(|pod| pod.verify_images).or(verify_images).unwrap_or(text.verify_images);
        // Where an attestation lies is no matter of trust: whoever looks for it looks in both
        // places. Nothing hands it over by itself. Nor the images: naming one that the step does
        // not push gives nothing, since what is signed is what was seen of it. Nor the files that speak
        // of outputs: they are the step's own, whatever they are called.
        let Annotations { placement, images, predicates, .. } = pod.unwrap_or(text);
        let attest = attest.unwrap_or(!images.is_empty() || !predicates.is_empty());
        Ok(Self { attest, verify_inputs, verify_images, placement, images, predicates })
    }
}

/// Our annotations in one place.
#[derive(Default)]
struct Annotations {
    attest: Option<bool>,
    verify_inputs: Option<bool>,
    verify_images: Option<bool>,
    placement: Option<Placement>,
    images: Images,
    predicates: Predicates,
}

impl Annotations {
    fn read(place: AskedIn, all: &BTreeMap<String, String>) -> Result<Self, AnnotationError> {
        let mut read = Self::default();
        for (name, value) in all {
            match name.as_str() {
                ATTEST => read.attest = Some(yes_or_no(place, ATTEST, value)?),
                VERIFY_INPUTS => read.verify_inputs = Some(yes_or_no(place, VERIFY_INPUTS, value)?),
                VERIFY_IMAGES => read.verify_images = Some(yes_or_no(place, VERIFY_IMAGES, value)?),
                PLACE => match value.parse() {
                    Ok(placement) => read.placement = Some(placement),
                    Err(_) => return Err(AnnotationError::Placement { place, value: brief(value, SHOWN) }),
                },
                IMAGES => {
                    read.images = value.parse().map_err(|why| AnnotationError::Images { place, why })?;
                }
                PREDICATES => {
                    let why = |why| AnnotationError::Predicates { place, why };
                    read.predicates = value.parse().map_err(why)?;
                }
                other => return Err(AnnotationError::Unknown { place, name: brief(other, SHOWN) }),
            }
        }
        Ok(read)
    }
}

/// The downward API gives an empty value for an annotation that is not there.
fn variable(name: &'static str, value: &str) -> Result<Option<bool>, AnnotationError> {
    if value.is_empty() { Ok(None) } else { yes_or_no(AskedIn::Variable, name, value).map(Some) }
}

fn yes_or_no(place: AskedIn, name: &'static str, value: &str) -> Result<bool, AnnotationError> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(AnnotationError::Value { place, name, value: brief(other, SHOWN) }),
    }
}

#[cfg(test)]
mod tests;
