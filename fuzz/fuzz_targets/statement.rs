//! in-toto statements, the provenance in them, and the attestations that it names:
//! bounds hold for what is read.
#![no_main]

use argo_attest_core::intoto::{MAX_SUBJECTS, Statement};
use argo_attest_core::slsa::{AttestationRef, Provenance};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = Statement::from_json(bytes) else { return };
    let subjects = statement.subjects();
    assert!((1..=MAX_SUBJECTS).contains(&subjects.len()));
    assert!(subjects.iter().all(|subject| !subject.digest.is_empty()));
    let Ok(provenance) = Provenance::from_predicate(statement.predicate()) else { return };
    for dependency in &provenance.build_definition.resolved_dependencies {
        if let Ok(Some(reference)) = AttestationRef::of(dependency) {
            assert!(!reference.uri.is_empty() && !dependency.digest.is_empty());
        }
    }
});
