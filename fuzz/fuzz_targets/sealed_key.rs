//! Keys under a password: whatever the file says that it costs to open is bounded, an error repeats
//! nothing of it, and what opens is a key that signs.
#![no_main]

#[path = "../said.rs"]
mod said;

use argo_attest_core::keys::PrivateKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match PrivateKey::from_pem_with(bytes, b"fuzz") {
        Ok(key) => {
            let again = PrivateKey::from_pem(key.to_pkcs8_pem().as_bytes()).unwrap();
            key.public().verify(b"message", again.sign(b"message").as_bytes()).unwrap();
        }
        Err(error) => said::nothing_of_a_key(&error),
    }
});
