//! Keys as PEM: one that is read is written as a form that gives the same key,
//! and an error repeats nothing of the input.
#![no_main]

#[path = "../said.rs"]
mod said;

use argo_attest_core::keys::{PrivateKey, PublicKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match PrivateKey::from_pem(bytes) {
        Ok(key) => {
            let again = PrivateKey::from_pem(key.to_pkcs8_pem().as_bytes()).unwrap();
            assert_eq!(again.public().key_id(), key.public().key_id());
            key.public().verify(b"message", again.sign(b"message").as_bytes()).unwrap();
        }
        Err(error) => said::nothing_of_a_key(&error),
    }
    if let Ok(key) = PublicKey::from_spki_pem(bytes) {
        assert_eq!(PublicKey::from_spki_pem(key.to_spki_pem().as_bytes()).unwrap().key_id(), key.key_id());
    }
});
