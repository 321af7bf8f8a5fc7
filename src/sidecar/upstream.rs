//! What the gate found of the step's inputs, as statements say it.

use std::collections::BTreeMap;
use std::path::Path;

use argo_attest_core::argo::Step;
use argo_attest_core::input_evidence::InvalidEvidence;
use argo_attest_core::slsa::InputEvidence;
use argo_attest_core::text::brief;

use super::failed::{NotReady, not_ready};
use crate::gate::{EvidenceError, evidence};

const HELP: &str = "mount the evidence's volume only into the gate and the sidecar of one version";

/// The evidence by input; empty where no gate left any. Evidence that is not this
/// step's must not be signed.
pub(super) fn read(directory: &Path, step: &Step) -> Result<BTreeMap<String, InputEvidence>, NotReady> {
    let unusable = |error: EvidenceError| not_ready(&error, HELP);
    let Some(found) = evidence::load(directory).map_err(unusable)? else {
        return Ok(BTreeMap::new());
    };
    let mut inputs = BTreeMap::new();
    for record in found.records() {
        if !step.inputs.iter().any(|input| input.name == record.name) {
            let name = brief(&record.name, 200);
            return Err(unusable(InvalidEvidence::Record { name, why: "the step has no such input" }.into()));
        }
        let attestation = record.attestation.clone();
        inputs.insert(record.name.clone(), InputEvidence { digest: record.digest.clone(), attestation });
    }
    Ok(inputs)
}
