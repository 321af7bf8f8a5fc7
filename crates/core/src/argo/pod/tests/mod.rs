//! Texts beside the pods that Argo's controller makes of their templates.

mod compared;
mod controller;
mod forged;
mod handed_over;

use controller::{Made, made};
use serde_json::{Value, json};

use super::super::{Source, Step, TemplateText};
use super::*;

/// What a template of the one kind or the other can have of what is compared.
const BUILD: &str = r#"{"name":"build","inputs":{"artifacts":[{"name":"src","path":"/src","s3":{"key":"sources/a.tgz"}},{"name":"tool","path":"/data/tool","s3":{"key":"tools/a"}},{"name":"maybe","path":"/maybe","optional":true}]},"outputs":{"artifacts":[{"name":"app","path":"/data/app","s3":{"key":"releases/{{version}}"},"archive":{"none":{}}},{"name":"log","path":"/tmp/log"}]},"metadata":{"annotations":{"argo-attest.io/attest":"true","other":"{{note}}"}},"container":{"name":"","image":"registry.example.com/build:{{tag}}","command":["sh","-c"],"args":["make $$HOME $(date) \u003e /data/app","{{commit}}"],"env":[{"name":"TOKEN","value":"hunter2"}],"resources":{},"volumeMounts":[{"name":"data","mountPath":"/data","subPath":"{{sub}}"}]},"volumes":[{"name":"data","emptyDir":{}}],"initContainers":[{"name":"prepare","image":"busybox:1","command":["true"],"resources":{},"volumeMounts":[{"name":"data","mountPath":"/work"}]}],"sidecars":[{"name":"db","image":"postgres:17","command":["postgres"],"args":["-c","x=1"],"resources":{},"mirrorVolumeMounts":true}],"archiveLocation":{"archiveLogs":false,"s3":{"endpoint":"minio:9000","bucket":"artifacts","insecure":true,"key":"wf/build-1"}}}"#;

const SCRIPT: &str = r#"{"name":"script","inputs":{},"outputs":{},"metadata":{},"script":{"name":"","image":"alpine:3","command":["sh"],"resources":{},"volumeMounts":[{"name":"data","mountPath":"/data"}],"source":"echo hi"}}"#;

const SET: &str = r#"{"name":"set","inputs":{},"outputs":{"artifacts":[{"name":"x","path":"/shared/x"}]},"metadata":{},"containerSet":{"containers":[{"name":"a","image":"one","command":["a"],"resources":{}},{"name":"main","image":"two","resources":{},"volumeMounts":[{"name":"own","mountPath":"/own"}],"dependencies":["a"]}],"volumeMounts":[{"name":"shared","mountPath":"/shared"}]}}"#;

const RESOURCE: &str = r#"{"name":"r","inputs":{},"outputs":{},"metadata":{},"resource":{"action":"create","manifest":"kind: Job"}}"#;

const STEPS: &str =
    r#"{"name":"s","inputs":{},"outputs":{},"metadata":{},"steps":[[{"name":"a","template":"b"}]]}"#;

fn honest() -> Made {
    made(BUILD, &[("version", "1.0"), ("note", "n"), ("tag", "1"), ("commit", "c0ffee"), ("sub", "s")])
}

impl Made {
    /// Whether the reader takes the text; if it does, what the pod says to it.
    fn compare(&self) -> Option<Result<(), PodDifference>> {
        let text = self.template();
        let step = Step::parse(&text).ok()?;
        Some(self.live().spec.compare(&step, &text))
    }

    fn difference(&self) -> String {
        self.compare().unwrap().unwrap_err().to_string()
    }

    fn container(&mut self, list: &str, name: &str) -> &mut Value {
        let list = self.pod["spec"][list].as_array_mut().unwrap();
        list.iter_mut().find(|container| container["name"] == name).unwrap()
    }
}
