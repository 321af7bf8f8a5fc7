//! Images in registries that are attested where they are, by ours and for others.

use argo_attest::attest::{Attestor, ImageAttested, ImageAttestor};
use argo_attest_core::image::ImageReference;
use argo_attest_core::slsa::{BuildDefinition, BuildMetadata, Builder, Provenance, RunDetails};
use serde_json::{Map, Value, json};

use crate::images::{Place, which};
use crate::program::Ended;
use crate::servers::{self, ACCESS_KEY, BUCKET, SECRET_KEY};

const VOUCHES: &str = "https://ci.example.com/imports";

fn provenance(a: u8) -> Provenance {
    Provenance {
        build_definition: BuildDefinition {
            build_type: "https://example.com/t".into(),
            external_parameters: Map::from_iter([("a".to_owned(), json!(a))]),
            internal_parameters: Map::new(),
            resolved_dependencies: Vec::new(),
        },
        run_details: RunDetails {
            builder: Builder::this_version("https://example.com/b"),
            metadata: BuildMetadata::default(),
            byproducts: Vec::new(),
        },
    }
}

async fn listed(place: &Place, image: &ImageReference) -> Vec<String> {
    let pages = place.registries.referrers(image.repository(), image.digest().unwrap()).await.unwrap();
    let digests = pages.iter().flat_map(|page| page.candidates().collect::<Vec<_>>());
    digests.map(|digest| format!("oci://{}", image.repository().at(digest))).collect()
}

async fn attest(place: &Place, image: &ImageReference, a: u8) -> ImageAttested {
    let manifest = place.registries.manifest(image).await.unwrap().manifest;
    let attestor = Attestor::new(&place.key);
    let images = ImageAttestor::new(&attestor, &place.registries);
    images.attest(image.repository(), &manifest, &provenance(a)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_statement_refers_to_an_index_and_to_each_of_its_images() {
    for place in Place::each() {
        let pushed = place.push("app:v1");
        let all = [&[pushed.index.clone()][..], &pushed.images].concat();
        let first = attest(&place, &pushed.index, 1).await;
        let receipt = first.receipt();
        assert_eq!((receipt.subjects(), receipt.lines_uri()), (3, None));
        assert_eq!(receipt.bundle_uri(), first.referred()[0].attestation);
        let digest = format!("sha256:{}", pushed.index.digest().unwrap());
        assert_eq!(first.receipt().clone().into_attested().digest(), Some(digest.as_str()));
        for (image, referred) in all.iter().zip(first.referred()) {
            assert_eq!(Some(referred.subject.digest), image.digest());
            assert_eq!(listed(&place, image).await, [referred.attestation.as_str()]);
            place.attested(image);
        }
        // The same again changes nothing, and another stays beside it.
        let again = attest(&place, &pushed.index, 1).await;
        assert_eq!(again.referred(), first.referred());
        for (image, referred) in all.iter().zip(first.referred()) {
            assert_eq!(listed(&place, image).await, [referred.attestation.as_str()]);
        }
        let second = attest(&place, &pushed.index, 2).await;
        for (image, (one, two)) in all.iter().zip(first.referred().iter().zip(second.referred())) {
            let mut both = [one.attestation.as_str(), two.attestation.as_str()];
            let mut there = listed(&place, image).await;
            both.sort_unstable();
            there.sort();
            assert_eq!(there, both);
        }
        // One image alone speaks of itself alone.
        let other = place.push("app:v2");
        let alone = attest(&place, &other.images[0], 1).await;
        assert_eq!((alone.referred().len(), alone.receipt().subjects()), (1, 1));
        place.attested(&other.images[0]);
        place.refused(&other.index, "unattested");
        place.refused(&other.images[1], "unattested");
    }
}

/// A user who vouches for images with a key of their own, `keys/attest.key`.
fn vouch(place: &Place, more: &[&str]) -> Ended {
    place.desk.run(fixed(more))
}

fn fixed<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["attest", "--plain-http", "--key", "keys/attest.key", "--builder-id", VOUCHES];
    fixed.into_iter().chain(more.iter().copied()).collect()
}

fn verify(place: &Place, more: &[&str]) -> Ended {
    let fixed = ["verify", "--plain-http", "--key", "keys/attest.pub", "--builder-id", VOUCHES];
    place.desk.run(fixed.into_iter().chain(more.iter().copied()))
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {ended:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_vouched_for_and_verifies() {
    for place in Place::each() {
        place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
        let pushed = place.push("app:v1");
        let tag = format!("oci://{}/app:v1", place.address);
        let index = format!("sha256:{}", pushed.index.digest().unwrap());
        let told = vouch(&place, &[&tag]).with(0);
        for word in ["attested", "an index of 2 images", &index, "linux/amd64", "linux/arm64", "verify with"]
        {
            assert!(told.out.contains(word), "{word}: {told:?}");
        }
        for image in [&pushed.index, &pushed.images[0], &pushed.images[1]] {
            let digest = format!("sha256:{}", image.digest().unwrap());
            verify(&place, &[&format!("oci://{image}")]).with(0).says(&digest);
        }
        verify(&place, &[&tag]).with(0).says(&index);
        verify(&place, &["--platform", "linux/arm64", &tag]).with(0);
        // By another key it is not.
        place.refused(&pushed.index, "untrusted");

        // One image alone, by a tag and by its digest, for programs.
        place.call(&["copy", &pushed.images[0].to_string(), &format!("{}/one:v2", place.address)]);
        let (one, digest) = (format!("oci://{}/one:v2", place.address), pushed.images[0].digest().unwrap());
        let by_digest = format!("oci://{}/one@sha256:{digest}", place.address);
        let told = json(&vouch(&place, &["--json", &one, &by_digest]).with(0));
        for artifact in told["artifacts"].as_array().unwrap() {
            assert_eq!(artifact["attested"], true);
            assert_eq!(artifact["digest"], format!("sha256:{digest}"));
            assert_eq!(artifact["mediaType"], "application/vnd.oci.image.manifest.v1+json");
            assert_eq!((artifact.get("images"), artifact.get("attestationLines")), (None, None));
            assert!(artifact["attestation"].as_str().unwrap().starts_with("oci://"), "{artifact}");
        }
        verify(&place, &[&one]).with(0);

        // The tag was resolved once, and what it pointed to is named by its digest.
        let told = json(&vouch(&place, &["--json", &tag]).with(0));
        let artifact = &told["artifacts"][0];
        assert_eq!((&artifact["artifact"], &artifact["digest"]), (&json!(tag), &json!(index)));
        let platforms: Vec<_> =
            artifact["images"].as_array().unwrap().iter().map(|image| image["platform"].clone()).collect();
        assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
        assert_ne!(place.push("app:v1").index, pushed.index);
        verify(&place, &[&tag]).with(1).says("unattested");
        verify(&place, &[&format!("oci://{}", pushed.index)]).with(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_vouched_for_is_told_and_leaves_nothing() {
    let Some(place) = Place::each().into_iter().next() else { return };
    place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
    let pushed = place.push("app:v1");
    let tag = format!("oci://{}/app:v1", place.address);
    let other = format!("oci://{}/app:other", place.address);
    vouch(&place, &[&other]).with(66).says("does not exist, or may not be seen").says("help: check the name");
    vouch(&place, &["oci://r.example/APP"]).with(64).says("its repository is not").says("help: write oci://");
    vouch(&place, &["oci://127.0.0.1:1/a"]).with(69).says("no useful answer from 127.0.0.1:1");
    // Nothing comes before another there, and nothing is done of what was asked for with it.
    vouch(&place, &["--supersede", &tag]).with(64).says("no attestation comes before another").says("help: ");
    assert_eq!(listed(&place, &pushed.index).await, Vec::<String>::new());
    // What is attested already has room for one more.
    attest(&place, &pushed.index, 1).await;
    vouch(&place, &[&tag]).with(0);
    assert_eq!(listed(&place, &pushed.index).await.len(), 2);
    place.attested(&pushed.index);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_images_are_attested_by_one_call() {
    let Some(place) = Place::each().into_iter().next() else { return };
    place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
    place.push("app:v1");
    let server = tempfile::tempdir().unwrap();
    let endpoint = servers::s3s_fs(server.path()).await;
    std::fs::write(server.path().join(BUCKET).join("data"), "data").unwrap();
    let (object, image) = (format!("s3://{BUCKET}/data"), format!("oci://{}/app:v1", place.address));
    let gone = format!("oci://{}/app:gone", place.address);
    let run = |arguments: &[&str]| -> Ended {
        let mut program = place.desk.program(arguments);
        program.env("AWS_ENDPOINT_URL_S3", &endpoint).env("AWS_REGION", "us-east-1");
        program.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        tokio::task::block_in_place(|| program.output().unwrap()).into()
    };
    let told = run(&fixed(&["--json", &object, &gone, &image])).with(66);
    let told: Vec<_> =
        json(&told)["artifacts"].as_array().unwrap().iter().map(|a| a["attested"].clone()).collect();
    assert_eq!(told, [true, false, true]);
    run(&["verify", "--plain-http", "--key", "keys/attest.pub", &object, &image]).with(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn cosign_accepts_what_is_attested_here() {
    let Some(cosign) = which("cosign") else { return crate::skip::skip("cosign") };
    for place in Place::each() {
        place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
        place.desk.run(["keygen", "--out-dir", "others"]).with(0);
        let pushed = place.push("app:v1");
        vouch(&place, &[&format!("oci://{}", pushed.index)]).with(0);
        let accepts = |key: &str, image: &str| {
            let mut command = std::process::Command::new(&cosign);
            command.args(["verify-attestation", "--key", key, "--type", "slsaprovenance1"]);
            command.args(["--insecure-ignore-tlog", "--allow-http-registry", image]);
            command.current_dir(place.desk.path("")).env("HOME", place.desk.path(""));
            command.output().unwrap()
        };
        let tag = format!("{}/app:v1", place.address);
        for image in
            [&tag, &pushed.index.to_string(), &pushed.images[0].to_string(), &pushed.images[1].to_string()]
        {
            let done = accepts("keys/attest.pub", image);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            assert!(!accepts("others/attest.pub", image).status.success(), "{image}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_found_or_are_told_not_to_be() {
    for place in Place::each() {
        place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
        let image = place.push("app:v1").images.remove(0);
        let name = format!("oci://{image}");
        let start = |_| {
            let mut program = place.desk.program(fixed(&["--json", &name]));
            program.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        };
        let started: Vec<_> = (0..20).map(start).collect();
        let done: Vec<Ended> =
            started.into_iter().map(|run| run.wait_with_output().unwrap().into()).collect();
        let there = listed(&place, &image).await;
        let mut attested = 0;
        for ended in &done {
            let told = json(ended);
            let artifact = &told["artifacts"][0];
            if artifact["attested"] == true {
                let attestation = artifact["attestation"].as_str().unwrap().to_owned();
                assert!(there.contains(&attestation), "{attestation} is told to be there: {there:?}");
                attested += 1;
            } else {
                assert!(artifact["reason"].as_str().unwrap().contains("at the same time"), "{artifact}");
            }
        }
        assert!(attested > 0, "{done:?}");
        verify(&place, &[&name]).with(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refers_to_an_image_is_shown_and_not_believed() {
    for place in Place::each() {
        place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
        let pushed = place.push("app:v1");
        let tag = format!("oci://{}/app:v1", place.address);
        let inspect = |more: &[&str]| {
            place.desk.run(["inspect", "--plain-http"].into_iter().chain(more.iter().copied()))
        };
        let index = format!("oci://{}", pushed.index);
        let none = inspect(&[&tag]).with(66).says(&format!("there is no attestation of {index}"));
        assert!(none.out.contains("no attestation; nothing was checked"), "{none:?}");
        vouch(&place, &[&tag]).with(0);
        attest(&place, &pushed.index, 1).await;
        place.refer(&pushed.index, b"no attestation").await;
        let told = inspect(&[&tag]).with(0);
        for word in [
            "2 attestations; nothing was checked",
            VOUCHES,
            "https://example.com/b",
            "signatures not checked",
            &index,
            "passed over",
        ] {
            assert!(told.out.contains(word), "{word}: {told:?}");
        }
        let told = json(&inspect(&["--json", "--platform", "linux/arm64", &tag]).with(0));
        assert_eq!(told["manifest"], format!("oci://{}", pushed.images[1]));
        assert_eq!(told["signaturesChecked"], false);
        let found = told["found"].as_array().unwrap();
        assert_eq!(found.len(), 2, "{told}");
        let mut builders: Vec<_> = found
            .iter()
            .map(|file| {
                file["attestations"][0]["statement"]["predicate"]["runDetails"]["builder"]["id"].to_string()
            })
            .collect();
        builders.sort();
        assert_eq!(builders, [format!("{VOUCHES:?}"), "\"https://example.com/b\"".to_owned()]);
        assert_eq!(told.get("passedOver"), None, "what refers to the index does not refer to its image");
        inspect(&["--platform", "linux/s390x", &tag]).with(66).says("linux/amd64, linux/arm64");
        inspect(&["oci://r.example/APP"]).with(64).says("its repository is not");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cosign_2_finds_it_under_its_tag() {
    let Some(cosign) = which("cosign") else { return crate::skip::skip("cosign") };
    for place in Place::each() {
        place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
        place.desk.run(["keygen", "--out-dir", "others"]).with(0);
        let pushed = place.push("app:v1");
        let accepts = |key: &str, image: &ImageReference| {
            let mut command = std::process::Command::new(&cosign);
            command.args(["verify-attestation", "--key", key, "--type", "slsaprovenance1"]);
            command.args(["--new-bundle-format=false", "--insecure-ignore-tlog", "--allow-http-registry"]);
            command.arg(image.to_string()).current_dir(place.desk.path("")).env("HOME", place.desk.path(""));
            command.output().unwrap()
        };
        let index = format!("oci://{}", pushed.index);
        vouch(&place, &[&index]).with(0);
        assert!(!accepts("keys/attest.pub", &pushed.index).status.success(), "nothing is there yet");
        // Another attempt's stays.
        for _ in 0..2 {
            vouch(&place, &["--cosign-tag", &index]).with(0);
        }
        for image in [&pushed.index, &pushed.images[0], &pushed.images[1]] {
            let done = accepts("keys/attest.pub", image);
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            assert_eq!(String::from_utf8_lossy(&done.stdout).lines().count(), 2, "{done:?}");
            assert!(!accepts("others/attest.pub", image).status.success(), "{image}");
        }
    }
}
