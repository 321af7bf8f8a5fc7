//! What a registry sends: names, manifests and lists of what refers to one. What is read is
//! within its bounds, and a list that is added to can be read again.
#![no_main]

use argo_attest_core::image::{ImageReference, Manifest, NewReferrer, ReferrersIndex};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(name) = str::from_utf8(bytes).ok().and_then(|text| text.parse::<ImageReference>().ok()) {
        assert_eq!(
            name.to_string().parse::<ImageReference>().as_ref().map(ToString::to_string),
            Ok(name.to_string())
        );
    }
    if let Ok(manifest) = Manifest::read(bytes) {
        assert_ne!(manifest.image().is_some(), manifest.index().is_some());
        assert_eq!(manifest.kind().is_index(), manifest.index().is_some());
    }
    let Ok(list) = ReferrersIndex::read(bytes) else { return };
    let subject = Manifest::read(br#"{"schemaVersion":2,"manifests":[]}"#).unwrap().descriptor();
    let new = NewReferrer { subject: &subject, bundle: b"b", predicate_type: "t", created: None };
    let manifest = new.manifest();
    let digest = Manifest::read(&manifest).unwrap().digest();
    if let Ok(more) = ReferrersIndex::read(&list.with(&new, &manifest)) {
        assert!(more.lists(digest));
        assert!(more.candidates().count() > list.candidates().count());
    }
});
