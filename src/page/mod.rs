//! The page of an audit: one HTML file that needs nothing else, for people who decide by it and for
//! the archive.
//!
//! There is no script in it, and the browser is told to run none and to fetch nothing. What others
//! wrote is text there, and only `markup` writes.

mod facts;
mod graph;
mod groups;
mod list;
mod markup;
mod picture;
mod places;
mod top;

use std::collections::HashMap;

use argo_attest_core::audit::{Narrowing, Standing, Totals, WorkflowRun};
use jiff::Timestamp;

use self::facts::{Fact, StepFacts};
use self::graph::Takings;
use self::markup::Anchor;
use crate::audit::{Entry, Step};

/// Findings that are listed of what is attested or accounted for; more are counted.
const GOOD: usize = 10_000;
/// The same of all others.
const TROUBLES: usize = 20_000;

/// What a page says at its top that no finding says.
#[derive(Debug)]
pub struct Audited {
    /// When.
    pub at: Timestamp,
    /// The program and its version.
    pub by: String,
    /// The policy's name and its digest, or the keys that are trusted without one.
    pub trusting: Vec<String>,
    /// What was named.
    pub places: Vec<String>,
    /// By what the audit was narrowed.
    pub narrowing: Narrowing,
}

/// A page that is being gathered.
#[derive(Debug, Default)]
pub struct Page {
    sections: Vec<Section>,
    totals: Totals,
    next: usize,
    /// How many are listed of either.
    good: usize,
    troubles: usize,
}

/// A workflow, or all places.
#[derive(Debug, Default)]
struct Section {
    run: Option<RunNamed>,
    steps: Vec<StepFacts>,
    /// Which of `steps`, by a step's names.
    known: HashMap<String, usize>,
    /// What belongs to no step.
    loose: Vec<Fact>,
    takings: Takings,
    /// Findings that are only counted.
    unlisted: usize,
}

/// A workflow, by its names.
#[derive(Debug)]
struct RunNamed {
    name: String,
    phase: String,
    uid: String,
}

impl Page {
    /// What follows is of this workflow.
    pub fn workflow(&mut self, run: &WorkflowRun) {
        let run_named = RunNamed {
            name: format!("{}/{}", run.namespace, run.name),
            phase: run.phase.to_string(),
            uid: run.uid.clone(),
        };
        let takings = Takings::of(run);
        self.sections.push(Section { run: Some(run_named), takings, ..Section::default() });
    }

    /// What follows is of the places.
    pub fn places(&mut self) {
        self.sections.push(Section::default());
    }

    /// Adds a finding.
    pub fn entry(&mut self, entry: &Entry) {
        self.totals.count(&entry.finding);
        if self.sections.is_empty() {
            self.places();
        }
        let is_good = matches!(entry.finding.standing(), Standing::Attested | Standing::Accounted);
        let (listed, most) = if is_good { (&mut self.good, GOOD) } else { (&mut self.troubles, TROUBLES) };
        let is_listed = *listed < most;
        *listed += usize::from(is_listed);
        let Some(section) = self.sections.last_mut() else { return };
        if !is_listed {
            section.unlisted += 1;
            return;
        }
        self.next += 2;
        let fact = Fact::new(entry, Anchor('f', self.next));
        match &entry.step {
            Some(step) => section.step(step, Anchor('s', self.next + 1)).facts.push(fact),
            None => section.loose.push(fact),
        }
    }

    /// The page.
    pub fn html(&self, audited: &Audited) -> String {
        top::page(self, audited)
    }
}

impl Section {
    fn step(&mut self, step: &std::sync::Arc<Step>, anchor: Anchor) -> &mut StepFacts {
        let next = self.steps.len();
        let names = [&step.uid, &step.node_id, &step.node].map(|name| name.as_deref().unwrap_or("-"));
        let at = *self.known.entry(names.join("\u{0}")).or_insert(next);
        if at == next {
            self.steps.push(StepFacts { step: std::sync::Arc::clone(step), anchor, facts: Vec::new() });
        }
        // Just now, or before.
        #[expect(clippy::indexing_slicing, reason = "`known` has indices of `steps` alone")]
        &mut self.steps[at]
    }

    /// Everything in it, with the step that it is of.
    fn all(&self) -> impl Iterator<Item = (Option<&StepFacts>, &Fact)> {
        let of_steps = self.steps.iter().flat_map(|of| of.facts.iter().map(move |fact| (Some(of), fact)));
        of_steps.chain(self.loose.iter().map(|fact| (None, fact)))
    }
}

#[cfg(test)]
mod tests;
