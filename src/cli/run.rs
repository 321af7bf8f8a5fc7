//! `argo-attest run`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use argo_attest_core::contents::Contents;
use argo_attest_core::contract::variable;
use argo_attest_core::keys::KeyType;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::secret::shown_path;
use argo_attest_core::slsa::{CommandParameters, CommandRun, LOCAL_BUILDER};
use clap::Args;
use clap::builder::FalseyValueParser;
use jiff::Timestamp;

use super::interrupts::Interrupts;
use super::progress::Bar;
use super::target::Target;
use super::{Exit, Failure, conflicts, home, invocation, outputs, print, print_json, protected, workers};
use crate::attest::Attestor;
use crate::attest::Outcome;
use crate::command::{self, CommandEnd, Output};
use crate::observe::{Artifact, Sealed, SealedArtifact, Session, Watching};
use crate::observe::{Baseline, Cancel, Inotify, ObservationStats};
use crate::report::{self, KeyUsed, RunJson, RunReport};
use crate::signer::{KeySource, Origin, Signer, VariableName, load_or_create_pair, public_path};

const EXAMPLE: &str = "\
Example:
  argo-attest run --outputs out -- sh -c 'mkdir -p out && echo hi > out/x'
  argo-attest verify out

Exit code: the command's own if that is not 0, else 0 if everything is attested.";

/// Runs a command and attests what it writes
///
/// Watches the outputs while the command runs, digests each file as it is closed, and, if the
/// command succeeds, leaves signed SLSA provenance beside each output: OUTPUT.sigstore.json and
/// OUTPUT.intoto.jsonl. Without --outputs, the working directory's new and changed files are
/// attested, in ./attestation.sigstore.json.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct RunArgs {
    #[arg(
        long,
        value_name = "FILE",
        env = variable::KEY,
        value_parser = super::key_source(),
        help = "Private key to sign with, PKCS#8 PEM: a file, or env://NAME for a variable, which the \
                command does not get [default: your own, made on first use]"
    )]
    key: Option<KeySource>,
    /// File or directory that the command writes; can be given several times
    #[arg(long, value_name = "PATH", env = variable::OUTPUTS, value_delimiter = None)]
    outputs: Vec<PathBuf>,
    #[arg(
        long,
        value_name = "URL",
        env = variable::STORE,
        help = "Where attestations go: file:///dir or s3://bucket/prefix [default: beside each output]"
    )]
    store: Option<String>,
    /// Under which id this builder is known
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, default_value = LOCAL_BUILDER,
          value_parser = super::builder_id)]
    builder_id: String,
    /// Print one JSON object; the command's own output goes to standard error
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// Runs the command, attests, reports.
pub(super) async fn run(args: RunArgs) -> Result<Exit, Failure> {
    let Some((program, arguments)) = args.command.split_first() else {
        return Err(Failure::new(Exit::Usage, "no command is given"));
    };
    let artifacts = artifacts(&args.outputs)?;
    let target = Target::open(args.store.as_deref())?;
    conflicts::attestations(&target, &artifacts)?;
    for artifact in &artifacts {
        target.check(artifact)?;
    }
    // Last: a key that is made on first use is made only if it will be used.
    let (signer, used, source) = signer(&args)?;
    conflicts::key(&source, &artifacts)?;
    let session = Session::start(artifacts, &watching(&args, &target, &source)?, &Cancel::new())
        .map_err(|e| Failure::from_error(Exit::Io, &e))?;

    let started_on = Timestamp::now();
    let output = if args.json { Output::StandardError } else { Output::Inherit };
    let hidden = source.variable().map(VariableName::as_str);
    let end = command::run(program, arguments, output, hidden).await.map_err(|e| {
        Failure::from_error(Exit::Command(e.code()), &e)
            .remedy("name the command after -- as you would in a shell, and check that it can be run")
    })?;
    session.mark_end();
    let mut interrupts = Interrupts::listen()?;
    let finished_on = Timestamp::now();
    let mut report = RunReport {
        end,
        ended: finished_on,
        key: None,
        outcomes: Vec::new(),
        needs_bundle: args.outputs.is_empty() || args.store.is_some(),
        stats: ObservationStats::default(),
        store_retries: 0,
    };
    if !end.is_success() {
        return tell(&args, &report);
    }
    let sealed = seal(session, &mut interrupts).await?;
    report.stats = sealed.stats();
    report.key = Some(used);
    let described = describe(&args, started_on, finished_on, &sealed)?;
    let mut interrupted = false;
    for artifact in sealed.artifacts() {
        let named = artifact.artifact().clone();
        let outcome = if interrupted {
            None
        } else {
            interrupts.unless(attest(artifact, signer.as_ref(), &target, &described)).await
        };
        interrupted = outcome.is_none();
        report.outcomes.push(outcome.unwrap_or_else(|| Outcome::interrupted(named)));
    }
    report.store_retries = target.retries();
    tell(&args, &report)
}

fn artifacts(outputs: &[PathBuf]) -> Result<Vec<Artifact>, Failure> {
    let here = std::env::current_dir()
        .map_err(|e| Failure::new(Exit::NoInput, format!("the working directory cannot be found: {e}")))?;
    if outputs.is_empty() {
        return Ok(vec![Artifact { name: ".".into(), root: here, path: RelPath::root() }]);
    }
    let mut artifacts: Vec<Artifact> = Vec::with_capacity(outputs.len());
    for given in outputs {
        let artifact = outputs::artifact(given, &here)?;
        // The same output twice is one output.
        if !artifacts.iter().any(|a| (&a.root, &a.path) == (&artifact.root, &artifact.path)) {
            artifacts.push(artifact);
        }
    }
    Ok(artifacts)
}

/// What signs, how the user is told about it, and where its key is.
fn signer(args: &RunArgs) -> Result<(Box<dyn Signer>, KeyUsed, KeySource), Failure> {
    let (source, own) = match &args.key {
        Some(source) => (source.clone(), false),
        None => (KeySource::File(home::private_key()?), true),
    };
    protected::close_memory();
    protected::check(&source, &[])?;
    let (signer, created): (Box<dyn Signer>, bool) = match &source {
        KeySource::File(path) if own => {
            let (key, origin) = load_or_create_pair(path, KeyType::Ed25519).map_err(|e| Failure::from(&e))?;
            (Box::new(key), origin == Origin::Created)
        }
        _ => (source.signer(&super::variables).map_err(|e| Failure::from(&e))?, false),
    };
    let used = KeyUsed {
        id: signer.public_key().key_id().to_string(),
        public_file: source.file().map(|file| shown_path(&public_path(file))),
        own,
        created,
    };
    Ok((signer, used, source))
}

fn watching(args: &RunArgs, target: &Target, key: &KeySource) -> Result<Watching, Failure> {
    let changes = args.outputs.is_empty();
    let mut excluded = Vec::new();
    if changes {
        excluded = target.excluded()?;
        // Even a command that only touches the key must not get its digest published.
        excluded.extend(key.file().and_then(|file| conflicts::key_within(file, Path::new("."))));
    }
    Ok(Watching {
        baseline: if changes { Baseline::OnlyNewOrChanged } else { Baseline::Include },
        excluded,
        workers: workers(),
        watch: || Box::new(Inotify::new()),
    })
}

/// The last scan and what is left to digest, on another thread; a signal stops it.
async fn seal(session: Session, interrupts: &mut Interrupts) -> Result<Sealed, Failure> {
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let work = tokio::task::spawn_blocking(move || session.finish(&Bar::default(), &stop));
    let Some(sealed) = interrupts.unless(work).await else {
        cancel.cancel();
        return Err(
            Failure::new(Exit::No, "interrupted while digesting: nothing is attested").remedy("run it again")
        );
    };
    sealed
        .map_err(|e| Failure::new(Exit::Software, format!("digesting failed: {e}")))?
        .map_err(|e| Failure::from_error(Exit::Io, &e))
}

fn describe(
    args: &RunArgs,
    started_on: Timestamp,
    finished_on: Timestamp,
    sealed: &Sealed,
) -> Result<CommandRun, Failure> {
    let stats = sealed.stats();
    let outputs = if args.outputs.is_empty() {
        Vec::new()
    } else {
        sealed.watched().iter().map(|artifact| artifact.name.clone()).collect()
    };
    Ok(CommandRun {
        parameters: CommandParameters {
            command: args.command.iter().map(|a| a.to_string_lossy().into_owned()).collect(),
            outputs,
        },
        builder_id: args.builder_id.clone(),
        invocation_id: invocation::id()?,
        started_on,
        finished_on,
        files_digested: (stats.files_before_end, stats.files_after_end),
        bytes_digested: (stats.bytes_before_end, stats.bytes_after_end),
    })
}

async fn attest(artifact: SealedArtifact, signer: &dyn Signer, target: &Target, run: &CommandRun) -> Outcome {
    let attestations = match target.attestations(artifact.artifact()) {
        Ok(attestations) => attestations,
        Err(failure) => return Outcome::refused(artifact, failure.message().to_owned()),
    };
    let attestor = Attestor::new(signer);
    let manifest = attestations.manifest_name();
    let place = target.place(artifact.artifact());
    let byproducts = |contents: &Contents| contents.byproducts(&manifest).into_iter().chain(place).collect();
    Outcome::attest(artifact, &attestor, attestations.as_ref(), |contents| {
        run.provenance(byproducts(contents))
    })
    .await
}

fn tell(args: &RunArgs, report: &RunReport) -> Result<Exit, Failure> {
    if args.json {
        print_json(&RunJson::from(report))?;
    } else {
        print(&report::run_text(report))?;
    }
    Ok(match report.end {
        CommandEnd::Exited(0) if report.outcomes.iter().all(Outcome::is_complete) => Exit::Done,
        CommandEnd::Exited(0) => Exit::No,
        end => Exit::Command(end.code()),
    })
}
