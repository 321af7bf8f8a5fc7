//! Sigstore bundles: what is read is written in one form, which reads back.
#![no_main]

use argo_attest_core::bundle::Bundle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(bundle) = Bundle::whole(bytes) else { return };
    let written = bundle.to_json();
    let again = Bundle::whole(&written).unwrap();
    assert_eq!(again.to_json(), written);
    assert_eq!(again.envelope().to_json(), bundle.envelope().to_json());
});
