//! Answers of Fulcio, and identity tokens: no certificate is taken but the one that was issued, for whom it is.
#![no_main]

#[path = "../given.rs"]
mod given;

use argo_attest_core::proof::asking::IdentityToken;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = std::str::from_utf8(bytes).map(IdentityToken::read)
        && let Ok(token) = read
    {
        assert!(!token.issuer().is_empty());
    }
    given::only_what_was_issued(bytes);
});
