//! What the gate found of the step's inputs and its containers' images, as statements say it.

use std::collections::BTreeMap;
use std::path::Path;

use argo_attest_core::argo::Step;
use argo_attest_core::input_evidence::{ImageRecord, InvalidEvidence, Record};
use argo_attest_core::slsa::InputEvidence;
use argo_attest_core::text::brief;

use super::failed::{NotReady, not_ready};
use crate::gate::{EvidenceError, evidence};

const HELP: &str = "mount the evidence's volume only into the gate and the sidecar of one version";

/// What a gate left; nothing where there was none.
#[derive(Debug, Clone, Default)]
pub(super) struct Upstream {
    /// By the names of inputs.
    pub(super) inputs: BTreeMap<String, InputEvidence>,
    /// By the names of containers.
    pub(super) images: BTreeMap<String, InputEvidence>,
}

/// The evidence. What is not this step's must not be signed.
pub(super) fn read(directory: &Path, step: &Step) -> Result<Upstream, NotReady> {
    let unusable = |error: EvidenceError| not_ready(&error, HELP);
    let Some(found) = evidence::load(directory).map_err(unusable)? else {
        return Ok(Upstream::default());
    };
    let evidence_of = |record: &Record| InputEvidence {
        digest: record.digest.clone(),
        attestation: record.attestation.clone(),
    };
    let mut inputs = BTreeMap::new();
    for record in found.records() {
        if !step.inputs.iter().any(|input| input.name == record.name) {
            let name = brief(&record.name, 200);
            return Err(unusable(InvalidEvidence::Record { name, why: "the step has no such input" }.into()));
        }
        inputs.insert(record.name.clone(), evidence_of(record));
    }
    // Of sidecars and init containers, too, of which statements do not speak.
    let of_step = |name: &str| step.containers.iter().find(|container| container.name == name);
    let mut images = BTreeMap::new();
    for ImageRecord { image, found } in found.images() {
        let Some(container) = of_step(&found.name) else { continue };
        if !container.image.is_empty() && container.image != *image {
            let (name, why) = (brief(&found.name, 200), "the step has another");
            return Err(unusable(InvalidEvidence::Image { name, why }.into()));
        }
        images.insert(found.name.clone(), evidence_of(found));
    }
    Ok(Upstream { inputs, images })
}
