//! DSSE envelopes: what is read is written in one form, and never verifies.
#![no_main]

use std::sync::LazyLock;

use argo_attest_core::dsse::Envelope;
use argo_attest_core::keys::PublicKey;
use libfuzzer_sys::fuzz_target;

// The private halves were thrown away: no input can be signed by them.
static KEYS: LazyLock<[PublicKey; 2]> = LazyLock::new(|| {
    [
        PublicKey::from_spki_pem(include_bytes!("../keys/ed25519.pub")).unwrap(),
        PublicKey::from_spki_pem(include_bytes!("../keys/ecdsa-p256.pub")).unwrap(),
    ]
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(envelope) = Envelope::from_json(bytes) else { return };
    let written = envelope.to_json();
    let again = Envelope::from_json(&written).unwrap();
    assert_eq!(again.to_json(), written);
    assert_eq!(again.unverified_payload(), envelope.unverified_payload());
    let [ed25519, p256] = &*KEYS;
    envelope.verify(&[ed25519, p256]).unwrap_err();
});
