//! Images among a step's outputs: each is a subject of its output's attestation.

use crate::output::{Output, Packing, Place, Shape};
use crate::pod::Pod;
use crate::s3::S3;

const LAYOUT: &[u8] = include_bytes!("../../../fuzz/seeds/layout/one.tar");
const GZIPPED: &[u8] = include_bytes!("../../../fuzz/seeds/layout/one.tar.gz");
const DOCKER: &[u8] = include_bytes!("../../../fuzz/seeds/layout/docker.tar");

/// What is in a tar.
fn unpacked(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let read = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (entry.path().unwrap().display().to_string(), content)
    };
    archive.entries().unwrap().map(read).collect()
}

#[test]
fn what_a_step_wrote_as_an_image_is_a_subject_and_stays_what_it_is() {
    let s3 = S3::new();
    let of = |name: &str, kind, files: Vec<(String, Vec<u8>)>| Output { files, ..Output::new(name, kind) };
    let file = |content: &[u8]| vec![(String::new(), content.to_vec())];
    let (tar, none) = (Packing::Tar, Packing::None);
    let mut broken = unpacked(LAYOUT);
    let layer = broken.iter_mut().find(|(_, content)| content == b"l").unwrap();
    layer.1 = b"x".to_vec();
    // Each with what its images are called.
    let outputs = [
        (of("a", (Place::Volume, none, Shape::File), file(LAYOUT)), &["app:1"][..]),
        (of("b", (Place::Volume, tar, Shape::File), file(GZIPPED)), &["app:1"]),
        (of("c", (Place::Volume, tar, Shape::Directory), unpacked(LAYOUT)), &["app:1"]),
        (of("d", (Place::Volume, none, Shape::Directory), unpacked(LAYOUT)), &["app:1"]),
        (of("e", (Place::Volume, none, Shape::File), file(DOCKER)), &["config"]),
        // Of these only what Argo packed is on the volume, and that is not looked into.
        (of("f", (Place::Base, tar, Shape::File), file(LAYOUT)), &[]),
        (of("g", (Place::Volume, none, Shape::Directory), broken), &[]),
        (Output::new("h", (Place::Volume, none, Shape::Directory)), &[]),
    ];
    let pod = Pod::new(s3.address(), outputs.iter().map(|(output, _)| output.clone()).collect());
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(
        (code, &message["attested"]),
        (Some(0), &outputs.len().into()),
        "{message}\n{}",
        sidecar.logged()
    );
    for (output, images) in outputs {
        let statement = pod.signed(&s3.get(&format!("{}.sigstore.json", output.key())).unwrap());
        let subjects = statement["subject"].as_array().unwrap().iter();
        let names = subjects.filter(|subject| subject["mediaType"].is_string());
        let names = names.map(|subject| subject["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(names.len(), images.len(), "{output:?}: {names:?}");
        for (name, image) in names.iter().zip(images) {
            assert!(name.starts_with(&format!("{}//{image}@sha256:", output.name)), "{name}");
        }
        // The object and the output are accepted as they are without an image in them.
        pod.assert_accepted(&output);
    }
    let logged = sidecar.logged();
    assert!(logged.contains("has SHA-256"), "why the broken one is left out: {logged}");
}
