//! What Argo's own controller stored, and hostile texts.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::argo::StoreKind;

/// Recorded from the controllers of both releases; `tests/fixtures/argo/generate/workflows` says how.
const RECORDED: [&[u8]; 2] = [
    include_bytes!("../../../../../tests/fixtures/argo/workflows-3.7.18.jsonl.gz"),
    include_bytes!("../../../../../tests/fixtures/argo/workflows-4.0.7.jsonl.gz"),
];

fn recorded() -> impl Iterator<Item = Value> {
    RECORDED.into_iter().flat_map(|packed| {
        let mut text = String::new();
        GzDecoder::new(packed).read_to_string(&mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()
    })
}

fn read(workflow: &Value) -> WorkflowRun {
    let mut runs = WorkflowRun::read_all(workflow.to_string().as_bytes())
        .unwrap_or_else(|e| panic!("{e:?}: {workflow}"));
    assert_eq!(runs.len(), 1);
    runs.remove(0)
}

/// Each pod that the controller made is of a node that ran, and its own objects lie where the node
/// is said to have its place: what `ARGO_TEMPLATE` of that very pod says.
#[test]
fn every_pod_that_the_controller_made_is_accounted_for() {
    let (mut pods, mut placed, mut inline) = (0, 0, 0);
    for line in recorded() {
        let run = read(&line["workflow"]);
        for pod in line["pods"].as_array().unwrap() {
            let node = run.nodes.iter().find(|node| node.id == pod["node"].as_str().unwrap()).unwrap();
            pods += 1;
            let template: Value = serde_json::from_str(pod["text"].as_str().unwrap()).unwrap();
            if node.account() == Account::ArgosOwn {
                assert!(
                    template.get("resource").or_else(|| template.get("data")).is_some(),
                    "{}: {node:?}",
                    line["from"]
                );
                continue;
            }
            assert_eq!(node.account(), Account::Ran, "{}: {node:?}", line["from"]);
            inline += usize::from(node.template.is_empty());
            let is_argos = template.get("resource").or_else(|| template.get("data")).is_some();
            assert!(!is_argos, "{}: {node:?}", line["from"]);
            let location = &template["archiveLocation"]["s3"];
            let (Some(bucket), Some(key)) = (location["bucket"].as_str(), location["key"].as_str()) else {
                continue;
            };
            let place = (bucket.to_owned(), format!("{}/", key.trim_end_matches('/')));
            assert!(node.places.contains(&place), "{}: {place:?} {:?}", line["from"], node.places);
            placed += 1;
        }
    }
    assert!(pods > 3_000 && placed > 1_000 && inline > 0, "{pods} {placed} {inline}");
}

/// A workflow of one node, with these members.
fn one(node: &Value) -> Value {
    json!({
        "kind": "Workflow",
        "metadata": {"name": "wf", "namespace": "ci", "uid": "u-1"},
        "status": {
            "phase": "Succeeded",
            "nodes": {"wf-1": node},
            "artifactRepositoryRef": {"artifactRepository": {"s3": {"bucket": "b", "endpoint": "e"}}},
        },
    })
}

fn node(members: &Value) -> Node {
    read(&one(members)).nodes.remove(0)
}

#[test]
fn who_ran_a_container_answers_for_it() {
    let outputs = json!({"artifacts": [{"name": "o", "s3": {"key": "k"}}]});
    let account = |members: Value| node(&members).account();
    for phase in ["Succeeded", "Failed", "Error", "Running", "Pending", "Daemoned", ""] {
        assert_eq!(account(json!({"type": "Pod", "phase": phase})), Account::Ran, "{phase}");
    }
    for frame in ["Steps", "StepGroup", "DAG", "TaskGroup", "Retry", "Suspend", "HTTP", "Plugin", "Container"]
    {
        assert_eq!(account(json!({"type": frame, "phase": "Succeeded"})), Account::Frame, "{frame}");
    }
    for unknown in ["", "Oven", "pod"] {
        assert_eq!(account(json!({"type": unknown, "phase": "Skipped"})), Account::Ran, "{unknown}");
    }
    assert_eq!(account(json!({"type": "Skipped", "phase": "Omitted"})), Account::Skipped);
    assert_eq!(account(json!({"type": "Pod", "phase": "Skipped"})), Account::Skipped);
    assert_eq!(account(json!({"type": "Pod", "phase": "Skipped", "outputs": outputs})), Account::Ran);
    for taken in [
        json!({"type": "Pod", "phase": "Succeeded", "memoizationStatus": {"hit": true}}),
        json!({"type": "Steps", "memoizationStatus": {"hit": true, "key": "k", "cacheName": "c"}}),
        json!({"type": "Skipped", "phase": "Skipped", "message": "original pod: wf-0"}),
        json!({"type": "Skipped", "outputs": outputs}),
    ] {
        assert_eq!(account(taken.clone()), Account::TakenOver, "{taken}");
    }
    let missed = json!({"type": "Pod", "memoizationStatus": {"hit": false, "key": "k"}});
    assert_eq!(account(missed), Account::Ran);
}

#[test]
fn an_artifact_is_where_its_location_and_the_repository_say() {
    let spot = |artifact: Value| {
        let made = node(&json!({"type": "Pod", "outputs": {"artifacts": [artifact]}})).outputs.remove(0);
        made.spot
    };
    let at = |bucket: &str, key: &str| Spot::Object { bucket: bucket.into(), key: key.into() };
    assert_eq!(spot(json!({"name": "a", "s3": {"key": "wf/a.tgz"}})), at("b", "wf/a.tgz"));
    let own = json!({"endpoint": "other", "bucket": "own", "key": "k"});
    assert_eq!(spot(json!({"name": "a", "s3": own})), at("own", "k"));
    // Two of the three are no location, and the repository's counts.
    assert_eq!(spot(json!({"name": "a", "s3": {"bucket": "own", "key": "k"}})), at("b", "k"));
    assert_eq!(spot(json!({"name": "a", "s3": {}})), Spot::Nowhere);
    assert_eq!(spot(json!({"name": "a"})), Spot::Nowhere);
    assert_eq!(
        spot(json!({"name": "a", "gcs": {"bucket": "x", "key": "k"}})),
        Spot::Elsewhere(StoreKind::Gcs)
    );
}

#[test]
fn a_templates_own_location_counts_before_the_workflows() {
    let mut workflow = one(&json!({
        "name": "wf", "type": "Pod", "templateName": "t", "templateScope": "local/wf",
        "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/a"}}]},
    }));
    let location =
        json!({"s3": {"endpoint": "e", "bucket": "own", "key": "x/{{workflow.uid}}/{{pod.name}}"}});
    workflow["spec"] = json!({"templates": [{"name": "t", "container": {}, "archiveLocation": location}]});
    let node = read(&workflow).nodes.remove(0);
    assert_eq!(node.outputs[0].spot, Spot::Object { bucket: "own".into(), key: "k/a".into() });
    assert!(node.places.contains(&("own".into(), "x/u-1/wf/".into())), "{:?}", node.places);
    workflow["spec"] = json!({"templates": [{"name": "t", "archiveLocation": {"archiveLogs": true}}]});
    let spot = read(&workflow).nodes.remove(0).outputs.remove(0).spot;
    assert_eq!(spot, Spot::Object { bucket: "b".into(), key: "k/a".into() });
}

#[test]
fn a_template_that_stands_inline_has_its_own_location_too() {
    let location = |bucket: &str| json!({"s3": {"endpoint": "e", "bucket": bucket, "key": "x/{{pod.name}}"}});
    let inline = |bucket: &str| json!({"container": {}, "archiveLocation": location(bucket)});
    let mut workflow = one(&json!({
        "name": "wf[0].make(1:b)", "type": "Pod", "templateScope": "local/wf", "boundaryID": "wf",
        "outputs": {"artifacts": [{"name": "a", "s3": {"key": "k/a"}}]},
    }));
    workflow["status"]["nodes"]["wf"] =
        json!({"name": "wf", "type": "Steps", "templateName": "main", "templateScope": "local/wf"});
    workflow["spec"] = json!({"templates": [{"name": "main", "steps": [[
        {"name": "take", "inline": inline("other")}, {"name": "make", "inline": inline("own")},
    ]]}]});
    let spot = |workflow: &Value| {
        let nodes = read(workflow).nodes;
        nodes.iter().find(|node| node.kind == "Pod").unwrap().outputs[0].spot.clone()
    };
    assert_eq!(spot(&workflow), Spot::Object { bucket: "own".into(), key: "k/a".into() });
    // A caller that is not there tells nothing.
    workflow["status"]["nodes"].as_object_mut().unwrap().remove("wf");
    assert_eq!(spot(&workflow), Spot::Object { bucket: "b".into(), key: "k/a".into() });
}

/// No sidecar stands beside Argo's own program. Should the node name objects, they are asked after.
#[test]
fn a_resource_template_owes_no_outcome() {
    let account = |template: &Value| {
        let mut workflow = one(&json!({
            "name": "wf", "type": "Pod", "templateName": "t", "templateScope": "local/wf",
        }));
        workflow["spec"] = json!({"templates": [template]});
        read(&workflow).nodes.remove(0).account()
    };
    assert_eq!(account(&json!({"name": "t", "resource": {"action": "create"}})), Account::ArgosOwn);
    assert_eq!(account(&json!({"name": "t", "data": {"source": {}}})), Account::ArgosOwn);
    assert_eq!(account(&json!({"name": "t", "resource": null, "container": {}})), Account::Ran);
    assert_eq!(account(&json!({"name": "t", "resource": {}, "container": {}})), Account::Ran);
    assert_eq!(account(&json!({"name": "other", "resource": {}})), Account::Ran);
}

#[test]
fn logs_are_known_by_name_and_key() {
    let is_log = |name: &str, key: &str| {
        let artifact = json!({"name": name, "s3": {"key": key}});
        node(&json!({"type": "Pod", "outputs": {"artifacts": [artifact]}})).outputs[0].is_log()
    };
    assert!(is_log("main-logs", "wf/p/main.log"));
    for other in [
        ("main-logs", "wf/p/app.tgz"),
        ("logs", "wf/p/main.log"),
        ("a-logs", "wf/main.log"),
        ("-logs", ".log"),
    ] {
        assert!(!is_log(other.0, other.1), "{other:?}");
    }
}

#[test]
fn all_forms_in_which_people_have_one() {
    let workflow = one(&json!({"name": "wf", "type": "Pod", "phase": "Succeeded"}));
    let list = json!({"kind": "List", "apiVersion": "v1", "items": [workflow, workflow]});
    let of_api = json!({"kind": "WorkflowList", "items": [workflow]});
    let bare = json!({"metadata": {}, "items": [workflow]});
    for (document, count) in [(&workflow, 1), (&list, 2), (&of_api, 1), (&bare, 1), (&json!([workflow]), 1)] {
        assert_eq!(WorkflowRun::read_all(document.to_string().as_bytes()).unwrap().len(), count);
    }
    // As large ones are stored.
    let mut large = workflow.clone();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(workflow["status"]["nodes"].to_string().as_bytes()).unwrap();
    large["status"]["compressedNodes"] = STANDARD.encode(gzip.finish().unwrap()).into();
    large["status"]["nodes"] = Value::Null;
    assert_eq!(read(&large).nodes.len(), 1);
}

#[test]
fn what_does_not_say_what_ran_is_refused() {
    let fails = |document: &Value| WorkflowRun::read_all(document.to_string().as_bytes()).unwrap_err();
    let good = one(&json!({"type": "Pod"}));
    assert!(matches!(fails(&json!({"kind": "List", "items": []})), RunError::None));
    assert!(matches!(fails(&json!({"kind": "Pod"})), RunError::AnotherKind { .. }));
    assert!(matches!(fails(&json!(1)), RunError::Json(_)));
    let mut other = good.clone();
    other["metadata"]["uid"] = "".into();
    assert!(matches!(fails(&other), RunError::NotStored { .. }));
    let mut other = good.clone();
    other["status"]["nodes"] = json!({});
    assert!(matches!(fails(&other), RunError::NotRun { .. }));
    other["status"]["offloadNodeStatusVersion"] = "fnv:1".into();
    assert!(matches!(fails(&other), RunError::Offloaded { .. }));
    other["status"]["compressedNodes"] = "!".into();
    assert!(matches!(fails(&other), RunError::Packed { .. }));
    let twice = good.to_string().replacen("\"wf-1\":", "\"wf-1\":{\"type\":\"Steps\"},\"wf-1\":", 1);
    assert!(matches!(WorkflowRun::read_all(twice.as_bytes()), Err(RunError::Json(_))));
    // One of a list that cannot be audited is not passed over.
    fails(&json!([good, {"kind": "Workflow", "metadata": {"name": "x"}}]));
}

#[test]
fn a_place_is_never_asked_for_that_no_pod_can_have() {
    let made = json!({"artifacts": [{"name": "o", "s3": {"key": "a\u{1b}/o"}}, {"name": "p", "s3": {"key": "b/p"}}]});
    let node = node(&json!({"name": "x", "type": "Pod", "templateName": "t\n", "outputs": made}));
    assert_eq!(node.places.into_iter().collect::<Vec<_>>(), [("b".into(), "b/".into())]);
}

proptest! {
    /// Whatever is thrown at it, it answers; and what it takes has a name to hold statements
    /// against.
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}") {
        let nested = format!(r#"{{"metadata":{{"name":"w","uid":"u"}},"status":{{"nodes":{text}}}}}"#);
        for text in [text, nested] {
            for run in WorkflowRun::read_all(text.as_bytes()).unwrap_or_default() {
                prop_assert!(!run.uid.is_empty() && !run.name.is_empty());
            }
        }
    }
}
