//! `argo-attest audit`.

mod also;
mod bar;
mod csv;
mod json;
mod junit;
mod page;
mod signed;
mod told;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use argo_attest_core::audit::{Account, RunError, Totals, WORKFLOWS_LIMIT, WorkflowRun};
use argo_attest_core::contract::variable;
use argo_attest_core::verify::Wanted;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use self::also::{Also, Gathered};
use self::bar::Bar;
use self::page::PageFile;
use self::signed::{Made, SignedArgs};
use self::told::Teller;
use super::answer::CheckFailure;
use super::asked::{self, All, Asked, Naming};
use super::images::{ImageArgs, RegistryArgs};
use super::trusted::{Trusted, Trusting, input_once, trusted};
use super::{Exit, Failure, tell};
use crate::attestations::MAX_ATTESTATION;
use crate::audit::{Auditor, Entry, Listed, Outcomes, Subject};
use crate::document::{Document, DocumentName};
use crate::report::page::Page;
use crate::signer::KeySource;
use crate::store::{Location, ProcessEnv, Store};
use crate::verify::Checker;

/// What Argo calls the log of a step's container, beside the step's artifacts.
const USUAL_LOG: &str = "main.log";

/// What is said of every audit of a workflow.
const UNSIGNED: &str = "\
note: nobody signs a workflow's text: a step that it leaves out was not asked about; what is
said to be attested does not rest on it
";

const EXAMPLE: &str = "\
Examples:
  argo-attest audit --policy policy.yaml s3://artifacts/release/
  kubectl -n ci get workflow build-7 -o json | argo-attest audit --policy policy.yaml -f -
  argo-attest audit --policy policy.yaml -f build-7.json -o junit s3://artifacts/build-7/
  argo-attest audit --policy policy.yaml -f build-7.json --html build-7.html
  argo-attest audit --key ci.pub -o csv out";

/// Tells what of a workflow, a bucket or a directory is attested, and what is missing
///
/// Of a workflow (-f), every node that ran a container is accounted for: its signed outcome, every
/// object that it made, and what went into those. Of a PLACE, every artifact beneath it, every
/// signed outcome, and every attestation of something that is gone. Objects are asked for in the
/// store of your own configuration, whatever a workflow's text says.
///
/// Exit code 0 says that something was found, and that nothing is missing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct AuditArgs {
    #[arg(
        long,
        value_name = "FILE.pub",
        env = variable::PUBLIC_KEY,
        conflicts_with = "policy",
        value_parser = super::key_source(),
        help = "Public key to trust, SPKI PEM: a file, or env://NAME for a variable; can be given several times"
    )]
    key: Vec<KeySource>,
    /// Policy that says which keys, builders and workflows are accepted; a file, an s3:// object, or -
    #[arg(long, value_name = "FILE", env = variable::POLICY, value_parser = super::document_name())]
    policy: Option<DocumentName>,
    /// Sigstore trusted root to judge log entries and timestamps by: a file, an s3:// object, or -
    #[arg(long, value_name = "FILE", env = variable::TRUSTED_ROOT, value_parser = super::document_name())]
    trusted_root: Option<DocumentName>,
    /// Accept only this builder
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: Option<String>,
    /// Workflows that ran, as kubectl get workflow -o json or argo archive get -o json prints them: a
    /// file, an s3:// object, or -; can be given several times
    #[arg(short, long, value_name = "WORKFLOW.json", env = variable::FILE, value_parser = super::document_name())]
    file: Vec<DocumentName>,
    /// Names of files that nobody attests, as Argo's logs; can be given several times
    #[arg(long, value_name = "NAME", env = variable::NOT_OURS, default_value = USUAL_LOG)]
    not_ours: Vec<String>,
    #[command(flatten)]
    registries: RegistryArgs,
    /// How to tell the findings
    #[arg(short, long, value_name = "FORM", env = variable::OUTPUT, default_value = "text", value_enum)]
    output: Output,
    /// Write a page as well, for people who decide by it: one HTML file that needs nothing else
    #[arg(long, value_name = "FILE", env = variable::HTML)]
    html: Option<PathBuf>,
    #[command(flatten)]
    signed: SignedArgs,
    /// Say only what is missing or could not be found out, and no totals
    #[arg(short, long, env = variable::QUIET, value_parser = FalseyValueParser::new())]
    quiet: bool,
    /// Directories, s3:// prefixes with a slash at the end, files, s3:// objects, oci:// images; - for a
    /// list on standard input, one a line
    #[arg(required_unless_present = "file", value_name = "PLACE")]
    places: Vec<PathBuf>,
}

/// How findings are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
    /// For spreadsheets: one finding a line, after a line of names
    Csv,
    #[value(help = "For CI: test cases in XML, as JUnit writes them")]
    Junit,
}

/// Audits all that is named, and tells it in order.
pub(super) async fn audit(args: AuditArgs) -> Result<Exit, Failure> {
    input_once(args.policy.iter().chain(&args.trusted_root).chain(&args.file), &args.key, &args.places)?;
    let Trusted { policy, own, digest } = trusted(Trusting {
        policy: args.policy.as_ref(),
        keys: &args.key,
        identity: None,
        builder_id: args.builder_id.as_deref(),
        root: args.trusted_root.as_ref(),
    })
    .await?;
    let mut runs = Vec::new();
    for name in &args.file {
        runs.extend(read(&name.open(&ProcessEnv)?).await?);
    }
    let page = args.html.as_deref().map(PageFile::named).transpose()?;
    let signing = (runs.len(), page.is_some(), args.output);
    let signing = args.signed.open(args.policy.as_ref().zip(digest), signing).await?;
    let (now, wanted) = (Timestamp::now(), Wanted::default());
    let checker = Checker { policy, now, bundle: None, wanted, largest: MAX_ATTESTATION };
    let All { artifacts, orphans, lanes, .. } =
        All::of(&args.places, Naming::Attestations, ImageArgs::default()).await?;
    let open = |location: &Location| Ok(Box::new(asked::open(location)?) as Box<dyn Store>);
    let images = args.registries.images(false, &args.places);
    let auditor = Auditor::new(checker, lanes, (Box::new(open), images), args.not_ours);

    let also = Also {
        page: page.as_ref().map(|_| Page::default()),
        signed: signing.as_ref().map(|_| Gathered::default()),
        bar: if args.quiet { Bar::default() } else { bar(&runs, artifacts.len(), args.output) },
        is_of_run: false,
    };
    let mut teller = Teller::new(args.output, args.quiet, also);
    let (artifacts, unknown) = listed(&auditor, artifacts)?;
    let names: BTreeSet<_> = artifacts.iter().map(|one| one.artifact.name()).collect();
    let mut outcomes = Outcomes::of(&runs);
    let left = auditor.look_at(orphans, &names, &mut outcomes).await;
    drop(names);
    auditor.find_outcomes(&runs, &mut outcomes).await;
    let mut told = BTreeSet::new();
    teller.begin()?;
    let has_runs = !runs.is_empty();
    for run in runs {
        let run = Arc::new(run);
        teller.workflow(&run)?;
        auditor.workflow(&run, &outcomes, &mut told, |entry| teller.entry(&entry)).await?;
    }
    if !args.places.is_empty() {
        teller.places();
        unknown.iter().try_for_each(|entry| teller.entry(entry))?;
        auditor.artifacts(artifacts, &told, |entry| teller.entry(&entry)).await?;
        auditor.left(left, &told, |entry| teller.entry(&entry)).await?;
    }
    let (totals, also, exit) = teller.end()?;
    if !args.quiet {
        summary(&totals, has_runs, own, args.output);
    }
    let page = match (page, &also.page) {
        (Some(file), Some(page)) => {
            let policy = args.policy.as_ref().zip(digest);
            Some(file.put(page, &page::audited(now, policy, auditor.policy(), &args.places)?)?)
        }
        _ => None,
    };
    if let (Some(signing), Some(found)) = (signing, also.signed) {
        let made = Made { policy: auditor.policy(), at: now, places: &args.places, page };
        signing.write(found, &totals, made).await?;
    }
    Ok(exit)
}

/// Of what will be told: at least one thing of each node that ran, and one of each artifact.
fn bar(runs: &[WorkflowRun], artifacts: usize, output: Output) -> Bar {
    let nodes = runs.iter().flat_map(|run| &run.nodes).filter(|node| node.account() != Account::Frame);
    let of_nodes: usize = nodes.map(|node| node.outputs.len().max(1)).sum();
    Bar::of(of_nodes + artifacts, output == Output::Junit)
}

/// What is said at the end, on standard error.
fn summary(totals: &Totals, has_runs: bool, own: bool, output: Output) {
    if totals.all() == 0 {
        tell("nothing was found that could be attested\n");
    } else {
        tell(&format!("{totals}\n"));
    }
    if has_runs {
        tell(UNSIGNED);
    }
    if own && output == Output::Text {
        tell("only your own key is trusted here; --key or --policy names others\n");
    }
}

/// The workflows of a document.
async fn read(document: &Document) -> Result<Vec<WorkflowRun>, Failure> {
    let bytes = document
        .read(WORKFLOWS_LIMIT)
        .await
        .map_err(|e| Failure::from(&e).about("cannot read the workflow"))?;
    let failed = |error: RunError| Failure::from(&error).about(&document.to_string());
    WorkflowRun::read_all(&bytes).map_err(failed)
}

/// What is to be audited, and what is said of the places that could not be looked at.
fn listed(auditor: &Auditor, asked: Vec<Asked>) -> Result<(Vec<Listed>, Vec<Entry>), Failure> {
    let (mut artifacts, mut unknown) = (Vec::new(), Vec::new());
    for Asked { told, artifact } in asked {
        match artifact {
            Ok(artifact) => artifacts.push(Listed { artifact, kind: told.kind }),
            Err(CheckFailure::Other(failure)) => return Err(failure),
            Err(CheckFailure::Check(error)) => unknown.push(Entry {
                step: None,
                subject: Subject::Artifact { path: told.name, output: None },
                finding: auditor.failed(&error, told.kind),
                accepted: None,
            }),
        }
    }
    Ok((artifacts, unknown))
}
