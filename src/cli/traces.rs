//! Where what lives in a pod sends its spans.

use argo_attest_core::contract::{opentelemetry, variable};
use argo_attest_core::slsa::PodIdentity;
use argo_attest_core::text::causes;
use clap::Args;
use tracing::warn;

use super::witness::{Address, address};
use crate::store::{Env as _, ProcessEnv};
use crate::telemetry::{Target, Tracer};

/// Options of all that lives in a pod.
#[derive(Debug, Clone, Args)]
pub(super) struct TraceArgs {
    /// OpenTelemetry collector that spans are sent to when all is done, by OTLP over HTTP: its address, to which
    /// /v1/traces is added [default: what `OTEL_EXPORTER_OTLP_ENDPOINT` says, else none]
    #[arg(long, value_name = "URL", env = variable::OTLP_ENDPOINT)]
    otlp_endpoint: Option<Address>,
}

impl TraceArgs {
    /// Keeps spans beneath one of this name, in the trace that asked for the work. What is amiss is a warning:
    /// nothing hangs on spans.
    pub(super) fn tracer(&self, root: &'static str, identity: &PodIdentity) -> Tracer {
        let mut target = match self.target() {
            Ok(Some(target)) => target,
            Ok(None) => return Tracer::default(),
            Err(why) => {
                warn!(why, "no spans are sent");
                return Tracer::default();
            }
        };
        let PodIdentity { pod_name, pod_uid, pod_namespace, .. } = identity;
        for (name, known) in
            [("k8s.namespace.name", pod_namespace), ("k8s.pod.name", pod_name), ("k8s.pod.uid", pod_uid)]
        {
            if let Some(text) = known {
                target.describe(name, text);
            }
        }
        // One that is none was told of when the log began.
        let parent = ProcessEnv.var(opentelemetry::TRACEPARENT).and_then(|text| text.to_str()?.parse().ok());
        let tracer = Tracer::new(target, parent, root);
        let PodIdentity { node_name, node_id, workflow_name, workflow_uid, .. } = identity;
        for (name, known) in [
            ("argo.workflow.name", workflow_name),
            ("argo.workflow.uid", workflow_uid),
            ("argo.node.name", node_name),
            ("argo.node.id", node_id),
        ] {
            if let Some(text) = known {
                tracer.say(name, text.as_str());
            }
        }
        tracer
    }

    fn target(&self) -> Result<Option<Target>, String> {
        let given = address("--otlp-endpoint", self.otlp_endpoint.as_ref());
        let given = given.map_err(|why| why.message().to_owned())?;
        Target::from_env(given.as_ref(), &ProcessEnv).map_err(|why| causes(&why))
    }
}
