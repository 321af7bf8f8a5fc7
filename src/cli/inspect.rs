//! `argo-attest inspect`: what an attestation says. Whether it is true is `verify`'s to tell.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use argo_attest_core::attestation_file::AttestationFile;
use argo_attest_core::contract::variable;
use argo_attest_core::image::ImageReference;
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::{JsonText, causes, shell_word};
use clap::Args;
use clap::builder::{FalseyValueParser, OsStringValueParser, TypedValueParser as _};

use super::images::ImageArgs;
use super::{Exit, Failure, inspect_image, print_json, printed};
use crate::attestations::{FileAttestations, MAX_ATTESTATION_BYTES};
use crate::document::{Document, DocumentName};
use crate::report::{InspectedJson, inspected_text, unreadable};
use crate::store::ProcessEnv;

const EXAMPLE: &str = "\
Examples:
  argo-attest inspect out.sigstore.json
  argo-attest inspect s3://artifacts/build-7/app.tgz.sigstore.json
  argo-attest inspect --json someone-elses.intoto.jsonl
  argo-attest inspect oci://registry.example.com/app:1.2";

/// What can be done with a file that is none.
const REMEDY: &str = "give a file with an attestation: a Sigstore bundle, DSSE envelopes, what a registry or a build \
                      service serves of them, an in-toto statement";

/// Shows what an attestation says
///
/// FILE holds attestations of any tool: Sigstore bundles, DSSE envelopes, one or many, in the
/// wrappers that registries put around them, gzipped or not; or an in-toto statement that nobody
/// signed. Of an oci:// image all that refers to it is shown. No signature is checked: that is what
/// verify is for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct InspectArgs {
    /// Print one JSON object
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    #[command(flatten)]
    images: ImageArgs,
    /// The attestation: a file, an s3:// object, or - for standard input; or an oci:// image, for all of its own
    #[arg(value_name = "FILE", value_parser = OsStringValueParser::new().try_map(Named::try_from))]
    file: Named,
}

/// What is looked at.
#[derive(Debug, Clone)]
enum Named {
    Document(DocumentName),
    Image(ImageReference),
}

impl TryFrom<OsString> for Named {
    type Error = Box<dyn Error + Send + Sync>;

    fn try_from(name: OsString) -> Result<Self, Self::Error> {
        match super::asked::image(Path::new(&name)) {
            Some(image) => Ok(Self::Image(image.parse()?)),
            None => Ok(Self::Document(name.try_into()?)),
        }
    }
}

/// Reads and shows.
pub(super) async fn inspect(args: InspectArgs) -> Result<Exit, Failure> {
    match &args.file {
        Named::Document(name) => document(name, args.json).await,
        Named::Image(name) => image(name, &args).await,
    }
}

async fn image(name: &ImageReference, args: &InspectArgs) -> Result<Exit, Failure> {
    let seen = inspect_image::look(name, &args.images).await?;
    if args.json {
        print_json(&seen.json())?;
    } else {
        let mut out = JsonText::new(BufWriter::new(io::stdout().lock()));
        printed(seen.text(&mut out).and_then(|()| out.flush()))?;
    }
    if seen.found.is_empty() {
        let why = format!("there is no attestation of {}", seen.manifest);
        return Err(Failure::new(Exit::NoInput, why)
            .remedy("see whether it was attested by another digest, and of an index with which --platform"));
    }
    Ok(Exit::Done)
}

async fn document(name: &DocumentName, json: bool) -> Result<Exit, Failure> {
    let document = name.open(&ProcessEnv)?;
    let name = document.to_string();
    let meant = match &document {
        Document::File(path) => attestation_of(path),
        Document::Object { .. } => None,
    };
    let instead = |failure: Failure| match &meant {
        Some(meant) => failure.remedy(format!("argo-attest inspect {}", shell_word(meant))),
        None => failure,
    };
    let malformed = |why: String| {
        let what = format!("{name} cannot be shown as an attestation: {why}");
        instead(Failure::new(Exit::Data, what).remedy(REMEDY))
    };
    let bytes = document
        .read(MAX_ATTESTATION_BYTES)
        .await
        .map_err(|e| instead(Failure::from(&e).about("cannot read the attestation")))?;
    let file = AttestationFile::read(&bytes).map_err(|e| malformed(causes(&e)))?;
    // It may be large, and so is what was made of it.
    drop(bytes);
    if let Some(why) = unreadable(&file) {
        return Err(malformed(why));
    }
    let mut out = JsonText::new(BufWriter::new(io::stdout().lock()));
    let shown = if json {
        serde_json::to_writer_pretty(&mut out, &InspectedJson::new(&name, &file))
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out))
    } else {
        inspected_text(&mut out, &name, &file)
    };
    printed(shown.and_then(|()| out.flush()))?;
    Ok(Exit::Done)
}

/// Where the attestation lies of what is no attestation itself, printable: whoever names the
/// artifact means that.
fn attestation_of(artifact: &Path) -> Option<String> {
    FileAttestations::own_files(artifact).find(|file| file.is_file()).map(|file| shown_path(&file))
}
