//! The gate's evidence: what is accepted is written in one form, which reads back.
#![no_main]

use argo_attest_core::input_evidence::{Evidence, Finding};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(evidence) = Evidence::from_json(bytes) else { return };
    let json = evidence.to_json().unwrap();
    assert_eq!(Evidence::from_json(&json).unwrap(), evidence);
    for record in evidence.records() {
        assert_eq!(record.finding == Finding::Accepted, record.attestation.is_some());
    }
});
