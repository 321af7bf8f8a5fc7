//! What is kept of findings until the page is written: no more of each than the page shows.

use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use argo_attest_core::audit::{Finding, Standing};
use argo_attest_core::relpath::printable;
use argo_attest_core::verify::Reason;

use super::markup::Anchor;
use crate::audit::{Entry, Step, Subject};
use crate::report::{Accepted, Material};

/// Bytes of a text of others that are kept: a little more than are shown.
const KEPT: usize = 1_000;

/// One finding.
#[derive(Debug)]
pub(super) struct Fact {
    /// Where the page tells it.
    pub(super) anchor: Anchor,
    pub(super) about: About,
    /// What it is about, without its step: an address, a path, an output's name.
    pub(super) name: String,
    /// The output that it is, if it is one.
    pub(super) output: Option<String>,
    pub(super) standing: Standing,
    pub(super) reason: Option<&'static str>,
    pub(super) message: Option<String>,
    pub(super) remedy: Option<String>,
    pub(super) by: Option<Box<By>>,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    Step,
    Output,
    Artifact,
    Input,
    Attestation,
}

/// By whom something is attested, and what its statement says went in.
#[derive(Debug)]
pub(super) struct By {
    pub(super) told: [String; 2],
    pub(super) beside: Vec<String>,
    pub(super) workflow: Option<String>,
    pub(super) template: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) attestation: String,
    pub(super) finished: Option<jiff::Timestamp>,
    pub(super) materials: Vec<Material>,
}

/// A step with what was found of it.
#[derive(Debug)]
pub(super) struct StepFacts {
    pub(super) step: Arc<Step>,
    /// Where the page tells it.
    pub(super) anchor: Anchor,
    pub(super) facts: Vec<Fact>,
}

impl Fact {
    pub(super) fn new(entry: &Entry, anchor: Anchor) -> Self {
        let (about, name) = match &entry.subject {
            Subject::Step => (About::Step, String::new()),
            Subject::Output(name) => (About::Output, name.clone()),
            Subject::Artifact { path, .. } => (About::Artifact, printable(path.as_os_str().as_bytes())),
            Subject::Attestation(path) => (About::Attestation, printable(path.as_os_str().as_bytes())),
            Subject::Input(uri) => (About::Input, uri.clone()),
            // The page says that at its top.
            Subject::Audit => (About::Artifact, "audit".to_owned()),
        };
        let finding: &Finding = &entry.finding;
        Self {
            anchor,
            about,
            name: kept(&name),
            output: entry.output().map(kept),
            standing: finding.standing(),
            reason: finding.reason().map(Reason::code),
            message: finding.message().as_deref().map(kept),
            remedy: finding.remedy().as_deref().map(kept),
            by: entry.accepted.as_deref().map(|accepted| Box::new(By::new(accepted))),
        }
    }

    /// Whether it is drawn: not what is nobody's to attest, and not what is absent by right.
    pub(super) fn is_drawn(&self) -> bool {
        matches!(self.about, About::Artifact | About::Output) && self.standing != Standing::Accounted
    }
}

impl By {
    fn new(accepted: &Accepted) -> Self {
        Self {
            told: accepted.told().map(|told| kept(&told)),
            beside: accepted.beside().map(|told| kept(&told)).collect(),
            workflow: accepted.workflow.as_deref().map(kept),
            template: accepted.template.as_deref().map(kept),
            commit: accepted.commit.as_deref().map(kept),
            attestation: kept(&accepted.attestation),
            finished: accepted.finished_on,
            materials: accepted.materials.clone(),
        }
    }
}

impl StepFacts {
    /// What is said of it as a whole: the worst of what is said of it and of what it made.
    pub(super) fn standing(&self) -> Standing {
        let of = self.facts.iter().filter(|fact| fact.about != About::Input).map(|fact| fact.standing);
        of.max_by_key(|standing| weight(*standing)).unwrap_or(Standing::Accounted)
    }

    /// The reason of the first that is as bad.
    pub(super) fn reason(&self) -> Option<&'static str> {
        let standing = self.standing();
        self.facts.iter().find(|fact| fact.standing == standing).and_then(|fact| fact.reason)
    }

    /// Whether anything of it is missing or unknown, its inputs too.
    pub(super) fn is_troubled(&self) -> bool {
        self.facts.iter().any(|fact| is_trouble(fact.standing))
    }

    /// Its name, as people know it.
    pub(super) fn name(&self) -> &str {
        let names = [&self.step.node, &self.step.node_id, &self.step.uid];
        names.into_iter().flatten().map(String::as_str).next().unwrap_or("-")
    }
}

/// What weighs more is what a whole is said to be.
pub(super) fn weight(standing: Standing) -> u8 {
    match standing {
        Standing::Accounted => 0,
        Standing::Attested => 1,
        Standing::LetPass => 2,
        Standing::Unknown => 3,
        Standing::Missing => 4,
    }
}

/// Whether it is missing, or could not be found out.
pub(super) fn is_trouble(standing: Standing) -> bool {
    matches!(standing, Standing::Missing | Standing::Unknown)
}

/// The words for it, for people, and a name for its colour.
pub(super) fn words(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::Attested => ("attested", "good"),
        Standing::Accounted => ("accounted for", "even"),
        Standing::LetPass => ("let pass", "odd"),
        Standing::Missing => ("not attested", "bad"),
        Standing::Unknown => ("not known", "open"),
    }
}

fn kept(text: &str) -> String {
    text.get(..text.floor_char_boundary(KEPT)).unwrap_or_default().to_owned()
}
