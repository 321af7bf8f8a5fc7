//! `argo-attest sidecar`.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::argo::Parameters;
use argo_attest_core::contract::{place, variable};
use argo_attest_core::text::causes;
use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use super::key::KeyArgs;
use super::keyless::KeylessArgs;
use super::place::Where;
use super::pod::{self, PodArgs};
use super::template::TemplateArgs;
use super::traces::TraceArgs;
use super::witness::WitnessArgs;
use super::{Exit, Failure, protected};
use crate::sidecar::{End, Form, IfNotReady, NamedStore, Settings, Signals, Unusable};
use crate::signer::SigningKey;
use crate::store::ProcessEnv;
use crate::telemetry::{Metrics, serve};
use crate::witness::WitnessSettings;

const EXAMPLE: &str = "\
Example, in a template's initContainers (native sidecar):
  - name: argo-attest
    image: argo-attest
    restartPolicy: Always
    args: [sidecar, --builder-id, https://ci.example.com/argo]
    mirrorVolumeMounts: true
    lifecycle: {postStart: {exec: {command: [/argo-attest, ready, --wait]}}}
    volumeMounts: [{name: argo-attest-key, mountPath: /etc/argo-attest/key, readOnly: true}]

The step asks for attestation with the annotation argo-attest.io/attest: \"true\".";

/// Attests a step's outputs, from a container beside main
///
/// Watches the volumes that main writes to, digests outputs as they are written, checks that the
/// object store holds those bytes, and stores signed SLSA provenance beside each object. What the
/// outputs are comes from the step's own template.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct SidecarArgs {
    #[arg(
        long,
        help = "Private key to sign with: a file in PEM, env://NAME for a variable, hashivault://NAME, awskms:///ID or, where it is built in, pkcs11:URI \
                [default: /etc/argo-attest/key/attest.key]",
        value_name = "FILE",
        env = variable::KEY,
        value_parser = super::signing_key()
    )]
    key: Option<SigningKey>,
    #[command(flatten)]
    opened: KeyArgs,
    #[command(flatten)]
    keyless: KeylessArgs,
    #[command(flatten)]
    witnesses: WitnessArgs,
    /// Under which id this builder is known
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: String,
    /// Attest steps that do not ask for it, too
    #[arg(long, env = variable::ALL, value_parser = FalseyValueParser::new())]
    all: bool,
    /// Attest what a failed main left, too
    #[arg(long, env = variable::ATTEST_FAILED, value_parser = FalseyValueParser::new())]
    attest_failed: bool,
    /// Where attestations of outputs lie: beside their objects, or apart from them, beneath
    /// .attestations/ [default: beside, but apart for the keyed outputs of a fan-out]
    #[arg(long, value_name = "WHERE", env = variable::ATTESTATIONS)]
    attestations: Option<Where>,
    #[arg(
        long,
        value_name = "URL",
        env = variable::STORE,
        help = "Where attestations go that have no place beside their output, since that is in no S3 \
                store, and the step's outcome: s3://bucket/prefix [default: there are none of such \
                outputs, and the outcome goes beneath the step's own prefix]"
    )]
    store: Option<NamedStore>,
    /// Ask registries over HTTP without TLS: for tests
    #[arg(long, env = variable::PLAIN_HTTP, value_parser = FalseyValueParser::new())]
    plain_http: bool,
    /// Serve Prometheus metrics at /metrics of this address
    #[arg(long, value_name = "ADDR", env = variable::METRICS_LISTEN)]
    metrics_listen: Option<SocketAddr>,
    #[command(flatten)]
    traces: TraceArgs,
    /// How this container is declared [default: native if `ARGO_TEMPLATE` is set]
    #[arg(long, value_name = "MODE", env = variable::MODE)]
    mode: Option<Mode>,
    /// How long main is held, in the native form, while not all is ready
    #[arg(long, value_name = "DURATION", env = variable::READY_TIMEOUT, default_value = "30s",
          value_parser = super::ready::held)]
    ready_timeout: Duration,
    /// If it is known before main starts that not all can be attested: run the step, or fail it
    #[arg(long, value_name = "WHAT", env = variable::NOT_READY, default_value = "run")]
    not_ready: NotReady,
    /// The pod's terminationGracePeriodSeconds, of which two seconds are kept to report
    /// [default: what Argo says of it, else 30]
    #[arg(long, value_name = "SECONDS", env = variable::GRACE_PERIOD)]
    grace_period: Option<u64>,
    /// Where the termination message goes
    #[arg(long, value_name = "FILE", env = variable::TERMINATION_LOG, default_value = place::TERMINATION_LOG)]
    termination_log: PathBuf,
    /// The directory that Argo shares among the containers
    #[arg(long, value_name = "DIR", env = variable::ARGO_DIR, default_value = place::ARGO)]
    argo_dir: PathBuf,
    /// Where the artifact repository's Secrets are mounted, as SECRET/KEY
    #[arg(long, value_name = "DIR", env = variable::SECRETS_DIR, default_value = place::STORE_SECRETS)]
    secrets_dir: PathBuf,
    /// Where the gate (verify-inputs) left what it found
    #[arg(long, value_name = "DIR", env = variable::EVIDENCE, default_value = place::EVIDENCE)]
    evidence: PathBuf,
    #[command(flatten)]
    template: TemplateArgs,
    #[command(flatten)]
    pod: PodArgs,
    /// The step's parameters, as {{inputs.parameters}} gives them
    #[arg(long, value_name = "JSON", env = variable::INPUT_PARAMETERS, help_heading = pod::HEADING)]
    input_parameters: Option<String>,
    /// What was given and cannot be used.
    #[arg(skip)]
    pub(super) refused: Option<Failure>,
}

/// The span that all of a sidecar's are beneath.
const ROOT: &str = "argo-attest sidecar";

/// Kubernetes' own default of a grace period, in seconds.
const GRACE: u64 = 30;

/// How the container is declared.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Mode {
    /// An initContainers entry with restartPolicy: Always
    Native,
    /// A sidecars entry
    Sidecar,
}

/// What becomes of a step that cannot be attested.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum NotReady {
    /// It runs, and everybody is told
    Run,
    /// It fails (native form; an init container has to run `ready --check`)
    Fail,
}

impl From<&Failure> for Unusable {
    fn from(failure: &Failure) -> Self {
        Self { reason: failure.message().to_owned(), remedy: failure.help().unwrap_or_default().to_owned() }
    }
}

/// Lives the step through.
pub(super) async fn sidecar(args: SidecarArgs, signals: io::Result<Signals>) -> Result<Exit, Failure> {
    let signals = signals.map_err(|e| Failure::new(Exit::Io, format!("cannot listen for signals: {e}")))?;
    protected::close_memory();
    let template = args.template.clone();
    let mut settings = settings(args);
    let api_server = template.api_server(&settings.identity);
    let metrics = Arc::new(Metrics::default());
    if let Some(address) = settings.metrics_listen {
        match tokio::net::TcpListener::bind(address).await {
            Ok(listener) => {
                tokio::spawn(serve(listener, Arc::clone(&metrics)));
            }
            Err(e) => {
                settings.unusable = Some(Unusable {
                    reason: format!("cannot listen on {address} for metrics: {e}"),
                    remedy: "choose another port with --metrics-listen".into(),
                });
            }
        }
    }
    let end = crate::sidecar::run(&settings, &ProcessEnv, &metrics, api_server.as_ref(), signals).await;
    Ok(match end {
        End::Fine => Exit::Done,
        End::NotAttested => Exit::No,
    })
}

fn settings(args: SidecarArgs) -> Settings {
    let (parameters, unusable) = match args.input_parameters.map(|text| Parameters::parse(&text)).transpose()
    {
        Ok(parameters) => (parameters, None),
        Err(e) => {
            let remedy = "set ARGO_ATTEST_INPUT_PARAMETERS to \"{{inputs.parameters}}\"".into();
            let reason = format!("the input parameters cannot be used: {}", causes(&e));
            (None, Some(Unusable { reason, remedy }))
        }
    };
    let (witnesses, unusable, unsettled) = match args.witnesses.settings() {
        Ok(witnesses) => (witnesses, unusable, None),
        // No certificate counts then, and this is why.
        Err(failure) if args.keyless.is_asked() => (WitnessSettings::default(), unusable, Some(failure)),
        Err(failure) => (WitnessSettings::default(), Some(Unusable::from(&failure)), None),
    };
    // Whoever asked to sign without a key must not be signed for with one that happens to be there.
    let (key, unfit) = match unsettled.map_or_else(|| args.keyless.key(&witnesses), Err) {
        Ok(keyless) => (keyless.or(args.key).unwrap_or_else(super::mounted_key), None),
        Err(failure) => (super::mounted_key(), Some(failure)),
    };
    let refused = args.refused.or(unfit);
    let refused = refused.or_else(|| protected::check(&key, &[args.template.service_account_dir()]).err());
    let identity = args.pod.into();
    Settings {
        tracer: args.traces.tracer(ROOT, &identity),
        unusable,
        refused: refused.as_ref().map(Unusable::from),
        key,
        key_password_file: args.opened.key_password_file,
        key_id: args.opened.key_id,
        witnesses,
        builder_id: args.builder_id,
        all: args.all,
        attest_failed: args.attest_failed,
        placement: args.attestations.map(Where::into),
        store: args.store,
        plain_http: args.plain_http,
        metrics_listen: args.metrics_listen,
        form: args.mode.map(|mode| match mode {
            Mode::Native => Form::Native,
            Mode::Sidecar => Form::Plain,
        }),
        ready_timeout: args.ready_timeout,
        if_not_ready: match args.not_ready {
            NotReady::Run => IfNotReady::Run,
            NotReady::Fail => IfNotReady::Fail,
        },
        grace: grace(
            args.grace_period,
            std::env::var("ARGO_TERMINATION_GRACE_PERIOD_SECONDS").ok().as_deref(),
        ),
        termination_log: args.termination_log,
        argo_dir: args.argo_dir,
        secrets_dir: args.secrets_dir,
        evidence: args.evidence,
        parameters,
        identity,
        handed_over: args.template.handed_over(),
        least: args.template.least(),
    }
}

/// Argo tells wrapped containers what the pod has; it knows better than a default, and whoever
/// says it in so many words knows better still.
fn grace(given: Option<u64>, argo: Option<&str>) -> Duration {
    let argo = argo.and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(given.or(argo).unwrap_or(GRACE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_beats_what_argo_says() {
        for (given, argo, seconds) in [
            (None, None, 30),
            (None, Some("60"), 60),
            (Some(5), Some("60"), 5),
            (Some(5), None, 5),
            (None, Some(""), 30),
        ] {
            assert_eq!(grace(given, argo), Duration::from_secs(seconds), "{given:?}, {argo:?}");
        }
    }
}
