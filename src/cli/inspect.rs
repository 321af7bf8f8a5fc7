//! `argo-attest inspect`: what an attestation says. Whether it is true is `verify`'s to tell.

use std::fmt;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use argo_attest_core::bundle::{Bundle, Unjudged, lines};
use argo_attest_core::contract::variable;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::intoto::{ResourceDescriptor, Statement};
use argo_attest_core::relpath::printable;
use argo_attest_core::secret::shown_path;
use argo_attest_core::slsa::{PROVENANCE_V1, Provenance};
use argo_attest_core::text::{JsonText, causes, cut};
use clap::Args;
use clap::builder::FalseyValueParser;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Exit, Failure, printed};
use crate::attestations::MAX_ATTESTATION_BYTES;
use crate::regular_file::{self, ReadError};
use crate::report::NotJudged;

const EXAMPLE: &str = "\
Example:
  argo-attest inspect out.sigstore.json";

/// Subjects that are shown; --json has all.
const SHOWN: usize = 20;
/// Bytes of one text that are shown; --json has all.
const SHOWN_TEXT: usize = 1000;

/// Shows what an attestation says
///
/// FILE is a Sigstore bundle or DSSE envelopes, one a line. No signature is checked: that is what
/// verify is for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct InspectArgs {
    /// Print one JSON object
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    /// The attestation
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Reads and shows.
pub(super) fn inspect(args: &InspectArgs) -> Result<Exit, Failure> {
    let name = shown_path(&args.file);
    let malformed = |why: String| {
        Failure::new(Exit::Data, format!("{name} is not an attestation: {why}"))
            .remedy("give a .sigstore.json or .intoto.jsonl file")
    };
    let (format, envelopes, unjudged) = envelopes(&read(args, &name)?).map_err(malformed)?;
    let not_judged = NotJudged::new(unjudged);
    // All of it is looked through before any of it is shown, and one statement at a time is held.
    for envelope in &envelopes {
        statement(envelope).map_err(malformed)?;
    }
    let mut out = JsonText::new(BufWriter::new(io::stdout().lock()));
    let shown = if args.json {
        let attestations = Claims(&envelopes);
        let inspected =
            Inspected { file: &name, format, signatures_checked: false, not_judged, attestations };
        serde_json::to_writer_pretty(&mut out, &inspected)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
    } else {
        show(&mut out, &name, format, not_judged, &envelopes)
    };
    printed(shown.and_then(|()| out.flush()))?;
    Ok(Exit::Done)
}

fn read(args: &InspectArgs, name: &str) -> Result<Vec<u8>, Failure> {
    regular_file::read_named(&args.file, MAX_ATTESTATION_BYTES).map_err(|error| match error {
        ReadError::TooLarge { limit } => {
            Failure::new(Exit::Data, format!("{name} is larger than {limit} bytes"))
                .remedy("give a .sigstore.json or .intoto.jsonl file")
        }
        error => Failure::from(&error).about(&format!("cannot read {name}")),
    })
}

fn envelopes(bytes: &[u8]) -> Result<(&'static str, Vec<Envelope>, Unjudged), String> {
    match Bundle::whole(bytes) {
        Ok(bundle) => {
            let (envelope, evidence) = bundle.into_parts();
            Ok(("Sigstore bundle", vec![envelope], evidence.unjudged()))
        }
        Err(reason) => match lines::parse(bytes) {
            Ok(envelopes) if !envelopes.is_empty() => {
                Ok(("DSSE envelopes, one a line", envelopes, Unjudged::default()))
            }
            _ => Err(causes(&reason)),
        },
    }
}

fn statement(envelope: &Envelope) -> Result<Statement, String> {
    Statement::from_json(envelope.unverified_payload()).map_err(|e| causes(&e))
}

fn show(
    out: &mut impl io::Write,
    name: &str,
    format: &str,
    not_judged: Option<NotJudged>,
    envelopes: &[Envelope],
) -> io::Result<()> {
    writeln!(out, "{name}: {format}; signatures not checked (argo-attest verify does)")?;
    if let Some(not_judged) = not_judged {
        writeln!(out, "{}", not_judged.text())?;
    }
    for envelope in envelopes {
        let statement = statement(envelope).map_err(io::Error::other)?;
        let mut text = Text { out, failed: Ok(()) };
        let shown = Claim { envelope, statement: &statement }.show(&mut text);
        text.failed?;
        shown.map_err(io::Error::other)?;
    }
    Ok(())
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

/// What `--json` prints; documented in `docs/reports.md`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspected<'a> {
    file: &'a str,
    format: &'a str,
    /// Always false: to look is not to verify.
    signatures_checked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_judged: Option<NotJudged>,
    attestations: Claims<'a>,
}

/// Each made when it is written.
struct Claims<'a>(&'a [Envelope]);

impl Serialize for Claims<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(WrittenClaim))
    }
}

struct WrittenClaim<'a>(&'a Envelope);

impl Serialize for WrittenClaim<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Written<'a> {
            key_ids: Vec<&'a str>,
            statement: &'a RawValue,
        }
        let key_ids = self.0.signatures().iter().filter_map(|s| s.keyid()).collect();
        let statement = serde_json::from_slice(self.0.unverified_payload()).map_err(S::Error::custom)?;
        Written { key_ids, statement }.serialize(serializer)
    }
}

/// One attestation, to be read by people.
struct Claim<'a> {
    envelope: &'a Envelope,
    statement: &'a Statement,
}

impl Claim<'_> {
    fn show(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let signatures = self.envelope.signatures().iter();
        let keys: Vec<_> = signatures.filter_map(|s| s.keyid()).map(|k| printable(k.as_bytes())).collect();
        writeln!(out)?;
        row(out, "claimed key", &if keys.is_empty() { "none".into() } else { keys.join(", ") })?;
        row(out, "predicate", self.statement.predicate_type())?;
        if self.statement.predicate_type() == PROVENANCE_V1 {
            match Provenance::from_predicate(self.statement.predicate()) {
                Ok(provenance) => show_provenance(out, &provenance)?,
                Err(error) => row(out, "", &format!("malformed: {}", causes(&error)))?,
            }
        }
        show_descriptors(out, "subjects", self.statement.subjects())
    }
}

fn show_provenance(out: &mut impl fmt::Write, provenance: &Provenance) -> fmt::Result {
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

fn row(out: &mut impl fmt::Write, label: &str, value: &str) -> fmt::Result {
    writeln!(out, "{label:<12} {}", shown(value))
}

/// A text from elsewhere on one line.
fn shown(text: &str) -> String {
    cut(text, SHOWN_TEXT)
}

/// The beginning of a value's JSON, no more than is shown of it.
fn head(value: &Value) -> String {
    let mut text = vec![0; SHOWN_TEXT + 1];
    let mut room = text.as_mut_slice();
    // What does not fit is not written.
    let _ = serde_json::to_writer(&mut room, value);
    let length = SHOWN_TEXT + 1 - room.len();
    text.truncate(length);
    String::from_utf8_lossy(&text).into_owned()
}

/// Objects indented, everything else on a line of its own.
fn show_value(out: &mut impl fmt::Write, depth: usize, name: &str, value: &Value) -> fmt::Result {
    let indent = "  ".repeat(depth);
    let name = shown(name);
    match value {
        Value::Object(fields) if depth < 16 => {
            writeln!(out, "{indent}{name}")?;
            fields.iter().try_for_each(|(name, value)| show_value(out, depth + 1, name, value))
        }
        Value::String(text) => writeln!(out, "{indent}{name}: {}", shown(text)),
        other => writeln!(out, "{indent}{name}: {}", shown(&head(other))),
    }
}

fn show_descriptors(
    out: &mut impl fmt::Write,
    title: &str,
    descriptors: &[ResourceDescriptor],
) -> fmt::Result {
    if descriptors.is_empty() {
        return Ok(());
    }
    writeln!(out, "{title} ({})", descriptors.len())?;
    for descriptor in descriptors.iter().take(SHOWN) {
        let name = if descriptor.name.is_empty() { &descriptor.uri } else { &descriptor.name };
        let mut digests = descriptor.digest.iter();
        let first = digests.next().map(|(a, d)| format!("{a}:{d}")).unwrap_or_default();
        writeln!(out, "  {}  {}", shown(&first), shown(name))?;
        for (algorithm, digest) in digests {
            writeln!(out, "  {}", shown(&format!("{algorithm}:{digest}")))?;
        }
        if !descriptor.name.is_empty() && !descriptor.uri.is_empty() {
            writeln!(out, "    {}", shown(&descriptor.uri))?;
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
