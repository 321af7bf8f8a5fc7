//! What Argo's controller does, for tests: a pod of a template, and its last
//! substitution.

use std::path::Path;

use serde_json::{Value, json};

// By its name, since the tests of another crate include this file.
use argo_attest_core::argo::pod::LivePod;
use argo_attest_core::argo::{Source, TemplateText};

/// The template's text, and the pod that it comes in.
pub(crate) struct Made {
    pub(crate) text: String,
    pub(crate) pod: Value,
}

/// `createWorkflowPod`, as far as it matters here: the pod of the template, and then
/// Argo's last substitution over all of it at once. In the pod's JSON the template is
/// JSON in a string, and a value is escaped once only.
pub(crate) fn made(template: &str, values: &[(&str, &str)]) -> Made {
    let mut pod = pod(template).to_string();
    for (name, value) in values {
        let escaped = serde_json::to_string(value).unwrap();
        pod = pod.replace(&format!("{{{{{name}}}}}"), &escaped[1..escaped.len() - 1]);
    }
    let pod: Value = serde_json::from_str(&pod).unwrap();
    let text = pod["spec"]["initContainers"][0]["env"][0]["value"].as_str().unwrap().to_owned();
    Made { text, pod }
}

fn pod(template: &str) -> Value {
    let t: Value = serde_json::from_str(template).unwrap();
    let var_run_argo = json!({"name": "var-run-argo", "mountPath": "/var/run/argo"});
    let token = json!({"name": "kube-api-access-x", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": true});
    let mut mains: Vec<Value> = Vec::new();
    if let Some(set) = t.get("containerSet") {
        for member in list(&set["containers"]) {
            let mut member = member.clone();
            let mut mounts = list(&member["volumeMounts"]);
            mounts.extend(list(&set["volumeMounts"]));
            member["volumeMounts"] = json!(mounts);
            mains.push(member);
        }
    }
    if let Some(container) = t.get("container") {
        mains.push(container.clone());
    }
    if let Some(script) = t.get("script") {
        let mut script = script.clone();
        script["args"] = json!(["/argo/staging/script"]);
        script["volumeMounts"] = json!(
            [
                list(&script["volumeMounts"]),
                vec![json!({"name": "argo-staging", "mountPath": "/argo/staging"})]
            ]
            .concat()
        );
        mains.push(script);
    }
    if let Some(resource) = t.get("resource") {
        mains.push(json!({"image": "argoexec", "command": ["argoexec", "resource", resource["action"]]}));
    }
    if t.get("data").is_some() {
        mains.push(json!({"image": "argoexec", "command": ["argoexec", "data", "{}"]}));
    }
    for main in &mut mains {
        if main["name"].as_str().unwrap_or_default().is_empty() {
            main["name"] = json!("main");
        }
        if main["name"] == "main" {
            let inputs = inputs(&t, main);
            main["volumeMounts"] = json!([list(&main["volumeMounts"]), inputs].concat());
        }
    }
    let of_main =
        mains.iter().find(|c| c["name"] == "main").map(|c| list(&c["volumeMounts"])).unwrap_or_default();
    let mirrored = |helper: &Value| {
        let mut helper = helper.clone();
        if helper["mirrorVolumeMounts"] == json!(true) {
            helper["volumeMounts"] = json!([list(&helper["volumeMounts"]), of_main.clone()].concat());
        }
        helper
    };
    let sidecars: Vec<Value> = list(&t["sidecars"]).iter().map(mirrored).collect();
    let inits: Vec<Value> = list(&t["initContainers"]).iter().map(mirrored).collect();
    let mut regular = vec![json!({"name": "wait", "image": "argoexec", "command": ["argoexec", "wait"]})];
    for container in mains.into_iter().chain(sidecars) {
        let mut container = container;
        let mut command = vec![json!("/var/run/argo/argoexec"), json!("emissary")];
        command.extend(
            ["--loglevel", "info", "--log-format", "text", "--gloglevel", "0", "--"].map(Value::from),
        );
        match list(&container["command"]) {
            given if given.is_empty() => {
                command.push(json!("/entry-of-the-image"));
                if list(&container["args"]).is_empty() {
                    container["args"] = json!(["cmd-of-the-image"]);
                }
            }
            given => command.extend(given),
        }
        container["command"] = json!(command);
        container["volumeMounts"] =
            json!([list(&container["volumeMounts"]), vec![token.clone(), var_run_argo.clone()]].concat());
        regular.push(container);
    }
    let env = json!([{"name": "ARGO_TEMPLATE", "value": template}]);
    let mut init =
        vec![json!({"name": "init", "image": "argoexec", "command": ["argoexec", "init"], "env": env})];
    init.extend(inits);
    let mut annotations = t["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    annotations.insert("workflows.argoproj.io/node-id".into(), json!("wf-1"));
    let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "wf", "uid": "w1"});
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "wf-build-1", "uid": "u1", "annotations": annotations, "ownerReferences": [owner]},
        "spec": {"initContainers": init, "containers": regular},
        "status": {"phase": "Pending"},
    })
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// The mounts of the input artifacts that are on none of main's volumes.
fn inputs(template: &Value, main: &Value) -> Vec<Value> {
    // Of a container set those that all its members share.
    let shared = template
        .get("containerSet")
        .map_or_else(|| list(&main["volumeMounts"]), |set| list(&set["volumeMounts"]));
    let mut mounts = Vec::new();
    for artifact in list(&template["inputs"]["artifacts"]) {
        let path = artifact["path"].as_str().unwrap();
        let on_volume =
            shared.iter().any(|mount| Path::new(path).starts_with(mount["mountPath"].as_str().unwrap()));
        let places = ["s3", "gcs", "git", "http", "raw", "oss", "azure", "hdfs", "artifactory", "plugin"];
        let supplied = places.iter().any(|place| artifact.get(place).is_some());
        if !on_volume && (supplied || artifact["optional"] != json!(true)) {
            let path = path.trim_end_matches('/');
            mounts.push(json!({"name": "input-artifacts", "mountPath": path, "subPath": artifact["name"]}));
        }
    }
    mounts
}

impl Made {
    /// As the kubelet leaves it in our environment.
    pub(crate) fn template(&self) -> TemplateText {
        TemplateText::new(Source::Env, self.text.replace("$$", "$").into_bytes()).unwrap()
    }

    pub(crate) fn live(&self) -> LivePod {
        LivePod::from_json(self.pod.to_string().as_bytes()).unwrap()
    }
}
