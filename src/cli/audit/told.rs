//! What an audit says, in the form that was asked for.

use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use argo_attest_core::audit::{Narrowing, Standing, Totals, WorkflowRun};
use argo_attest_core::relpath::printable;
use argo_attest_core::secret::redacted;
use argo_attest_core::text::terminal_json;

use super::super::layout::{Layout, Tone};
use super::super::{Exit, Failure};
use super::also::Also;
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
    also: Also,
}

enum Form {
    Text { layout: Layout, step: Option<Arc<Step>> },
    Json,
    Csv,
    Junit(Suites),
}

impl Teller {
    pub(super) fn new(output: Output, quiet: bool, sink: Sink, also: Also) -> Self {
        let form = match output {
            Output::Text => Form::Text { layout: Layout::of_stdout(), step: None },
            Output::Json => Form::Json,
            Output::Csv => Form::Csv,
            Output::Junit => Form::Junit(Suites::default()),
        };
        Self { form, quiet, totals: Totals::default(), exit: Exit::Done, sink, also }
    }

    /// What comes before anything else: also by what the audit was narrowed, which is no finding and not counted.
    pub(super) fn begin(&mut self, narrowing: Narrowing) -> Result<(), Failure> {
        if matches!(self.form, Form::Csv) {
            self.print(&csv::header())?;
        }
        if self.quiet || narrowing.is_none() {
            return Ok(());
        }
        if let Form::Junit(suites) = &mut self.form {
            suites.begin("audit");
        }
        self.told(&Entry::narrowed(narrowing))
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.also.printed(text.as_bytes());
        self.sink.bytes(text.as_bytes())
    }

    /// What follows is of this workflow.
    pub(super) fn workflow(&mut self, run: &WorkflowRun) -> Result<(), Failure> {
        let name = format!("{}/{}", run.namespace, run.name);
        self.also.workflow(run);
        match &mut self.form {
            Form::Text { step, .. } => {
                *step = None;
                if self.quiet {
                    return Ok(());
                }
                let told = format!("workflow  {name}  {}, uid {}", run.phase, run.uid);
                self.print(&format!("{}\n", shown(&told)))
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
        self.also.places();
        match &mut self.form {
            Form::Text { step, .. } => *step = None,
            Form::Junit(suites) => suites.begin("places"),
            Form::Json | Form::Csv => {}
        }
    }

    /// Counts a finding, and tells it if it is to be told.
    pub(super) fn entry(&mut self, entry: &Entry) -> Result<(), Failure> {
        self.totals.count(&entry.finding);
        self.also.entry(entry);
        let fault = entry.finding.fault();
        self.exit = Exit::worst([self.exit, fault.map_or(Exit::Done, Exit::from)]);
        if self.quiet && fault.is_none() {
            return Ok(());
        }
        self.told(entry)
    }

    fn told(&mut self, entry: &Entry) -> Result<(), Failure> {
        let told = match &mut self.form {
            Form::Text { layout, step } => {
                let head = heading(step.as_ref(), entry.step.as_ref());
                step.clone_from(&entry.step);
                head + &text(layout, entry)
            }
            Form::Json => json_line(entry)?,
            Form::Csv => csv::line(entry),
            Form::Junit(suites) => {
                suites.case(entry);
                return Ok(());
            }
        };
        self.print(&told)
    }

    /// What comes after all else; the counts, what was gathered of them, and how the program ends.
    pub(super) fn end(mut self) -> Result<(Totals, Also, Exit), Failure> {
        self.also.bar.finish();
        if let Form::Junit(suites) = self.form {
            let xml = suites
                .xml()
                .map_err(|e| Failure::new(Exit::Software, format!("cannot write the report as XML: {e}")))?;
            self.also.printed(&xml);
            self.sink.bytes(&xml)?;
        }
        self.sink.finish()?;
        // An audit that looked at nothing is no proof of anything.
        let exit = if self.totals.looked_at() == 0 { Exit::No } else { self.exit };
        Ok((self.totals, self.also, exit))
    }
}

fn json_line(entry: &Entry) -> Result<String, Failure> {
    let text = serde_json::to_string(&EntryJson::new(entry))
        .map_err(|e| Failure::new(Exit::Software, format!("cannot write the report as JSON: {e}")))?;
    Ok(terminal_json(&text) + "\n")
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
        Subject::Audit => "not all that there is".to_owned(),
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
