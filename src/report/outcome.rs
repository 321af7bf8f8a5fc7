//! What a step's outcome says, for people and for scripts.

use std::fmt::{self, Write as _};

use argo_attest_core::outcome::{OutcomeWords, OutputWords, PredicateWords};
use argo_attest_core::relpath::printable;
use argo_attest_core::text::{causes, cut};
use argo_attest_core::trouble::Trouble as _;
use argo_attest_core::verify::Rejection;
use serde::Serialize;

use super::inspection::row;
use super::{NotJudged, Proven};
use crate::verify::CheckedOutcome;

/// Outputs that are shown; --json has all.
const SHOWN: usize = 100;
/// Entries of one output that were refused, and are shown.
const REFUSED: usize = 10;
/// Bytes of one text that are shown.
const SHOWN_TEXT: usize = 1000;

/// The step, how it ended, and each output with its verdict.
pub(super) fn show_outcome(out: &mut impl fmt::Write, words: &OutcomeWords) -> fmt::Result {
    row(out, "step", &words.template.name)?;
    row(out, "state", &words.state)?;
    if !words.reason.is_empty() {
        row(out, "", &words.reason)?;
    }
    row(out, "complete", if words.complete { "yes" } else { "no" })?;
    row(out, "invocation", &words.invocation_id)?;
    row(out, "builder", &words.builder.id)?;
    writeln!(out, "outputs ({})", words.outputs.len())?;
    for output in words.outputs.iter().take(SHOWN) {
        let OutputWords { name, path, verdict, digest, attestation, reason, refused_count, refused } = output;
        let shown = |text: &str| cut(text, SHOWN_TEXT);
        let line = format!("  {:<10}  {}  {}", shown(verdict), shown(name), shown(path));
        writeln!(out, "{}", line.trim_end())?;
        for said in [digest, attestation, reason].into_iter().filter(|said| !said.is_empty()) {
            writeln!(out, "    {}", shown(said))?;
        }
        match refused_count {
            0 => {}
            1 => writeln!(out, "    one entry in it was refused")?,
            count => writeln!(out, "    {count} entries in it were refused")?,
        }
        for entry in refused.iter().take(REFUSED) {
            writeln!(out, "      {}: {}", shown(&entry.name), shown(&entry.reason))?;
        }
    }
    match words.outputs.len().saturating_sub(SHOWN) {
        0 => {}
        more => writeln!(out, "  and {more} more (--json has all)")?,
    }
    show_predicates(out, &words.predicates)
}

fn show_predicates(out: &mut impl fmt::Write, predicates: &[PredicateWords]) -> fmt::Result {
    if predicates.is_empty() {
        return Ok(());
    }
    writeln!(out, "predicates ({})", predicates.len())?;
    let shown = |text: &str| cut(text, SHOWN_TEXT);
    for PredicateWords { name, predicate_type, about, verdict, attestation, reason } in
        predicates.iter().take(SHOWN)
    {
        let about = if about.is_empty() { String::new() } else { format!("  about {}", shown(about)) };
        writeln!(out, "  {:<10}  {}  {}{about}", shown(verdict), shown(name), shown(predicate_type))?;
        for said in [attestation, reason].into_iter().filter(|said| !said.is_empty()) {
            writeln!(out, "    {}", shown(said))?;
        }
    }
    match predicates.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more (--json has all)"),
    }
}

/// An outcome that a trusted key signed, for people.
pub fn accepted_outcome(name: &str, checked: &CheckedOutcome) -> String {
    let CheckedOutcome { words, signer, proof, unjudged } = checked;
    let key = printable(signer.name.as_bytes());
    let mut text = format!("accepted  {name}  an outcome, signed with {key} ({})\n", signer.id);
    // Writing to a `String` cannot fail.
    let _ = show_outcome(&mut text, words);
    let proven = Proven::new(proof).map(|proven| proven.text());
    for line in proven.into_iter().chain(NotJudged::new(*unjudged).map(|not| not.text())) {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// What to do where a file that was called an outcome is refused.
pub fn outcome_remedy(no: &Rejection) -> Option<String> {
    // Whoever wants an outcome does not want what this is instead.
    let other = "name a step's outcome, argo-attest-outcome-…; what attests an artifact is \
                 verified with it: argo-attest verify ARTIFACT";
    if matches!(no, Rejection::PredicateType { .. }) { Some(other.to_owned()) } else { no.remedy() }
}

/// What `verify --outcome --json` prints; documented in `docs/reports.md`.
#[derive(Debug, Serialize)]
pub struct OutcomeJson<'a> {
    outcome: Answer<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    file: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Accepted<'a> {
    key: &'a str,
    key_id: String,
    builder_id: &'a str,
    invocation_id: &'a str,
    template: &'a str,
    state: &'a str,
    complete: bool,
    outputs: &'a [OutputWords],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    predicates: &'a [PredicateWords],
    #[serde(skip_serializing_if = "Option::is_none")]
    proven: Option<Proven>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<NotJudged>,
}

impl<'a> OutcomeJson<'a> {
    /// `name`: the file's, printable.
    pub fn new(name: &'a str, checked: &'a Result<CheckedOutcome, Rejection>) -> Self {
        let refused = checked.as_ref().err();
        Self {
            outcome: Answer {
                file: name,
                verdict: if refused.is_some() { "rejected" } else { "accepted" },
                reason: refused.map(|no| causes(no)),
                remedy: refused.and_then(outcome_remedy),
                accepted: checked.as_ref().ok().map(Accepted::new),
            },
        }
    }
}

impl<'a> Accepted<'a> {
    fn new(CheckedOutcome { words, signer, proof, unjudged }: &'a CheckedOutcome) -> Self {
        Self {
            key: &signer.name,
            key_id: signer.id.to_string(),
            builder_id: &words.builder.id,
            invocation_id: &words.invocation_id,
            template: &words.template.name,
            state: &words.state,
            complete: words.complete,
            outputs: &words.outputs,
            predicates: &words.predicates,
            proven: Proven::new(proof),
            not_judged: NotJudged::new(*unjudged),
        }
    }
}
