//! What was forged on a real cluster, and what holds now: by a parameter that is given
//! to somebody else's workflow, or that a step prints for the next one.
//!
//! An expression that yields an expression is still one when Argo substitutes over the
//! whole pod; what it yields then is put into the template's text with its quotes.

use std::path::Path;

use serde_json::{Value, json};

use super::controller::{Made, made};
use super::*;

/// A workflow of an honest author, and what is given to it.
struct Forgery {
    name: &'static str,
    /// As the Workflow stores it, on one template of its own.
    template: &'static str,
    /// What stands in the template, and what an honest and a hostile person gives.
    values: &'static [(&'static str, &'static str, &'static str)],
    /// Whether the text alone, or the pod, surely tells the hostile from the honest.
    seen_by_the_pod: bool,
}

const BUILD: &str = r#"{"name":"build","inputs":{"artifacts":[{"name":"src","path":"/data/src","s3":{"key":"sources/{{workflow.parameters.version}}"},"archive":{"none":{}}}]},"outputs":{"artifacts":[{"name":"app","path":"/data/app","s3":{"key":"releases/app"},"archive":{"none":{}}}]},"metadata":{"annotations":{"argo-attest.io/attest":"true"}},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","cp /data/src /data/app","{{workflow.parameters.commit}}"],"resources":{},"volumeMounts":[{"name":"data","mountPath":"/data"}],"imagePullPolicy":"Never"},"archiveLocation":{"s3":{"endpoint":"minio:9000","bucket":"artifacts","insecure":true,"key":"wf/wf-1"}}}"#;

const ONE: &str = r#"{"name":"build","inputs":{},"outputs":{"artifacts":[{"name":"app","path":"/data/app","s3":{"key":"releases/{{workflow.parameters.version}}"},"archive":{"none":{}}}]},"metadata":{"annotations":{"argo-attest.io/attest":"true"}},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","echo built \u003e /data/app"],"resources":{},"volumeMounts":[{"name":"data","mountPath":"/data"}],"imagePullPolicy":"Never"},"archiveLocation":{"s3":{"endpoint":"minio:9000","bucket":"artifacts","insecure":true,"key":"wf/wf-1"}}}"#;

const DEPLOY: &str = r#"{"name":"deploy","inputs":{"artifacts":[{"name":"app","path":"/data/app","s3":{"key":"wf/app"}}]},"outputs":{"artifacts":[{"name":"receipt","path":"/data/receipt","s3":{"key":"deployed/{{workflow.parameters.version}}"},"archive":{"none":{}}}]},"metadata":{"annotations":{"argo-attest.io/attest":"true"}},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","echo deploying","{{workflow.parameters.commit}}"],"resources":{},"volumeMounts":[{"name":"data","mountPath":"/data"}],"imagePullPolicy":"Never"},"archiveLocation":{"s3":{"endpoint":"minio:9000","bucket":"artifacts","insecure":true,"key":"wf/wf-1"}}}"#;

const NOTED: &str = r#"{"name":"build","inputs":{},"outputs":{"artifacts":[{"name":"app","path":"/data/app","archive":{"none":{}}}]},"metadata":{"annotations":{"argo-attest.io/attest":"true","x":"{{workflow.parameters.version}}"}},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","echo EVIL \u003e /data/app","{{workflow.parameters.commit}}"],"resources":{},"volumeMounts":[{"name":"data","mountPath":"/data"}],"imagePullPolicy":"Never"},"archiveLocation":{"s3":{"endpoint":"minio:9000","bucket":"artifacts","insecure":true,"key":"wf/wf-1"}}}"#;

const VERSION: &str = "workflow.parameters.version";
const COMMIT: &str = "workflow.parameters.commit";

const FORGERIES: [Forgery; 6] = [
    Forgery {
        name: "signed bytes of a parameter",
        template: BUILD,
        values: &[
            (
                VERSION,
                "1.0",
                r#"1.0"},"archive":{"none":{}}},{"name":"evil","path":"/data/evil","raw":{"data":"BYTES OF THE SUBMITTER"},"archive":{"none":{}}}]},"outputs":{"artifacts":[{"name":"app","path":"/data/evil","archive":{"none":{}},"s3":{"key":"releases/app"}}]},"metadata":{"annotations":{"argo-attest.io/attest":"true","argo-attest.io/verify-inputs":"false"}},"zzz":{"inputs":{"artifacts":[{"s3":{"key":""#,
            ),
            (
                COMMIT,
                "c0ffee",
                r#"c"]},"end":0},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","cp /data/src /data/app","c0ffee"#,
            ),
        ],
        seen_by_the_pod: true,
    },
    Forgery {
        name: "one placeholder, an output added to the list",
        template: ONE,
        values: &[(
            VERSION,
            "v1",
            r#"v1"},"archive":{"none":{}}},{"name":"evil","path":"/data/src","s3":{"key":"releases/evil"#,
        )],
        seen_by_the_pod: false,
    },
    Forgery {
        name: "one placeholder, an input added to the list",
        template: BUILD,
        values: &[
            (
                VERSION,
                "v1",
                r#"v1"},"archive":{"none":{}}},{"name":"evil","path":"/data/evil","s3":{"key":"evil"#,
            ),
            (COMMIT, "c0ffee", "c0ffee"),
        ],
        seen_by_the_pod: false,
    },
    Forgery {
        name: "one placeholder, another bucket after the key",
        template: ONE,
        values: &[(VERSION, "v1", r#"v1","bucket":"evil","endpoint":"evil.example.com"#)],
        seen_by_the_pod: false,
    },
    Forgery {
        name: "the gate of the next step opened by a step",
        template: DEPLOY,
        values: &[
            (
                VERSION,
                "v1",
                r#"v1"},"archive":{"none":{}}}]},"metadata":{"annotations":{"argo-attest.io/verify-inputs":"false"}},"zzz":{"outputs":{"artifacts":[{"s3":{"key":""#,
            ),
            (
                COMMIT,
                "c0ffee",
                r#"c"]},"end":0},"container":{"name":"","image":"localhost/busybox:1","command":["sh","-c","honest","c"#,
            ),
        ],
        seen_by_the_pod: true,
    },
    Forgery {
        name: "another image and command",
        template: NOTED,
        values: &[
            (VERSION, "v1", r#""}},"zzz":{"a":{"b":{"c":""#),
            (
                COMMIT,
                "c0ffee",
                r#"x"]},"end":0},"container":{"name":"","image":"registry.example.com/trusted-builder@sha256:0000000000000000000000000000000000000000000000000000000000000000","command":["/usr/bin/reproducible-build","--release"#,
            ),
        ],
        seen_by_the_pod: true,
    },
];

impl Forgery {
    fn made(&self, hostile: bool) -> Made {
        let values: Vec<_> = self
            .values
            .iter()
            .map(|(tag, honest, evil)| (*tag, if hostile { *evil } else { *honest }))
            .collect();
        made(self.template, &values)
    }

    fn workflow(&self) -> Value {
        let template: Value = serde_json::from_str(self.template).unwrap();
        let mut workflow = workflow();
        workflow["status"]["nodes"]["wf-1"]["templateName"] = template["name"].clone();
        workflow["spec"]["templates"] = json!([template]);
        workflow["spec"]["arguments"]["parameters"] = self
            .values
            .iter()
            .map(|(tag, ..)| json!({"name": Path::new(tag).extension().unwrap().to_str(), "value": "x"}))
            .collect();
        workflow
    }
}

async fn established(text: &TemplateText, cluster: &Cluster) -> Result<TemplateSource, Unestablished> {
    let identity = identity();
    let handed_over = HandedOver::default();
    let platform = Platform {
        handed_over: &handed_over,
        identity: &identity,
        cluster: Some(cluster),
        least: TemplateSource::Text,
    };
    establish(text, &platform).await.map(|established| established.source)
}

#[tokio::test]
async fn what_was_forged_is_refused() {
    for forgery in &FORGERIES {
        let name = forgery.name;
        let Made { pod, .. } = forgery.made(false);
        let text = forgery.made(false).template();
        let both = Cluster::new(&[Json(pod.clone())], &[Json(forgery.workflow())]);
        assert_eq!(established(&text, &both).await.unwrap(), TemplateSource::Workflow, "{name}, honest");
        let pod = Cluster::new(&[Json(pod)], &[Status(403)]);
        assert_eq!(established(&text, &pod).await.unwrap(), TemplateSource::Pod, "{name}, honest");

        let Made { pod, .. } = forgery.made(true);
        let text = forgery.made(true).template();
        let workflow = Cluster::new(&[Status(403)], &[Json(forgery.workflow())]);
        established(&text, &workflow).await.expect_err(name);
        let pod = Cluster::new(&[Json(pod)], &[Status(403)]);
        let by_pod = established(&text, &pod).await;
        assert!(by_pod.is_err() || !forgery.seen_by_the_pod, "{name}: {by_pod:?}");
    }
}
