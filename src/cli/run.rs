//! `argo-attest run`.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::pin::pin;

use argo_attest_core::contents::Contents;
use argo_attest_core::contract::variable;
use argo_attest_core::keys::KeyType;
use argo_attest_core::relpath::RelPath;
use argo_attest_core::secret::shown_path;
use argo_attest_core::slsa::{CommandParameters, CommandRun, LOCAL_BUILDER, Source, WorkTree};
use clap::Args;
use clap::builder::FalseyValueParser;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use tracing::info;

use super::interrupts::Interrupts;
use super::key::KeyArgs;
use super::keyless::{self, KeylessArgs};
use super::progress::Bar;
use super::target::Target;
use super::witness::WitnessArgs;
use super::{Exit, Failure, conflicts, home, invocation, outputs, print_json, protected, workers};
use crate::attest::Attestor;
use crate::attest::Outcome;
use crate::checkout;
use crate::command::{self, CommandEnd, Output};
use crate::observe::{Also, Baseline, Cancel, Inotify, ObservationStats, Standing};
use crate::observe::{Artifact, Sealed, SealedArtifact, Session, Watching};
use crate::report::{self, KeyUsed, RunJson, RunReport};
use crate::signer::{
    KeySource, Opening, Origin, PASSWORD_VARIABLE, Signer, SigningKey, load_or_create_pair, public_path,
};
use crate::store::ProcessEnv;
use crate::witness;

/// Outputs that are attested at the same time.
const AT_ONCE: usize = 16;

const EXAMPLE: &str = "\
Example:
  argo-attest run --outputs out -- sh -c 'mkdir -p out && echo hi > out/x'
  argo-attest verify out

What is said goes to standard error: standard output is the command's.

Exit code: the command's own if that is not 0, else 0 if everything is attested.";

/// Runs a command and attests what it writes
///
/// Watches the outputs while the command runs, digests each file as it is closed, and, if the
/// command succeeds, leaves signed SLSA provenance beside each output: OUTPUT.sigstore.json and
/// OUTPUT.intoto.jsonl. An output that the command did not touch keeps the attestation it has.
/// Without --outputs, the working directory's new and changed files are attested, in
/// ./attestation.sigstore.json, but for what is in .git.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct RunArgs {
    #[arg(
        long,
        value_name = "FILE",
        env = variable::KEY,
        value_parser = super::signing_key(),
        help = "Private key to sign with: a file in PEM, - for standard input, env://NAME for a variable, which \
                the command does not get, hashivault://NAME, awskms:///ID or, where it is built in, pkcs11:URI [default: your own, made on first use]"
    )]
    key: Option<SigningKey>,
    #[command(flatten)]
    opened: KeyArgs,
    #[command(flatten)]
    keyless: KeylessArgs,
    #[command(flatten)]
    witnesses: WitnessArgs,
    /// Make your own key if there is none, also in CI and without a terminal, where nobody sees it made
    #[arg(long, env = variable::NEW_KEY, value_parser = FalseyValueParser::new())]
    new_key: bool,
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
    /// Print one JSON object on standard output; the command's own output goes to standard error
    #[arg(long, env = variable::JSON, value_parser = FalseyValueParser::new())]
    json: bool,
    /// Say nothing if everything is attested
    #[arg(short, long, env = variable::QUIET, value_parser = FalseyValueParser::new())]
    quiet: bool,
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
        target.is_free(artifact).await?;
    }
    let witnesses = args.witnesses.settings()?;
    let key = args.keyless.key(&witnesses)?.or_else(|| args.key.clone());
    // Last: a key that is made on first use is made only if it will be used.
    let opening = args.opened.opening(&ProcessEnv);
    let (signer, mut used, source) = signer(&args, key, &opening).await?;
    used.identity = keyless::identity(signer.as_ref(), &witnesses);
    let (public, root) = (signer.public_key(), source.trusted_root());
    let witnesses = witnesses.open(&public, root, &ProcessEnv, witness::PATIENCE);
    let witnesses = witnesses.map_err(|e| Failure::from(&e))?;
    conflicts::key(&source, args.opened.key_password_file.as_deref(), &artifacts)?;
    let source_code = checkout::source(&here()?).await;
    let checkout_changed = source_code.as_ref().is_some_and(|source| source.work_tree == WorkTree::Changed);
    // Not of the working directory, of which only what is new or changed counts.
    let standing = |artifact: &Artifact| {
        if artifact.path.is_root() { None } else { Standing::of(artifact, &Cancel::new()) }
    };
    let before: Vec<_> = artifacts.iter().map(standing).collect();
    let session = Session::start(artifacts, &watching(&args, &target, &source)?, &Cancel::new())
        .map_err(|e| Failure::from_error(Exit::Io, &e))?;

    let by = used.identity.as_ref().map_or(&used.id, |identity| &identity.name);
    info!(by, outputs = args.outputs.len(), "watching; the command starts");
    let started_on = Timestamp::now();
    let output = if args.json { Output::StandardError } else { Output::Inherit };
    let end = command::run(program, arguments, output, &hidden(&source, &opening)).await.map_err(|e| {
        let usual = "name the command after -- as you would in a shell, and check that it can be run";
        Failure::from_error(Exit::Command(e.code()), &e).remedy(e.remedy().unwrap_or(usual))
    })?;
    session.mark_end();
    info!(code = end.code(), "the command ended");
    let mut interrupts = Interrupts::listen()?;
    let finished_on = Timestamp::now();
    let mut report = RunReport {
        end,
        ended: finished_on,
        key: None,
        checkout_changed,
        outcomes: Vec::new(),
        needs_bundle: args.store.is_some(),
        stats: ObservationStats::default(),
        store_retries: 0,
    };
    if !end.is_success() {
        return tell(&args, &report);
    }
    let sealed = match seal(session, &mut interrupts).await? {
        Ok(sealed) => sealed,
        Err(exit) => {
            let message = "interrupted while digesting: nothing is attested";
            return Err(Failure::new(exit, message).remedy("run it again"));
        }
    };
    report.stats = sealed.stats();
    report.key = Some(used);
    let described = describe(&args, started_on, finished_on, &sealed, source_code)?;
    let named = sealed.watched().to_vec();
    let attesting = sealed.into_artifacts().zip(before).map(async |(artifact, before)| {
        let untouched = before.is_some() && before == standing(artifact.artifact());
        let attestor = Attestor::new(signer.as_ref()).with_witnesses(&witnesses, None);
        attest(artifact, untouched, &attestor, &target, &described).await
    });
    // Most of the time is waiting for a disk or a store to have kept what it was given.
    let mut outcomes = pin!(stream::iter(attesting).buffered(AT_ONCE));
    let mut interrupted = None;
    for artifact in named {
        let outcome = match interrupted {
            Some(exit) => Err(exit),
            None => interrupts.unless(outcomes.next()).await,
        };
        interrupted = outcome.as_ref().err().copied();
        report.outcomes.push(outcome.ok().flatten().unwrap_or_else(|| Outcome::interrupted(artifact)));
    }
    report.store_retries = target.retries();
    let told = tell(&args, &report)?;
    Ok(interrupted.unwrap_or(told))
}

fn here() -> Result<PathBuf, Failure> {
    std::env::current_dir()
        .map_err(|e| Failure::new(Exit::NoInput, format!("the working directory cannot be found: {e}")))
}

fn artifacts(outputs: &[PathBuf]) -> Result<Vec<Artifact>, Failure> {
    let here = here()?;
    if outputs.is_empty() {
        return Ok(vec![Artifact { name: ".".into(), root: here, path: RelPath::root() }]);
    }
    let mut artifacts: Vec<Artifact> = Vec::with_capacity(outputs.len());
    let mut places = HashSet::new();
    for given in outputs {
        let artifact = outputs::artifact(given, &here)?;
        // The same output twice is one output.
        if places.insert((artifact.root.clone(), artifact.path.clone())) {
            artifacts.push(artifact);
        }
    }
    Ok(artifacts)
}

/// What signs, how the user is told about it, and where its key is.
async fn signer(
    args: &RunArgs,
    key: Option<SigningKey>,
    opening: &Opening<'_>,
) -> Result<(Box<dyn Signer>, KeyUsed, SigningKey), Failure> {
    let (source, own) = match key {
        Some(source) => (source, false),
        None => (KeySource::File(home::private_key()?).into(), true),
    };
    protected::close_memory();
    protected::check(&source, &[])?;
    let mut created = false;
    if let Some(path) = source.file().filter(|_| own) {
        if !args.new_key {
            seen(path)?;
        }
        let (_, origin) = load_or_create_pair(path, KeyType::Ed25519).map_err(|e| Failure::from(&e))?;
        created = origin == Origin::Created;
    }
    let signer = source.signer(opening).await.map_err(|e| Failure::from(&e))?;
    let used = KeyUsed {
        id: signer.public_key().key_id().to_string(),
        public_file: source
            .file()
            .map(public_path)
            .filter(|file| file.is_file())
            .map(|file| shown_path(&file)),
        private: Some(source.to_string()).filter(|_| source.file().is_none_or(Path::is_file)),
        own,
        created,
        identity: None,
    };
    Ok((signer, used, source))
}

/// The variables that the command does not get: it could sign with what is in them.
fn hidden<'a>(key: &'a SigningKey, opening: &Opening<'_>) -> Vec<&'a str> {
    let password = opening.password.is_in_variable().then_some(PASSWORD_VARIABLE);
    key.secret_variables().into_iter().chain(password).collect()
}

/// A key that is made where nobody sees it is one that nobody can trust later: what it signed
/// is as good as not signed.
fn seen(path: &Path) -> Result<(), Failure> {
    let is_ci = std::env::var("CI").is_ok_and(|ci| !["", "0", "false"].contains(&ci.as_str()));
    let why = match (is_ci, stderr().is_terminal()) {
        (true, _) => "the variable CI is set",
        (false, false) => "standard error is no terminal",
        (false, true) => return Ok(()),
    };
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let message = format!("there is no key to sign with, and none is made where nobody may see it: {why}");
    Err(Failure::new(Exit::Key, message).remedy(
        "name a key with --key (argo-attest keygen makes one), or give --new-key for one of your own",
    ))
}

fn watching(args: &RunArgs, target: &Target, key: &SigningKey) -> Result<Watching, Failure> {
    let changes = args.outputs.is_empty();
    let mut excluded = Vec::new();
    if changes {
        excluded = target.excluded()?;
        // Even a command that only touches the key must not get its digest published.
        let secrets = [key.file(), args.opened.key_password_file.as_deref(), key.token_file()];
        let secrets = secrets.into_iter().flatten();
        excluded.extend(secrets.filter_map(|file| conflicts::key_within(file, Path::new("."))));
    }
    Ok(Watching {
        baseline: if changes { Baseline::OnlyNewOrChanged } else { Baseline::Include },
        excluded,
        // A commit that the command makes is not what it was run for.
        excluded_names: if changes { vec![".git"] } else { Vec::new() },
        workers: workers(),
        also: Also::Nothing,
        watch: || Box::new(Inotify::new()),
    })
}

/// The last scan and what is left to digest, on another thread; a signal stops it, and is how
/// to end.
async fn seal(session: Session, interrupts: &mut Interrupts) -> Result<Result<Sealed, Exit>, Failure> {
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let work = tokio::task::spawn_blocking(move || session.finish(&Bar::default(), &stop));
    let sealed = match interrupts.unless(work).await {
        Ok(sealed) => sealed,
        Err(exit) => {
            cancel.cancel();
            return Ok(Err(exit));
        }
    };
    sealed
        .map_err(|e| Failure::new(Exit::Software, format!("digesting failed: {e}")))?
        .map(Ok)
        .map_err(|e| Failure::from_error(Exit::Io, &e))
}

fn describe(
    args: &RunArgs,
    started_on: Timestamp,
    finished_on: Timestamp,
    sealed: &Sealed,
    source: Option<Source>,
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
        source,
        files_digested: (stats.files_before_end, stats.files_after_end),
        bytes_digested: (stats.bytes_before_end, stats.bytes_after_end),
    })
}

async fn attest(
    artifact: SealedArtifact,
    untouched: bool,
    attestor: &Attestor<'_>,
    target: &Target,
    run: &CommandRun,
) -> Outcome {
    let attestations = match target.attestations(artifact.artifact()) {
        Ok(attestations) => attestations,
        Err(failure) => {
            let remedy = failure.help().map(str::to_owned);
            return Outcome::refused(artifact, failure.message().to_owned(), remedy);
        }
    };
    if untouched {
        return Outcome::untouched(artifact, attestations.as_ref()).await;
    }
    let manifest = attestations.manifest_name();
    let place = target.place(artifact.artifact());
    let byproducts = |contents: &Contents| contents.byproducts(&manifest).into_iter().chain(place).collect();
    Outcome::attest(artifact, attestor, attestations.as_ref(), |contents| {
        run.provenance(byproducts(contents))
    })
    .await
}

fn tell(args: &RunArgs, report: &RunReport) -> Result<Exit, Failure> {
    let complete = report.outcomes.iter().all(Outcome::is_complete);
    let is_fine = complete && report.outcomes.iter().all(|outcome| outcome.unvouched().is_empty());
    if args.json {
        print_json(&RunJson::from(report))?;
    } else if !args.quiet || !is_fine {
        // If standard error is gone there is nobody to tell.
        let _ = stderr().write_all(report::run_text(report).as_bytes());
    }
    Ok(match report.end {
        CommandEnd::Exited(0) if complete => Exit::Done,
        CommandEnd::Exited(0) => Exit::No,
        end => Exit::Command(end.code()),
    })
}
