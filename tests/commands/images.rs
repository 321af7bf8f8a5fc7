//! Images in real registries: one that lists referrers, and one that keeps them under a tag.

use std::path::PathBuf;
use std::process::Command;

use argo_attest::registry::Registries;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse;
use argo_attest_core::image::{Descriptor, ImageReference, NewReferrer};
use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::program::{Desk, Ended};
use crate::registry::Registry;

const SLSA: &str = "https://slsa.dev/provenance/v1";

/// A registry on loopback, and a user who can push to it.
pub(crate) struct Place {
    registry: Registry,
    pub(crate) address: String,
    /// Whether it lists what refers to an image under a tag, and not itself.
    pub(crate) is_fallback: bool,
    pub(crate) desk: Desk,
    pub(crate) key: PrivateKey,
    pub(crate) registries: Registries,
}

/// An index of two images.
pub(crate) struct Pushed {
    pub(crate) index: ImageReference,
    pub(crate) images: Vec<ImageReference>,
}

impl Place {
    pub(crate) fn each() -> Vec<Self> {
        ["native", "fallback"].into_iter().map_while(Self::start).collect()
    }

    fn start(kind: &str) -> Option<Self> {
        let registry = Registry::start(kind)?;
        let (desk, key) = (Desk::new(), PrivateKey::generate(KeyType::EcdsaP256).unwrap());
        desk.write("their.pub", key.public().to_spki_pem());
        let registries = Registries::from_env(&|_: &str| None, true).unwrap();
        let address = registry.address.clone();
        Some(Self { registry, address, is_fallback: kind == "fallback", desk, key, registries })
    }

    pub(crate) fn call(&self, arguments: &[&str]) -> Vec<String> {
        self.registry.call(arguments)
    }

    pub(crate) fn push(&self, name: &str) -> Pushed {
        let name = format!("{}/{name}", self.address);
        let digests = self.call(&["push", &name]);
        let repository = name.rsplit_once(':').unwrap().0;
        let at = |digest: &String| format!("{repository}@{digest}").parse().unwrap();
        Pushed { index: at(&digests[0]), images: digests[1..].iter().map(at).collect() }
    }

    async fn descriptor(&self, image: &ImageReference) -> Descriptor {
        self.registries.manifest(image).await.unwrap().manifest.descriptor()
    }

    /// Somebody's attestation of these images, put beside the first.
    async fn attest(&self, key: &PrivateKey, images: &[&ImageReference]) -> Sha256Digest {
        let bundle = bundle(key, images).to_string();
        self.refer(images[0], bundle.as_bytes()).await
    }

    pub(crate) async fn refer(&self, image: &ImageReference, bundle: &[u8]) -> Sha256Digest {
        let subject = &self.descriptor(image).await;
        let new = NewReferrer { subject, bundle, predicate_type: SLSA, created: None };
        self.registries.refer(image.repository(), &new).await.unwrap()
    }

    pub(crate) fn verify(&self, more: &[&str], image: &str) -> Ended {
        let image = format!("oci://{image}");
        let fixed = ["verify", "--plain-http", "--key", "their.pub"];
        self.desk.run(fixed.into_iter().chain(more.iter().copied()).chain([image.as_str()]))
    }

    #[track_caller]
    pub(crate) fn attested(&self, image: &ImageReference) -> String {
        self.verify(&[], &image.to_string()).with(0).out
    }

    #[track_caller]
    pub(crate) fn refused(&self, image: &ImageReference, why: &str) {
        self.verify(&[], &image.to_string()).with(1).says(why);
    }
}

/// A registry that has `app:1.2`, attested by this key for this builder.
pub(crate) async fn with_app(key: &PrivateKey, builder: &str) -> Option<Place> {
    let place = Place::start("fallback")?;
    let pushed = place.push("app:1.2");
    place.refer(&pushed.index, built(key, &[&pushed.index], builder).to_string().as_bytes()).await;
    Some(place)
}

fn bundle(key: &PrivateKey, images: &[&ImageReference]) -> Value {
    built(key, images, "https://theirs.example/b")
}

fn built(key: &PrivateKey, images: &[&ImageReference], builder: &str) -> Value {
    let subject = |image: &&ImageReference| json!({"name": image.repository().to_string(), "digest": {"sha256": image.digest().unwrap().to_string()}});
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": images.iter().map(subject).collect::<Vec<_>>(),
        "predicateType": SLSA,
        "predicate": {
            "buildDefinition": {"buildType": "https://theirs.example/t", "externalParameters": {"a": 1}},
            "runDetails": {"builder": {"id": builder}},
        },
    });
    bundled(key, &statement)
}

/// A statement, signed.
pub(crate) fn bundled(key: &PrivateKey, statement: &Value) -> Value {
    let payload = statement.to_string().into_bytes();
    let sig = key.sign(&dsse::pae(dsse::PAYLOAD_TYPE, &payload));
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": ""}},
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": dsse::PAYLOAD_TYPE,
            "signatures": [{"sig": STANDARD.encode(sig.as_bytes())}],
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_an_image_attests_it() {
    for place in Place::each() {
        let pushed = place.push("app:v1");
        let tag = format!("{}/app:v1", place.address);
        place.verify(&[], &tag).with(1).says("unattested");
        let first = place.attest(&place.key, &[&pushed.index]).await;
        let digest = pushed.index.digest().unwrap().to_string();
        place.verify(&[], &tag).with(0).says(&format!("sha256:{digest}"));
        place.attested(&pushed.index);
        // An image of the index has no attestation of its own, and is in what is attested.
        place.refused(&pushed.images[0], "unattested");
        place.verify(&["--platform", "linux/arm64"], &tag).with(0).says(&format!("sha256:{digest}"));
        place.verify(&["--platform", "linux/s390x"], &tag).with(66).says("linux/amd64, linux/arm64");
        // The same again changes nothing.
        assert_eq!(place.attest(&place.key, &[&pushed.index]).await, first);
        let listed = |pages: Vec<argo_attest_core::image::ReferrersIndex>| {
            pages.iter().map(|page| page.candidates().count()).sum::<usize>()
        };
        let subject = pushed.index.digest().unwrap();
        let pages = place.registries.referrers(pushed.index.repository(), subject).await.unwrap();
        assert_eq!(listed(pages), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_beside_a_good_one_change_nothing_and_do_not_do_alone() {
    for place in Place::each() {
        let (pushed, other) = (place.push("app:v1"), PrivateKey::generate(KeyType::Ed25519).unwrap());
        place.attest(&other, &[&pushed.index]).await;
        place.refused(&pushed.index, "untrusted");
        let mut unsigned = bundle(&place.key, &[&pushed.index]);
        unsigned["dsseEnvelope"]["signatures"] = json!([]);
        place.refer(&pushed.index, unsigned.to_string().as_bytes()).await;
        place.refer(&pushed.index, b"no attestation").await;
        place.verify(&[], &pushed.index.to_string()).with(1);
        place.attest(&place.key, &[&pushed.index]).await;
        place.attested(&pushed.index);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_was_moved_points_to_what_is_not_attested() {
    for place in Place::each() {
        let old = place.push("app:v1");
        place.attest(&place.key, &[&old.index, &old.images[0]]).await;
        let tag = format!("{}/app:v1", place.address);
        place.verify(&[], &tag).with(0);
        let new = place.push("app:v1");
        place.verify(&[], &tag).with(1).says("unattested");
        place.attested(&old.index);
        place.refused(&new.index, "unattested");
        // Somebody moves the good attestation to the new image: its statement names the old one.
        let stolen = bundle(&place.key, &[&old.index]).to_string();
        place.refer(&new.index, stolen.as_bytes()).await;
        place.refused(&new.index, "altered");
        // What is attested with it is not attested by where it lies.
        place.desk.write("it", bundle(&place.key, &[&old.index, &old.images[0]]).to_string());
        let image = old.images[0].to_string();
        place.verify(&["--bundle", "it"], &image).with(0);
        place.verify(&["--bundle", "it"], &new.images[0].to_string()).with(1).says("altered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lies_is_not_believed() {
    let Some(place) = Place::start("fallback") else { return };
    let (one, two) = (place.push("app:v1"), place.push("app:v2"));
    place.attest(&place.key, &[&one.index, &two.index]).await;
    let tag = |of: &Pushed| format!("{}/app:sha256-{}", place.address, of.index.digest().unwrap());
    place.call(&["copy", &tag(&one), &tag(&two)]);
    place.refused(&two.index, "its manifest refers to something else");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cosign_attests_is_verified() {
    let Some(cosign) = which("cosign") else { return crate::skip::skip("cosign") };
    for place in Place::each() {
        place.push("app:v1");
        let tag = format!("{}/app:v1", place.address);
        let run = |arguments: &[&str]| {
            let mut command = Command::new(&cosign);
            command.args(arguments).current_dir(place.desk.path("")).env("COSIGN_PASSWORD", "");
            let done = command.env("HOME", place.desk.path("")).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        run(&["generate-key-pair"]);
        let predicate = json!({
            "buildDefinition": {"buildType": "https://theirs.example/t", "externalParameters": {"a": 1}},
            "runDetails": {"builder": {"id": "https://theirs.example/b"}},
        });
        place.desk.write("p.json", predicate.to_string());
        let flags = ["--use-signing-config=false", "--tlog-upload=false", "-y", "--allow-http-registry"];
        let what = ["attest", "--key", "cosign.key", "--predicate", "p.json", "--type", "slsaprovenance1"];
        run(&[&what[..], &flags, &[&tag]].concat());
        let image = format!("oci://{tag}");
        let asked = ["verify", "--plain-http", "--key", "cosign.pub", &image];
        place.desk.run(asked).with(0).says("builder https://theirs.example/b");
        place.verify(&[], &tag).with(1).says("untrusted");
        // As cosign 2 kept it: envelopes, beneath a tag of their own.
        let old = format!("{}/app:old", place.address);
        place.push("app:old");
        run(&[&what[..], &["--new-bundle-format=false"], &flags, &[&old]].concat());
        let image = format!("oci://{old}");
        place.desk.run(["verify", "--plain-http", "--key", "cosign.pub", &image]).with(0);
        place.verify(&[], &old).with(1).says("untrusted");
        // What we put beside it, cosign takes.
        let reference: ImageReference = tag.parse().unwrap();
        let digest = place.registries.manifest(&reference).await.unwrap().manifest.digest();
        place.attest(&place.key, &[&reference.repository().at(digest)]).await;
        let flags = ["--type", "slsaprovenance1", "--insecure-ignore-tlog", "--allow-http-registry"];
        run(&[&["verify-attestation", "--key", "their.pub"][..], &flags, &[&tag]].concat());
    }
}

pub(crate) fn which(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
}

#[test]
fn what_names_no_image_is_told_before_anything_is_asked() {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "keys"]).with(0);
    for (name, why) in [
        ("oci://r.example/APP", "its repository is not"),
        ("oci://r.example/a:b:c", "its repository is not"),
        ("oci://r.example/a@sha512:00", "its digest is not"),
        ("oci://", "it has no repository"),
    ] {
        desk.run(["verify", "--key", "keys/attest.pub", name]).with(64).says(why);
    }
    let nobody = desk.run(["verify", "--plain-http", "--key", "keys/attest.pub", "oci://127.0.0.1:1/a"]);
    nobody.with(69).says("no useful answer from 127.0.0.1:1");
    desk.run(["verify", "--key", "keys/attest.pub", "--platform", "linux", "oci://r.example/a"])
        .with(64)
        .says("os/architecture");
}
