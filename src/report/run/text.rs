//! The report as a few plain lines.

use std::fmt::{self, Write as _};
use std::path::Path;

use argo_attest_core::intoto::member_path;
use argo_attest_core::relpath::{is_printable, printable};
use argo_attest_core::secret::redacted;
use argo_attest_core::text::shell_word;
use indicatif::HumanBytes;

use super::RunReport;
use crate::attest::{Outcome, Verdict};
use crate::report::KeyUsed;
use crate::store::Location;

/// How many refused entries are listed by name.
const NAMED: usize = 20;

/// What happened, for people.
pub fn text(report: &RunReport) -> String {
    let mut out = String::new();
    // Writing to a `String` cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &RunReport) -> fmt::Result {
    if !report.end.is_success() {
        return writeln!(out, "nothing attested: the command {}", report.end);
    }
    for outcome in &report.outcomes {
        artifact(out, outcome)?;
    }
    let attested = |o: &&Outcome| matches!(o.verdict, Verdict::Attested(_));
    let Some(first) = report.outcomes.iter().find(attested) else { return Ok(()) };
    if report.checkout_changed {
        writeln!(out, "note          the checkout differs from its commit, and the statement says so")?;
    }
    if let Some(key) = &report.key {
        signer(out, key)?;
        verify(out, report, key, first)?;
    }
    Ok(())
}

/// A name or a reason, on one line whatever is in it.
fn shown(text: &str) -> String {
    printable(text.as_bytes())
}

fn artifact(out: &mut String, outcome: &Outcome) -> fmt::Result {
    match &outcome.verdict {
        Verdict::Attested(receipt) => {
            let files = match outcome.files().len() {
                1 => "1 file".to_owned(),
                n => format!("{n} files"),
            };
            writeln!(
                out,
                "attested      {} ({files}, {})",
                shown(&outcome.name),
                HumanBytes(outcome.bytes())
            )?;
            if let Some(digest) = &outcome.digest {
                writeln!(out, "              {digest}")?;
            }
            if outcome.files().len() == 0 {
                writeln!(
                    out,
                    "              there is no file in it: is that what the command was to leave?"
                )?;
            }
            writeln!(out, "              {}", shown(receipt.bundle_uri()))?;
            if let Some(lines) = receipt.lines_uri() {
                writeln!(out, "              {}", shown(lines))?;
            }
            for why in receipt.unvouched() {
                writeln!(out, "warning       {}", shown(&redacted(why)))?;
            }
        }
        Verdict::Unchanged { .. } => {
            writeln!(out, "unchanged     {}: its attestation stays", shown(&outcome.name))?;
        }
        Verdict::NotAttested { reason, remedy } => {
            writeln!(out, "not attested  {}: {}", outcome.told(), shown(&redacted(reason)))?;
            if let Some(remedy) = remedy {
                writeln!(out, "              help: {}", shown(remedy))?;
            }
        }
    }
    // An artifact that was refused as a whole is told above, with the same reason.
    let within: Vec<_> = outcome.refused.iter().filter(|(name, _)| *name != outcome.name).collect();
    for (name, refusal) in within.iter().take(NAMED) {
        writeln!(out, "refused       {}: {refusal}", shown(name))?;
    }
    match within.len().saturating_sub(NAMED) {
        0 => Ok(()),
        more => writeln!(out, "refused       and {more} more (--json lists them)"),
    }
}

fn signer(out: &mut String, key: &KeyUsed) -> fmt::Result {
    if let Some(identity) = &key.identity {
        writeln!(out, "signed as     {}", shown(&identity.name))?;
        return writeln!(out, "              by the word of {}", shown(&identity.issuer));
    }
    let whose = match (key.own, key.created) {
        (true, true) => "your own key, made just now",
        (true, false) => "your own key",
        (false, _) => "the key you named",
    };
    writeln!(out, "signed with   {} ({whose})", key.id)?;
    match (&key.public_file, &key.private) {
        (Some(file), _) => writeln!(out, "public key    {}", shown(file)),
        (None, Some(private)) => {
            writeln!(out, "public key    argo-attest public-key --key {} > FILE.pub", shell_word(private))
        }
        (None, None) => Ok(()),
    }
}

fn verify(out: &mut String, report: &RunReport, key: &KeyUsed, first: &Outcome) -> fmt::Result {
    let Verdict::Attested(receipt) = &first.verdict else { return Ok(()) };
    write!(out, "verify with   argo-attest verify")?;
    if let Some(identity) = &key.identity {
        write!(out, " {}", shown(&identity.options()))?;
    } else if !key.own {
        let file = key.public_file.as_ref().map(|file| typed(Path::new(file)));
        write!(out, " --key {}", file.as_deref().unwrap_or("FILE.pub"))?;
    }
    let named = verifiable(first).unwrap_or_else(|| "PATH".to_owned());
    if !report.needs_bundle {
        return writeln!(out, " {named}");
    }
    let uri = receipt.bundle_uri();
    match Location::artifact(uri) {
        Ok((Location::File(directory), key)) => {
            writeln!(out, " --bundle {} {named}", typed(&directory.join(key.as_str())))
        }
        _ => writeln!(out, " --bundle FILE {named}    (FILE: a copy of {})", shown(uri)),
    }
}

/// What will verify as it is, as it can be typed: a directory in which something was
/// refused will not, but the files in it will.
fn verifiable(outcome: &Outcome) -> Option<String> {
    if outcome.name != "." && outcome.refused.is_empty() {
        return Some(typed(&outcome.place));
    }
    let path = member_path(&outcome.name, &outcome.files().next()?.name)?;
    Some(typed(&outcome.place.join(path.as_path())))
}

/// A path as one word of a shell, from the working directory if it is beneath it.
fn typed(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(here).unwrap_or(path);
    match path.to_str().filter(|text| text.chars().all(is_printable)) {
        // Not to be taken for an option.
        Some(text) if text.starts_with('-') => shell_word(&format!("./{text}")),
        Some(text) => shell_word(text),
        None => "PATH".to_owned(),
    }
}
