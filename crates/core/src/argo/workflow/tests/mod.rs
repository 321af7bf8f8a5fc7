//! The comparison as a whole, on what Argo's controller itself stored and handed
//! over: `tests/fixtures/argo/generate/workflows` says how that was recorded.

mod hostile;
mod oracle;
mod payloads;
mod recorded;
mod texts;

use serde_json::{Value, json};

use self::recorded::{Run, runs};
use super::*;
use crate::trouble::Trouble as _;

fn stored(run: &Run, node: &str) -> StoredWorkflow {
    StoredWorkflow::from_json(run.workflow.to_string().as_bytes(), node)
        .unwrap_or_else(|error| panic!("{}, {node}: {error}", run.from))
}

#[test]
fn takes_every_text_that_the_controller_wrote() {
    let mut texts = 0;
    for run in runs() {
        for pod in &run.pods {
            let stored = stored(&run, &pod.node);
            assert_eq!(stored.name(), run.workflow["metadata"]["name"]);
            assert_eq!(stored.uid(), run.workflow["metadata"]["uid"]);
            if let Err(error) = stored.compare(&pod.text) {
                panic!("{} ({}), {}: {error}", run.from, run.play, pod.node);
            }
            // As the kubelet hands it on.
            stored.compare(&pod.text.replace("$$", "$")).unwrap();
            texts += 1;
        }
    }
    assert!(texts > 1000, "{texts}");
}

#[test]
fn takes_them_where_the_nodes_are_packed_or_elsewhere() {
    use std::io::Write;

    use base64::Engine;

    let (mut packed, mut named, mut told) = (0, 0, Vec::new());
    for mut run in runs().into_iter().step_by(7) {
        let nodes = run.workflow["status"]["nodes"].take().to_string();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(nodes.as_bytes()).unwrap();
        let text = base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap());
        run.workflow["status"]["compressedNodes"] = json!(text);
        for pod in &run.pods {
            stored(&run, &pod.node).compare(&pod.text).unwrap();
            packed += 1;
        }
        let status = run.workflow["status"].as_object_mut().unwrap();
        status.remove("compressedNodes");
        status.insert("offloadNodeStatusVersion".to_owned(), json!("fnv:1"));
        for pod in &run.pods {
            match stored(&run, &pod.node).compare(&pod.text) {
                Ok(()) => named += 1,
                // Templates that have no name, and those that share one.
                Err(error) => told.push(error),
            }
        }
    }
    assert!(told.iter().all(|error| error.path() == "name"), "{told:?}");
    assert!(packed > 100 && named > packed * 9 / 10, "{packed} {named}");
}

const HONEST: &str = r#"{"name":"build","inputs":{},"outputs":{},"metadata":{},"container":{"name":"","image":"a","resources":{}}}"#;

fn workflow() -> Value {
    json!({
        "kind": "Workflow",
        "metadata": {"name": "w", "uid": "u"},
        "spec": {"templates": [{"name": "build", "container": {"image": "a"}}, {"name": "other", "container": {"image": "b"}}]},
        "status": {"nodes": {"w-1": {"name": "w", "type": "Pod", "templateName": "build", "templateScope": "local/w"}}},
    })
}

fn of(workflow: &Value, node: &str) -> Result<StoredWorkflow, WorkflowError> {
    StoredWorkflow::from_json(workflow.to_string().as_bytes(), node)
}

#[test]
fn a_node_that_is_not_there_yet_is_worth_another_question() {
    let error = of(&workflow(), "w-2").unwrap_err();
    assert!(error.is_not_yet(), "{error}");
    let mut new = workflow();
    new.as_object_mut().unwrap().remove("status");
    assert!(of(&new, "w-1").unwrap_err().is_not_yet());
    of(&workflow(), "w-1").unwrap().compare(HONEST).unwrap();
}

#[test]
fn the_text_does_not_choose_its_template() {
    let other = HONEST.replace("build", "other").replace(r#""a""#, r#""b""#);
    let error = of(&workflow(), "w-1").unwrap().compare(&other).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the template's text is not what the Workflow says: container.image is `b`, stored is `a`"
    );
    let mut offloaded = workflow();
    offloaded["status"] = json!({"offloadNodeStatusVersion": "v"});
    let named = of(&offloaded, "w-1").unwrap();
    named.compare(HONEST).unwrap();
    named.compare(&other).unwrap();
    for text in [
        HONEST.replace("build", "third"),
        HONEST.replacen(r#""name":"build","#, "", 1),
        HONEST.replacen('{', "{ ", 1),
    ] {
        assert_eq!(named.compare(&text).unwrap_err().path(), "name");
    }
    offloaded["status"]["storedTemplates"] =
        json!({"namespaced/x/build": {"name": "build", "container": {"image": "c"}}});
    let error = of(&offloaded, "w-1").unwrap().compare(HONEST).unwrap_err();
    assert!(error.to_string().contains("several templates"), "{error}");
}

/// What the node has holds values, and two of them can make a placeholder of what stood
/// between them.
#[test]
fn an_input_stays_where_its_template_has_it() {
    let input = |key: &str| json!({"artifacts": [{"name": "a", "path": "/a", "http": {"url": key}}]});
    let mut workflow = workflow();
    workflow["spec"]["templates"][0]["inputs"] =
        input("{{inputs.parameters.p}}/fixed/{{inputs.parameters.v}}");
    let text = |key: &str| HONEST.replace(r#""inputs":{}"#, &format!(r#""inputs":{}"#, input(key)));
    for (noted, key, takes) in [
        ("x/fixed/y", "x/fixed/y", true),
        ("x/fixed/{{pod.name}}", "x/fixed/w-1", true),
        ("{{=['other','/fixed/'][0]}}", "other", false),
        ("{{=['other','/fixed/'][0]}}", "other/fixed/z", true),
        // As a caller gave it.
        ("given", "given", true),
    ] {
        workflow["status"]["nodes"]["w-1"]["inputs"] = input(noted);
        let compared = of(&workflow, "w-1").unwrap().compare(&text(key));
        assert_eq!(compared.is_ok(), takes, "{noted} {key}: {compared:?}");
        if let Err(error) = compared {
            assert_eq!(error.path(), "inputs.artifacts[0].http.url");
        }
    }
}

#[test]
fn says_what_stands_in_the_way() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut workflow = workflow();
        change(&mut workflow);
        let error = of(&workflow, "w-1").unwrap_err();
        assert!(!error.is_not_yet() && !error.remedy().unwrap().is_empty());
        error.to_string()
    };
    for (error, end) in [
        (with(&|workflow| workflow["kind"] = json!("Status")), "is a Status, not a Workflow"),
        (
            with(&|workflow| workflow["status"]["nodes"]["w-1"]["type"] = json!("Retry")),
            "is a Retry, which has no pod",
        ),
        (with(&|workflow| workflow["spec"]["templates"] = json!([])), "spec.templates has no `build`"),
        (
            with(&|workflow| {
                workflow["status"]["nodes"]["w-1"]["templateRef"] = json!({"name": "x", "template": "y"});
            }),
            "status.storedTemplates has no `namespaced/x/y`",
        ),
        (
            with(&|workflow| workflow["status"]["nodes"]["w-1"]["templateName"] = json!("")),
            "the node that calls it is not in the table",
        ),
        (
            with(&|workflow| {
                workflow["status"]["nodes"]["w-1"]["inputs"] = json!({"artifacts": [{"name": "x"}]});
            }),
            "are not those of its template",
        ),
    ] {
        assert!(error.ends_with(end), "{error}: {end}");
    }
    assert!(matches!(
        StoredWorkflow::from_json(&vec![b' '; WORKFLOW_LIMIT + 1], "w"),
        Err(WorkflowError::TooLarge)
    ));
    assert!(matches!(StoredWorkflow::from_json(b"[", "w"), Err(WorkflowError::Malformed { .. })));
}

#[test]
fn shows_no_values_that_may_be_secret() {
    let mut workflow = workflow();
    workflow["spec"]["templates"][0]["container"]["env"] = json!([{"name": "TOKEN", "value": "hunter2"}]);
    let text = HONEST.replace(r#""resources""#, r#""env":[{"name":"TOKEN","value":"hunter3"}],"resources""#);
    let error = of(&workflow, "w-1").unwrap().compare(&text).unwrap_err();
    assert_eq!(error.path(), "container.env[0].value");
    assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
}

#[test]
fn worst_inputs_end_soon() {
    let tags = "{{".repeat(200_000);
    let mut workflow = workflow();
    workflow["spec"]["templates"][0]["container"]["args"] =
        json!([format!("{tags}{}", "a{{}}".repeat(100_000))]);
    let stored = of(&workflow, "w-1").unwrap();
    let start = std::time::Instant::now();
    for argument in ["a".repeat(1_900_000), "{{".repeat(900_000), "}}".repeat(900_000)] {
        let text = HONEST.replace(r#""resources""#, &format!(r#""args":["{argument}"],"resources""#));
        stored.compare(&text).unwrap_err();
    }
    stored.compare(&"[".repeat(TEMPLATE_LIMIT)).unwrap_err();
    stored.compare(&format!("[{}0]", "{},".repeat(600_000))).unwrap_err();
    stored.compare(&" ".repeat(TEMPLATE_LIMIT + 1)).unwrap_err();
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
