//! Images that lie as files, written by go-containerregistry as crane and kaniko write them: what
//! a step wrote, what is pushed from there, and what is not that.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::images::{Place, which};
use crate::program::{Desk, Ended};
use crate::registry::program;

/// A desk at which the registries' program is the builder.
struct Works {
    builder: PathBuf,
    desk: Desk,
}

impl Works {
    fn new() -> Option<Self> {
        Some(Self { builder: program()?, desk: Desk::new() })
    }

    /// What the builder does, as a line of a script.
    fn line(&self, arguments: &str) -> String {
        format!("{} layout {arguments} > told", self.builder.display())
    }

    /// The digests that it told of last, without their algorithm.
    fn told(&self) -> Vec<String> {
        let told = String::from_utf8(self.desk.read("told")).unwrap();
        told.lines().map(|line| line.strip_prefix("sha256:").unwrap().to_owned()).collect()
    }

    /// Builds, attests, and gives the digests.
    fn attested(&self, output: &str, arguments: &str) -> Vec<String> {
        self.desk.attest(&[output], &self.line(arguments)).with(0);
        self.told()
    }

    fn verify(&self, arguments: &[&str]) -> Ended {
        self.desk.run(["verify", "--bundle"].iter().chain(arguments))
    }
}

/// The subjects that are images: name and digest.
fn images(desk: &Desk, attestation: &str) -> Vec<(String, String)> {
    let bundle: Value = serde_json::from_slice(&desk.read(attestation)).unwrap();
    let payload = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
    let statement: Value = serde_json::from_slice(&payload).unwrap();
    let subjects = statement["subject"].as_array().unwrap().iter();
    let images = subjects.filter(|subject| subject["mediaType"].is_string());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    images.map(|image| (text(&image["name"]), text(&image["digest"]["sha256"]))).collect()
}

/// What a shell says at the desk, if it does as it is told.
#[track_caller]
fn shell(desk: &Desk, script: &str) -> String {
    let done = Command::new("sh").current_dir(desk.path("")).args(["-ec", script]).output().unwrap();
    assert!(done.status.success(), "{script}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn the_images_of_a_layout_are_subjects_and_the_layout_stays_a_directory() {
    let Some(works) = Works::new() else { return };
    let digests = works.attested("img", "write img 7");
    let images = images(&works.desk, "img.sigstore.json");
    assert_eq!(images[0], (format!("img//index@sha256:{}", digests[0]), digests[0].clone()));
    let names: Vec<_> = images[1..].iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, [1, 2].map(|at| format!("img//image@sha256:{}", digests[at])));
    works.desk.accepted(["img", "img/index.json"]);
    works.desk.write("img/blobs/sha256/more", "x");
    works.desk.rejected(["img"], "more was added");
}

#[test]
fn a_layout_holds_the_image_that_was_attested_or_is_refused() {
    let Some(works) = Works::new() else { return };
    let digests = works.attested("img", "write img 7");
    let (desk, bundle) = (&works.desk, "img.sigstore.json");
    // The same image in a layout that somebody else wrote: another index.json, a tar, gzipped.
    shell(desk, "cp -r img other");
    let index: Value = serde_json::from_slice(&desk.read("img/index.json")).unwrap();
    desk.write("other/index.json", serde_json::to_vec_pretty(&index).unwrap());
    shell(desk, "tar -C other -cf o.tar . && tar -C other -czf o.tgz .");
    for same in ["other", "o.tar", "o.tgz"] {
        let said = works.verify(&[bundle, same]).with(0);
        let said = said.says(&format!("as img//index@sha256:{}", digests[0]));
        let text = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(&format!("the image with the manifest sha256:{}", digests[0])), "{text}");
        let json = works.verify(&[bundle, "-o", "json", same]).with(0).out;
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["image"], "manifest");
        assert_eq!(json["digest"], format!("sha256:{}", digests[0]));
    }
    let image = format!("blobs/sha256/{}", digests[1]);
    let manifest: Value = serde_json::from_slice(&desk.read(format!("img/{image}"))).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
    for (change, why) in [
        (format!("echo evil > {layer}"), "has SHA-256"),
        (format!("rm {layer}"), "is not there"),
        (format!("rm {image}"), "is not there"),
        (format!("{} layout add . 8", works.builder.display()), "it lists 2 images"),
        ("echo {} > manifest.json".to_owned(), "manifest.json"),
        // Another image, whole, is another image.
        (format!("rm -r * && {} layout write . 9", works.builder.display()), "is not one that is attested"),
    ] {
        shell(desk, &format!("rm -rf bad bad.tar && cp -r other bad && cd bad && {change}"));
        works.verify(&[bundle, "bad"]).with(1).says(why);
        // Packed, it is no better.
        shell(desk, "tar -C bad -cf bad.tar .");
        works.verify(&[bundle, "bad.tar"]).with(1).says(why);
    }
    // Nothing beside it speaks of it: without the bundle it is not attested at all.
    desk.run(["verify", "o.tar"]).with(1).says("no attestation");
}

#[test]
fn an_archive_for_docker_is_known_by_its_configuration() {
    let Some(works) = Works::new() else { return };
    let desk = &works.desk;
    let config = works.attested("app.tar", "tarball app.tar 7").remove(0);
    let named = format!("app.tar//config@sha256:{config}");
    assert_eq!(images(&works.desk, "app.tar.sigstore.json"), [(named.clone(), config)]);
    desk.accepted(["app.tar"]);
    // Renamed with its attestation, it is what it was.
    shell(desk, "cp app.tar b.tar && cp app.tar.sigstore.json b.tar.sigstore.json");
    desk.accepted(["b.tar"]);
    // The same image, packed anew.
    shell(desk, "mkdir again && tar -C again -xf app.tar && tar -C again -cf again.tar .");
    let said = works.verify(&["app.tar.sigstore.json", "again.tar"]).with(0).says(&named);
    assert!(said.out.contains("the image with the configuration"), "{said:?}");
    works.desk.attest(&["other.tar"], &works.line("tarball other.tar 8")).with(0);
    works.verify(&["app.tar.sigstore.json", "other.tar"]).with(1).says("is not one that is attested");
}

#[test]
fn what_is_no_image_is_attested_as_it_was() {
    let Some(works) = Works::new() else { return };
    let desk = &works.desk;
    let broken = format!("{} && rm $(ls img/blobs/sha256/* | head -1)", works.line("write img 7"));
    desk.attest(&["img"], &broken).with(0);
    desk.accepted(["img"]);
    let digests = works.told();
    assert!(images(&works.desk, "img.sigstore.json").iter().all(|(_, digest)| *digest != digests[0]));
    desk.attest(&["x.tar"], "mkdir t && echo '{}' > t/manifest.json && tar -C t -cf x.tar .").with(0);
    assert_eq!(images(&works.desk, "x.tar.sigstore.json"), []);
    desk.accepted(["x.tar"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_from_an_attested_layout_is_attested() {
    let Some(works) = Works::new() else { return };
    let digests = works.attested("img", "write img 7");
    works.desk.attest(&["packed.tar"], "tar -C img -cf packed.tar .").with(0);
    for place in Place::each() {
        let at = |name: &str| format!("{}/{name}", place.address);
        let push = format!("{} layout push img {}", works.builder.display(), at("app:1"));
        assert_eq!(shell(&works.desk, &push).trim(), format!("sha256:{}", digests[0]));
        let verify = |bundle: &str, more: &[&str], name: &str| {
            let image = format!("oci://{}", at(name));
            works.verify(&[&[bundle, "--plain-http"][..], more, &[&image]].concat())
        };
        for bundle in ["img.sigstore.json", "packed.tar.sigstore.json"] {
            verify(bundle, &[], "app:1").with(0).says(&digests[0]);
            verify(bundle, &["--platform", "linux/arm64"], "app:1").with(0).says(&digests[2]);
        }
        place.push("app:2");
        verify("img.sigstore.json", &[], "app:2").with(1).says("is not one that is attested");
    }
}

/// A builder in use, of which nothing here knows how it writes.
#[test]
fn what_buildah_writes_is_found() {
    let Some(buildah) = which("buildah") else { return crate::skip::skip("buildah") };
    let desk = Desk::new();
    let buildah = format!("{} --root $PWD/s --runroot $PWD/r --storage-driver vfs", buildah.display());
    let commit = format!("c=$({buildah} from scratch) && {buildah} commit -q $c app");
    let made = Command::new("sh").current_dir(desk.path("")).args(["-ec", &commit]).output().unwrap();
    if !made.status.success() {
        return crate::skip::skip_as_this_user("what buildah needs to run as this user");
    }
    for (output, to, called) in [
        ("img", "oci:img:1", "1@"),
        ("oci.tar", "oci-archive:oci.tar:1", "1@"),
        ("docker.tar", "docker-archive:docker.tar:app:1", "config@"),
    ] {
        desk.attest(&[output], &format!("{buildah} push -q app {to}")).with(0);
        let images = images(&desk, &format!("{output}.sigstore.json"));
        let [(name, _)] = images.as_slice() else { panic!("{output}: {images:?}") };
        assert!(name.starts_with(&format!("{output}//{called}")), "{name}");
        desk.accepted([output]);
    }
}
