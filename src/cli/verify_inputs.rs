//! `argo-attest verify-inputs`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argo_attest_core::argo::pod::{ContainerImage, PodSpec};
use argo_attest_core::argo::{
    Check, Question, Source, Step, TemplateError, TemplateText, checks_images, question,
};
use argo_attest_core::contract::annotation::VERIFY_IMAGES;
use argo_attest_core::contract::{place, variable};
use argo_attest_core::input_evidence::Evidence;
use argo_attest_core::outcome::MESSAGE_LIMIT;
use argo_attest_core::secret::shown_path;
use argo_attest_core::text::{brief, causes};
use argo_attest_core::trouble::Trouble as _;
use argo_attest_core::verify::Wanted;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use tracing::{error, info, warn};

use super::images::CheckImages;
use super::pod::PodArgs;
use super::template::TemplateArgs;
use super::traces::TraceArgs;
use super::{Exit, Failure, policy, workers};
use crate::attestations::MAX_ATTESTATION;
use crate::cluster::Lookup;
use crate::document::{Document, DocumentName};
use crate::gate::{
    Answer, EvidenceError, ImageInspection, Inspection, REGISTRIES, Subject, Verdict, evidence, summary,
};
use crate::mirror::{MainMounts, Mirror, MountTable, OWN_DIRECTORIES};
use crate::registry::Registries;
use crate::report::{NotJudged, Proven};
use crate::sidecar::status::write_message;
use crate::store::{Env as _, ProcessEnv};
use crate::telemetry::Tracer;
use crate::template::{Claim, Established, HostFiles, Platform, Unestablished};
use crate::verify::Checker;

/// The span that all of a gate's are beneath.
const ROOT: &str = "argo-attest verify-inputs";
/// How long main is held for spans to be sent, at most.
const SENDING: Duration = Duration::from_secs(1);

/// What to do where the text is not what the pod was made of.
const REWRITTEN: &str = "look for a parameter whose value rewrites the template";

const EXAMPLE: &str = "\
Example, in a template's initContainers:
  - name: argo-attest-gate
    image: argo-attest
    args: [verify-inputs]
    mirrorVolumeMounts: true
    volumeMounts:
    - {name: argo-attest-policy, mountPath: /etc/argo-attest/policy, readOnly: true}
    - {name: argo-attest-evidence, mountPath: /run/argo-attest}

Where this container is, it checks. With --check opt-in, only steps are checked that ask for it
with the annotation argo-attest.io/verify-inputs: \"true\", or argo-attest.io/attest: \"true\".
The images of a step's containers are checked if its annotation argo-attest.io/verify-images is
\"true\"; with --check-images always, those of every step.";

/// Checks a step's inputs, from an init container before main
///
/// Main starts only if all are accepted: each input artifact must have an attestation beside its
/// object that the policy accepts and that is about the very bytes that were staged for main. What
/// the inputs are comes from the step's own template. A step without inputs is let through at
/// once; one that does not ask for this, only where --check says so. Where it is asked for, the images
/// of the step's own containers must be attested, too.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct VerifyInputsArgs {
    /// Policy that says which keys, builders and workflows are accepted
    #[arg(
        long,
        value_name = "FILE",
        env = variable::POLICY,
        default_value = place::POLICY_FILE
    )]
    policy: PathBuf,
    /// Sigstore trusted root to judge log entries and timestamps by, in place of the policy's own
    #[arg(long, value_name = "FILE", env = variable::TRUSTED_ROOT, value_parser = super::document_name())]
    trusted_root: Option<DocumentName>,
    /// Which steps to check, of those that have this container
    #[arg(long, value_name = "WHICH", env = variable::CHECK, default_value = "always")]
    check: CheckArg,
    /// Of which steps to check the images of the containers, too
    #[arg(long, value_name = "WHICH", env = variable::CHECK_IMAGES, default_value = "opt-in")]
    check_images: CheckImages,
    /// Ask registries over HTTP without TLS: for tests
    #[arg(long, env = variable::PLAIN_HTTP, value_parser = FalseyValueParser::new())]
    plain_http: bool,
    /// Where to leave what was found, for the sidecar
    #[arg(long, value_name = "DIR", env = variable::EVIDENCE, default_value = place::EVIDENCE)]
    evidence: PathBuf,
    /// Where the termination message goes
    #[arg(long, value_name = "FILE", env = variable::TERMINATION_LOG, default_value = place::TERMINATION_LOG)]
    termination_log: PathBuf,
    /// Where the artifact repository's Secrets are mounted, as SECRET/KEY
    #[arg(long, value_name = "DIR", env = variable::SECRETS_DIR, default_value = place::STORE_SECRETS)]
    secrets_dir: PathBuf,
    #[command(flatten)]
    traces: TraceArgs,
    #[command(flatten)]
    template: TemplateArgs,
    #[command(flatten)]
    pod: PodArgs,
    /// What was given and cannot be used.
    #[arg(skip)]
    pub(super) refused: Option<Failure>,
}

/// Which steps are checked.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum CheckArg {
    /// All
    Always,
    /// All but those whose annotation argo-attest.io/verify-inputs is "false"
    OptOut,
    /// Only those that ask for it by annotation
    OptIn,
}

impl From<CheckArg> for Check {
    fn from(check: CheckArg) -> Self {
        match check {
            CheckArg::Always => Self::Always,
            CheckArg::OptOut => Self::OptOut,
            CheckArg::OptIn => Self::OptIn,
        }
    }
}

/// Checks all inputs. What keeps main from starting is in the log and in the termination message.
pub(super) async fn verify_inputs(mut args: VerifyInputsArgs) -> Exit {
    let tracer = args.traces.tracer(ROOT, &args.pod.clone().into());
    let checked = match args.refused.take() {
        Some(refused) => Err(refused),
        None => tracer.around(gate(&args, &tracer)).await,
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
    if exit != Exit::Done {
        tracer.fail(&format!("main must not start: {message}"));
    }
    // What was decided is decided, and written.
    tracer.send(SENDING).await;
    exit
}

async fn gate(args: &VerifyInputsArgs, tracer: &Tracer) -> Result<(Exit, String), Failure> {
    // Whatever lies there was left by somebody else, or by a try that failed.
    evidence::clear(&args.evidence).map_err(|e| Failure::from(&e))?;
    let text = template()?;
    let handed_over = args.template.handed_over();
    let unestablished = |e: Unestablished| Failure::from(&e);
    let claim = Claim::read(&text, &handed_over).map_err(unestablished)?;
    let question = question(claim.step(), claim.asked(), args.check.into());
    let asks = checks_images(claim.asked().verify_images, args.check_images.into());
    if let (Question::Nothing(reason), false) = (question, asks) {
        return Ok(let_through(claim.step(), reason));
    }
    let identity = args.pod.clone().into();
    let api_server = args.template.api_server(&identity);
    let cluster = api_server.as_ref().map(|server| server as &dyn Lookup);
    let least = args.template.least();
    let platform = Platform { handed_over: &handed_over, identity: &identity, cluster, least };
    let Established { step, pod, .. } = claim.establish(&platform).await.map_err(unestablished)?;
    tracer.say("argo.template.name", step.name.as_str());
    let images = images(args, asks, pod.as_ref(), &step, &text)?;
    let here = MountTable::of_this_process().map_err(|e| Failure::from_error(Exit::Io, &e))?;
    let mirror = Mirror::new(here, MainMounts::of_template(&step), &own(args));
    if let Some(path) = mirror.unlisted_input() {
        let message = format!("an input is staged at {path} that the step's template does not have");
        return Err(Failure::new(Exit::Data, message).remedy(REWRITTEN));
    }
    match question {
        _ if !images.is_empty() => {}
        Question::AllInputs => {}
        Question::NoInputs => return Ok(let_through(&step, "the template has no input artifacts")),
        Question::Nothing(reason) => return Ok(let_through(&step, reason)),
    }
    let checker = Checker {
        policy: policy::read(&Document::File(args.policy.clone()), args.trusted_root.as_ref()).await?.0,
        now: Timestamp::now(),
        bundle: None,
        wanted: Wanted::default(),
        largest: MAX_ATTESTATION,
    };
    let inspection = Inspection {
        checker: &checker,
        mirror: &mirror,
        environment: &ProcessEnv,
        secrets_dir: &args.secrets_dir,
        workers: workers(),
    };
    let inputs =
        async { if question == Question::AllInputs { inspection.of(&step).await } else { Vec::new() } };
    let (mut answers, of_images) = tokio::join!(inputs, look(args, &checker, &images));
    answers.extend(of_images?);
    answers.iter().for_each(log);
    let refused = answers.iter().filter(|answer| answer.verdict.is_err()).count();
    tracer.say("argo_attest.inputs", answers.len());
    tracer.say("argo_attest.refused", refused);
    let exit = exit(&answers);
    if exit == Exit::Done {
        leave(args, &answers)?;
    }
    Ok((exit, summary(&answers)))
}

/// The images that are to be checked. What the containers run is what the pod says: no text, not
/// even one that is the stored Workflow's, has what a `podSpecPatch` or an admission webhook makes of
/// it.
fn images(
    args: &VerifyInputsArgs,
    asks: bool,
    pod: Option<&PodSpec>,
    step: &Step,
    text: &TemplateText,
) -> Result<Vec<ContainerImage>, Failure> {
    // Where only the API server knows the pod's annotations, they count as well.
    let says = pod.and_then(|pod| pod.annotations.get(VERIFY_IMAGES)).map(|value| value == "true");
    if !asks && !checks_images(says, args.check_images.into()) {
        return Ok(Vec::new());
    }
    let Some(pod) = pod else {
        let message =
            "the images of the step's containers are to be checked, and it is not known what its pod runs";
        return Err(Failure::new(Exit::Data, message).remedy(
            "let the pod's service account get its own pod, or the admission policy hand over the pod's spec",
        ));
    };
    pod.images(step, text).map_err(|e| Failure::from_error(Exit::Data, &e))
}

async fn look(
    args: &VerifyInputsArgs,
    checker: &Checker,
    images: &[ContainerImage],
) -> Result<Vec<Answer>, Failure> {
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let registries = Registries::in_pod(&ProcessEnv, args.plain_http).map_err(|e| Failure::from(&e))?;
    Ok(ImageInspection { checker, registries: &registries, within: REGISTRIES }.of(images).await)
}

fn let_through(step: &Step, reason: &str) -> (Exit, String) {
    info!(step = step.name, reason, "no inputs to check");
    (Exit::Done, format!("no inputs to check: {reason}"))
}

/// What is this container's own, and nobody's input.
fn own(args: &VerifyInputsArgs) -> Vec<&str> {
    let files = [args.evidence.as_path(), &args.secrets_dir, &args.termination_log];
    let paths = files.into_iter().chain([args.template.service_account_dir()]).chain(args.policy.parent());
    paths.filter_map(Path::to_str).chain(OWN_DIRECTORIES).collect()
}

/// The template's text, from where main's containers cannot have changed it.
fn template() -> Result<TemplateText, Failure> {
    let text = TemplateText::find(ProcessEnv.var("ARGO_TEMPLATE").as_deref(), &HostFiles)
        .map_err(|e| Failure::from(&e))?;
    if text.source() == Source::TemplateFile {
        let message = format!("ARGO_TEMPLATE is not set, and {} is not trusted", text.source());
        let absent = Failure::from(&TemplateError::Absent);
        return Err(Failure::new(Exit::Data, message).remedy(absent.help().unwrap_or_default()));
    }
    Ok(text)
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
    let images = answers.iter().filter_map(Answer::image_record).collect();
    let left = Evidence::new(records)
        .and_then(|left| left.with_images(images))
        .map_err(EvidenceError::from)
        .and_then(|left| evidence::leave(&left, &args.evidence));
    left.map(drop).map_err(|e| Failure::from(&e))
}

fn log(answer: &Answer) {
    match &answer.subject {
        Subject::Input => log_input(answer),
        Subject::Image(image) => log_image(answer, &brief(image, 300)),
    }
}

fn log_image(answer: &Answer, image: &str) {
    let container = &answer.name;
    match &answer.verdict {
        Ok(Verdict::Accepted { digest, attestation, signer, builder_id, passed_over, .. }) => {
            if let Some(passed_over) = passed_over {
                warn!(container, image, passed_over, "another attestation was looked at first");
            }
            let digest = digest.sha256().map(|digest| format!("sha256:{digest}")).unwrap_or_default();
            let (attestation, key, builder) = (&attestation.uri, &signer.name, builder_id);
            info!(
                container,
                image,
                verdict = "accepted",
                digest,
                attestation,
                key,
                builder,
                "image accepted"
            );
        }
        Ok(Verdict::Missing(reason)) => {
            let verdict = "missing";
            warn!(container, image, verdict, reason, "not attested, and the policy lets that pass");
        }
        // Of inputs alone.
        Ok(_) => {}
        Err(error) => {
            let (reason, help) = (causes(error), answer.remedy().unwrap_or_default());
            error!(container, image, verdict = "refused", reason, help, "main must not start");
        }
    }
}

fn log_input(answer: &Answer) {
    let input = &answer.name;
    match &answer.verdict {
        Ok(Verdict::Accepted { digest, attestation, signer, builder_id, proof, unjudged, passed_over }) => {
            let digest =
                digest.iter().map(|(kind, digest)| format!("{kind}:{digest}")).collect::<Vec<_>>().join(" ");
            let (attestation, key) = (&attestation.uri, &signer.name);
            if let Some(passed_over) = passed_over {
                warn!(input, passed_over, "another attestation was looked at first");
            }
            if let Some(proven) = Proven::new(proof) {
                info!(input, attestation, "{}", proven.text());
            }
            if let Some(not) = NotJudged::new(*unjudged) {
                info!(input, attestation, "{}", not.text());
            }
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
        Ok(Verdict::AcceptedEach { digest, files }) => {
            let digest = digest.dir_hash().map(|hash| format!("dirHash:{hash}")).unwrap_or_default();
            info!(
                input,
                verdict = "accepted",
                digest,
                files,
                "each file accepted by an attestation of its own"
            );
        }
        Ok(Verdict::Commit(commit)) => info!(input, verdict = "recorded", commit, "commit recorded"),
        Ok(Verdict::Text(digest)) => {
            let digest = format!("sha256:{digest}");
            info!(input, verdict = "recorded", digest, "the template's own text recorded");
        }
        Ok(Verdict::Missing(reason)) => {
            warn!(input, verdict = "missing", reason, "not attested, and the policy lets that pass");
        }
        Ok(Verdict::Absent(reason)) => info!(input, verdict = "absent", reason, "optional, and not there"),
        Err(error) => {
            let (reason, help) = (causes(error), answer.remedy().unwrap_or_default());
            error!(input, verdict = "refused", reason, help, "main must not start");
        }
    }
}

fn exit(answers: &[Answer]) -> Exit {
    Exit::worst(answers.iter().filter_map(|a| a.verdict.as_ref().err()).map(|e| e.fault().into()))
}
