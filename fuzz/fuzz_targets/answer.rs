//! Answers of logs and timestamp authorities: none makes anything believed but what is so.
#![no_main]

#[path = "../given.rs"]
mod given;

use argo_attest_core::proof::asking::{Rekor1, Rekor2};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let words = [Rekor1::answer(bytes), Rekor2::answer(bytes)];
    for word in words.into_iter().filter_map(Result::ok) {
        given::only_if_so(word);
    }
    given::never_an_answer(bytes);
});
