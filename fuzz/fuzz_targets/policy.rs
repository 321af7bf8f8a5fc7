//! Policy files: no document makes the reader hang, nor one be accepted that
//! lists no key.
#![no_main]

use std::path::Path;

use argo_attest_core::keys::{InvalidKey, PublicKey};
use argo_attest_core::policy::Policy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let load = |_: &Path| -> Result<_, InvalidKey> {
        PublicKey::from_spki_pem(include_bytes!("../keys/ed25519.pub"))
    };
    if let Ok(policy) = Policy::from_yaml(bytes, load) {
        assert!(!policy.keys().is_empty());
    }
});
