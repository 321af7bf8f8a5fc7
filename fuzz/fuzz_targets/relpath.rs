//! Subject names: what is accepted has one printable form, which reads back.
#![no_main]

use argo_attest_core::relpath::{RelPath, printable};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let shown = printable(bytes);
    assert!(!shown.contains(char::is_control), "{shown:?}");
    if let Ok(path) = RelPath::from_bytes(bytes) {
        let escaped = path.escaped();
        assert_eq!(RelPath::from_escaped(&escaped).unwrap(), path);
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(path) = RelPath::from_escaped(text)
    {
        assert!(path.components().all(|c| !matches!(c, b"" | b"." | b"..")));
        assert_eq!(RelPath::from_escaped(&path.escaped()).unwrap(), path);
    }
});
