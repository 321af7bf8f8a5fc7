//! Which pod this is, as the downward API and Argo tell a container of it.

use argo_attest_core::contract::variable;
use argo_attest_core::slsa::PodIdentity;
use clap::Args;

/// Under which heading `--help` lists what is only recorded.
pub(super) const HEADING: &str = "Who this pod is (recorded)";

/// Who this pod is; from the downward API and Argo's own variables.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct PodArgs {
    /// The pod's name
    #[arg(long, value_name = "NAME", env = variable::POD_NAME)]
    pod_name: Option<String>,
    /// The pod's uid
    #[arg(long, value_name = "UID", env = variable::POD_UID)]
    pod_uid: Option<String>,
    /// The pod's namespace
    #[arg(long, value_name = "NS", env = variable::POD_NAMESPACE)]
    pod_namespace: Option<String>,
    /// The pod's service account
    #[arg(long, value_name = "NAME", env = variable::SERVICE_ACCOUNT)]
    service_account: Option<String>,
    /// Argo's name of the node (annotation workflows.argoproj.io/node-name)
    #[arg(long, value_name = "NAME", env = variable::NODE_NAME)]
    node_name: Option<String>,
    /// Argo's id of the node [default: what Argo itself says, in `ARGO_NODE_ID`]
    #[arg(long, value_name = "ID", env = variable::NODE_ID)]
    node_id: Option<String>,
    /// The workflow's name
    #[arg(long, value_name = "NAME", env = variable::WORKFLOW_NAME)]
    workflow_name: Option<String>,
    /// The workflow's uid
    #[arg(long, value_name = "UID", env = variable::WORKFLOW_UID)]
    workflow_uid: Option<String>,
}

impl From<PodArgs> for PodIdentity {
    fn from(pod: PodArgs) -> Self {
        // A variable that is set to nothing says nothing.
        let known = |value: Option<String>| value.filter(|value| !value.is_empty());
        Self {
            pod_name: known(pod.pod_name),
            pod_uid: known(pod.pod_uid),
            pod_namespace: known(pod.pod_namespace),
            service_account: known(pod.service_account),
            node_name: known(pod.node_name),
            node_id: known(pod.node_id).or_else(|| known(std::env::var("ARGO_NODE_ID").ok())),
            workflow_name: known(pod.workflow_name)
                .or_else(|| known(std::env::var("ARGO_WORKFLOW_NAME").ok())),
            workflow_uid: known(pod.workflow_uid),
        }
    }
}
