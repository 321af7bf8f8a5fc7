//! Files of anybody's attestations: what is found can be shown, is within its bounds, and is
//! signed by nobody whose key does not exist.
#![no_main]

use argo_attest_core::attestation_file::{AttestationFile, Found, MAX_ITEMS, MAX_NAMED};
use argo_attest_core::intoto::Statement;
use argo_attest_core::keys::PublicKey;
use argo_attest_core::slsa::Provenance;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = AttestationFile::read(bytes) else { return };
    assert!((1..=MAX_ITEMS).contains(&file.items().len()));
    assert!(file.passed_over().len() <= MAX_NAMED);
    let key = PublicKey::from_spki_pem(include_bytes!("../keys/ed25519.pub")).unwrap();
    for item in file.items() {
        assert!(!item.found.form().is_empty());
        let Found::Attestation(signed) = &item.found else { continue };
        assert!(signed.content.verify(&[&key]).is_err());
        let Ok(statement) = Statement::from_json(signed.content.unverified_payload()) else { continue };
        let _ = Provenance::of_type(statement.predicate_type(), statement.predicate());
    }
});
