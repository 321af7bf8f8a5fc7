//! Why a template's text is not to be acted on.

use argo_attest_core::argo::pod::{HandedOverError, LivePodError, PodDifference};
use argo_attest_core::argo::workflow::{WorkflowDifference, WorkflowError};
use argo_attest_core::argo::{AnnotationError, TemplateError};
use argo_attest_core::text::causes;
use argo_attest_core::trouble::{Fault, Trouble};

use super::TemplateSource;
use crate::cluster::ClusterError;

/// Nothing of the text may be attested, checked or said.
#[derive(Debug, thiserror::Error)]
pub enum Unestablished {
    /// Argo's own encoder cannot have written it.
    #[error(transparent)]
    Text(#[from] TemplateError),
    /// It is not clear what was asked for.
    #[error(transparent)]
    Asked(#[from] AnnotationError),
    /// What was handed over is no pod's spec.
    #[error(transparent)]
    HandedOver(#[from] HandedOverError),
    /// The pod, as the admission policy handed it over, says something else.
    #[error("the step's template is not what its pod runs")]
    HandedOverPod(#[source] PodDifference),
    /// The pod, as the API server has it, says something else.
    #[error("the step's template is not what its pod runs, as the API server has it")]
    LivePod(#[source] PodDifference),
    /// The Workflow says something else.
    #[error("the step's template is not the one of its Workflow")]
    Workflow(#[from] WorkflowDifference),
    /// The Workflow was had, and cannot be compared with: whoever gives values may be the
    /// reason.
    #[error("the step's template cannot be compared with its Workflow")]
    Incomparable(#[source] WorkflowError),
    /// The pod or the Workflow is not the one that it should be.
    #[error("the API server has another {what} than this container was told: {there}, not {here}")]
    Other {
        /// What is another one.
        what: &'static str,
        /// What the API server has, fit to be shown.
        there: String,
        /// What we were told, fit to be shown.
        here: String,
    },
    /// It was compared with less than was asked for.
    #[error("the step's template was compared with {}, and has to be with {}: {why}", compared(*.got), named(*.least))]
    TooLittle {
        /// The least that is asked for.
        least: TemplateSource,
        /// What it was.
        got: TemplateSource,
        /// Why not with more.
        why: String,
    },
}

fn named(source: TemplateSource) -> &'static str {
    match source {
        TemplateSource::Text => "nothing else",
        TemplateSource::Pod => "its pod",
        TemplateSource::Workflow => "its Workflow",
    }
}

fn compared(got: TemplateSource) -> &'static str {
    match got {
        TemplateSource::Pod => "its pod only",
        other => named(other),
    }
}

impl Trouble for Unestablished {
    fn fault(&self) -> Fault {
        Fault::Malformed
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Text(error) => return error.remedy(),
            Self::Asked(error) => return error.remedy(),
            Self::HandedOver(HandedOverError::TooLarge) => {
                "put long arguments into a script, or let the service account get its own pod".into()
            }
            Self::HandedOver(_) => "use the admission policy of this version".into(),
            Self::HandedOverPod(difference) | Self::LivePod(difference) => return difference.remedy(),
            Self::Workflow(difference) => return difference.remedy(),
            Self::Incomparable(error) => return error.remedy(),
            Self::Other { .. } => "take pod and workflow from the downward API, as docs/sidecar.md has it".into(),
            Self::TooLittle { least: TemplateSource::Workflow, .. } => {
                "let the service account get workflows.argoproj.io, or ask for less with --template-source".into()
            }
            Self::TooLittle { .. } => {
                "let the service account get its own pod, or the admission policy hand it over, or ask for less with --template-source".into()
            }
        })
    }
}

/// Why the API server's word on something was not had.
#[derive(Debug, thiserror::Error)]
pub enum NotCompared {
    /// There is no API server to be asked.
    #[error("there is no API server to be asked")]
    Nobody,
    /// It is not known what to ask for.
    #[error("{0} is not known")]
    Unknown(&'static str),
    /// It said no, or nothing.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// What it said is no pod.
    #[error(transparent)]
    Pod(#[from] LivePodError),
    /// What it said cannot be used.
    #[error(transparent)]
    Workflow(#[from] WorkflowError),
    /// The work on it did not come to its end.
    #[error("what the API server answered could not be read")]
    Ended(#[from] tokio::task::JoinError),
}

impl NotCompared {
    /// Whether the same question may have another answer in a moment, for which it is
    /// worth to wait if `needed`.
    pub(super) fn may_pass(&self, needed: bool) -> bool {
        match self {
            Self::Workflow(_) => self.is_not_yet(),
            Self::Cluster(error) => needed && error.is_passing(),
            _ => false,
        }
    }

    /// Whether the controller has not stored the node yet.
    pub(super) fn is_not_yet(&self) -> bool {
        matches!(self, Self::Workflow(error) if error.is_not_yet())
    }

    /// All of it, on one line.
    pub(super) fn told(&self) -> String {
        causes(self)
    }
}
