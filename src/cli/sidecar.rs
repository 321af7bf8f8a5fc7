//! `argo-attest sidecar`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use argo_attest_core::argo::Parameters;
use argo_attest_core::contract::{place, variable};
use argo_attest_core::text::causes;
use clap::{Args, ValueEnum};

use super::place::Where;
use super::pod::{self, PodArgs};
use super::template::TemplateArgs;
use super::{Exit, Failure, protected};
use crate::sidecar::{End, Form, Settings, Signals, Unusable};
use crate::signer::KeySource;
use crate::store::ProcessEnv;
use crate::telemetry::{Metrics, serve};

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
        help = "Private key to sign with, PKCS#8 PEM: a file, or env://NAME for a variable",
        value_name = "FILE",
        env = variable::KEY,
        default_value = place::KEY_FILE,
        value_parser = super::key_source()
    )]
    key: KeySource,
    /// Under which id this builder is known
    #[arg(long, value_name = "URI", env = variable::BUILDER_ID, value_parser = super::builder_id)]
    builder_id: String,
    /// Attest steps that do not ask for it, too
    #[arg(long, env = variable::ALL)]
    all: bool,
    /// Attest what a failed main left, too
    #[arg(long, env = variable::ATTEST_FAILED)]
    attest_failed: bool,
    /// Where attestations of outputs lie: beside their objects, or apart from them, beneath
    /// .attestations/ [default: beside, but apart for the keyed outputs of a fan-out]
    #[arg(long, value_name = "WHERE", env = variable::ATTESTATIONS)]
    attestations: Option<Where>,
    /// Serve Prometheus metrics at /metrics of this address
    #[arg(long, value_name = "ADDR", env = variable::METRICS_LISTEN)]
    metrics_listen: Option<SocketAddr>,
    /// How this container is declared [default: native if `ARGO_TEMPLATE` is set]
    #[arg(long, value_name = "MODE", env = variable::MODE)]
    mode: Option<Mode>,
    /// The pod's terminationGracePeriodSeconds, of which two seconds are kept to report
    #[arg(long, value_name = "SECONDS", env = variable::GRACE_PERIOD, default_value_t = 30)]
    grace_period: u64,
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

/// How the container is declared.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Mode {
    /// An initContainers entry with restartPolicy: Always
    Native,
    /// A sidecars entry
    Sidecar,
}

impl From<&Failure> for Unusable {
    fn from(failure: &Failure) -> Self {
        Self { reason: failure.message().to_owned(), remedy: failure.help().unwrap_or_default().to_owned() }
    }
}

/// Lives the step through.
pub(super) async fn sidecar(args: SidecarArgs) -> Result<Exit, Failure> {
    // First of all: a main that is short may have ended by now.
    let signals =
        Signals::listen().map_err(|e| Failure::new(Exit::Io, format!("cannot listen for signals: {e}")))?;
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
    let refused =
        args.refused.or_else(|| protected::check(&args.key, &[args.template.service_account_dir()]).err());
    let unusable = refused.as_ref().map(Unusable::from).or(unusable);
    // Argo tells wrapped containers what the pod has; it knows better than a default.
    let grace = std::env::var("ARGO_TERMINATION_GRACE_PERIOD_SECONDS").ok().and_then(|s| s.parse().ok());
    Settings {
        unusable,
        key: args.key,
        builder_id: args.builder_id,
        all: args.all,
        attest_failed: args.attest_failed,
        placement: args.attestations.map(Where::into),
        metrics_listen: args.metrics_listen,
        form: args.mode.map(|mode| match mode {
            Mode::Native => Form::Native,
            Mode::Sidecar => Form::Plain,
        }),
        grace: Duration::from_secs(grace.unwrap_or(args.grace_period)),
        termination_log: args.termination_log,
        argo_dir: args.argo_dir,
        secrets_dir: args.secrets_dir,
        evidence: args.evidence,
        parameters,
        identity: args.pod.into(),
        handed_over: args.template.handed_over(),
        least: args.template.least(),
    }
}
