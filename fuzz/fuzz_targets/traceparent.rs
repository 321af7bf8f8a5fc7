//! `TRACEPARENT`: what is read has one form, the one that it was read from.
#![no_main]

use argo_attest_core::trace_context::{InvalidTraceparent, TraceContext};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = text.parse::<TraceContext>();
    if let Ok(context) = read {
        let flags = &text[text.len() - 2..];
        assert_eq!(text, format!("00-{}-{}-{flags}", context.trace_id(), context.span_id()));
        assert_eq!(u8::from_str_radix(flags, 16).unwrap() & 1 == 1, context.is_sampled());
    }
    // Of zeros alone it is that that is wrong.
    let is_of_zeros = bytes.len() == 55 && (bytes[3..35] == [b'0'; 32] || bytes[36..52] == [b'0'; 16]);
    assert!(read != Err(InvalidTraceparent::Zero) || is_of_zeros);
});
