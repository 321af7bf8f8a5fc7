//! What a deployment can set. All of it has a default that fits an Argo pod.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use argo_attest_core::argo::{Parameters, Placement, TemplateSource};
use argo_attest_core::keys::KeyId;
use argo_attest_core::slsa::PodIdentity;

use super::named::NamedStore;
use crate::signer::SigningKey;
use crate::telemetry::Tracer;
use crate::template::HandedOver;
use crate::witness::WitnessSettings;

/// How the container was put into the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An `initContainers` entry with `restartPolicy: Always`: SIGTERM comes when
    /// main and Argo's own upload have ended, and the exit code means nothing.
    Native,
    /// A `sidecars` entry: SIGTERM comes when main ends, before or while Argo
    /// uploads, and an exit code other than 0 fails the step.
    Plain,
}

impl Form {
    /// As statements name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Plain => "sidecar",
        }
    }
}

/// What becomes of a step that cannot be attested, as far as that is known before main starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfNotReady {
    /// It runs, and everybody is told.
    Run,
    /// It fails: an init container that asks the sidecar ends with an error.
    Fail,
}

/// The sidecar's settings, read and validated before anything starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The private key, usually in a mounted Secret.
    pub key: SigningKey,
    /// The file with its password, if it is encrypted and that is named.
    pub key_password_file: Option<PathBuf>,
    /// The one key that may sign, if it is said.
    pub key_id: Option<KeyId>,
    /// Who is asked to vouch for what is signed.
    pub witnesses: WitnessSettings,
    /// URI under which the builder is known.
    pub builder_id: String,
    /// Attest steps that did not ask for it, too.
    pub all: bool,
    /// Attest what a failed main left, too.
    pub attest_failed: bool,
    /// Where attestations of outputs lie, if the step does not say; `None`: as it is best for
    /// each.
    pub placement: Option<Placement>,
    /// Where attestations go whose output's own store cannot be asked, and the step's outcome;
    /// `None`: the former nowhere, the latter beneath the step's own prefix.
    pub store: Option<NamedStore>,
    /// Whether registries are asked without TLS.
    pub plain_http: bool,
    /// What keeps spans, where somebody wants them.
    pub tracer: Tracer,
    /// Where Prometheus may ask.
    pub metrics_listen: Option<SocketAddr>,
    /// `None`: native where `ARGO_TEMPLATE` is in the environment, which Argo
    /// gives to init containers only.
    pub form: Option<Form>,
    /// How long main may be held, in the native form.
    pub ready_timeout: Duration,
    /// What becomes of main if not all is ready.
    pub if_not_ready: IfNotReady,
    /// The pod's grace period, counted from SIGTERM.
    pub grace: Duration,
    /// The termination message's file.
    pub termination_log: PathBuf,
    /// Argo's shared directory, `/var/run/argo`.
    pub argo_dir: PathBuf,
    /// Where Secrets are mounted as Argo itself has them, `/argo/secret`.
    pub secrets_dir: PathBuf,
    /// Where the gate left what it found of the inputs, if there was one.
    pub evidence: PathBuf,
    /// The step's parameters, where the template passes them.
    pub parameters: Option<Parameters>,
    /// Who this pod is, as far as it is known.
    pub identity: PodIdentity,
    /// What the platform says of the step, beside its template's text.
    pub handed_over: HandedOver,
    /// The least with which the template's text must have been compared.
    pub least: TemplateSource,
    /// What else was set, and cannot be used. It is told where the reason can be
    /// read: a native sidecar that just ended would be started again and again.
    pub unusable: Option<Unusable>,
    /// What was set that must not be used: a key where something else is meant, or in a place
    /// that is sent to others. Then nothing is read, signed or asked.
    pub refused: Option<Unusable>,
}

/// A setting that makes attesting impossible.
#[derive(Debug, Clone)]
pub struct Unusable {
    /// Which one, and why.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}
