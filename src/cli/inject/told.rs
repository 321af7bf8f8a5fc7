//! What `inject` tells a person of what it did, a line for each template.

use argo_attest_core::contract::annotation::PLACE;
use argo_attest_core::inject::{Change, Container, Injected, SharedPrefix, Warning};
use argo_attest_core::text::brief;

/// What was done: whoever asked for attestation must see if there will be none.
pub(super) fn with(from: &str, injected: &Injected, all: bool) -> Vec<String> {
    let mut told: Vec<_> = injected.changes.iter().map(|change| line(from, change)).collect();
    for Warning { line, template, caveat } in &injected.warnings {
        told.push(format!("{from}, line {line}: warning: {}: {caveat}", brief(template, 500)));
    }
    for SharedPrefix { taken_by, prefix, written_by, output } in &injected.shared_prefixes {
        let [taken_by, prefix, written_by, output] =
            [taken_by, prefix, written_by, output].map(|text| brief(text, 500));
        told.push(format!(
            "{from}: warning: {taken_by} takes all that lies beneath {prefix}, and the attestations of {written_by}'s output {output} would lie there, too (help: annotate {written_by} with {PLACE}: apart)"
        ));
    }
    if injected.changes.is_empty() {
        let why = match (injected.workflows, all) {
            (0, _) => "no workflow in it",
            (_, true) => "no template in it runs containers",
            (_, false) => "no template asks for it (annotation argo-attest.io/attest: \"true\", or --all)",
        };
        told.push(format!("{from}: nothing added: {why}"));
    }
    told
}

/// The same of what was taken out.
pub(super) fn without(from: &str, changes: &[Change]) -> Vec<String> {
    if changes.is_empty() {
        return vec![format!("{from}: nothing taken out: no container of argo-attest's in it")];
    }
    changes.iter().map(|change| line(from, change)).collect()
}

fn line(from: &str, change: &Change) -> String {
    format!("{from}, line {}: {}: {}", change.line, brief(&change.template, 500), done(change))
}

/// Settings of a template that are told by name.
const LOST_TOLD: usize = 8;

fn done(change: &Change) -> String {
    let parts = [(change.gate, "the gate"), (change.sidecar, "the sidecar")];
    let of = |state, before: &str, after: &str| {
        let names = parts.iter().filter(|(container, _)| *container == state).map(|(_, name)| *name);
        let names = names.collect::<Vec<_>>().join(" and ");
        (!names.is_empty()).then(|| format!("{before}{names}{after}"))
    };
    let said = [
        of(Container::Added, "added ", ""),
        of(Container::Renewed, "brought ", " up to date"),
        of(Container::Removed, "took out ", ""),
        of(Container::Already, "", " there already, as it would be added"),
        of(Container::Unasked, "", " there, and nothing asks for it (help: --update takes it out)"),
    ];
    let lost: Vec<_> = change.lost.iter().take(LOST_TOLD).map(|what| brief(what, 100)).collect();
    let more = if change.lost.len() > LOST_TOLD { " and more" } else { "" };
    let lost = (!lost.is_empty()).then(|| {
        format!("now without {}{more} (help: give the options that were given before)", lost.join(", "))
    });
    let said = said.into_iter().chain([lost]).flatten().collect::<Vec<_>>().join("; ");
    if said.is_empty() { "took out a check".into() } else { said }
}
