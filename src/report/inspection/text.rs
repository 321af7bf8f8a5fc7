//! The same for people.

use std::fmt;
use std::io;

use argo_attest_core::attestation_file::{
    AttestationFile, CertificateSummary, Claimed, Classic, Found, Item,
};
use argo_attest_core::dsse::MAX_PAYLOAD;
use argo_attest_core::intoto::{Outline, ResourceDescriptor};
use argo_attest_core::outcome::OutcomeWords;
use argo_attest_core::relpath::printable;
use argo_attest_core::slsa::Provenance;
use argo_attest_core::text::causes;

use super::outline;
use super::shown::{descriptors, parameters, row};
use crate::report::NotJudged;
use crate::report::outcome::show_outcome;

/// Everything in the file, one statement at a time.
pub fn inspected_text(out: &mut impl io::Write, name: &str, file: &AttestationFile) -> io::Result<()> {
    let keyless = file.items().iter().any(|item| is_keyless(&item.found));
    let verifies =
        if keyless { "argo-attest verify does, where a key signed" } else { "argo-attest verify does" };
    writeln!(out, "{name}: {}; signatures not checked ({verifies})", file.form())?;
    if let Some(not_judged) = NotJudged::of_all(file.items().iter().map(|item| item.found.unjudged())) {
        writeln!(out, "{}", not_judged.text())?;
    }
    for item in file.items() {
        let mut text = Text { out, failed: Ok(()) };
        let shown = show(&mut text, item);
        text.failed?;
        shown.map_err(io::Error::other)?;
    }
    if !file.passed_over().is_empty() {
        writeln!(out, "\npassed over ({})", file.passed_over().len() + file.unnamed())?;
    }
    for part in file.passed_over() {
        writeln!(out, "  {}", printable(part.to_string().as_bytes()))?;
    }
    Ok(())
}

fn is_keyless(found: &Found) -> bool {
    found.claimed().iter().any(|claimed| matches!(claimed, Claimed::Certificate(_)))
}

/// Bytes that are written as text, with the reason if they cannot be.
struct Text<'a, W> {
    out: &'a mut W,
    failed: io::Result<()>,
}

impl<W: io::Write> fmt::Write for Text<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.write_all(text.as_bytes()).map_err(|error| {
            self.failed = Err(error);
            fmt::Error
        })
    }
}

fn show(out: &mut impl fmt::Write, item: &Item) -> fmt::Result {
    writeln!(out)?;
    if !item.at.is_empty() {
        row(out, "at", &item.at)?;
    }
    match &item.found {
        Found::Attestation(signed) => {
            claimed(out, &signed.claimed)?;
            match outline(signed.content.unverified_payload()) {
                Ok(read) if read.is_statement() => statement(out, &read),
                Ok(read) => other_payload(out, None, signed.content.unverified_payload(), &read),
                Err(why) => row(out, "malformed", &why),
            }
        }
        Found::Other(signed) => {
            claimed(out, &signed.claimed)?;
            let read = outline(&signed.content.payload).unwrap_or_default();
            other_payload(out, Some(&signed.content.payload_type), &signed.content.payload, &read)
        }
        Found::FileSignature(signature) => {
            row(out, "what", "the signature of a file, and no statement about it")?;
            claimed(out, &signature.claimed)?;
            row(out, "file", signature.digest.as_deref().unwrap_or("not told"))
        }
        Found::Statement(unsigned) => {
            row(out, "what", "a statement that nobody signed")?;
            statement(out, &unsigned.outline)
        }
        Found::Metablock(block) => {
            claimed(out, &block.claimed)?;
            classic(out, &block.content)
        }
        Found::Manifest(manifest) => {
            row(out, "what", "the list of files that an attestation of a directory belongs to")?;
            row(out, "files", &manifest.files.to_string())?;
            row(out, "digest", &format!("dirHash:{}", manifest.hash))
        }
        _ => Ok(()),
    }
}

fn claimed(out: &mut impl fmt::Write, claimed: &[Claimed]) -> fmt::Result {
    let keys: Vec<_> = claimed.iter().filter_map(key).map(|key| printable(key.as_bytes())).collect();
    if !keys.is_empty() || claimed.is_empty() {
        row(out, "claimed key", &if keys.is_empty() { "none".into() } else { keys.join(", ") })?;
    }
    for certificate in claimed {
        match certificate {
            Claimed::Key(_) => {}
            Claimed::Certificate(read) => match read.as_ref() {
                Ok(read) => show_certificate(out, read)?,
                Err(error) => row(out, "certificate", &error.to_string())?,
            },
        }
    }
    Ok(())
}

fn key(claimed: &Claimed) -> Option<&str> {
    match claimed {
        Claimed::Key(name) => Some(name),
        Claimed::Certificate(_) => None,
    }
}

fn show_certificate(out: &mut impl fmt::Write, read: &CertificateSummary) -> fmt::Result {
    let CertificateSummary { identities, subject, issuer, oidc_issuer, not_before, not_after } = read;
    let names: Vec<_> = identities.iter().map(String::as_str).collect();
    let name = if names.is_empty() { subject.clone() } else { names.join(", ") };
    let name = if name.is_empty() { "nobody that it names" } else { &name };
    row(out, "certificate", &format!("for {name}"))?;
    if !issuer.is_empty() {
        row(out, "", &format!("issued by {issuer}"))?;
    }
    if let Some(issuer) = oidc_issuer {
        row(out, "", &format!("identity vouched for by {issuer}"))?;
    }
    if let (Some(from), Some(until)) = (not_before, not_after) {
        row(out, "", &format!("from {from} until {until}"))?;
    }
    Ok(())
}

fn statement(out: &mut impl fmt::Write, read: &Outline) -> fmt::Result {
    row(out, "predicate", &read.predicate_type)?;
    let predicate = read.predicate.as_ref().map_or("{}", argo_attest_core::json::Opaque::as_json);
    if let Some(words) = OutcomeWords::read(&read.predicate_type, predicate) {
        return show_outcome(out, &words);
    }
    match Provenance::of_type(&read.predicate_type, predicate) {
        Some(Ok(provenance)) => show_provenance(out, &provenance)?,
        Some(Err(error)) => row(out, "", &format!("malformed: {}", causes(&error)))?,
        None => {}
    }
    if read.subjects.is_empty() {
        return row(out, "subjects", "none");
    }
    descriptors(out, "subjects", &read.subjects)
}

/// Something that is signed as a statement and is none, or is signed as what it is.
fn other_payload(
    out: &mut impl fmt::Write,
    payload_type: Option<&str>,
    payload: &[u8],
    read: &Outline,
) -> fmt::Result {
    if let Some(payload_type) = payload_type {
        row(out, "payload", payload_type)?;
    }
    if read.is_statement() {
        return statement(out, read);
    }
    match Classic::read(payload, MAX_PAYLOAD) {
        Ok(content) => classic(out, &content),
        Err(_) if read.kind.is_empty() => {
            row(out, "what", &format!("{} bytes, no in-toto statement", payload.len()))
        }
        Err(_) => row(out, "what", &format!("of type {:?}, no in-toto statement", read.kind)),
    }
}

fn classic(out: &mut impl fmt::Write, content: &Classic) -> fmt::Result {
    row(out, "what", &format!("{}, and no statement", content.form()))?;
    if !content.name.is_empty() {
        row(out, "step", &content.name)?;
    }
    if !content.expires.is_empty() {
        row(out, "expires", &content.expires)?;
    }
    if !content.steps.is_empty() {
        row(out, "steps", &content.steps.join(", "))?;
    }
    descriptors(out, "products", &content.products)
}

fn show_provenance(out: &mut impl fmt::Write, provenance: &Provenance) -> fmt::Result {
    let definition = &provenance.build_definition;
    let details = &provenance.run_details;
    row(out, "builder", &details.builder.id)?;
    for (part, version) in &details.builder.version {
        row(out, "", format!("{part} {version}").trim())?;
    }
    row(out, "build type", &definition.build_type)?;
    row(out, "invocation", &details.metadata.invocation_id)?;
    let times = [("started", details.metadata.started_on), ("finished", details.metadata.finished_on)];
    for (label, time) in times {
        if let Some(time) = time {
            row(out, label, &time.to_string())?;
        }
    }
    parameters(out, "external", &definition.external_parameters)?;
    parameters(out, "internal", &definition.internal_parameters)?;
    descriptors(out, "dependencies", &definition.resolved_dependencies)?;
    let byproducts: &[ResourceDescriptor] = &details.byproducts;
    descriptors(out, "by-products", byproducts)
}
