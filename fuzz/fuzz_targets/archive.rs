//! Stored archives: bytes that nobody wrote are never what was digested, and a
//! packed output that has an inventory compares equal with it.
#![no_main]

use std::collections::BTreeMap;

use argo_attest_core::archive::{Expected, Format, Limits, Naming, Passed, compare, inventory};
use argo_attest_core::links::Links;
use argo_attest_core::relpath::RelPath;
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { entries: 1000, bytes: 1 << 24, names: 1 << 20 };

fuzz_target!(|bytes: &[u8]| {
    let naming = Naming::Beneath(b"out".to_vec());
    let digested = inventory(bytes, b"out", LIMITS);
    let (files, links, special) = match &digested {
        Ok(found) => (found.files.clone(), found.links.clone(), found.special.keys().cloned().collect()),
        Err(_) => (BTreeMap::new(), Links::default(), Vec::<RelPath>::new()),
    };
    let refused = special.into_iter().map(|path| (path, Passed::Special)).collect();
    let expected = Expected { naming, files, links, refused, directories: LIMITS.entries };
    let tar = compare(Format::TarGz, bytes, &expected).expect("memory can be read");
    if let Ok(found) = &digested {
        let links = found.links.iter().map(|(path, _)| path);
        let names = found.files.keys().chain(links).chain(found.special.keys());
        assert!(names.map(|name| name.as_bytes().len() as u64).sum::<u64>() <= LIMITS.names);
        assert!(tar.is_match(), "{:?}", tar.mismatch());
    }
    let _ = compare(Format::Zip, bytes, &expected).expect("memory can be read");
});
