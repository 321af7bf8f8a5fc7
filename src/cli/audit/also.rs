//! What an audit makes beside what it tells: a page, a summary, a signed report. Each is made of the
//! same findings, in the order in which they are told.

use argo_attest_core::audit::{AuditedRun, Gathering, WorkflowRun};
use argo_attest_core::digest::Sha256Digest;
use sha2::{Digest as _, Sha256};

use super::bar::Bar;
use super::json::artifact;
use super::told::shown;
use crate::audit::{Entry, Outputs};
use crate::page::Page;

/// What is gathered, if it is wanted.
#[derive(Default)]
pub(super) struct Also {
    pub(super) page: Option<Page>,
    pub(super) signed: Option<Gathered>,
    pub(super) bar: Bar,
    /// Whether findings are of a workflow now, and not of places.
    pub(super) is_of_run: bool,
}

/// What is signed, of all findings.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) report: Gathering,
    pub(super) outputs: Outputs,
    printed: Sha256,
}

impl Also {
    /// What follows is of this workflow.
    pub(super) fn workflow(&mut self, run: &WorkflowRun) {
        self.is_of_run = true;
        if let Some(page) = &mut self.page {
            page.workflow(run);
        }
        if let Some(signed) = &mut self.signed {
            signed.outputs.workflow(run);
            signed.report.workflow(&AuditedRun {
                namespace: shown(&run.namespace),
                name: shown(&run.name),
                uid: shown(&run.uid),
                phase: shown(&run.phase.to_string()),
            });
        }
    }

    /// What follows is of the places.
    pub(super) fn places(&mut self) {
        self.is_of_run = false;
        if let Some(page) = &mut self.page {
            page.places();
        }
    }

    /// A finding.
    pub(super) fn entry(&mut self, entry: &Entry) {
        self.bar.advanced();
        if let Some(page) = &mut self.page {
            page.entry(entry);
        }
        let Some(signed) = &mut self.signed else { return };
        if self.is_of_run {
            signed.outputs.entry(entry);
        }
        let node = entry.step.as_deref().and_then(|step| step.node_id.as_deref()).map(shown);
        signed.report.finding(&entry.finding, || artifact(entry), node.as_deref());
    }

    /// What was written to standard output.
    pub(super) fn printed(&mut self, text: &[u8]) {
        if let Some(signed) = &mut self.signed {
            signed.printed.update(text);
        }
    }
}

impl Gathered {
    /// The digest of all that was written to standard output.
    pub(super) fn printed(&self) -> Sha256Digest {
        Sha256Digest::from_hasher(self.printed.clone())
    }
}
