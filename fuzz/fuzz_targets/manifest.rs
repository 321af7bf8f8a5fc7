//! Manifests: there is one way to write what was read, so that the bytes under
//! the hash and the entries say the same.
#![no_main]

use std::collections::BTreeMap;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::manifest::{Files, Manifest, Reader};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut reader = Reader::new(bytes);
    let mut files = BTreeMap::new();
    loop {
        match reader.next_entry() {
            Ok(Some((path, digest))) => assert!(files.insert(path, digest).is_none()),
            Ok(None) => break,
            Err(_) => return,
        }
    }
    let manifest = Manifest::of(&Files::from(&files));
    assert_eq!(manifest.chunks().collect::<Vec<_>>().concat(), bytes);
    assert_eq!((manifest.size(), manifest.digest()), (bytes.len() as u64, Sha256Digest::of(bytes)));
    assert_eq!(reader.finish().unwrap().to_string(), Sha256Digest::of(bytes).to_string());
});
