//! What a step's outcome says, for people.

use std::fmt;

use argo_attest_core::outcome::{OutcomeWords, OutputWords};
use argo_attest_core::text::cut;

use super::inspection::row;

/// Outputs that are shown; --json has all.
const SHOWN: usize = 100;
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
        let OutputWords { name, path, verdict, digest, attestation, reason, refused_count } = output;
        let shown = |text: &str| cut(text, SHOWN_TEXT);
        writeln!(out, "  {:<10}  {}  {}", shown(verdict), shown(name), shown(path))?;
        for said in [digest, attestation, reason].into_iter().filter(|said| !said.is_empty()) {
            writeln!(out, "    {}", shown(said))?;
        }
        if *refused_count > 0 {
            writeln!(out, "    {refused_count} entries in it were refused")?;
        }
    }
    match words.outputs.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more (--json has all)"),
    }
}
