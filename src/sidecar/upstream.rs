//! What the gate found of the step's inputs, as statements say it.

use std::collections::BTreeMap;
use std::path::Path;

use super::preparation::{NotReady, not_ready};
use crate::argo::Step;
use crate::gate::{Evidence, EvidenceError};
use crate::outcome::brief;
use crate::slsa::InputEvidence;

const HELP: &str = "mount the evidence's volume only into the gate and the sidecar of one version";

/// The evidence by input; empty where no gate left any. Evidence that is not this
/// step's must not be signed.
pub(super) fn read(directory: &Path, step: &Step) -> Result<BTreeMap<String, InputEvidence>, NotReady> {
    let unusable = |error: EvidenceError| not_ready(&error, HELP);
    let Some(evidence) = Evidence::load(directory).map_err(unusable)? else {
        return Ok(BTreeMap::new());
    };
    let mut inputs = BTreeMap::new();
    for record in evidence.records() {
        if !step.inputs.iter().any(|input| input.name == record.name) {
            let name = brief(&record.name, 200);
            return Err(unusable(EvidenceError::Record { name, why: "the step has no such input" }));
        }
        let attestation = record.attestation.as_ref().map(|a| (a.uri.clone(), a.sha256));
        inputs.insert(record.name.clone(), InputEvidence { digest: record.digest.clone(), attestation });
    }
    Ok(inputs)
}
