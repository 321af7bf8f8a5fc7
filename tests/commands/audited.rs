//! `audit` of what changed, and of a cluster.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::audit::{audit, built, lines, told};
use crate::program::Ended;
use crate::scripted::{Act, Plain, Request, Scripted, reply};
use crate::servers::{ACCESS_KEY, SECRET_KEY};
use crate::workshop::{Workshop, uri};

/// Makes an object as old as that, in all its forms.
fn age(shop: &Workshop, keys: &[&str]) {
    let long_ago = SystemTime::now() - Duration::from_hours(48);
    for key in keys {
        for suffix in ["", ".sigstore.json", ".intoto.jsonl"] {
            let path = shop.in_bucket(&format!("{key}{suffix}"));
            if let Ok(file) = fs::File::options().write(true).open(path) {
                file.set_modified(long_ago).unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_counted_and_not_excused() {
    let shop = built().await;
    fs::write(shop.in_bucket("wf/p1/old"), "never attested").unwrap();
    fs::write(shop.in_bucket("wf/p1/new"), "never attested").unwrap();
    age(&shop, &["wf/p1/app.tgz", "wf/p1/old", "wf/p1/argo-attest-outcome-u1"]);
    let since = |more: &[&str]| audit(&shop, &[&["-o", "json", "--since", "24h"], more].concat());
    let (place, image, new) = (uri("wf/"), uri("wf/p2/image.tar"), uri("wf/p1/new"));
    let narrowed = ("audit", "accounted", "not-looked-at");
    let expected = lines(&[
        narrowed,
        (&new, "refused", "unattested"),
        (&image, "attested", ""),
        (&place, "accounted", "not-looked-at"),
    ]);
    let ended = since(&[&place]).with(1).says("3 not-looked-at").says("of 5\n");
    assert_eq!(told(&ended), expected, "{ended:?}");
    assert!(ended.out.contains("3 of it did not change since 20"), "{ended:?}");
    // An attestation that is new is looked at with what it is about.
    let bundle = fs::File::options().write(true).open(shop.in_bucket("wf/p1/app.tgz.sigstore.json")).unwrap();
    bundle.set_modified(SystemTime::now()).unwrap();
    let ended = since(&[&place]).with(1).says("2 not-looked-at");
    assert!(told(&ended).contains(&(uri("wf/p1/app.tgz"), "attested".into(), String::new())), "{ended:?}");
    // Nothing new is told, and no proof of anything.
    fs::remove_file(shop.in_bucket("wf/p1/new")).unwrap();
    age(&shop, &["wf/p1/app.tgz", "wf/p2/image.tar", "wf/p2/argo-attest-outcome-u2"]);
    let ended =
        since(&[&place]).with(1).says("0 attested, 5 not-looked-at of 5\n").says("nothing was looked at");
    assert_eq!(told(&ended), lines(&[narrowed, (&place, "accounted", "not-looked-at")]));
    // A workflow that has just ended hangs on outcomes that are older, wherever they are.
    fs::create_dir_all(shop.in_bucket("outcomes")).unwrap();
    for (number, form) in
        [(1, "sigstore.json"), (1, "intoto.jsonl"), (2, "sigstore.json"), (2, "intoto.jsonl")]
    {
        let name = format!("argo-attest-outcome-u{number}.{form}");
        let (from, to) = (format!("wf/p{number}/{name}"), format!("outcomes/{name}"));
        fs::rename(shop.in_bucket(&from), shop.in_bucket(&to)).unwrap();
    }
    let mut text: Value = serde_json::from_slice(&shop.desk.read("wf.json")).unwrap();
    text["status"]["finishedAt"] = jiff::Timestamp::now().to_string().into();
    shop.desk.write("just.json", text.to_string());
    since(&["-f", "just.json"]).with(1).says("2 never-finished");
    let ended = since(&["-f", "just.json", &uri("outcomes/")]).with(0);
    assert_eq!(told(&ended).iter().filter(|(_, verdict, _)| verdict == "attested").count(), 2, "{ended:?}");
    // One that ended before is not looked at.
    text["status"]["finishedAt"] = "2026-01-01T00:00:00Z".into();
    shop.desk.write("old.json", text.to_string());
    let ended = since(&["-f", "old.json"]).with(1).says("1 not-looked-at of 1\n");
    assert_eq!(told(&ended), lines(&[narrowed, ("argo://", "accounted", "not-looked-at")]));
}

fn json_reply(status: u16, body: &Value) -> Act {
    Act::Reply(reply(status, &[("Content-Type", "application/json")], body.to_string().as_bytes()))
}

/// An API server, as `kubectl proxy` shows one: a namespace with these workflows, of which each page has
/// one; with or without the right to change them.
fn api_server(workflows: Vec<Value>, may_patch: bool) -> Scripted {
    let choose = move |request: &Request| {
        let path = request.path.split('?').next().unwrap_or_default();
        let base = "/apis/argoproj.io/v1alpha1/namespaces/ci/workflows";
        if request.method == "PATCH" {
            return Some(if may_patch {
                json_reply(200, &json!({"kind": "Workflow"}))
            } else {
                json_reply(403, &json!({"kind": "Status", "message": "workflows is forbidden"}))
            });
        }
        if path == base {
            let at: usize = request.path.split("continue=").nth(1).map_or(0, |at| at.parse().unwrap());
            let next = if at + 1 < workflows.len() { (at + 1).to_string() } else { String::new() };
            let items: Vec<_> = workflows.get(at).into_iter().collect();
            return Some(json_reply(
                200,
                &json!({"kind": "WorkflowList", "metadata": {"continue": next}, "items": items}),
            ));
        }
        let named = path.strip_prefix(base)?.strip_prefix('/')?;
        let found = workflows.iter().find(|workflow| workflow["metadata"]["name"] == named);
        Some(found.map_or_else(
            || {
                json_reply(
                    404,
                    &json!({"kind": "Status", "message": format!("workflows {named:?} not found")}),
                )
            },
            |workflow| json_reply(200, workflow),
        ))
    };
    Scripted::choosing(Plain, choose)
}

fn in_cluster(shop: &Workshop, server: &Scripted, arguments: &[&str]) -> Ended {
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": ""}}],
        "clusters": [{"name": "c", "cluster": {"server": server.endpoint()}}],
    });
    shop.desk.write("kubeconfig", config.to_string());
    let arguments = [&["audit", "--key", "keys/attest.pub", "-o", "json"], arguments].concat();
    let mut program = shop.desk.program(arguments);
    program
        .env("KUBECONFIG", "kubeconfig")
        .env("AWS_ENDPOINT_URL_S3", &shop.endpoint)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
    tokio::task::block_in_place(|| program.output().unwrap()).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_is_got_from_its_cluster() {
    let shop = built().await;
    let text: Value = serde_json::from_slice(&shop.desk.read("wf.json")).unwrap();
    let mut running = text.clone();
    running["metadata"]["name"] = "build-2".into();
    running["status"]["phase"] = "Running".into();
    let mut large = text.clone();
    large["metadata"]["name"] = "build-3".into();
    large["status"] = json!({"phase": "Succeeded", "offloadNodeStatusVersion": "fnv:1"});
    let server = api_server(vec![text, running, large], true);
    let from_file = audit(&shop, &["-f", "wf.json", "-o", "json"]).with(0);
    let ended = in_cluster(&shop, &server, &["argo://ci/build-1"]).with(0);
    assert_eq!(ended.out, from_file.out);
    assert_eq!(server.asked(), ["GET /apis/argoproj.io/v1alpha1/namespaces/ci/workflows/build-1"]);

    // All of a namespace, page by page: what still runs is counted, what is not there is named.
    let ended = in_cluster(&shop, &server, &["-l", "a!=b,c", "argo://ci/"]).with(65);
    let mut expected =
        lines(&[("audit", "accounted", "not-looked-at"), ("argo://ci/build-3", "error", "unreadable")]);
    assert!(ended.out.contains("\"narrowedBy\":{\"selector\":\"a!=b,c\"}"), "{ended:?}");
    expected.extend(told(&from_file));
    expected.push(("argo://ci/".into(), "accounted".into(), "not-looked-at".into()));
    assert_eq!(told(&ended), expected, "{ended:?}");
    assert!(
        ended.out.contains("argo get NAME -o json") && ended.out.contains("1 of it had not ended"),
        "{ended:?}"
    );
    let asked = server.asked();
    assert!(asked[1].ends_with("/ci/workflows?limit=20&labelSelector=a%21%3Db%2Cc"), "{asked:?}");
    assert!(asked[3].ends_with("&continue=2"), "{asked:?}");

    // What was found is said on the workflow, and on nothing else of it.
    in_cluster(&shop, &server, &["--annotate", "--report-url", "https://x.example/r", "argo://ci/build-1"])
        .with(0);
    let requests = server.requests();
    let patch = requests.iter().rfind(|request| request.method == "PATCH").unwrap();
    assert!(patch.path.ends_with("/ci/workflows/build-1?fieldManager=argo-attest"), "{patch:?}");
    assert_eq!(patch.header("content-type"), "application/merge-patch+json");
    let said: Value = serde_json::from_slice(&patch.body).unwrap();
    let expected = json!({"metadata": {"uid": "0a1b2c3d-0000-4000-8000-0123456789ab", "annotations": {
        "argo-attest.io/audit": "complete: 2 attested of 2",
        "argo-attest.io/audit-report": "https://x.example/r",
    }}});
    assert_eq!(said, expected);

    in_cluster(&shop, &server, &["argo://ci/none"]).with(66).says("not found");
    for odd in ["argo://", "argo://ci", "argo:///x", "argo://ci/a/b", "argo://ci/../x", "argo://CI/x"] {
        in_cluster(&shop, &server, &[odd]).with(64).says("names no workflow");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn that_nothing_may_be_said_on_a_workflow_is_no_fault_of_the_workflow() {
    let shop = built().await;
    let text: Value = serde_json::from_slice(&shop.desk.read("wf.json")).unwrap();
    let server = api_server(vec![text], false);
    in_cluster(&shop, &server, &["--annotate", "argo://ci/build-1"])
        .with(0)
        .says("note: nothing is said on the workflow ci/build-1")
        .says("workflows is forbidden");
    // Without anybody to ask.
    let ended = shop.run(&["audit", "--key", "keys/attest.pub", "argo://ci/build-1"]).with(66);
    assert!(ended.err.contains("it is not known where the API server is"), "{ended:?}");
}
