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
mod tests {
    use serde_json::json;

    use super::super::{Source, TemplateText};
    use super::*;

    fn step(annotations: &serde_json::Value) -> Step {
        // Argo's encoder writes no empty map.
        let metadata = match annotations.as_object() {
            Some(all) if !all.is_empty() => json!({"annotations": annotations}),
            _ => json!({}),
        };
        let text = format!(
            r#"{{"name":"build","inputs":{{}},"outputs":{{}},"metadata":{metadata},"container":{{"name":"","image":"i","command":["c"],"resources":{{}}}}}}"#
        );
        Step::parse(&TemplateText::new(Source::Env, text.into_bytes()).unwrap()).unwrap()
    }

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_text_decides_where_nothing_else_is_known() {
        for (annotations, attest, verify_inputs) in [
            (json!({}), false, None),
            (json!({ATTEST: "true"}), true, None),
            (json!({ATTEST: "false", VERIFY_INPUTS: "true"}), false, Some(true)),
            (json!({ATTEST: "true", VERIFY_INPUTS: "false"}), true, Some(false)),
        ] {
            let asked = Asked::of(&step(&annotations), AskedEvidence::default()).unwrap();
            assert_eq!(asked, Asked { attest, verify_inputs, ..Asked::default() }, "{annotations}");
        }
    }

    #[test]
    fn what_the_pod_says_counts_and_not_the_text() {
        let forged = step(&json!({ATTEST: "true", VERIFY_INPUTS: "false"}));
        let pod = map(&[(VERIFY_INPUTS, "true")]);
        let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
        let of_pod = Asked { verify_inputs: Some(true), ..Asked::default() };
        assert_eq!(Asked::of(&forged, evidence).unwrap(), of_pod);
        // The pod as it was created before what the container was told as it started.
        let evidence = AskedEvidence { attest: Some("true"), verify_inputs: Some(""), ..evidence };
        assert_eq!(Asked::of(&forged, evidence).unwrap(), of_pod);

        let told =
            |attest, verify_inputs| AskedEvidence { attest, verify_inputs, ..AskedEvidence::default() };
        let of_variables = Asked::default();
        assert_eq!(Asked::of(&forged, told(Some(""), Some(""))).unwrap(), of_variables);
        let asked = Asked::of(&step(&json!({})), told(Some("true"), Some("false"))).unwrap();
        assert_eq!(asked, Asked { attest: true, verify_inputs: Some(false), ..Asked::default() });
        // Of what was not handed over, the text is all that is known.
        let asked = Asked::of(&forged, told(None, Some("true"))).unwrap();
        assert_eq!(asked, Asked { attest: true, verify_inputs: Some(true), ..Asked::default() });
    }

    #[test]
    fn what_is_misspelt_is_an_error_wherever_it_stands() {
        let fine = map(&[(ATTEST, "true")]);
        let decided = AskedEvidence {
            pod: Some(&fine),
            attest: Some("true"),
            verify_inputs: Some("true"),
            verify_images: Some("true"),
        };
        let unknown = [
            "argo-attest.io/atest",
            "argo-attest.io/Attest",
            "Argo-Attest.io/attest",
            "argo-attest.io/",
            "argo-attest.io/state",
        ];
        for name in unknown {
            let error = Asked::of(&step(&json!({name: "true"})), decided).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the step's template has the annotation {name}, which is none of argo-attest's")
            );
            let pod = map(&[(name, "true")]);
            let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
            let error = Asked::of(&step(&json!({})), evidence).unwrap_err();
            assert!(error.to_string().starts_with("the step's pod has the annotation"), "{error}");
        }
        for value in ["True", "1", "yes", " true", "true ", "", "TRUE"] {
            for name in [ATTEST, VERIFY_INPUTS, VERIFY_IMAGES] {
                let error = Asked::of(&step(&json!({name: value})), decided).unwrap_err();
                assert!(matches!(error, AnnotationError::Value { place: AskedIn::Template, .. }), "{error}");
                let pod = map(&[(name, value)]);
                let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
                Asked::of(&step(&json!({})), evidence).unwrap_err();
            }
            if !value.is_empty() {
                let evidence = AskedEvidence { attest: Some(value), ..AskedEvidence::default() };
                Asked::of(&step(&json!({})), evidence).unwrap_err();
                let evidence = AskedEvidence { verify_inputs: Some(value), ..AskedEvidence::default() };
                Asked::of(&step(&json!({})), evidence).unwrap_err();
                let evidence = AskedEvidence { verify_images: Some(value), ..AskedEvidence::default() };
                Asked::of(&step(&json!({})), evidence).unwrap_err();
            }
        }
    }

    #[test]
    fn images_are_asked_for_apart_from_inputs() {
        let says = |annotations: &serde_json::Value, evidence| {
            Asked::of(&step(annotations), evidence).unwrap().verify_images
        };
        let nothing = AskedEvidence::default();
        assert_eq!(says(&json!({ATTEST: "true", VERIFY_INPUTS: "true"}), nothing), None);
        assert_eq!(says(&json!({VERIFY_IMAGES: "true"}), nothing), Some(true));
        // What the pod says counts before the container's variable, and that before the text.
        let text = json!({VERIFY_IMAGES: "false"});
        let told = AskedEvidence { verify_images: Some("true"), ..nothing };
        assert_eq!(says(&text, told), Some(true));
        assert_eq!(says(&text, AskedEvidence { verify_images: Some(""), ..nothing }), None);
        let pod = map(&[]);
        assert_eq!(says(&text, AskedEvidence { pod: Some(&pod), ..told }), None);
    }

    #[test]
    fn where_attestations_lie_is_one_of_two_words() {
        for (word, placement) in [("beside", Placement::Beside), ("apart", Placement::Apart)] {
            let step = step(&json!({PLACE: word}));
            assert_eq!(Asked::of(&step, AskedEvidence::default()).unwrap().placement, Some(placement));
            // The pod's own, where it is known, and nothing else.
            let pod = map(&[]);
            let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
            assert_eq!(Asked::of(&step, evidence).unwrap().placement, None);
        }
        for word in ["", "Apart", "apart ", "true", "separate"] {
            let error = Asked::of(&step(&json!({PLACE: word})), AskedEvidence::default()).unwrap_err();
            assert!(error.to_string().contains("neither \"beside\" nor \"apart\""), "{error}");
        }
    }

    #[test]
    fn whoever_names_images_asks_for_attestations() {
        let name = "registry.example.com/app:1";
        let of = |annotations: &serde_json::Value, evidence| Asked::of(&step(annotations), evidence).unwrap();
        let asked = of(&json!({IMAGES: name}), AskedEvidence::default());
        assert_eq!((asked.attest, asked.images.iter().count()), (true, 1));
        let asked = of(&json!({IMAGES: name, ATTEST: "false"}), AskedEvidence::default());
        assert!(!asked.attest);
        // The pod's own, where it is known, and nothing else.
        let pod = map(&[]);
        let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
        assert_eq!(of(&json!({IMAGES: name}), evidence), Asked::default());
        let pod = map(&[(IMAGES, name)]);
        let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
        let asked = of(&json!({}), evidence);
        assert_eq!((asked.attest, asked.images.iter().count()), (true, 1));
        let error = Asked::of(&step(&json!({IMAGES: "a b"})), AskedEvidence::default()).unwrap_err();
        assert!(error.to_string().starts_with("the step's template has the annotation"), "{error}");
    }

    #[test]
    fn whoever_names_files_that_speak_of_outputs_asks_for_attestations() {
        let text = "sbom=cyclonedx";
        let of = |annotations: &serde_json::Value, evidence| Asked::of(&step(annotations), evidence).unwrap();
        let asked = of(&json!({PREDICATES: text}), AskedEvidence::default());
        assert_eq!((asked.attest, asked.predicates.iter().count()), (true, 1));
        assert!(!of(&json!({PREDICATES: text, ATTEST: "false"}), AskedEvidence::default()).attest);
        // The pod's own, where it is known, and nothing else.
        let pod = map(&[]);
        let evidence = AskedEvidence { pod: Some(&pod), ..AskedEvidence::default() };
        assert_eq!(of(&json!({PREDICATES: text}), evidence), Asked::default());
        let error = Asked::of(&step(&json!({PREDICATES: "sbom"})), AskedEvidence::default()).unwrap_err();
        assert!(error.to_string().starts_with("the step's template has the annotation"), "{error}");
    }

    #[test]
    fn foreign_text_is_fit_to_be_shown() {
        let error = Asked::of(&step(&json!({"argo-attest.io/\u{1b}[2J": "true"})), AskedEvidence::default());
        let shown = error.unwrap_err().to_string();
        assert!(shown.contains("argo-attest.io/%1B[2J"), "{shown}");
        let error = Asked::of(&step(&json!({ATTEST: "x\n".repeat(999)})), AskedEvidence::default());
        assert!(error.unwrap_err().to_string().len() < 300);
    }
}
