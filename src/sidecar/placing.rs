//! Where the attestation of an output is put.

use argo_attest_core::argo::{Placement, Plan, is_fan_out};

use super::settings::Settings;

/// What the step asks for, else what the deployment has set, else what is best: apart, if
/// many nodes of one step put their outputs under keys of the template's own. Such keys have a
/// prefix in common, and the next step takes the prefix.
///
/// The node's name decides, an annotation that Argo's controller sets. If it is not known or
/// not true, all that is at stake is where the attestation lies: it is looked for in both places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placing {
    asked: Option<Placement>,
    fan_out: bool,
}

impl Placing {
    pub(super) fn new(asked: Option<Placement>, settings: &Settings) -> Self {
        let node = settings.identity.node_name.as_deref().unwrap_or_default();
        Self { asked: asked.or(settings.placement), fan_out: is_fan_out(node) }
    }

    pub(super) fn of(self, plan: &Plan) -> Placement {
        let best = if self.fan_out && plan.own_key { Placement::Apart } else { Placement::Beside };
        self.asked.unwrap_or(best)
    }
}
