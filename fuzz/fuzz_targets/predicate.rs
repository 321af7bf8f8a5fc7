//! The annotation that says which files of a step are signed as what, and such a file: the input is
//! both, parted by NUL. What is signed is the document's own text, under no type of a builder's.
#![no_main]

use argo_attest_core::argo::Predicates;
use argo_attest_core::predicate::{Document, MAX_DOCUMENT, is_label};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, document) = bytes.split_at(at);
    let document = document.get(1..).unwrap_or_default();
    let Ok(predicates) = String::from_utf8_lossy(text).parse::<Predicates>() else { return };
    for report in predicates.iter() {
        assert!(!report.kind.as_str().starts_with("https://slsa.dev/"), "{}", report.kind);
        assert!(is_label(&report.kind.label()));
        let Ok(read) = Document::read(&report.kind, document) else { continue };
        assert!(document.len() <= MAX_DOCUMENT);
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(written.as_bytes(), document.trim_ascii());
    }
});
