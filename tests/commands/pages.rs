//! The page of an audit in a real browser: nothing runs, nothing is asked for, and all of it can be
//! read, by eye, by keyboard and on paper.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::intoto::{DigestSet, ResourceDescriptor};
use argo_attest_core::keys::{KeyType, PrivateKey};
use serde_json::{Map, Value, json};

use crate::installed::installed;
use crate::servers::BUCKET;
use crate::workshop::{BUILDER, Workshop, root, uri};

const UID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";

/// Names that would do something, were they ever taken for what they are not.
const HOSTILE: [&str; 8] = [
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror=alert(2)>",
    "' onmouseover='alert(3)' x='",
    "]]><svg/onload=alert(4)>",
    "javascript:alert(5)",
    "<!--<style>@import 'https://example.com/x.css';</style>",
    "a\u{202e}gpj.exe\u{2066}\u{0}\u{7}\u{1b}[31m",
    "\u{5d0}\u{5d1}\u{5d2} 123 <base href=https://example.com/>",
];

/// A workflow that is being made up.
struct Flow {
    shop: Workshop,
    key: PrivateKey,
    nodes: Map<String, Value>,
}

impl Flow {
    fn new(shop: Workshop) -> Self {
        let key = shop.key("keys");
        Self { shop, key, nodes: Map::new() }
    }

    /// A node, as the workflow's text has it.
    fn node(&mut self, id: &str, (name, template): (&str, &str), key: &str, inputs: &[&str]) {
        let taken: Vec<_> = inputs.iter().map(|key| json!({"name": "in", "s3": {"key": key}})).collect();
        let node = json!({
            "name": name, "type": "Pod", "phase": "Succeeded", "templateName": template,
            "inputs": {"artifacts": taken},
            "outputs": {"artifacts": [{"name": "out", "s3": {"key": key}}]},
        });
        self.nodes.insert(id.into(), node);
    }

    /// A step that is attested, with its outcome; what comes of it is at the key.
    async fn step(&mut self, id: &str, named: (&str, &str), key: &str, inputs: &[&str]) {
        let mut materials = vec![root("registry.example.com/build/tools:1.4"), commit()];
        for input in inputs {
            materials.push(self.shop.input(input).await);
        }
        self.shop.step_of(&self.key, &format!("{UID}/{id}/p"), key, materials).await;
        self.outcome(id, key).await;
        self.node(id, named, key, inputs);
    }

    async fn outcome(&self, id: &str, key: &str) {
        let attestation = uri(&format!("{key}.sigstore.json"));
        let words = json!({
            "invocationId": format!("{UID}/{id}/p"), "state": "succeeded", "builder": {"id": BUILDER},
            "outputs": [{"name": "out", "verdict": "attested", "attestation": attestation}],
        });
        let folder = key.rsplit_once('/').unwrap().0;
        self.shop.outcome(&format!("{folder}/argo-attest-outcome-{id}"), &words).await;
    }

    /// Audits it with a page of this name.
    fn audit(&self, page: &str) -> PathBuf {
        let workflow = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "build-1", "namespace": "ci", "uid": UID},
            "status": {"phase": "Succeeded", "nodes": self.nodes, "artifactRepositoryRef": {
                "artifactRepository": {"s3": {"endpoint": "s3.example.com", "bucket": BUCKET}},
            }},
        });
        self.shop.desk.write("wf.json", workflow.to_string());
        let arguments = ["audit", "--key", "keys/attest.pub", "-f", "wf.json", "-o", "csv", "--html", page];
        let ended = self.shop.run(&arguments);
        assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
        self.shop.desk.path(page)
    }
}

fn commit() -> ResourceDescriptor {
    ResourceDescriptor {
        name: "inputs/src".into(),
        uri: "git+https://git.example.com/app@6f1e2d3c".into(),
        digest: DigestSet::git_commit(&"6f1e2d3c".repeat(5)).unwrap(),
        ..ResourceDescriptor::default()
    }
}

/// Checks out, builds, packs.
async fn three() -> Flow {
    let mut flow = Flow::new(Workshop::new().await);
    flow.step("wf-1", ("build-1[0].compile", "compile"), "wf/1/app.tgz", &[]).await;
    flow.step("wf-2", ("build-1[1].test", "test"), "wf/2/report.xml", &["wf/1/app.tgz"]).await;
    flow.step("wf-3", ("build-1[2].pack", "pack"), "wf/3/image.tar", &["wf/1/app.tgz", "wf/2/report.xml"])
        .await;
    flow
}

/// A fan-out between a step that splits and one that joins, of which some steps are not as they should
/// be.
async fn fan(shop: Workshop, width: usize) -> Flow {
    let mut flow = Flow::new(shop);
    flow.step("wf-split", ("build-1.split", "split"), "wf/split/shards.json", &[]).await;
    for at in 0..width {
        let (id, name) = (format!("wf-scan-{at}"), format!("build-1.scan({at}:part-{at})"));
        let key = format!("wf/scan-{at}/part.json");
        flow.step(&id, (&name, "scan"), &key, &["wf/split/shards.json"]).await;
    }
    let last = format!("wf/scan-{}/part.json", width - 1);
    flow.step("wf-join", ("build-1.join", "join"), "wf/join/report.json", &["wf/scan-0/part.json", &last])
        .await;
    flow.step("wf-sbom", ("build-1.sbom", "sbom"), "wf/sbom/sbom.json", &["wf/join/report.json"]).await;
    flow.step("wf-sign", ("build-1.sign", "sign"), "wf/sign/app.tgz", &["wf/join/report.json"]).await;
    // Gone, altered, of another run, by another key, and never watched.
    fs::remove_file(flow.shop.in_bucket("wf/scan-3/part.json")).unwrap();
    fs::write(flow.shop.in_bucket("wf/scan-7/part.json"), "altered").unwrap();
    let clear = |key: &str| {
        for form in ["sigstore.json", "intoto.jsonl"] {
            fs::remove_file(flow.shop.in_bucket(&format!("{key}.{form}"))).unwrap();
        }
    };
    clear("wf/scan-11/part.json");
    flow.shop.step_of(&flow.key, "other/wf-scan-11/p", "wf/scan-11/part.json", Vec::new()).await;
    clear("wf/scan-13/part.json");
    let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
    flow.shop.step_of(&other, &format!("{UID}/wf-scan-13/p"), "wf/scan-13/part.json", Vec::new()).await;
    clear("wf/scan-17/argo-attest-outcome-wf-scan-17");
    flow.node("wf-notify", ("build-1.notify", "notify"), "wf/notify/sent.txt", &["wf/join/report.json"]);
    flow
}

async fn hostile() -> Flow {
    let mut flow = Flow::new(Workshop::new().await);
    for (at, name) in HOSTILE.into_iter().enumerate() {
        let key = format!("wf/{at}/out.txt");
        flow.step(&format!("wf-{at}"), (name, name), &key, &[]).await;
    }
    for (at, name) in HOSTILE.into_iter().enumerate() {
        let long = format!("{name}{}", "x".repeat(10_000));
        let key = format!("wf/bad-{at}/{}", name.replace(['/', '\u{0}', '\u{7}', '\u{1b}'], "_"));
        flow.node(&format!("{name}-{at}"), (&long, name), &key, &["wf/0/out.txt", &key]);
    }
    flow
}

/// What a page has to be: (its name, its flow, its steps, its heading).
type Wanted = (&'static str, Flow, u64, &'static str);

const MISSING: &str = "Something is not attested";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: make interop"]
async fn a_browser_shows_the_page_and_runs_nothing() {
    in_a_browser(&[
        ("three", three().await, 3, "Nothing is missing"),
        ("sixty", fan(Workshop::new().await, 55).await, 60, MISSING),
        ("hostile", hostile().await, 16, MISSING),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes of a browser: make interop"]
async fn a_browser_shows_two_thousand_steps() {
    let Some(large) = Workshop::large().await else { return };
    in_a_browser(&[("many", fan(large, 1_995).await, 2_000, MISSING)]);
}

fn in_a_browser(all: &[Wanted]) {
    let Some(reader) = installed("page") else {
        return eprintln!("skipped: needs tests/interop/install page (make interop)");
    };
    let pages: Vec<_> = all.iter().map(|(name, flow, ..)| flow.audit(&format!("{name}.html"))).collect();
    let folder = std::env::var_os("ARGO_ATTEST_PICTURES").map(PathBuf::from);
    let kept = tempfile::tempdir().unwrap();
    let folder = folder.unwrap_or_else(|| kept.path().to_owned());
    fs::create_dir_all(&folder).unwrap();
    for page in &pages {
        fs::copy(page, folder.join(page.file_name().unwrap())).unwrap();
    }
    let told = Command::new(reader).arg(&folder).args(&pages).output().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    fs::write(folder.join("told.json"), &told.stdout).unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    for (name, _, rows, heading) in all {
        let told = &told[format!("{name}.html")];
        for nothing in ["dialogs", "requests", "console", "errors"] {
            assert_eq!(told[nothing], json!([]), "{name} {nothing}");
        }
        for none in ["scripts", "handlers", "foreignLinks", "brokenLinks", "outside"] {
            assert_eq!(told[none], 0, "{name} {none}");
        }
        assert_eq!((&told["heading"], &told["rows"]), (&json!(heading), &json!(rows)), "{name}");
        assert_eq!(told["wide"], false, "{name}: it is read without scrolling sideways");
        for violations in ["violations", "darkViolations"] {
            let serious = |of: &&Value| matches!(of["impact"].as_str(), Some("serious" | "critical"));
            let serious: Vec<_> = told[violations].as_array().unwrap().iter().filter(serious).collect();
            assert!(serious.is_empty(), "{name}: {serious:?}");
        }
        let keyboard = &told["keyboard"];
        let wanted = keyboard["wanted"].as_u64().unwrap().min(400);
        assert_eq!(keyboard["reached"], json!(wanted), "{name}: {keyboard}");
        assert_eq!((&keyboard["visible"], &keyboard["opened"]), (&json!(true), &json!(true)), "{name}");
        let things = told["things"].as_u64().unwrap();
        assert!(things >= 3, "{name}: {told}");
        assert!(things <= 300, "{name}: what is alike is one thing");
        assert!(told["paperBytes"].as_u64().unwrap() > 10_000, "{name}");
        let printed = if *rows > 1_000 { 6 } else { *rows };
        assert!(told["printedFacts"].as_u64().unwrap() >= printed - 1, "{name}: {}", told["printedFacts"]);
    }
}

/// Without a browser: what is written, and where.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_written_whole_or_not_at_all() {
    let flow = three().await;
    let html = fs::read_to_string(flow.audit("page.html")).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("Nothing is missing"));
    for told in
        ["build-1[1].test", "git+https://git.example.com/app", "oci://registry.example.com/build/tools:1.4"]
    {
        assert!(html.contains(told), "{told}");
    }
    let digest = Sha256Digest::of(b"wf/3/image.tar").to_string();
    assert!(html.contains(&digest));
    let audit = |page: &str| {
        let arguments = ["audit", "--key", "keys/attest.pub", "-f", "wf.json", "--html", page];
        flow.shop.run(&arguments)
    };
    let ended = audit("no/folder/page.html").with(74).says("cannot write the page").says("--html FILE");
    assert!(ended.out.is_empty(), "nothing was audited in vain: {ended:?}");
    audit("-").with(64).says("standard output");
    audit("keys").with(74).says("cannot write the page to keys");
    let left: Vec<_> =
        fs::read_dir(flow.shop.desk.path(".")).unwrap().map(|of| of.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "{left:?}");
    // A directory has no picture, and is a list.
    let places =
        flow.shop.run(&["audit", "--key", "keys/attest.pub", "--html", "places.html", &uri("wf/")]).with(0);
    assert!(places.err.contains("attested"), "{places:?}");
    let html = fs::read_to_string(flow.shop.desk.path("places.html")).unwrap();
    assert!(!html.contains("<svg") && html.contains("wf/3/image.tar"));
}
