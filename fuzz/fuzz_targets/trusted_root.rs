//! Trusted roots: what is read believes nobody whom the whole one does not.
#![no_main]

#[path = "../given.rs"]
mod given;

use argo_attest_core::dsse::Effort;
use argo_attest_core::keys::PublicKey;
use argo_attest_core::proof::{Claim, TrustedRoot, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(root) = TrustedRoot::read(bytes) else { return };
    let bundle = given::bundle(given::LOGGED, |_| ()).unwrap();
    let key = PublicKey::from_spki_pem(include_bytes!("../../tests/fixtures/sigstore/own/key.pub")).unwrap();
    let keys = [&key];
    let valid = bundle.envelope().verify(&keys).unwrap();
    let claim = Claim::of(&valid);
    let _ = judge(
        bundle.evidence(),
        &claim,
        &root,
        "2026-11-30T00:00:00Z".parse().unwrap(),
        &mut Effort::default(),
    );
});
