//! A tar that may hold images. Whatever is found is there with all that it reaches, by digests
//! of the tar's own bytes, and is called by what no file is called.
#![no_main]

use argo_attest_core::archive::{GZIP, tar_files};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::layout::{
    Entries, Found, ImageTar, TAR_LIMITS, WrittenImages, images, is_image, may_be_image_tar, only, subjects,
};
use argo_attest_core::relpath::RelPath;
use libfuzzer_sys::fuzz_target;

fn holds(tar: &ImageTar, digest: Sha256Digest) -> bool {
    let path = RelPath::from_bytes(format!("blobs/sha256/{digest}").as_bytes()).unwrap();
    tar.blob(&path).is_some_and(|blob| blob.digest == digest)
}

fuzz_target!(|bytes: &[u8]| {
    let _ = may_be_image_tar(bytes);
    let Ok(files) = tar_files(bytes.starts_with(&GZIP), bytes, TAR_LIMITS) else { return };
    assert_eq!(files.object.digest, Sha256Digest::of(bytes));
    let mut tar = ImageTar::new(files);
    let found = images(&mut tar);
    for manifest in &found.manifests {
        let reached = manifest.parts.iter().chain(&manifest.config).chain([&manifest.digest]);
        assert!(reached.into_iter().all(|digest| holds(&tar, *digest)));
    }
    for subject in subjects("out", &found) {
        assert!(is_image(&subject) && RelPath::from_escaped(&subject.name).is_err());
    }
    let mut written = WrittenImages::default();
    written.add("out", &found);
    if let Ok(only) = only(&found, &tar) {
        let is_known = |found: &Found| {
            found.manifests.iter().any(|m| m.digest == only.digest())
                || found.configs.iter().any(|c| c.digest == only.digest())
        };
        assert!(is_known(&found) && !written.is_empty());
    }
});
