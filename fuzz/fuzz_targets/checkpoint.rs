//! Checkpoints: none but the log's own makes an entry one that is in it.
#![no_main]

#[path = "../given.rs"]
mod given;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(note) = std::str::from_utf8(bytes) else { return };
    let bundle = given::bundle(given::LOGGED, |material| {
        material["tlogEntries"][0]["inclusionProof"]["checkpoint"]["envelope"] = note.into();
    });
    if let Some(Ok(proof)) = bundle.map(|bundle| given::judged(&bundle)) {
        given::only_what_is(&proof);
    }
});
