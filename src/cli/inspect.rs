//! `argo-attest inspect`: what an attestation says. Whether it is true is `verify`'s to tell.

use std::io::{self, BufWriter, Write as _};

use argo_attest_core::attestation_file::AttestationFile;
use argo_attest_core::contract::variable;
use argo_attest_core::text::{JsonText, causes};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::{Exit, Failure, printed};
use crate::attestations::MAX_ATTESTATION_BYTES;
use crate::document::DocumentName;
use crate::report::{InspectedJson, inspected_text, unreadable};
use crate::store::ProcessEnv;

const EXAMPLE: &str = "\
Examples:
  argo-attest inspect out.sigstore.json
  argo-attest inspect s3://artifacts/build-7/app.tgz.sigstore.json
  argo-attest inspect --json someone-elses.intoto.jsonl";

/// What can be done with a file that is none.
const REMEDY: &str = "give a file with an attestation: a Sigstore bundle, DSSE envelopes, what a registry or a build \
                      service serves of them, an in-toto statement";

/// Shows what an attestation says
///
/// FILE holds attestations of any tool: Sigstore bundles, DSSE envelopes, one or many, in the
/// wrappers that registries put around them, gzipped or not; or an in-toto statement that nobody
/// signed. No signature is checked: that is what verify is for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct InspectArgs {
    /// Print one JSON object
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    /// The attestation: a file, an s3:// object, or - for standard input
    #[arg(value_name = "FILE", value_parser = super::document_name())]
    file: DocumentName,
}

/// Reads and shows.
pub(super) async fn inspect(args: InspectArgs) -> Result<Exit, Failure> {
    let document = args.file.open(&ProcessEnv)?;
    let name = document.to_string();
    let malformed = |why: String| {
        Failure::new(Exit::Data, format!("{name} cannot be shown as an attestation: {why}")).remedy(REMEDY)
    };
    let bytes = document
        .read(MAX_ATTESTATION_BYTES)
        .await
        .map_err(|e| Failure::from(&e).about("cannot read the attestation"))?;
    let file = AttestationFile::read(&bytes).map_err(|e| malformed(causes(&e)))?;
    if let Some(why) = unreadable(&file) {
        return Err(malformed(why));
    }
    let mut out = JsonText::new(BufWriter::new(io::stdout().lock()));
    let shown = if args.json {
        serde_json::to_writer_pretty(&mut out, &InspectedJson::new(&name, &file))
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
    } else {
        inspected_text(&mut out, &name, &file)
    };
    printed(shown.and_then(|()| out.flush()))?;
    Ok(Exit::Done)
}
