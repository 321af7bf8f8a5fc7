//! What a step's template is compared with: the same for the sidecar and the gate.

use std::path::{Path, PathBuf};

use argo_attest_core::argo::TemplateSource;
use argo_attest_core::contract::{place, variable};
use argo_attest_core::slsa::PodIdentity;
use clap::{Args, ValueEnum};

use crate::cluster::ApiServer;
use crate::store::ProcessEnv;
use crate::template::HandedOver;

/// What the platform gives to compare the template with.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "What the step's template is compared with")]
pub(super) struct TemplateArgs {
    /// The least with which the template must have been compared; less is refused
    #[arg(long, value_name = "LEAST", env = variable::TEMPLATE_SOURCE, default_value = "text")]
    template_source: Least,
    /// Where a service account is mounted, to read the step's Workflow and pod, and to annotate the
    /// pod
    #[arg(long, value_name = "DIR", env = variable::SERVICE_ACCOUNT_DIR, default_value = place::SERVICE_ACCOUNT)]
    service_account_dir: PathBuf,
    /// The pod's spec, as the admission policy writes it
    #[arg(long, value_name = "TEXT", env = variable::POD_SPEC, hide = true)]
    pod_spec: Option<String>,
    /// The pod's annotation argo-attest.io/attest; empty if it has none
    #[arg(long, value_name = "TEXT", env = variable::ASKED_ATTEST, hide = true)]
    asked_attest: Option<String>,
    /// The pod's annotation argo-attest.io/verify-inputs; empty if it has none
    #[arg(long, value_name = "TEXT", env = variable::ASKED_VERIFY_INPUTS, hide = true)]
    asked_verify_inputs: Option<String>,
    /// The pod's annotation argo-attest.io/verify-images; empty if it has none
    #[arg(long, value_name = "TEXT", env = variable::ASKED_VERIFY_IMAGES, hide = true)]
    asked_verify_images: Option<String>,
}

/// See [`TemplateSource`].
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Least {
    /// The Workflow, as it is stored
    Workflow,
    /// The pod's own spec
    Pod,
    /// Nothing but the text itself
    Text,
}

impl TemplateArgs {
    /// The least with which the template must have been compared.
    pub(super) fn least(&self) -> TemplateSource {
        match self.template_source {
            Least::Workflow => TemplateSource::Workflow,
            Least::Pod => TemplateSource::Pod,
            Least::Text => TemplateSource::Text,
        }
    }

    /// What the platform gave to this container.
    pub(super) fn handed_over(&self) -> HandedOver {
        HandedOver {
            pod_spec: self.pod_spec.clone(),
            asked_attest: self.asked_attest.clone(),
            asked_verify_inputs: self.asked_verify_inputs.clone(),
            asked_verify_images: self.asked_verify_images.clone(),
        }
    }

    /// Where the service account is mounted.
    pub(super) fn service_account_dir(&self) -> &Path {
        &self.service_account_dir
    }

    /// The API server that the environment names, if it does.
    pub(super) fn api_server(&self, pod: &PodIdentity) -> Option<ApiServer> {
        ApiServer::from_env(&ProcessEnv, &self.service_account_dir, pod)
    }
}
