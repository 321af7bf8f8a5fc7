//! `argo-attest inspect`: what an attestation says. Whether it is true is `verify`'s to tell.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use clap::builder::FalseyValueParser;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Exit, Failure, print, print_json};
use crate::attest::MAX_ATTESTATION;
use crate::bundle::{Bundle, lines};
use crate::dsse::Envelope;
use crate::intoto::{ResourceDescriptor, Statement};
use crate::relpath::printable;
use crate::report::chain;
use crate::secret::shown_path;
use crate::slsa::{PROVENANCE_V1, Provenance};

const EXAMPLE: &str = "\
Example:
  argo-attest inspect out.sigstore.json";

/// Subjects that are shown; --json has all.
const SHOWN: usize = 20;

/// Shows what an attestation says
///
/// FILE is a Sigstore bundle or DSSE envelopes, one a line. No signature is checked: that is what
/// verify is for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct InspectArgs {
    /// Print one JSON object
    #[arg(long, env = "ARGO_ATTEST_JSON", value_parser = FalseyValueParser::new())]
    json: bool,
    /// The attestation
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Reads and shows.
pub(super) fn inspect(args: &InspectArgs) -> Result<Exit, Failure> {
    let name = shown_path(&args.file);
    let bytes = read(args, &name)?;
    let malformed = |why: String| {
        Failure::new(Exit::Data, format!("{name} is not an attestation: {why}"))
            .remedy("give a .sigstore.json or .intoto.jsonl file")
    };
    let (format, envelopes) = match Bundle::from_json(&bytes) {
        Ok(bundle) => ("Sigstore bundle", vec![bundle.into_envelope()]),
        Err(reason) => match lines::parse(&bytes) {
            Ok(envelopes) if !envelopes.is_empty() => ("DSSE envelopes, one a line", envelopes),
            _ => return Err(malformed(chain(&reason))),
        },
    };
    let mut claims = Vec::with_capacity(envelopes.len());
    for envelope in &envelopes {
        claims.push(Claim::read(envelope).map_err(malformed)?);
    }
    if args.json {
        print_json(&Inspected { file: &name, format, signatures_checked: false, attestations: &claims })?;
    } else {
        let mut out = format!("{name}: {format}; signatures not checked (argo-attest verify does)\n");
        for claim in &claims {
            // Writing to a `String` cannot fail.
            let _ = claim.show(&mut out);
        }
        print(&out)?;
    }
    Ok(Exit::Done)
}

fn read(args: &InspectArgs, name: &str) -> Result<Vec<u8>, Failure> {
    use std::io::Read as _;
    let failed = |e: std::io::Error| {
        let exit = if e.kind() == std::io::ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
        Failure::new(exit, format!("cannot read {name}: {e}"))
            .remedy("check the path, and that the user this runs as may read it")
    };
    let file = std::fs::File::open(&args.file).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(MAX_ATTESTATION + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_ATTESTATION {
        return Err(Failure::new(Exit::Data, format!("{name} is larger than {MAX_ATTESTATION} bytes"))
            .remedy("give a .sigstore.json or .intoto.jsonl file"));
    }
    Ok(bytes)
}

/// What `--json` prints; documented in `docs/reports.md`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspected<'a> {
    file: &'a str,
    format: &'a str,
    /// Always false: to look is not to verify.
    signatures_checked: bool,
    attestations: &'a [Claim],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Claim {
    key_ids: Vec<String>,
    statement: Box<RawValue>,
    #[serde(skip)]
    parsed: Statement,
}

impl Claim {
    fn read(envelope: &Envelope) -> Result<Self, String> {
        let payload = envelope.unverified_payload();
        let parsed = Statement::from_json(payload).map_err(|e| chain(&e))?;
        let statement = serde_json::from_slice(payload).map_err(|e| chain(&e))?;
        let key_ids = envelope.signatures().iter().filter_map(|s| s.keyid().map(str::to_owned)).collect();
        Ok(Self { key_ids, statement, parsed })
    }

    fn show(&self, out: &mut String) -> fmt::Result {
        let keys: Vec<_> = self.key_ids.iter().map(|k| printable(k.as_bytes())).collect();
        writeln!(out)?;
        row(out, "claimed key", &if keys.is_empty() { "none".into() } else { keys.join(", ") })?;
        row(out, "predicate", self.parsed.predicate_type())?;
        if self.parsed.predicate_type() == PROVENANCE_V1 {
            match Provenance::from_predicate(self.parsed.predicate()) {
                Ok(provenance) => show_provenance(out, &provenance)?,
                Err(error) => row(out, "", &format!("malformed: {}", chain(&error)))?,
            }
        }
        show_descriptors(out, "subjects", self.parsed.subjects())
    }
}

fn show_provenance(out: &mut String, provenance: &Provenance) -> fmt::Result {
    let definition = &provenance.build_definition;
    let details = &provenance.run_details;
    row(out, "builder", &details.builder.id)?;
    for (part, version) in &details.builder.version {
        row(out, "", &format!("{part} {version}"))?;
    }
    row(out, "build type", &definition.build_type)?;
    row(out, "invocation", &details.metadata.invocation_id)?;
    let times = [("started", details.metadata.started_on), ("finished", details.metadata.finished_on)];
    for (label, time) in times {
        if let Some(time) = time {
            row(out, label, &time.to_string())?;
        }
    }
    for (title, parameters) in
        [("external", &definition.external_parameters), ("internal", &definition.internal_parameters)]
    {
        if !parameters.is_empty() {
            writeln!(out, "{title} parameters")?;
            for (name, value) in parameters {
                show_value(out, 1, name, value)?;
            }
        }
    }
    show_descriptors(out, "dependencies", &definition.resolved_dependencies)?;
    show_descriptors(out, "by-products", &details.byproducts)
}

fn row(out: &mut String, label: &str, value: &str) -> fmt::Result {
    writeln!(out, "{label:<12} {}", printable(value.as_bytes()))
}

/// Objects indented, everything else on a line of its own.
fn show_value(out: &mut String, depth: usize, name: &str, value: &Value) -> fmt::Result {
    let indent = "  ".repeat(depth);
    let name = printable(name.as_bytes());
    match value {
        Value::Object(fields) if depth < 16 => {
            writeln!(out, "{indent}{name}")?;
            fields.iter().try_for_each(|(name, value)| show_value(out, depth + 1, name, value))
        }
        Value::String(text) => writeln!(out, "{indent}{name}: {}", printable(text.as_bytes())),
        other => writeln!(out, "{indent}{name}: {}", printable(other.to_string().as_bytes())),
    }
}

fn show_descriptors(out: &mut String, title: &str, descriptors: &[ResourceDescriptor]) -> fmt::Result {
    if descriptors.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title} ({})", descriptors.len())?;
    for descriptor in descriptors.iter().take(SHOWN) {
        let name = if descriptor.name.is_empty() { &descriptor.uri } else { &descriptor.name };
        let mut digests = descriptor.digest.iter();
        let first = digests.next().map(|(a, d)| format!("{a}:{d}")).unwrap_or_default();
        writeln!(out, "  {}  {}", printable(first.as_bytes()), printable(name.as_bytes()))?;
        for (algorithm, digest) in digests {
            writeln!(out, "  {}", printable(format!("{algorithm}:{digest}").as_bytes()))?;
        }
        if !descriptor.name.is_empty() && !descriptor.uri.is_empty() {
            writeln!(out, "    {}", printable(descriptor.uri.as_bytes()))?;
        }
        for (name, value) in &descriptor.annotations {
            show_value(out, 2, name, value)?;
        }
    }
    match descriptors.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more (--json has all)"),
    }
}
