//! Images that a step pushes: attested with the grade of what shows that it made them.

use std::fs;
use std::path::Path;

use argo_attest::attestations::ImageAttestations;
use argo_attest::registry::Registries;
use argo_attest_core::image::ImageReference;
use serde_json::{Value, json};

use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{Pod, entry};
use crate::process::{binary, until};
use crate::registry::Registry;
use crate::s3::S3;

const IMAGES: &str = "argo-attest.io/images";

/// A step that says it pushes these.
fn pod(s3: &S3, images: &str) -> Pod {
    with_outputs(s3, images, Vec::new())
}

fn with_outputs(s3: &S3, images: &str, outputs: Vec<Output>) -> Pod {
    let mut pod = Pod::new(s3.address(), outputs).arg("--plain-http");
    pod.template["metadata"]["annotations"] = json!({ IMAGES: images });
    pod
}

/// What becomes of the images of a step in which main does this.
fn after(pod: &Pod, s3: &S3, main: impl FnOnce()) -> Value {
    let mut sidecar = pod.start_ready();
    main();
    let (code, _) = pod.succeed(s3, &mut sidecar);
    assert_eq!(code, Some(0), "{}", sidecar.logged());
    pod.outcome(s3)["predicate"].clone()
}

fn verify(pod: &Pod, image: &str, more: &[&str]) -> (i32, String) {
    let key = pod.public_key().display().to_string();
    let trusted = if more.contains(&"--policy") { Vec::new() } else { vec!["--key", key.as_str()] };
    let mut command = binary();
    let command = command.env("COLUMNS", "100000").args(["verify", "--plain-http"]).args(trusted);
    let ran = command.args(more).arg(format!("oci://{image}")).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
    (ran.status.code().unwrap(), said)
}

/// What the attestation of an image says of it.
fn image_of(pod: &Pod, image: &str) -> Value {
    let (code, said) = verify(pod, image, &["-o", "json"]);
    assert_eq!(code, 0, "{said}");
    serde_json::from_str(said.lines().next().unwrap()).unwrap()
}

fn policy(pod: &Pod, evidence: &str) -> String {
    let path = pod.at(&format!("{evidence}.yaml"));
    let key = pod.public_key();
    let text = format!(
        "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{{name: ci, file: {}}}]\n\
         builders: [{{id: \"https://ci.example.com/argo\", keys: [ci]}}]\nexpect: {{imageEvidence: {evidence}}}\n",
        key.display()
    );
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn what_a_name_newly_points_to_is_attested_with_each_platform() {
    for kind in ["native", "fallback"] {
        let (Some(registry), s3) = (Registry::start(kind), S3::new()) else { return };
        let name = registry.name("app:1");
        let other = registry.name("team/other:2");
        let before = registry.push("team/other:2", 1)[0].clone();
        let pod = pod(&s3, &format!("{name}, {other}"));
        let mut pushed = Vec::new();
        let outcome = after(&pod, &s3, || {
            pushed = registry.push("app:1", 2);
            registry.push("team/other:2", 3);
        });
        assert_eq!(outcome["complete"], true, "{outcome}");
        let told = entry(&outcome["outputs"], &format!("oci://{name}"));
        assert_eq!((&told["verdict"], &told["digest"]), (&json!("attested"), &json!(pushed[0])), "{told}");
        assert!(told["attestation"].as_str().unwrap().starts_with("oci://"), "{told}");
        for digest in &pushed {
            let (code, said) = verify(&pod, &format!("{}@{digest}", registry.name("app")), &[]);
            assert_eq!(code, 0, "{kind}: {said}");
        }
        // The grade, and what was there before.
        let statement = statement(&pod, &other);
        let said = &statement["predicate"]["buildDefinition"]["internalParameters"]["image"];
        assert_eq!(*said, json!({"reference": other, "evidence": "changed", "before": before}));
        assert_eq!(statement["subject"].as_array().unwrap().len(), 3);
        let asked = |evidence| verify(&pod, &name, &["--policy", &policy(&pod, evidence)]).0;
        assert_eq!([asked("named"), asked("changed"), asked("written")], [0, 0, 1]);
        assert_eq!(image_of(&pod, &name)["verdict"], "attested");
    }
}

/// The statement that refers to an image.
fn statement(pod: &Pod, image: &str) -> Value {
    let image: ImageReference = image.parse().unwrap();
    let registries = Registries::from_env(&|_: &str| None, true).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bundle = runtime.block_on(async {
        let digest = registries.manifest(&image).await.unwrap().manifest.digest();
        let of_image = ImageAttestations::new(&registries, image.repository(), digest);
        of_image.candidates().next().await.unwrap().unwrap().bytes
    });
    pod.signed(&bundle)
}

#[test]
fn what_was_there_before_needs_a_digest_that_main_wrote() {
    let (Some(registry), s3) = (Registry::start("fallback"), S3::new()) else { return };
    let name = registry.name("app:1");
    let digest = registry.push("app:1", 1)[0].clone();
    // Nothing shows that the step made it.
    let idle = pod(&s3, &name);
    let outcome = after(&idle, &s3, || {});
    let told = entry(&outcome["outputs"], &format!("oci://{name}"));
    assert_eq!(told["verdict"], "refused");
    let reason = told["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("nothing shows that this step made it: its name pointed to the same"),
        "{reason}"
    );
    assert_eq!(verify(&idle, &name, &[]).0, 1);
    // A parameter, an output on a volume, and one on main's own layer.
    let metadata = format!(r#"{{"containerimage.digest":"{digest}"}}"#);
    let mut asks = pod(&s3, &name);
    asks.template["outputs"] = json!({"parameters": [{"name": "digest", "valueFrom": {"path": "/tmp/d"}}]});
    let saved = asks.argo().join("outputs/parameters/tmp");
    let main = || {
        fs::create_dir_all(&saved).unwrap();
        fs::write(saved.join("d"), format!("{digest}\n")).unwrap();
    };
    let outcome = after(&asks, &s3, main);
    assert_eq!(entry(&outcome["outputs"], &format!("oci://{name}"))["verdict"], "attested", "{outcome}");
    let said = statement(&asks, &name);
    let said = &said["predicate"]["buildDefinition"]["internalParameters"]["image"];
    assert_eq!(said["evidence"], "named");
    assert_eq!((&said["before"], &said["output"]), (&json!(digest), &json!("parameter digest")));
    for place in [Place::Volume, Place::Base] {
        let content = if place == Place::Volume { metadata.clone() } else { digest.clone() };
        let files = vec![(String::new(), content.into_bytes())];
        let output = Output { files, ..Output::new("told", (place, Packing::Tar, Shape::File)) };
        let pod = with_outputs(&s3, &name, vec![output]);
        let outcome = after(&pod, &s3, || {});
        let told = entry(&outcome["outputs"], &format!("oci://{name}"));
        assert_eq!(told["verdict"], "attested", "{place:?} {outcome}");
    }
}

/// A sidecar that is started again, or that main did not wait for, may look when main has ended.
/// Whoever moves the name then is not main.
#[test]
fn a_name_that_is_moved_after_main_has_ended_is_no_evidence() {
    let (Some(registry), s3) = (Registry::start("native"), S3::new()) else { return };
    let name = registry.name("app:1");
    registry.push("app:1", 1);
    let pod = pod(&s3, &name);
    pod.end(0);
    let outcome = after(&pod, &s3, || {
        registry.push("app:1", 2);
    });
    let told = entry(&outcome["outputs"], &format!("oci://{name}"));
    assert_eq!(told["verdict"], "refused", "{told}");
    let reason = told["reason"].as_str().unwrap();
    assert!(reason.contains("main had ended before"), "{reason}");
    assert_eq!(verify(&pod, &name, &[]).0, 1);
}

#[test]
fn what_is_not_there_or_cannot_be_asked_is_not_attested() {
    let (Some(registry), s3) = (Registry::start("native"), S3::new()) else { return };
    let (missing, away) = (registry.name("app:1"), "127.0.0.1:1/app:1");
    let pod = pod(&s3, &format!("{missing},{away}")).grace(20);
    let mut sidecar = pod.start();
    // One registry does not answer: main is let go, and everybody is told.
    let ran = pod.ready("--wait=60s");
    assert!(ran.status.success(), "{ran:?}");
    assert!(sidecar.logged().contains("not all is ready"), "{}", sidecar.logged());
    let (code, _) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(code, Some(0), "{}", sidecar.logged());
    let outcome = pod.outcome(&s3)["predicate"].clone();
    assert_eq!(outcome["complete"], false);
    let told = entry(&outcome["outputs"], &format!("oci://{missing}"));
    assert!(told["reason"].as_str().unwrap().contains("main did not push it"), "{told}");
    let told = entry(&outcome["outputs"], &format!("oci://{away}"));
    assert_ne!(told["verdict"], "attested", "{told}");
    assert!(told["path"].is_null(), "an image has no path");
}

#[test]
fn a_failed_step_attests_no_image() {
    let (Some(registry), s3) = (Registry::start("native"), S3::new()) else { return };
    let name = registry.name("app:1");
    let pod = pod(&s3, &name);
    let mut sidecar = pod.start_ready();
    registry.push("app:1", 1);
    pod.end(3);
    sidecar.terminate();
    sidecar.ends();
    let outcome = pod.outcome(&s3)["predicate"].clone();
    let told = entry(&outcome["outputs"], &format!("oci://{name}"));
    assert_eq!(told["verdict"], "unfinished", "{told}");
    assert_eq!(verify(&pod, &name, &[]).0, 1);
}

#[test]
fn what_names_no_image_is_told_before_main_starts() {
    let s3 = S3::new();
    for (text, why) in [
        ("{{inputs.parameters.image}}", "is an unresolved variable"),
        ("r.example/A:1", "names no image"),
        ("", "a name in it is empty"),
    ] {
        let pod = pod(&s3, text);
        let mut sidecar = pod.start();
        let ran = pod.ready("--wait=60s");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned() + &sidecar.logged();
        assert!(said.contains(why), "{text}: {said}");
        sidecar.terminate();
        sidecar.ends();
    }
}

/// Until the step's outputs are stored and attested time passes in which others may move the name: what is
/// attested is what it pointed to before that.
#[test]
fn a_name_that_is_moved_while_outputs_are_stored_is_not_what_is_attested() {
    let (Some(registry), s3) = (Registry::start("native"), S3::new()) else { return };
    let name = registry.name("app:1");
    let pod = with_outputs(&s3, &name, vec![Output::plain("a")]).plain().grace(40);
    let mut sidecar = pod.start_ready();
    let ours = registry.push("app:1", 1)[0].clone();
    pod.write();
    pod.end(0);
    sidecar.terminate();
    until("a look at the registry", || {
        sidecar.logged().contains("what its name points to now").then_some(())
    });
    let others = registry.push("app:1", 2)[0].clone();
    pod.upload(&s3);
    let (code, message) = sidecar.ends();
    assert_eq!(code, Some(0), "{message}\n{}", sidecar.logged());
    let at = |digest: &str| format!("{}@{digest}", registry.name("app"));
    assert_eq!([verify(&pod, &at(&ours), &[]).0, verify(&pod, &at(&others), &[]).0], [0, 1]);
}

/// All files beneath a directory, by path in it.
fn files(of: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(of).unwrap() {
        let (path, name) =
            (entry.as_ref().unwrap().path(), entry.unwrap().file_name().into_string().unwrap());
        if path.is_dir() {
            all.extend(files(&path).into_iter().map(|(beneath, bytes)| (format!("{name}/{beneath}"), bytes)));
        } else {
            all.push((name, fs::read(path).unwrap()));
        }
    }
    all.sort();
    all
}

#[test]
fn an_image_that_main_wrote_to_a_volume_has_the_best_evidence() {
    let (Some(registry), s3) = (Registry::start("native"), S3::new()) else { return };
    let name = registry.name("app:1");
    let dir = tempfile::tempdir().unwrap();
    let layout = dir.path().join("img").display().to_string();
    let digests = registry.call(&["layout", "write", &layout, "7"]);
    // It was there before: nothing changes by pushing it again.
    registry.call(&["layout", "push", &layout, &name]);
    let pod = pod_of(&s3, &name, &layout);
    let outcome = after(&pod, &s3, || {});
    assert_eq!(outcome["complete"], true, "{outcome}");
    let said = statement(&pod, &name);
    let said = &said["predicate"]["buildDefinition"]["internalParameters"]["image"];
    assert_eq!((&said["evidence"], &said["output"]), (&json!("written"), &json!("img")), "{digests:?}");
    assert_eq!(verify(&pod, &name, &["--policy", &policy(&pod, "written")]).0, 0);
    // Another one under this name has no such evidence.
    registry.push("app:1", 8);
    let other = pod_of(&s3, &name, &layout);
    let outcome = after(&other, &s3, || {});
    assert_eq!(entry(&outcome["outputs"], &format!("oci://{name}"))["verdict"], "refused", "{outcome}");
}

fn pod_of(s3: &S3, name: &str, layout: &str) -> Pod {
    let shape = (Place::Volume, Packing::Tar, Shape::Directory);
    let output = Output { files: files(Path::new(layout)), ..Output::new("img", shape) };
    with_outputs(s3, name, vec![output])
}
