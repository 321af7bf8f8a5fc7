//! What an audit says, in the form that was asked for.

use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use argo_attest_core::audit::{Standing, Totals, WorkflowRun};
use argo_attest_core::relpath::printable;
use argo_attest_core::secret::redacted;

use super::super::layout::{Layout, Tone};
use super::super::{Exit, Failure};
use super::json::EntryJson;
use super::junit::Suites;
use super::sink::Sink;
use super::{Output, csv};
use crate::audit::{Entry, Step, Subject};

/// Tells findings as they come, and counts them.
pub(super) struct Teller {
    form: Form,
    quiet: bool,
    totals: Totals,
    exit: Exit,
    sink: Sink,
}

enum Form {
    Text { layout: Layout, step: Option<Arc<Step>> },
    Json,
    Csv,
    Junit(Suites),
}

impl Teller {
    pub(super) fn new(output: Output, quiet: bool, sink: Sink) -> Self {
        let form = match output {
            Output::Text => Form::Text { layout: Layout::of_stdout(), step: None },
            Output::Json => Form::Json,
            Output::Csv => Form::Csv,
            Output::Junit => Form::Junit(Suites::default()),
        };
        Self { form, quiet, totals: Totals::default(), exit: Exit::Done, sink }
    }

    /// What comes before anything else.
    pub(super) fn begin(&mut self) -> Result<(), Failure> {
        match self.form {
            Form::Csv => self.sink.bytes(csv::header().as_bytes()),
            Form::Text { .. } | Form::Json | Form::Junit(_) => Ok(()),
        }
    }

    /// What follows is of this workflow.
    pub(super) fn workflow(&mut self, run: &WorkflowRun) -> Result<(), Failure> {
        let name = format!("{}/{}", run.namespace, run.name);
        match &mut self.form {
            Form::Text { step, .. } => {
                *step = None;
                if self.quiet {
                    return Ok(());
                }
                let told = format!("workflow  {name}  {}, uid {}", run.phase, run.uid);
                self.sink.bytes(format!("{}\n", shown(&told)).as_bytes())
            }
            Form::Junit(suites) => {
                suites.begin(&name);
                Ok(())
            }
            Form::Json | Form::Csv => Ok(()),
        }
    }

    /// What follows is of the places that were named.
    pub(super) fn places(&mut self) {
        match &mut self.form {
            Form::Text { step, .. } => *step = None,
            Form::Junit(suites) => suites.begin("places"),
            Form::Json | Form::Csv => {}
        }
    }

    /// Counts a finding, and tells it if it is to be told.
    pub(super) fn entry(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.totals.count(&entry.finding);
        let fault = entry.finding.fault();
        self.exit = Exit::worst([self.exit, fault.map_or(Exit::Done, Exit::from)]);
        if self.quiet && fault.is_none() {
            return Ok(());
        }
        match &mut self.form {
            Form::Text { layout, step } => {
                let head = heading(step.as_ref(), entry.step.as_ref());
                step.clone_from(&entry.step);
                self.sink.bytes((head + &text(layout, entry)).as_bytes())
            }
            Form::Json => self.sink.json_line(&EntryJson::new(entry)),
            Form::Csv => self.sink.bytes(csv::line(entry).as_bytes()),
            Form::Junit(suites) => {
                suites.case(entry);
                Ok(())
            }
        }
    }

    /// What comes after all else; the counts, and how the program ends.
    pub(super) fn end(mut self) -> Result<(Totals, Exit), Failure> {
        if let Form::Junit(suites) = self.form {
            let xml = suites
                .xml()
                .map_err(|e| Failure::new(Exit::Software, format!("cannot write the report as XML: {e}")))?;
            self.sink.bytes(&xml)?;
        }
        self.sink.finish()?;
        // An audit that found nothing is no proof of anything.
        let exit = if self.totals.all() == 0 { Exit::No } else { self.exit };
        Ok((self.totals, exit))
    }
}

/// Text of others, for people.
pub(super) fn shown(text: &str) -> String {
    printable(redacted(text).as_bytes())
}

/// A line for the step, where it is another than before.
fn heading(before: Option<&Arc<Step>>, step: Option<&Arc<Step>>) -> String {
    let Some(step) = step.filter(|step| before != Some(*step)) else { return String::new() };
    let node = step.node.as_deref().or(step.node_id.as_deref()).unwrap_or("-");
    let mut more = Vec::new();
    more.extend(step.template.as_ref().map(|template| format!("template {template}")));
    more.extend(step.phase.clone());
    if step.workflow.is_none() {
        more.extend(step.uid.as_ref().map(|uid| format!("of a workflow, uid {uid}")));
    }
    let more = if more.is_empty() { String::new() } else { format!("  {}", more.join(", ")) };
    format!("{}\n", shown(&format!("step      {node}{more}")))
}

/// The verdict and what it is about, then why, what to do about it, and by whom it is attested.
fn text(layout: &Layout, entry: &Entry) -> String {
    let standing = entry.finding.standing();
    let tone = match standing {
        Standing::Attested => Tone::Good,
        Standing::Accounted | Standing::LetPass => Tone::Doubtful,
        Standing::Missing | Standing::Unknown => Tone::Bad,
    };
    let name = match &entry.subject {
        Subject::Step => "the step".to_owned(),
        Subject::Output(name) => format!("output {name}"),
        Subject::Input(uri) => format!("input {uri}"),
        Subject::Artifact { path, .. } | Subject::Attestation(path) => printable(path.as_os_str().as_bytes()),
    };
    let mut text = layout.line(standing.verdict(), tone, &shown(&name));
    let mut beneath = |told: &str| text.push_str(&layout.beneath(&shown(told)));
    if let (Some(reason), Some(message)) = (entry.finding.reason(), entry.finding.message()) {
        let passes = if standing == Standing::LetPass { " (the policy lets this pass)" } else { "" };
        beneath(&format!("{reason}: {message}{passes}"));
    }
    if let Some(remedy) = entry.finding.remedy() {
        beneath(&format!("help: {remedy}"));
    }
    if let Some(accepted) = &entry.accepted {
        let [claim, digest] = accepted.told();
        if entry.step.is_some() {
            beneath(&claim);
            let commit = accepted.commit.as_ref().map(|of| format!(", commit {of}")).unwrap_or_default();
            beneath(&format!("{digest}{commit}"));
        }
        accepted.beside().for_each(|told| beneath(&told));
    }
    text
}
