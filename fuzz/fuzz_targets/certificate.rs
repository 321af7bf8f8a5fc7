//! Certificates: whatever is read as one is for nobody but whom its authority issued it for.
#![no_main]

#[path = "../given.rs"]
mod given;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let der = given::encoded(bytes);
    // Without the log's entry, which holds the whole certificate: so its chain is looked at.
    let bundle = given::bundle(given::CERTIFIED, |material| {
        material["tlogEntries"] = serde_json::json!([]);
        material["certificate"]["rawBytes"] = der.into();
    });
    if let Some(judged) = bundle.and_then(|bundle| given::certified(&bundle)) {
        // The trusted root has logs, and none is shown.
        judged.unwrap_err();
    }
});
