//! `argo-attest inspect`: what an attestation says. Whether it is true is `verify`'s to tell.

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use argo_attest_core::attestation_file::AttestationFile;
use argo_attest_core::contract::variable;
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::{JsonText, causes};
use clap::Args;
use clap::builder::FalseyValueParser;

use super::{Exit, Failure, printed};
use crate::attestations::MAX_ATTESTATION_BYTES;
use crate::regular_file::{self, ReadError};
use crate::report::{InspectedJson, inspected_text, unreadable};

const EXAMPLE: &str = "\
Examples:
  argo-attest inspect out.sigstore.json
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
    /// The attestation; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Reads and shows.
pub(super) fn inspect(args: &InspectArgs) -> Result<Exit, Failure> {
    let name = shown_path(&args.file);
    let malformed = |why: String| {
        Failure::new(Exit::Data, format!("{name} cannot be shown as an attestation: {why}")).remedy(REMEDY)
    };
    let file = AttestationFile::read(&read(args, &name)?).map_err(|e| malformed(causes(&e)))?;
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

fn read(args: &InspectArgs, name: &str) -> Result<Vec<u8>, Failure> {
    regular_file::read_named(&args.file, MAX_ATTESTATION_BYTES).map_err(|error| match error {
        ReadError::TooLarge { limit } => {
            Failure::new(Exit::Data, format!("{name} is larger than {limit} bytes")).remedy(REMEDY)
        }
        ReadError::NotRegular("a directory") => {
            Failure::from(&error).about(&format!("cannot read {name}")).remedy("name one of the files in it")
        }
        error => Failure::from(&error).about(&format!("cannot read {name}")),
    })
}
