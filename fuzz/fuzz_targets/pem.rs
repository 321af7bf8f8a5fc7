//! Keys as PEM: one that is read is written as a form that gives the same key,
//! and an error repeats nothing of the input.
#![no_main]

use argo_attest_core::keys::{PrivateKey, PublicKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match PrivateKey::from_pem(bytes) {
        Ok(key) => {
            let again = PrivateKey::from_pem(key.to_pkcs8_pem().as_bytes()).unwrap();
            assert_eq!(again.public().key_id(), key.public().key_id());
            key.public().verify(b"message", again.sign(b"message").as_bytes()).unwrap();
        }
        Err(error) => {
            let said = format!("{error} {error:?}");
            assert!(!bytes.split(|b| *b == b'\n').any(|line| is_key_material(line) && contains(&said, line)));
        }
    }
    if let Ok(key) = PublicKey::from_spki_pem(bytes) {
        assert_eq!(PublicKey::from_spki_pem(key.to_spki_pem().as_bytes()).unwrap().key_id(), key.key_id());
    }
});

/// A line of base64, and not one of the words that an error is made of.
fn is_key_material(line: &[u8]) -> bool {
    line.len() >= 40 && line.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b))
}

fn contains(said: &str, line: &[u8]) -> bool {
    said.as_bytes().windows(line.len()).any(|window| window == line)
}
