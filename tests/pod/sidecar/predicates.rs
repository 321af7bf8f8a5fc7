//! Files of a step that speak of what else it leaves: each signed as what it is, about all of that.

use std::fs;
use std::process::Command;
use std::time::Duration;

use argo_attest_core::bundle::Bundle;
use argo_attest_core::digest::Sha256Digest;
use serde_json::{Value, json};

use crate::output::{Output, Packing, Place, Shape};
use crate::pod::{Pod, entry};
use crate::process::{binary, pass};
use crate::registry::Registry;
use crate::s3::S3;
use crate::servers::{ACCESS_KEY, BUCKET, SECRET_KEY};

const PREDICATES: &str = "argo-attest.io/predicates";
const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// With white space and a number that are kept as they are.
const SBOM: &str = "{ \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.6\", \"version\": 1.10 }\n";
const SARIF: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"scan"}},"results":[]}]}"#;

fn file(name: &str, (place, packing): (Place, Packing), content: &str) -> Output {
    let files = vec![(String::new(), content.as_bytes().to_vec())];
    Output { files, ..Output::new(name, (place, packing, Shape::File)) }
}

fn pod(s3: &S3, predicates: &str, outputs: Vec<Output>) -> Pod {
    let mut pod = Pod::new(s3.address(), outputs).arg("--plain-http");
    pod.template["metadata"]["annotations"] = json!({ PREDICATES: predicates });
    pod
}

/// What became of a step that ended well.
fn outcome(pod: &Pod, s3: &S3) -> Value {
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(s3, &mut sidecar);
    assert_eq!(code, Some(0), "{}", sidecar.logged());
    let outcome = pod.outcome(s3)["predicate"].clone();
    let attested =
        outcome["predicates"].as_array().unwrap().iter().filter(|p| p["verdict"] == "attested").count();
    assert_eq!(message["predicates"]["attested"], attested, "{message}");
    outcome
}

/// `verify` of an object or an image, as a consumer has it.
fn verify(pod: &Pod, s3: &S3, artifact: &str, more: &[&str]) -> (i32, String) {
    let mut command = binary();
    command.env("COLUMNS", "100000").args(["verify", "--plain-http", "--key"]).arg(pod.public_key());
    command.envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")]);
    command.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    let ran = command.args(more).arg(artifact).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap();
    (ran.status.code().unwrap(), said)
}

fn object(key: &str) -> String {
    format!("s3://{BUCKET}/{key}")
}

fn statement(pod: &Pod, s3: &S3, key: &str) -> Value {
    pod.signed(&s3.get(key).unwrap_or_else(|| panic!("no {key} in {:?}", s3.keys())))
}

/// The predicate of the statement in a bundle, byte by byte.
fn payload(bundle: &[u8]) -> String {
    let bundle = Bundle::from_json(bundle).unwrap();
    String::from_utf8(bundle.envelope().unverified_payload().to_vec()).unwrap()
}

#[test]
fn a_document_is_signed_as_what_it_is_about_what_else_the_step_leaves() {
    for at in [
        (Place::Volume, Packing::None),
        (Place::Volume, Packing::Tar),
        (Place::Base, Packing::Tar),
        (Place::Base, Packing::None),
    ] {
        let s3 = S3::new();
        let app = Output::plain("app");
        let pack = Output::new("pack", (Place::Volume, Packing::Tar, Shape::Directory));
        let outputs = vec![app.clone(), pack.clone(), file("sbom", at, SBOM)];
        let pod = pod(&s3, "sbom=cyclonedx", outputs);
        let outcome = outcome(&pod, &s3);
        assert_eq!(outcome["complete"], true, "{outcome}");
        let predicates = outcome["predicates"].as_array().unwrap();
        assert_eq!(predicates.len(), 2, "not about itself: {predicates:?}");
        for (output, told) in [(&app, &predicates[0]), (&pack, &predicates[1])] {
            let bundle = format!("{}.predicate-cyclonedx.sigstore.json", output.key());
            assert_eq!(
                *told,
                json!({
                    "name": "sbom", "predicateType": CYCLONEDX, "about": output.name, "verdict": "attested",
                    "attestation": object(&bundle),
                }),
                "{at:?}"
            );
            let (said, provenance) = (
                statement(&pod, &s3, &bundle),
                statement(&pod, &s3, &format!("{}.sigstore.json", output.key())),
            );
            assert_eq!(
                (&said["predicateType"], &said["subject"]),
                (&json!(CYCLONEDX), &provenance["subject"])
            );
            assert!(payload(&s3.get(&bundle).unwrap()).contains(SBOM.trim_end()), "its own text");
            // How it was made says which document that is.
            let linked = entry(&provenance["predicate"]["runDetails"]["byproducts"], "predicates/sbom");
            assert_eq!(linked["digest"]["sha256"], Sha256Digest::of(SBOM.as_bytes()).to_string());
            assert_eq!(linked["annotations"]["predicateType"], CYCLONEDX);
            let name = object(&output.key());
            let accepted = verify(&pod, &s3, &name, &["--type", "cyclonedx", "-o", "json"]);
            assert_eq!(accepted.0, 0, "{at:?} {}", accepted.1);
            let read: Value = serde_json::from_str(accepted.1.lines().next().unwrap()).unwrap();
            assert_eq!(
                (&read["predicateType"], &read["attestation"]),
                (&json!(CYCLONEDX), &json!(object(&bundle)))
            );
            assert_eq!(read["placed"], false, "no document names a store");
            let provenance = verify(&pod, &s3, &name, &["-o", "json"]);
            assert_eq!(provenance.0, 0, "{}", provenance.1);
            assert!(provenance.1.contains("https://slsa.dev/provenance/v1"), "{}", provenance.1);
            // Of another type there is none, and it is said what there is.
            let (code, said) = verify(&pod, &s3, &name, &["--type", "spdx"]);
            assert_eq!(code, 1, "{said}");
            assert!(said.contains("slsa.dev/provenance/v1") && said.contains("spdx.dev/Document"), "{said}");
        }
        // Of the report itself nothing else is said than how it was made.
        let sbom = object(&file("sbom", at, SBOM).key());
        assert_eq!(verify(&pod, &s3, &sbom, &[]).0, 0);
        assert_eq!(verify(&pod, &s3, &sbom, &["--type", "cyclonedx"]).0, 1);
    }
}

/// Whoever can write the bucket could take the provenance away, or put the document in its place.
#[test]
fn a_document_is_never_taken_for_provenance() {
    let s3 = S3::new();
    let app = Output::plain("app");
    let pod =
        pod(&s3, "sbom=cyclonedx", vec![app.clone(), file("sbom", (Place::Volume, Packing::None), SBOM)]);
    outcome(&pod, &s3);
    let name = object(&app.key());
    for form in ["sigstore.json", "intoto.jsonl"] {
        s3.delete(&format!("{}.{form}", app.key()));
    }
    let (code, said) = verify(&pod, &s3, &name, &[]);
    assert_eq!(code, 1, "{said}");
    assert_eq!(verify(&pod, &s3, &name, &["--type", "cyclonedx"]).0, 0);
    for form in ["sigstore.json", "intoto.jsonl"] {
        let document = s3.get(&format!("{}.predicate-cyclonedx.{form}", app.key())).unwrap();
        s3.put(&format!("{}.{form}", app.key()), &document);
    }
    let (code, said) = verify(&pod, &s3, &name, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(CYCLONEDX) && said.contains("SLSA provenance"), "{said}");
    // The same beside a file that was fetched.
    let file = pod.at("fetched");
    fs::write(&file, s3.get(&app.key()).unwrap()).unwrap();
    let beside = format!("{}.predicate-cyclonedx.sigstore.json", file.display());
    let bundle = s3.get(&format!("{}.predicate-cyclonedx.sigstore.json", app.key())).unwrap();
    fs::write(&beside, &bundle).unwrap();
    let fetched = file.display().to_string();
    for (more, exit) in [(&["--type", "cyclonedx"][..], 0), (&["--type", "spdx"][..], 1), (&[][..], 1)] {
        let (code, said) = verify(&pod, &s3, &fetched, more);
        assert_eq!(code, exit, "{more:?}: {said}");
    }
    fs::write(pod.at("fetched.sigstore.json"), &bundle).unwrap();
    assert_eq!(verify(&pod, &s3, &fetched, &[]).0, 1);
    // A policy asks for a builder, and no document names one.
    let policy = pod.at("policy.yaml");
    let text = format!(
        "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{{name: ci, file: {}}}]\n\
         builders: [{{id: \"https://ci.example.com/argo\", keys: [ci]}}]\n",
        pod.public_key().display()
    );
    fs::write(&policy, text).unwrap();
    let mut command = binary();
    command.args(["verify", "--type", "cyclonedx", "--policy"]).arg(policy).arg(&name);
    command.envs([("AWS_ENDPOINT_URL_S3", s3.endpoint.as_str()), ("AWS_REGION", "us-east-1")]);
    command.envs([("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)]);
    assert_eq!(command.output().unwrap().status.code(), Some(1));
}

#[test]
fn a_file_in_a_directory_is_about_that_and_a_document_about_what_it_names() {
    let s3 = S3::new();
    let mut dist = Output::new("dist", (Place::Base, Packing::Tar, Shape::Directory));
    dist.files.push(("reports/bom.json".to_owned(), SBOM.as_bytes().to_vec()));
    let (app, other) = (Output::plain("app"), Output::plain("other"));
    let outputs = vec![dist.clone(), app, other, file("scan", (Place::Volume, Packing::None), SARIF)];
    let asked = "dist/reports/bom.json=cyclonedx for dist, scan=sarif for app, scan=https://example.com/scan/v1 for app";
    let pod = pod(&s3, asked, outputs);
    let outcome = outcome(&pod, &s3);
    assert_eq!(outcome["complete"], true, "{outcome}");
    let told: Vec<_> = outcome["predicates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["name"].clone(), p["about"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            (json!("dist/reports/bom.json"), json!("dist")),
            (json!("scan"), json!("app")),
            (json!("scan"), json!("app"))
        ]
    );
    let name = object(&dist.key());
    assert_eq!(verify(&pod, &s3, &name, &["--type", "cyclonedx"]).0, 0);
    let app = object(&pod.outputs[1].key());
    assert_eq!(verify(&pod, &s3, &app, &["--type", "sarif"]).0, 0);
    let own = verify(&pod, &s3, &app, &["--type", "https://example.com/scan/v1"]);
    assert_eq!(own.0, 0, "{}", own.1);
    assert_eq!(verify(&pod, &s3, &object(&pod.outputs[2].key()), &["--type", "sarif"]).0, 1);
}

#[test]
fn what_is_not_what_it_is_named_is_not_signed_and_costs_no_provenance() {
    let at = (Place::Volume, Packing::None);
    let key = argo_attest_core::keys::PrivateKey::generate(argo_attest_core::keys::KeyType::Ed25519).unwrap();
    let pem = key.to_pkcs8_pem();
    let leak = json!({"version": "2.1.0", "runs": [{"snippet": pem.as_str()}]}).to_string();
    let large = format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","x":"{}"}}"#, "x".repeat(7 << 20));
    let cases = [
        ("sbom=cyclonedx", SARIF, "it does not look like CycloneDX"),
        ("sbom=sarif", SBOM, "it does not look like SARIF"),
        ("sbom=spdx", "SPDXVersion: SPDX-2.3", "no JSON document"),
        ("sbom=sarif", leak.as_str(), "evidently a private key"),
        ("sbom=cyclonedx", large.as_str(), "and at most 4194304 are signed"),
        ("sbom/a=cyclonedx for app", SBOM, "there is no file a in the output"),
        ("app=cyclonedx for sbom", SBOM, "no JSON document"),
    ];
    for (at_case, (asked, content, why)) in cases.into_iter().enumerate() {
        let plain = at_case == 0;
        let s3 = S3::new();
        let app = Output::plain("app");
        let mut pod = pod(&s3, asked, vec![app.clone(), file("sbom", at, content)]);
        if plain {
            pod = pod.plain();
        }
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!(code, Some(i32::from(plain)), "{asked}: {}", sidecar.logged());
        assert_eq!((&message["attested"], &message["predicates"]["notAttested"]), (&json!(2), &json!(1)));
        let outcome = pod.outcome(&s3)["predicate"].clone();
        assert_eq!(outcome["complete"], false);
        let told = &outcome["predicates"][0];
        assert_eq!(told["verdict"], "refused", "{told}");
        assert!(told["reason"].as_str().unwrap().contains(why), "{asked}: {told}");
        assert!(s3.keys().iter().all(|key| !key.contains(".predicate-")), "{:?}", s3.keys());
        assert_eq!(verify(&pod, &s3, &object(&app.key()), &[]).0, 0);
        let provenance = statement(&pod, &s3, &format!("{}.sigstore.json", app.key()));
        assert!(!provenance.to_string().contains("predicates/"), "{provenance}");
    }
}

/// A document is what main had written when it ended.
#[test]
fn what_is_changed_after_main_has_ended_is_not_signed() {
    let s3 = S3::new();
    let app = Output::plain("app");
    let sbom = file("sbom", (Place::Volume, Packing::None), SBOM);
    let pod = pod(&s3, "sbom=cyclonedx", vec![app, sbom.clone()]);
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.upload(&s3);
    pod.later();
    fs::write(sbom.path(&pod.work()), SBOM.replace("1.6", "1.5")).unwrap();
    sidecar.terminate();
    sidecar.ends();
    let outcome = pod.outcome(&s3)["predicate"].clone();
    let told = &outcome["predicates"][0];
    assert_eq!(told["verdict"], "refused", "{told}");
    assert!(told["reason"].as_str().unwrap().contains("after main had ended"), "{told}");
    assert_eq!(entry(&outcome["outputs"], "app")["verdict"], "attested");
}

#[test]
fn what_cannot_be_signed_is_told_before_main_starts() {
    let s3 = S3::new();
    for (asked, why) in [
        ("bom=cyclonedx", "the step has no output artifact bom"),
        ("sbom=cyclonedx for bin", "the step has no output or image bin"),
        ("sbom=cyclonedx, app=spdx", "the step has no other output, and no image"),
        ("sbom=https://slsa.dev/provenance/v1", "by which a builder or a verifier speaks"),
        ("sbom=bom", "neither a known type"),
        ("{{inputs.parameters.x}}", "unresolved variable"),
    ] {
        let outputs = vec![Output::plain("app"), file("sbom", (Place::Volume, Packing::None), SBOM)];
        let pod = pod(&s3, asked, outputs);
        let mut sidecar = pod.start();
        let ran = pod.ready("--wait=60s");
        let said = String::from_utf8_lossy(&ran.stderr).into_owned() + &sidecar.logged();
        assert!(said.contains(why), "{asked}: {said}");
        sidecar.terminate();
        sidecar.ends();
    }
}

/// Argo checks no keys against each other, and what an attestation is called is known beforehand.
#[test]
fn an_output_that_is_stored_where_a_statement_goes_is_refused() {
    let s3 = S3::new();
    let app = Output::plain("app").keyed("k/app");
    let planted = Output::plain("planted").keyed("k/app.predicate-cyclonedx.sigstore.json");
    let sbom = file("sbom", (Place::Volume, Packing::None), SBOM);
    let pod = pod(&s3, "sbom=cyclonedx for app", vec![app, planted, sbom]);
    let outcome = outcome(&pod, &s3);
    for name in ["app", "planted"] {
        assert_eq!(entry(&outcome["outputs"], name)["verdict"], "refused", "{outcome}");
    }
    let told = &outcome["predicates"][0];
    assert_eq!(told["reason"], "app, which it is about, is not attested");
}

#[test]
fn the_same_once_more_changes_nothing() {
    let s3 = S3::new();
    let app = Output::plain("app");
    let sbom = file("sbom", (Place::Volume, Packing::None), SBOM);
    let pod = pod(&s3, "sbom=cyclonedx for app", vec![app.clone(), sbom]);
    let names =
        ["sigstore.json", "intoto.jsonl"].map(|form| format!("{}.predicate-cyclonedx.{form}", app.key()));
    outcome(&pod, &s3);
    let first = names.clone().map(|name| s3.get(&name).unwrap());
    fs::remove_dir_all(pod.argo().join("ctr")).unwrap();
    outcome(&pod, &s3);
    assert_eq!(names.map(|name| s3.get(&name).unwrap()), first);
}

/// What is there is judged by a program that is not ours.
struct Cosign<'a> {
    program: std::path::PathBuf,
    pod: &'a Pod,
}

impl Cosign<'_> {
    fn accepts(&self, command: &str, kind: &str, more: &[&str]) -> bool {
        let mut run = Command::new(&self.program);
        run.args([command, "--key"]).arg(self.pod.public_key()).args(["--type", kind]);
        run.args(["--insecure-ignore-tlog=true"]).args(more).env("HOME", self.pod.at(""));
        let done = run.output().unwrap();
        eprintln!("{kind} {more:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.status.success()
    }
}

fn cosign(pod: &Pod) -> Option<Cosign<'_>> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join("cosign")).find(|file| file.is_file());
    if found.is_none() {
        crate::skip::skip("cosign");
    }
    Some(Cosign { program: found?, pod })
}

#[test]
fn cosign_takes_a_document_of_its_type_and_of_no_other() {
    let s3 = S3::new();
    let app = Output::plain("app");
    let pod = pod(&s3, "sbom=cyclonedx", vec![app.clone(), file("sbom", (Place::Base, Packing::Tar), SBOM)]);
    let Some(cosign) = cosign(&pod) else { return };
    outcome(&pod, &s3);
    let (blob, bundle) = (app.path(&pod.work()), pod.at("bundle.json").display().to_string());
    fs::write(&bundle, s3.get(&format!("{}.predicate-cyclonedx.sigstore.json", app.key())).unwrap()).unwrap();
    let accepts = |kind| cosign.accepts("verify-blob-attestation", kind, &["--bundle", &bundle, &blob]);
    assert!(accepts("cyclonedx"));
    assert!(!accepts("spdx") && !accepts("slsaprovenance1"));
    fs::write(&bundle, s3.get(&format!("{}.sigstore.json", app.key())).unwrap()).unwrap();
    assert!(accepts("slsaprovenance1") && !accepts("cyclonedx"));
}

#[test]
fn a_document_refers_to_an_image_and_to_each_of_its_platforms() {
    for kind in ["native", "fallback"] {
        let (Some(registry), s3) = (Registry::start(kind), S3::new()) else { return };
        let name = registry.name("app:1");
        let mut pod = pod(&s3, "sbom=cyclonedx", vec![file("sbom", (Place::Base, Packing::None), SBOM)]);
        pod.template["metadata"]["annotations"]["argo-attest.io/images"] = json!(name);
        let mut sidecar = pod.start_ready();
        let pushed = registry.push("app:1", 2);
        let (code, _) = pod.succeed(&s3, &mut sidecar);
        assert_eq!(code, Some(0), "{}", sidecar.logged());
        let outcome = pod.outcome(&s3)["predicate"].clone();
        assert_eq!(outcome["complete"], true, "{outcome}");
        let told = &outcome["predicates"][0];
        assert_eq!((&told["about"], &told["verdict"]), (&json!(format!("oci://{name}")), &json!("attested")));
        assert!(told["attestation"].as_str().unwrap().starts_with("oci://"), "{told}");
        for digest in &pushed {
            let image = format!("{}@{digest}", registry.name("app"));
            let asked = format!("oci://{image}");
            for (more, exit) in
                [(&[][..], 0), (&["--type", "cyclonedx"][..], 0), (&["--type", "spdx"][..], 1)]
            {
                let (code, said) = verify(&pod, &s3, &asked, more);
                assert_eq!(code, exit, "{kind} {more:?}: {said}");
            }
            let (_, said) = verify(&pod, &s3, &asked, &["--type", "spdx"]);
            assert!(
                said.contains(CYCLONEDX) && said.contains("slsa.dev/provenance"),
                "what there is: {said}"
            );
            if let Some(cosign) = cosign(&pod) {
                let accepts =
                    |of| cosign.accepts("verify-attestation", of, &["--allow-http-registry", &image]);
                assert!(accepts("cyclonedx") && accepts("slsaprovenance1"), "{kind} {image}");
                assert!(!accepts("spdx"), "{kind} {image}");
            }
        }
    }
}

/// What the process has taken at most, in KiB; nothing once it has ended.
fn peak(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Our templates give the container 256 MiB.
#[test]
fn documents_of_the_largest_size_fit_into_the_containers_memory() {
    let s3 = S3::new();
    let large = |n: usize| {
        let head = format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","n":{n},"x":""#);
        let rest = (4 << 20) - head.len() - 2;
        head + &"x".repeat(rest) + "\"}"
    };
    let sboms = (0..4).map(|n| file(&format!("sbom-{n}"), (Place::Volume, Packing::None), &large(n)));
    let asked = (0..4).map(|n| format!("sbom-{n}=cyclonedx")).collect::<Vec<_>>().join(",");
    let pod = pod(&s3, &asked, std::iter::once(Output::plain("app")).chain(sboms).collect()).grace(120);
    for attempt in 1..=2 {
        let mut sidecar = pod.start_ready();
        pod.write();
        pod.end(0);
        pod.upload(&s3);
        let pid = sidecar.pid();
        let watching = std::thread::spawn(move || {
            let mut most = 0;
            while let Some(now) = peak(pid) {
                most = now;
                pass(Duration::from_millis(1));
            }
            most
        });
        sidecar.terminate();
        let (code, message) = sidecar.ends();
        assert_eq!((code, &message["predicates"]["attested"]), (Some(0), &json!(4)), "{message}");
        let most = watching.join().unwrap();
        assert!((1..200 << 10).contains(&most), "attempt {attempt}: {most} KiB");
        fs::remove_dir_all(pod.argo().join("ctr")).unwrap();
    }
}
