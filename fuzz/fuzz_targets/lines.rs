//! JSON lines of envelopes: one that is there already is not added again, and
//! adding one leaves lines that can be read.
#![no_main]

use std::num::NonZeroUsize;

use argo_attest_core::bundle::lines;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(envelopes) = lines::parse(bytes) else { return };
    let Some(last) = envelopes.last() else { return };
    let keep = NonZeroUsize::new(4).unwrap();
    let Ok(once) = lines::append(bytes, last, keep) else { return };
    assert!(!lines::parse(&once).unwrap().is_empty());
    assert_eq!(lines::append(&once, last, keep).unwrap(), once);
});
