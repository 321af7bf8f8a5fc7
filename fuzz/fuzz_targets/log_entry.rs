//! Entries of a log: none proves another place, another time or another log.
#![no_main]

#[path = "../given.rs"]
mod given;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(entry) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let bundle =
        given::bundle(given::LOGGED, |material| material["tlogEntries"] = serde_json::json!([entry]));
    if let Some(Ok(proof)) = bundle.map(|bundle| given::judged(&bundle)) {
        given::only_what_is(&proof);
    }
});
