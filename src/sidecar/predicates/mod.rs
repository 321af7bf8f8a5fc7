//! Files of the step that speak of what else it leaves: each is read once, as it was digested, and
//! signed as what it is about every output and image that it is about.
//!
//! Which files those are may be a tenant's text, and what is in them is main's word. It is signed under
//! no type by which a builder or a verifier speaks, and only if it looks like its type
//! ([`argo_attest_core::predicate`]); of what was made nothing is believed because of it.

mod reading;

use std::collections::BTreeMap;

use argo_attest_core::argo::{Predicates, Report, Subject};
use argo_attest_core::image::ImageReference;
use argo_attest_core::intoto::ResourceDescriptor;
use argo_attest_core::outcome::{Fate, OutputOutcome, PredicateOutcome};
use argo_attest_core::predicate::{Document, PredicateType};
use argo_attest_core::relpath::RelPath;
use argo_attest_core::text::causes;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::failed::NotReady;
use super::grace::{Deadline, TimeUp};
use super::images::StepImages;
use super::planned::Planned;
use crate::attest::{AttestError, Stated};

/// Where its type stands among a by-product's annotations.
const PREDICATE_TYPE: &str = "predicateType";
/// Why a statement is not there.
const TOO_LATE: &str = "the grace period ended before its statement was stored";

/// The documents of a step, as far as they could be read.
pub(super) struct Documents<'a> {
    predicates: &'a Predicates,
    read: BTreeMap<Key, Read>,
    /// Megabytes each, which are there several times while one is signed and stored.
    one_at_a_time: Mutex<()>,
}

/// A file, and as what it is signed.
type Key = (String, RelPath, PredicateType);

/// What was found of a file.
enum Read {
    Document(Document),
    /// Its output is optional, and was not there.
    Absent,
    Refused(String),
}

/// A file with one thing that it is about; with nothing, if there is none.
pub(super) struct Pair<'a> {
    report: &'a Report,
    about: Option<String>,
}

/// Every file with each thing that it is about, in the order of the annotation.
pub(super) fn pairs<'a>(
    predicates: &'a Predicates,
    outputs: &[Planned],
    images: &StepImages,
) -> Vec<Pair<'a>> {
    let mut pairs = Vec::new();
    for report in predicates.iter() {
        let is_it = |other: &Report| other == report;
        let outputs = outputs.iter().filter(|output| predicates.about_artifact(&output.name).any(is_it));
        let outputs = outputs.map(|output| output.name.clone());
        let images = images.iter().filter(|image| predicates.about_image(image).any(is_it));
        let about: Vec<_> = outputs.chain(images.map(image_name)).map(Some).collect();
        let about = if about.is_empty() { vec![None] } else { about };
        pairs.extend(about.into_iter().map(|about| Pair { report, about }));
    }
    pairs
}

/// As an outcome names an image.
fn image_name(image: &ImageReference) -> String {
    Subject::Image(image.clone()).to_string()
}

impl Pair<'_> {
    /// Before anything is known of the file. `fate`: what is to be said of it.
    pub(super) fn unread(&self, fate: impl FnOnce() -> Fate) -> PredicateOutcome {
        self.outcome(if self.about.is_some() { fate() } else { self.about_nothing() })
    }

    /// What became of it: what was concluded, or what follows from what it is about.
    pub(super) fn concluded(
        &self,
        concluded: &[PredicateOutcome],
        outputs: &[OutputOutcome],
    ) -> PredicateOutcome {
        let Some(about) = &self.about else { return self.outcome(self.about_nothing()) };
        let unknown = self.outcome(Fate::Unfinished { reason: TOO_LATE.to_owned() });
        let is_it = |one: &&PredicateOutcome| {
            (&one.name, &one.kind, &one.about) == (&unknown.name, &unknown.kind, &unknown.about)
        };
        if let Some(known) = concluded.iter().find(is_it) {
            return known.clone();
        }
        let fate = match outputs.iter().find(|output| output.name == *about).map(|output| &output.fate) {
            Some(Fate::Absent | Fate::NotStored { .. }) => Fate::Absent,
            Some(Fate::NotAttempted { reason }) => Fate::NotAttempted { reason: reason.clone() },
            Some(Fate::Refused { .. } | Fate::Unfinished { .. }) => {
                Fate::Refused { reason: format!("{about}, which it is about, is not attested") }
            }
            Some(Fate::Attested(_)) | None => unknown.fate,
        };
        self.outcome(fate)
    }

    /// What is amiss with it whatever main does.
    pub(super) fn trouble(&self, outputs: &[Planned]) -> Option<NotReady> {
        let name = self.report.name();
        let why = if !outputs.iter().any(|output| output.name == self.report.artifact) {
            format!("the step has no output artifact {}", self.report.artifact)
        } else if let (None, Fate::Refused { reason }) = (&self.about, self.about_nothing()) {
            reason
        } else {
            return None;
        };
        let remedy = "see that argo-attest.io/predicates names output artifacts of the step as they are called, and that the step leaves something else than these";
        Some(NotReady::held(format!("{name} cannot be signed as {}: {why}", self.report.kind), remedy.into()))
    }

    fn about_nothing(&self) -> Fate {
        let reason = match &self.report.about {
            Some(about) => format!("the step has no output or image {about} that it could be about"),
            None => "the step has no other output, and no image, that it could be about".to_owned(),
        };
        Fate::Refused { reason }
    }

    fn outcome(&self, fate: Fate) -> PredicateOutcome {
        outcome(self.report, self.about.clone(), fate)
    }
}

fn outcome(report: &Report, about: Option<String>, fate: Fate) -> PredicateOutcome {
    let unvouched = Vec::new();
    PredicateOutcome { name: report.name(), kind: report.kind.clone(), about, fate, unvouched }
}

impl Documents<'_> {
    /// What speaks of an output, as by-products of it: each by its digest.
    pub(super) fn byproducts_of_artifact(&self, name: &str) -> Vec<ResourceDescriptor> {
        self.byproducts(self.predicates.about_artifact(name))
    }

    /// The same of an image.
    pub(super) fn byproducts_of_image(&self, image: &ImageReference) -> Vec<ResourceDescriptor> {
        self.byproducts(self.predicates.about_image(image))
    }

    fn byproducts<'r>(&self, reports: impl Iterator<Item = &'r Report>) -> Vec<ResourceDescriptor> {
        let byproduct = |report: &Report| {
            let Some(Read::Document(document)) = self.read.get(&key(report)) else { return None };
            let kind = Value::from(document.kind().as_str());
            Some(ResourceDescriptor {
                media_type: "application/json".into(),
                annotations: Map::from_iter([(PREDICATE_TYPE.to_owned(), kind)]),
                ..ResourceDescriptor::named(format!("predicates/{}", report.name()), document.digest())
            })
        };
        reports.filter_map(byproduct).collect()
    }

    /// Has each that speaks of an attested output be stated.
    pub(super) async fn about_artifact(
        &self,
        name: &str,
        deadline: Deadline,
        state: impl AsyncFn(&Document) -> Result<Stated, AttestError>,
    ) -> Vec<PredicateOutcome> {
        self.stated(name, self.predicates.about_artifact(name), deadline, state).await
    }

    /// The same of an image.
    pub(super) async fn about_image(
        &self,
        image: &ImageReference,
        deadline: Deadline,
        state: impl AsyncFn(&Document) -> Result<Stated, AttestError>,
    ) -> Vec<PredicateOutcome> {
        self.stated(&image_name(image), self.predicates.about_image(image), deadline, state).await
    }

    async fn stated<'r>(
        &self,
        about: &str,
        reports: impl Iterator<Item = &'r Report>,
        deadline: Deadline,
        state: impl AsyncFn(&Document) -> Result<Stated, AttestError>,
    ) -> Vec<PredicateOutcome> {
        let mut outcomes = Vec::new();
        for report in reports {
            let mut unvouched = Vec::new();
            let fate = match self.read.get(&key(report)) {
                Some(Read::Document(document)) => {
                    let stating = async {
                        let _one = self.one_at_a_time.lock().await;
                        state(document).await
                    };
                    match deadline.within(stating).await {
                        Ok(Ok(stated)) => {
                            unvouched = stated.unvouched().to_vec();
                            Fate::Attested(stated.into_attested())
                        }
                        Ok(Err(error)) => Fate::Refused { reason: causes(&error) },
                        Err(TimeUp) => Fate::Unfinished { reason: TOO_LATE.to_owned() },
                    }
                }
                Some(Read::Absent) => Fate::Absent,
                Some(Read::Refused(reason)) => Fate::Refused { reason: reason.clone() },
                None => Fate::Refused { reason: "it was not looked at".to_owned() },
            };
            let outcome = outcome(report, Some(about.to_owned()), fate);
            outcomes.push(PredicateOutcome { unvouched, ..outcome });
        }
        outcomes
    }
}

fn key(report: &Report) -> Key {
    (report.artifact.clone(), report.path.clone(), report.kind.clone())
}
