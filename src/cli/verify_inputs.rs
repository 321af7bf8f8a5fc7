//! `argo-attest verify-inputs`.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use tracing::{error, info, warn};

use super::failure::store_exit_of;
use super::verify::read_policy;
use super::{Exit, Failure, workers};
use crate::argo::{HostFiles, Source, Step, TemplateText};
use crate::check::Checker;
use crate::gate::{Answer, Evidence, Fault, InputError, Inspection, Question, Verdict, question, summary};
use crate::outcome::{MESSAGE_LIMIT, brief};
use crate::report::chain;
use crate::secret::shown_path;
use crate::sidecar::status::{TERMINATION_LOG, write_message};
use crate::store::{Env as _, ProcessEnv};

const EXAMPLE: &str = "\
Example, in a template's initContainers:
  - name: argo-attest-gate
    image: argo-attest
    args: [verify-inputs]
    mirrorVolumeMounts: true
    volumeMounts:
    - {name: argo-attest-policy, mountPath: /etc/argo-attest/policy, readOnly: true}
    - {name: argo-attest-evidence, mountPath: /run/argo-attest}

The step asks for it with the annotation argo-attest.io/verify-inputs: \"true\", or with
argo-attest.io/attest: \"true\".";

/// Checks a step's inputs, from an init container before main
///
/// Main starts only if all are accepted: each input artifact must have an attestation beside its
/// object that the policy accepts and that is about the very bytes that were staged for main. What
/// the inputs are comes from the step's own template. A step that does not ask, or has no inputs,
/// is let through at once.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct VerifyInputsArgs {
    /// Policy that says which keys, builders and workflows are accepted
    #[arg(
        long,
        value_name = "FILE",
        env = "ARGO_ATTEST_POLICY",
        default_value = "/etc/argo-attest/policy/policy.yaml"
    )]
    policy: PathBuf,
    /// Check the inputs of steps that do not ask for it, too
    #[arg(long, env = "ARGO_ATTEST_ALL")]
    all: bool,
    /// Where to leave what was found, for the sidecar
    #[arg(long, value_name = "DIR", env = "ARGO_ATTEST_EVIDENCE", default_value = "/run/argo-attest")]
    evidence: PathBuf,
    /// Where the termination message goes
    #[arg(long, value_name = "FILE", env = "ARGO_ATTEST_TERMINATION_LOG", default_value = TERMINATION_LOG)]
    termination_log: PathBuf,
    /// Where the artifact repository's Secrets are mounted, as SECRET/KEY
    #[arg(long, value_name = "DIR", env = "ARGO_ATTEST_SECRETS_DIR", default_value = "/argo/secret")]
    secrets_dir: PathBuf,
    /// What was given and cannot be used.
    #[arg(skip)]
    pub(super) refused: Option<Failure>,
}

/// Checks all inputs. What keeps main from starting is in the log and in the termination message.
pub(super) async fn verify_inputs(mut args: VerifyInputsArgs) -> Exit {
    let checked = match args.refused.take() {
        Some(refused) => Err(refused),
        None => gate(&args).await,
    };
    let (exit, message) = match checked {
        Ok(done) => done,
        Err(failure) => {
            let help = failure.help().unwrap_or_default();
            error!(reason = failure.message(), help, "main must not start: its inputs could not be checked");
            let help = if help.is_empty() { String::new() } else { format!(" (help: {help})") };
            (failure.exit(), format!("the inputs could not be checked: {}{help}", failure.message()))
        }
    };
    if let Err(error) = write_message(&args.termination_log, &brief(&message, MESSAGE_LIMIT)) {
        warn!(%error, file = shown_path(&args.termination_log), "cannot write the termination message");
    }
    exit
}

async fn gate(args: &VerifyInputsArgs) -> Result<(Exit, String), Failure> {
    let step = step()?;
    match question(&step, args.all) {
        Question::AllInputs => {}
        Question::Nothing(reason) => {
            info!(step = step.name, reason, "no inputs to check");
            return Ok((Exit::Done, format!("no inputs to check: {reason}")));
        }
        Question::Unclear(reason) => {
            return Err(Failure::new(Exit::Data, reason).remedy("write \"true\" or \"false\", in quotes"));
        }
    }
    let checker = Checker { policy: read_policy(&args.policy)?, now: Timestamp::now(), bundle: None };
    let inspection = Inspection {
        checker: &checker,
        environment: &ProcessEnv,
        secrets_dir: &args.secrets_dir,
        workers: workers(),
    };
    let answers = inspection.of(&step).await;
    answers.iter().for_each(log);
    let exit = exit(&answers);
    if exit == Exit::Done {
        leave(args, &answers)?;
    }
    Ok((exit, summary(&answers)))
}

/// The template, from where main's containers cannot have changed it.
fn step() -> Result<Step, Failure> {
    let help = "run this inside a pod of Argo Workflows, as an initContainers entry of a template";
    let malformed = |e| Failure::from_error(Exit::Data, &e).remedy(help);
    let text =
        TemplateText::find(ProcessEnv.var("ARGO_TEMPLATE").as_deref(), &HostFiles).map_err(malformed)?;
    if text.source() == Source::TemplateFile {
        let message = format!("ARGO_TEMPLATE is not set, and {} is not trusted", text.source());
        return Err(Failure::new(Exit::Data, message).remedy(help));
    }
    Step::parse(&text).map_err(malformed)
}

fn leave(args: &VerifyInputsArgs, answers: &[Answer]) -> Result<(), Failure> {
    if !args.evidence.is_dir() {
        warn!(
            directory = shown_path(&args.evidence),
            "no volume for evidence is mounted: statements will not name the inputs' attestations"
        );
        return Ok(());
    }
    let records = answers.iter().filter_map(Answer::record).collect();
    let left = Evidence::new(records).and_then(|evidence| evidence.leave(&args.evidence));
    left.map(drop).map_err(|e| {
        Failure::from_error(Exit::Io, &e)
            .remedy("mount an emptyDir there that this container's user may write to")
    })
}

fn log(answer: &Answer) {
    let input = &answer.name;
    match &answer.verdict {
        Ok(Verdict::Accepted { digest, attestation, signer, builder_id }) => {
            let digest =
                digest.iter().map(|(kind, digest)| format!("{kind}:{digest}")).collect::<Vec<_>>().join(" ");
            let (attestation, key) = (&attestation.uri, &signer.name);
            info!(
                input,
                verdict = "accepted",
                digest,
                attestation,
                key,
                builder = builder_id,
                "input accepted"
            );
        }
        Ok(Verdict::Commit(commit)) => info!(input, verdict = "recorded", commit, "commit recorded"),
        Ok(Verdict::Missing(reason)) => {
            warn!(input, verdict = "missing", reason, "not attested, and the policy lets that pass");
        }
        Ok(Verdict::Absent(reason)) => info!(input, verdict = "absent", reason, "optional, and not there"),
        Err(error) => {
            let (reason, help) = (chain(error), error.remedy().unwrap_or_default());
            error!(input, verdict = "refused", reason, help, "main must not start");
        }
    }
}

/// A plain no weighs more than not having been able to tell.
fn exit(answers: &[Answer]) -> Exit {
    let exits = || answers.iter().filter_map(|a| a.verdict.as_ref().err()).map(exit_of);
    exits().find(|e| *e == Exit::No).or_else(|| exits().next()).unwrap_or(Exit::Done)
}

fn exit_of(error: &InputError) -> Exit {
    match error.fault() {
        Fault::No => Exit::No,
        Fault::Store(kind) => store_exit_of(kind),
        Fault::Credentials => Exit::Key,
        Fault::Setting => Exit::Data,
        Fault::Io => Exit::Io,
    }
}
