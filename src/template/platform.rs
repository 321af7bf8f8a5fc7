//! What the platform says of a step, beside its template's text.

use argo_attest_core::slsa::PodIdentity;

use super::TemplateSource;
use crate::cluster::Lookup;

/// What the platform gave to this container, in variables that no template can set
/// where the platform guards them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// The pod's spec, as `$ARGO_ATTEST_POD_SPEC` has it.
    pub pod_spec: Option<String>,
    /// The pod's annotation `argo-attest.io/attest`; empty if it has none.
    pub asked_attest: Option<String>,
    /// The pod's annotation `argo-attest.io/verify-inputs`; empty if it has none.
    pub asked_verify_inputs: Option<String>,
    /// The pod's annotation `argo-attest.io/verify-images`; empty if it has none.
    pub asked_verify_images: Option<String>,
}

/// All that a template's text can be compared with.
#[derive(Clone, Copy)]
pub struct Platform<'a> {
    /// What is here already.
    pub handed_over: &'a HandedOver,
    /// Which pod this is, and of which Workflow.
    pub identity: &'a PodIdentity,
    /// The API server, where there is one to be asked.
    pub cluster: Option<&'a dyn Lookup>,
    /// The least with which the text must have been compared.
    pub least: TemplateSource,
}
