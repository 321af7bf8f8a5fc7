//! `audit`, from outside: of a workflow, of a prefix, of a directory.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use argo_attest_core::keys::{KeyType, PrivateKey};
use serde_json::{Value, json};

use crate::program::{Desk, Ended};
use crate::servers::BUCKET;
use crate::workshop::{BUILDER, Workshop, uri};

const UID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";

/// The subject, the verdict and the reason of each line.
pub(crate) fn told(ended: &Ended) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |line| {
        let json: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        (text(&json["artifact"]), text(&json["verdict"]), text(&json["reason"]))
    };
    ended.out.lines().map(line).collect()
}

pub(crate) fn lines(all: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    all.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
}

fn node(name: &str, phase: &str, outputs: &[(&str, &str)]) -> Value {
    let outputs: Vec<_> =
        outputs.iter().map(|(name, key)| json!({"name": name, "s3": {"key": key}})).collect();
    json!({
        "name": format!("wf.{name}"), "type": "Pod", "phase": phase, "templateName": name,
        "templateScope": "local/wf", "outputs": {"artifacts": outputs},
    })
}

/// As `kubectl get workflow -o json` has it.
fn workflow(nodes: &Value) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "build-1", "namespace": "ci", "uid": UID, "managedFields": [{"manager": "x"}]},
        "spec": {"entrypoint": "build", "templates": [{"name": "build", "container": {"image": "x"}}]},
        "status": {
            "phase": "Succeeded",
            "nodes": nodes,
            "artifactRepositoryRef": {"default": true, "artifactRepository": {"s3": {
                "endpoint": "elsewhere.example.com:9000", "bucket": BUCKET, "insecure": true,
                "accessKeySecret": {"name": "s", "key": "k"},
            }}},
        },
    })
}

/// Two steps, of which the second takes from the first, with their outcomes.
pub(crate) async fn built() -> Workshop {
    built_in(Workshop::new().await).await
}

/// The same, there.
pub(crate) async fn built_in(shop: Workshop) -> Workshop {
    let key = shop.key("keys");
    let first = shop.step_of(&key, &format!("{UID}/wf-1/p"), "wf/p1/app.tgz", Vec::new()).await;
    shop.step_of(&key, &format!("{UID}/wf-2/p"), "wf/p2/image.tar", vec![first]).await;
    for (number, name) in [("1", "wf/p1/app.tgz"), ("2", "wf/p2/image.tar")] {
        let attestation = uri(&format!("{name}.sigstore.json"));
        let words = json!({
            "invocationId": format!("{UID}/wf-{number}/p"), "state": "succeeded", "builder": {"id": BUILDER},
            "outputs": [{"name": "out", "verdict": "attested", "attestation": attestation}],
        });
        shop.outcome(&format!("wf/p{number}/argo-attest-outcome-u{number}"), &words).await;
    }
    let nodes = json!({
        "wf-1": node("build", "Succeeded", &[("out", "wf/p1/app.tgz")]),
        "wf-2": node("pack", "Succeeded", &[("out", "wf/p2/image.tar")]),
        "wf": {"name": "wf", "type": "DAG", "phase": "Succeeded"},
    });
    shop.desk.write("wf.json", workflow(&nodes).to_string());
    shop
}

pub(crate) fn audit(shop: &Workshop, arguments: &[&str]) -> Ended {
    shop.run(&[&["audit", "--key", "keys/attest.pub"], arguments].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_accounted_for_node_by_node() {
    let shop = built().await;
    let (app, image) = (uri("wf/p1/app.tgz"), uri("wf/p2/image.tar"));
    let ended = audit(&shop, &["-f", "wf.json", "-o", "json"]).with(0).says("2 attested of 2\n");
    assert_eq!(told(&ended), lines(&[(&app, "attested", ""), (&image, "attested", "")]));
    let line: Value = serde_json::from_str(ended.out.lines().next().unwrap()).unwrap();
    ended.says("nobody signs a workflow's text").says("a step that it leaves out was not asked about");
    let expected = json!({
        "id": "wf-1", "name": "wf.build", "template": "build", "phase": "Succeeded",
        "workflow": "build-1", "namespace": "ci", "uid": UID,
    });
    assert_eq!(
        (&line["node"], &line["about"], &line["output"]),
        (&expected, &json!("artifact"), &json!("out"))
    );
    for member in ["digest", "attestation", "keyId", "builderId", "invocationId", "workflow", "template"] {
        assert!(line[member].is_string(), "{member}: {line}");
    }
    // The same with all that lies there: nothing is told twice.
    let ended = audit(&shop, &["-f", "wf.json", "-o", "json", &uri("wf/")]).with(0);
    assert_eq!(told(&ended).len(), 2, "{ended:?}");

    // The other forms say the same.
    let text = audit(&shop, &["-f", "wf.json"]).with(0);
    assert!(
        text.out.starts_with(&format!("workflow  ci/build-1  Succeeded, uid {UID}\nstep      wf.build  ")),
        "{text:?}"
    );
    assert!(text.out.contains(&format!("\nattested  {app}\n  as ")), "{text:?}");
    let csv = audit(&shop, &["-f", "wf.json", "-o", "csv"]).with(0);
    assert_eq!(csv.out.lines().count(), 3, "{csv:?}");
    assert!(
        csv.out.starts_with("namespace,workflow,") && csv.out.contains(&format!(",{app},attested,,")),
        "{csv:?}"
    );
    let junit = audit(&shop, &["-f", "wf.json", "-o", "junit"]).with(0);
    assert!(
        junit.out.contains(r#"<testsuite name="ci/build-1" tests="2" failures="0" errors="0" skipped="0">"#),
        "{junit:?}"
    );

    // Gaps of each kind.
    fs::remove_file(shop.in_bucket("wf/p1/app.tgz")).unwrap();
    for form in ["sigstore.json", "intoto.jsonl"] {
        fs::remove_file(shop.in_bucket(&format!("wf/p2/argo-attest-outcome-u2.{form}"))).unwrap();
    }
    let ended = audit(&shop, &["-f", "wf.json", "-o", "json", "--quiet"]).with(1);
    let expected =
        [(app.as_str(), "refused", "object-gone"), ("argo://ci/build-1/wf-2", "refused", "never-finished")];
    assert_eq!(told(&ended), lines(&expected));
    assert!(ended.err.is_empty(), "{ended:?}");
    let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
    for form in ["sigstore.json", "intoto.jsonl"] {
        fs::remove_file(shop.in_bucket(&format!("wf/p2/image.tar.{form}"))).unwrap();
    }
    shop.step_of(&other, &format!("{UID}/wf-2/p"), "wf/p2/image.tar", Vec::new()).await;
    shop.step_of(&shop.key("keys"), "other/wf-1/p", "wf/p1/app.tgz", Vec::new()).await;
    let ended = audit(&shop, &["-f", "wf.json", "-o", "json"]).with(1);
    let expected = [
        (app.as_str(), "refused", "spliced"),
        ("argo://ci/build-1/wf-2", "refused", "never-finished"),
        (&image, "refused", "untrusted"),
    ];
    assert_eq!(told(&ended), lines(&expected));
    ended.says("1 spliced").says("of 3\n");
    let junit = audit(&shop, &["-f", "wf.json", "-o", "junit"]).with(1);
    assert!(junit.out.contains(r#"failures="3""#) && junit.out.contains(r#"type="spliced""#), "{junit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_comes_in_many_ways() {
    let shop = built().await;
    let text = fs::read_to_string(shop.desk.path("wf.json")).unwrap();
    // On standard input, as a list.
    let list = format!(r#"{{"kind":"List","items":[{text},{text}]}}"#);
    let mut program = shop.desk.program(["audit", "--key", "keys/attest.pub", "-f", "-", "-o", "json"]);
    program
        .env("AWS_ENDPOINT_URL_S3", &shop.endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", crate::servers::ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", crate::servers::SECRET_KEY)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    child.stdin.take().unwrap().write_all(list.as_bytes()).unwrap();
    let ended = tokio::task::block_in_place(|| Ended::from(child.wait_with_output().unwrap())).with(0);
    assert_eq!(told(&ended).len(), 4, "{ended:?}");
    // From the store, and several.
    fs::write(shop.in_bucket("wf.json"), &text).unwrap();
    let ended = audit(&shop, &["-o", "json", "-f", "wf.json", "-f", &uri("wf.json")]).with(0);
    assert_eq!(told(&ended).len(), 4, "{ended:?}");

    shop.desk.write("pod.json", r#"{"kind":"Pod"}"#);
    audit(&shop, &["-f", "pod.json"])
        .with(65)
        .says("it is a Pod, not a Workflow")
        .says("kubectl get workflow");
    shop.desk.write("new.json", r#"{"kind":"Workflow","metadata":{"generateName":"x-"}}"#);
    audit(&shop, &["-f", "new.json"]).with(65).says("no metadata.uid");
    audit(&shop, &["-f", "none.json"]).with(66);
    audit(&shop, &["-f", "-", "-"]).with(64).says("standard input");
    shop.run(&["audit", "--key", "keys/attest.pub"]).with(64);
    // What ran nothing proves nothing.
    let empty = json!({"wf": {"name": "wf", "type": "DAG", "phase": "Succeeded"}});
    shop.desk.write("empty.json", workflow(&empty).to_string());
    audit(&shop, &["-f", "empty.json"]).with(1).says("nothing was found");
}

/// Names of a workflow are strangers' words, in every form.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_stay_names() {
    let shop = Workshop::new().await;
    let evil = "=HYPERLINK(\"x\")\u{1b}[31m\n</testcase><script>\u{202e}";
    let nodes = json!({"n\u{1b}[2J": node(evil, "Succeeded", &[(evil, "wf/=1,2/x"), ("b", "=a\"b")])});
    shop.desk.write("wf.json", workflow(&nodes).to_string());
    for form in ["text", "json", "csv", "junit"] {
        let ended = audit(&shop, &["-f", "wf.json", "-o", form]).with(1);
        for said in [&ended.out, &ended.err] {
            assert!(!said.contains(['\u{1b}', '\u{202e}']), "{form}: {ended:?}");
        }
        assert!(!ended.out.contains("<script>") || form != "junit", "{ended:?}");
        if form == "csv" {
            for line in ended.out.lines() {
                assert!(!line.split(',').any(|cell| cell.trim_matches('"').starts_with('=')), "{line}");
            }
        }
        if form == "json" {
            told(&ended);
        }
    }
}

/// Who deletes all of a run but what was signed of it has not deleted that.
#[tokio::test(flavor = "multi_thread")]
async fn a_place_of_which_only_attestations_are_left_names_what_is_gone() {
    let shop = built().await;
    let gone: Vec<_> = ["wf/p1/app.tgz", "wf/p2/image.tar"].map(|key| (key, uri(key))).into();
    for (key, _) in &gone {
        fs::remove_file(shop.in_bucket(key)).unwrap();
    }
    let expected: Vec<_> = gone.iter().map(|(_, uri)| (uri.as_str(), "refused", "object-gone")).collect();
    let ended = audit(&shop, &["-o", "json", &uri("wf/")]).with(1);
    assert_eq!(told(&ended), lines(&expected), "{ended:?}");
    // Outcomes alone say it as well.
    for (key, _) in &gone {
        for form in ["sigstore.json", "intoto.jsonl"] {
            fs::remove_file(shop.in_bucket(&format!("{key}.{form}"))).unwrap();
        }
    }
    let ended = audit(&shop, &["-o", "json", &uri("wf/")]).with(1);
    assert_eq!(told(&ended), lines(&expected), "{ended:?}");
    // Of what could be verified there is nothing.
    let ended = shop.run(&["verify", "--key", "keys/attest.pub", &uri("wf/")]).with(66);
    assert!(ended.out.contains(&format!("there is no artifact beneath {}", uri("wf/"))), "{ended:?}");
}

#[test]
fn a_directory_is_audited_and_logs_are_nobodys() {
    let desk = Desk::new();
    desk.attest(&["all/a"], "mkdir all && echo a > all/a").with(0);
    desk.write("all/main.log", "a log");
    let ended = desk.run(["audit", "-o", "json", "all"]).with(0).says("1 attested, 1 not-ours of 2\n");
    assert_eq!(told(&ended), lines(&[("all/a", "attested", ""), ("all/main.log", "accounted", "not-ours")]));
    let ended = desk.run(["audit", "--not-ours", "other.log", "-o", "json", "all"]).with(1);
    let narrowed = ("audit", "accounted", "not-looked-at");
    assert_eq!(told(&ended)[..1], lines(&[narrowed]), "names of one's own are told of");
    assert_eq!(told(&ended)[2], ("all/main.log".into(), "refused".into(), "unattested".into()));
    fs::remove_file(desk.path("all/main.log")).unwrap();
    desk.write("all/b", "b");
    fs::remove_file(desk.path("all/a")).unwrap();
    let ended = desk.run(["audit", "-o", "json", "all"]).with(1);
    assert_eq!(
        told(&ended),
        lines(&[("all/b", "refused", "unattested"), ("all/a.sigstore.json", "refused", "orphan")])
    );
    desk.run(["audit", "none"]).with(66);
}

/// The text is nobody's word: what a trusted key signed counts, whatever the text calls it.
#[tokio::test(flavor = "multi_thread")]
async fn no_text_excuses_what_a_key_signed() {
    let shop = built().await;
    let first = || node("build", "Succeeded", &[("out", "wf/p1/app.tgz")]);
    let second = |phase: &str, output: &str| node("pack", phase, &[(output, "wf/p2/image.tar")]);
    let audited = |second: Option<Value>| {
        let mut nodes = json!({"wf-1": first()});
        if let Some(second) = second {
            nodes["wf-2"] = second;
        }
        shop.desk.write("told.json", workflow(&nodes).to_string());
        audit(&shop, &["-f", "told.json", "-o", "json", &uri("wf/")])
    };
    audited(Some(second("Succeeded", "out"))).with(0);
    // A step that the text leaves out.
    let ended = audited(None).with(1);
    assert!(ended.out.contains("the workflow's text has no such node"), "{ended:?}");
    // Its object is gone, under each name that would excuse it.
    fs::remove_file(shop.in_bucket("wf/p2/image.tar")).unwrap();
    let mut skipped = second("Skipped", "out");
    skipped["type"] = "Skipped".into();
    for excuse in
        [second("Succeeded", "image-logs"), second("Failed", "out"), skipped, second("Succeeded", "x")]
    {
        let ended = audited(Some(excuse)).with(1);
        assert!(ended.out.contains(r#""reason":"object-gone""#), "{ended:?}");
    }
}

/// Of the outcomes of one node the one that began last counts, and its digests.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_step_left_last_counts() {
    let shop = built().await;
    let words = |pod: &str, state: &str, hour: u8, digest: &str| {
        json!({
            "invocationId": format!("{UID}/wf-1/{pod}"), "state": state, "builder": {"id": BUILDER},
            "startedOn": format!("2026-11-26T{hour}:00:00Z"),
            "outputs": [{"name": "out", "verdict": "attested", "digest": digest,
                         "attestation": uri("wf/p1/app.tgz.sigstore.json")}],
        })
    };
    let older = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    shop.outcome("wf/p1/argo-attest-outcome-u1", &words("p", "succeeded", 16, older)).await;
    let ended = audit(&shop, &["-f", "wf.json", "-o", "json"]).with(1);
    assert!(ended.out.contains(r#""reason":"altered""#), "{ended:?}");
    shop.outcome("wf/p1/argo-attest-outcome-u3", &words("q", "started", 17, "")).await;
    for place in [vec![], vec![uri("wf/")]] {
        let place: Vec<_> = place.iter().map(String::as_str).collect();
        let ended = audit(&shop, &[&["-f", "wf.json", "-o", "json"], &place[..]].concat()).with(1);
        assert!(ended.out.contains(r#""reason":"never-finished""#), "{ended:?}");
    }
    let ended = audit(&shop, &["-o", "json", &uri("wf/")]).with(1);
    assert!(ended.out.contains(r#""reason":"never-finished""#), "{ended:?}");
}

/// Whatever a text makes of keys and buckets, there is an answer, and a short one.
#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_too_long_to_be_told() {
    let shop = built().await;
    let long = "a".repeat(80_000);
    let mut text = workflow(&json!({"wf-1": node("build", "Succeeded", &[("out", &long)])}));
    for (member, value) in [("keyFormat", long.clone()), ("bucket", long)] {
        text["status"]["artifactRepositoryRef"]["artifactRepository"]["s3"][member] = value.into();
        shop.desk.write("told.json", text.to_string());
        let ended = audit(&shop, &["-f", "told.json"]).with(1);
        assert!(ended.out.len() < 10_000 && ended.err.len() < 10_000, "{ended:?}");
    }
}
