//! in-toto statements and the provenance in them: bounds hold for what is read.
#![no_main]

use argo_attest::intoto::{MAX_SUBJECTS, Statement};
use argo_attest::slsa::Provenance;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = Statement::from_json(bytes) else { return };
    let subjects = statement.subjects();
    assert!((1..=MAX_SUBJECTS).contains(&subjects.len()));
    assert!(subjects.iter().all(|subject| !subject.digest.is_empty()));
    let _ = Provenance::from_predicate(statement.predicate());
});
