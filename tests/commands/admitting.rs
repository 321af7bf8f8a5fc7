//! Programs of others that show what refers to an image, and that admit images by it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::images::{Place, Pushed};
use crate::installed::installed;
use crate::program::{Desk, Ended};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const BUILDER: &str = "https://ci.example.com/argo";

/// A program, in a home of its own.
fn run(program: &Path, desk: &Desk, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).env_clear().env("HOME", desk.path(".")).output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Attests what is there; the image and those of its platforms.
fn attest(place: &Place, pushed: &Pushed, key: &str, builder: &str, more: &[&str]) {
    let image = format!("oci://{}", pushed.index);
    let fixed = ["attest", "--plain-http", "--key", key, "--builder-id", builder];
    place.desk.run(fixed.into_iter().chain(more.iter().copied()).chain([image.as_str()])).with(0);
}

fn all(pushed: &Pushed) -> Vec<String> {
    [&pushed.index].into_iter().chain(&pushed.images).map(ToString::to_string).collect()
}

#[test]
fn oras_and_crane_show_what_refers_to_an_image() {
    let (Some(oras), Some(crane)) = (installed("oras"), installed("crane")) else {
        return crate::skip::skip("tests/interop/install oras crane");
    };
    for place in Place::each() {
        place.desk.run(["keygen", "--out-dir", "keys"]).with(0);
        let pushed = place.push("app:1.2");
        attest(&place, &pushed, "keys/attest.key", BUILDER, &[]);
        for image in all(&pushed) {
            let found =
                json(&run(&oras, &place.desk, &["discover", "--plain-http", "--format", "json", &image]));
            let [referrer] = &found["referrers"].as_array().unwrap()[..] else { panic!("{found}") };
            let name = referrer["reference"].as_str().unwrap();
            let manifest = json(&run(&crane, &place.desk, &["manifest", "--insecure", name]));
            assert_eq!(manifest["artifactType"], BUNDLE);
            assert_eq!(manifest["layers"][0]["mediaType"], BUNDLE);
            let (repository, digest) = image.split_once('@').unwrap();
            assert_eq!(manifest["subject"]["digest"], digest);
            // The fallback tag, and what it lists: neither server says that it keeps the list itself.
            let tag = format!("{repository}:{}", digest.replace(':', "-"));
            let list = json(&run(&crane, &place.desk, &["manifest", "--insecure", &tag]));
            assert_eq!(list["manifests"][0]["digest"], referrer["digest"]);
            assert_eq!(list["manifests"][0]["artifactType"], BUNDLE);
            let told = run(&crane, &place.desk, &["digest", "--insecure", &tag]);
            assert!(told.status.success() && told.stdout.starts_with(b"sha256:"), "{told:?}");
            // What go-containerregistry's server lists as the type is that of the configuration.
            let listed = if place.is_fallback { BUNDLE } else { "application/vnd.oci.empty.v1+json" };
            assert_eq!(referrer["artifactType"], listed);
        }
    }
}

/// The policy that the documents show, for this registry and this key.
fn policy(place: &Place, key: &str, at: &str) {
    let shown = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/admitting").join(at);
    let shown = std::fs::read_to_string(shown).unwrap().replace("registry.example.com", &place.address);
    let (before, rest) = shown.split_once("-----BEGIN PUBLIC KEY-----").unwrap();
    let (_, after) = rest.split_once("-----END PUBLIC KEY-----").unwrap();
    let indent = " ".repeat(before.len() - before.trim_end_matches(' ').len());
    let key = String::from_utf8(place.desk.read(key)).unwrap();
    let key = key.trim().replace('\n', &format!("\n{indent}"));
    place.desk.write(at, format!("{before}{key}{after}"));
}

/// Sigstore's policy-controller takes what lies where cosign 2 looks, of the index and of each
/// platform, and nothing else.
#[test]
fn policy_controller_admits_what_our_key_attested() {
    // CI has none: it takes minutes to build.
    let Some(tester) = installed("policy-tester") else {
        return eprintln!("skipped: needs tests/interop/install policy-tester (make interop)");
    };
    for place in Place::each() {
        for keys in ["keys", "strangers"] {
            place.desk.run(["keygen", "--out-dir", keys]).with(0);
        }
        policy(&place, "keys/attest.pub", "policy-controller.yaml");
        let ask = |policy: &str, image: &str| -> Ended {
            let file = place.desk.path(policy);
            run(&tester, &place.desk, &["-policy", file.to_str().unwrap(), "-image", image]).into()
        };
        let admits = |image: &str| drop(ask("policy-controller.yaml", image).with(0));
        let refuses = |image: &str, why: &str| drop(ask("policy-controller.yaml", image).with(1).says(why));
        let name = |name: &str| format!("{}/{name}", place.address);

        let good = place.push("good:1");
        attest(&place, &good, "keys/attest.key", BUILDER, &["--cosign-tag"]);
        admits(&name("good:1"));
        for image in all(&good) {
            admits(&image);
        }

        place.push("nobodys:1");
        refuses(&name("nobodys:1"), "no matching attestations");

        let bundle = place.push("bundle:1");
        attest(&place, &bundle, "keys/attest.key", BUILDER, &[]);
        refuses(&name("bundle:1"), "no matching attestations");

        let strangers = place.push("strangers:1");
        attest(&place, &strangers, "strangers/attest.key", BUILDER, &["--cosign-tag"]);
        refuses(&name("strangers:1"), "accepted signatures do not match threshold");
        attest(&place, &strangers, "keys/attest.key", BUILDER, &["--cosign-tag"]);
        admits(&name("strangers:1"));

        let other = place.push("other:1");
        attest(&place, &other, "keys/attest.key", "https://ci.example.com/other", &["--cosign-tag"]);
        refuses(&name("other:1"), "conflicting values");

        let wanted = String::from_utf8(place.desk.read("policy-controller.yaml")).unwrap();
        let another = wanted.replace("https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom");
        assert_ne!(wanted, another);
        place.desk.write("another.yaml", another);
        drop(ask("another.yaml", &name("good:1")).with(1).says("no matching attestations with type"));
    }
}

/// Kyverno takes what is put as a referrer, of the index and of each platform, where a pod names a digest.
#[test]
fn kyverno_admits_what_our_key_attested() {
    // CI has none: it takes half an hour to build.
    let Some(kyverno) = installed("kyverno") else {
        return eprintln!("skipped: needs tests/interop/install kyverno (make interop)");
    };
    for place in Place::each() {
        for keys in ["keys", "strangers"] {
            place.desk.run(["keygen", "--out-dir", keys]).with(0);
        }
        policy(&place, "keys/attest.pub", "kyverno.yaml");
        let ask = |policy: &str, images: [&str; 2]| -> Ended {
            let [image, init] = images;
            place.desk.write(
                "pod.yaml",
                format!(
                    "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: b}}\nspec:\n  containers: \
                     [{{name: c, image: \"{image}\"}}]\n  initContainers: [{{name: i, image: \"{init}\"}}]\n"
                ),
            );
            let [policy, pod] =
                [policy, "pod.yaml"].map(|name| place.desk.path(name).to_str().unwrap().to_owned());
            run(&kyverno, &place.desk, &["apply", &policy, "--resource", &pod, "--registry"]).into()
        };
        let attested = |name: &str, key: &str, builder: &str, more: &[&str]| {
            let pushed = place.push(name);
            attest(&place, &pushed, key, builder, more);
            pushed
        };
        let digest = |pushed: &Pushed| pushed.index.to_string();
        let good = attested("good:1", "keys/attest.key", BUILDER, &[]);
        let admits = |image: &str| drop(ask("kyverno.yaml", [image, image]).with(0).says("pass: 1"));
        for image in all(&good) {
            admits(&image);
        }
        let both = attested("both:1", "strangers/attest.key", BUILDER, &["--cosign-tag"]);
        let refuses = |image: &str, why: &str| {
            for images in [[image, &digest(&good)], [&digest(&good), image]] {
                drop(ask("kyverno.yaml", images).with(1).says(why));
            }
        };
        let unsigned = "an image has no provenance that our key signed";
        refuses(&digest(&both), unsigned);
        attest(&place, &both, "keys/attest.key", BUILDER, &["--cosign-tag"]);
        admits(&digest(&both));
        refuses(&digest(&place.push("nobodys:1")), unsigned);
        let other = attested("other:1", "keys/attest.key", "https://ci.example.com/other", &[]);
        refuses(&digest(&other), "an image was built by somebody else");
        refuses(&format!("{}/good:1", place.address), "does not have a digest");

        let wanted = String::from_utf8(place.desk.read("kyverno.yaml")).unwrap();
        let another = wanted.replace("https://slsa.dev/provenance/v1", "https://cyclonedx.org/bom");
        assert_ne!(wanted, another);
        place.desk.write("another.yaml", another);
        drop(ask("another.yaml", [&digest(&good), &digest(&good)]).with(1).says(unsigned));
    }
}
