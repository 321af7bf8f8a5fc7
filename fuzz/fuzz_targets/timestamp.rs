//! Timestamps (RFC 3161): none proves another time.
#![no_main]

#[path = "../given.rs"]
mod given;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let token = given::encoded(bytes);
    let bundle = given::bundle(given::LOGGED, |material| {
        material["timestampVerificationData"]["rfc3161Timestamps"][0]["signedTimestamp"] = token.into();
    });
    if let Some(Ok(proof)) = bundle.map(|bundle| given::judged(&bundle)) {
        given::only_what_is(&proof);
    }
});
