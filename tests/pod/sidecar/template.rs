//! The template's text against the pod and the Workflow, which a played API server has,
//! or the admission policy hands over.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::readiness::assert_unattested;
use crate::handed_over::handed_over;
use crate::output::Output;
use crate::pod::{POD_UID, Pod};
use crate::process::until;
use crate::s3::S3;
use crate::scripted::{Act, Request, Scripted, head, reply};
use crate::servers::BUCKET;
use crate::tls::Authority;

const POD: &str = "/api/v1/namespaces/ci/pods/wf-build-1";
const WORKFLOW: &str = "/apis/argoproj.io/v1alpha1/namespaces/ci/workflows/wf";
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2EifQ.token-of-the-service-account";

fn plain(s3: &S3) -> Pod {
    Pod::new(s3.address(), vec![Output::plain("a")]).env("ARGO_ATTEST_WORKFLOW_NAME", "wf")
}

/// With a service account for the API server at `address`.
fn asking(pod: Pod, authority: &Authority, address: SocketAddr) -> Pod {
    let account = pod.at("account");
    fs::create_dir(&account).unwrap();
    fs::write(account.join("token"), TOKEN).unwrap();
    fs::write(account.join("namespace"), "ci").unwrap();
    fs::copy(authority.bundle(), account.join("ca.crt")).unwrap();
    pod.env("ARGO_ATTEST_SERVICE_ACCOUNT_DIR", account.to_str().unwrap())
        .env("KUBERNETES_SERVICE_HOST", &address.ip().to_string())
        .env("KUBERNETES_SERVICE_PORT", &address.port().to_string())
        .env("ARGO_ATTEST_POD_NAME", "wf-build-1")
}

/// Answers what it is asked for with the acts in turn, the last one for ever, and takes
/// what it is told.
fn api_server(authority: &Authority, pod: Vec<Act>, workflow: Vec<Act>) -> Scripted {
    let (mut pods, mut workflows) = (0, 0);
    Scripted::choosing(authority.server("IP:127.0.0.1", "2"), move |request| {
        let (acts, at) = match (request.method.as_str(), request.path.as_str()) {
            ("GET", POD) => (&pod, &mut pods),
            ("GET", WORKFLOW) => (&workflow, &mut workflows),
            ("PATCH" | "POST", _) => return Some(Act::Reply(reply(201, &[], b"{}"))),
            _ => return None,
        };
        let act = acts.get(*at).or_else(|| acts.last()).cloned();
        *at += 1;
        act
    })
}

fn found(object: &Value) -> Act {
    Act::Reply(reply(200, &[], object.to_string().as_bytes()))
}

fn denied() -> Act {
    Act::Reply(reply(403, &[], br#"{"kind":"Status","message":"not allowed"}"#))
}

/// The pod as Argo's controller makes it of the template.
fn made(pod: &Pod) -> Value {
    let container = &pod.template["container"];
    let mut command = vec![
        json!("/var/run/argo/argoexec"),
        json!("emissary"),
        json!("--loglevel"),
        json!("info"),
        json!("--"),
    ];
    command.extend(container["command"].as_array().unwrap().iter().cloned());
    let mut mounts = container["volumeMounts"].as_array().unwrap().clone();
    mounts.push(json!({"name": "var-run-argo", "mountPath": "/var/run/argo"}));
    let env = json!([{"name": "ARGO_TEMPLATE", "value": pod.text()}]);
    json!({
        "metadata": {
            "uid": POD_UID,
            "annotations": {"argo-attest.io/attest": "true", "workflows.argoproj.io/node-id": "wf-build-1"},
            "ownerReferences": [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "wf", "uid": "0c5b-workflow"}],
        },
        "spec": {
            "initContainers": [{"name": "init", "image": "argoexec", "env": env}],
            "containers": [
                {"name": "wait", "image": "argoexec", "command": ["argoexec", "wait"]},
                {"name": "main", "image": container["image"], "command": command, "args": container["args"], "volumeMounts": mounts},
            ],
        },
    })
}

/// The Workflow that stores the template.
fn stored(pod: &Pod) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"name": "wf", "namespace": "ci", "uid": "0c5b-workflow"},
        "spec": {"entrypoint": "build", "templates": [pod.template]},
        "status": {"nodes": {"wf-build-1": {
            "id": "wf-build-1", "name": "wf", "displayName": "wf", "type": "Pod",
            "templateName": "build", "templateScope": "local/wf", "phase": "Running",
        }}},
    })
}

type Spoil = fn(&mut Value);

const ASKS: (&str, &str) = ("argo-attest.io/attest", "true");

/// The step is attested; what its statement says of its template.
fn attested(pod: &Pod, s3: &S3) -> Value {
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed(s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &json!(1)), "{message}\n{}", sidecar.logged());
    let uri = message["artifacts"][0]["attestation"].as_str().unwrap();
    let key = uri.strip_prefix(&format!("s3://{BUCKET}/")).unwrap();
    let statement = pod.signed(&s3.get(key).unwrap());
    statement["predicate"]["buildDefinition"]["internalParameters"]["sidecar"].clone()
}

fn said(server: &Scripted, method: &str) -> Value {
    let request: Request = until("what the pod is told", || {
        server.requests().into_iter().find(|request| request.method == method)
    });
    serde_json::from_slice(&request.body).unwrap()
}

#[test]
fn the_workflow_is_what_the_statement_says() {
    let Some(authority) = Authority::new() else { return };
    for readable in [true, false] {
        let s3 = S3::new();
        let (pod, server) = with_server(&authority, plain(&s3), |pod| {
            (if readable { found(&made(pod)) } else { denied() }, found(&stored(pod)))
        });
        let pod = pod.env("ARGO_ATTEST_TEMPLATE_SOURCE", "workflow").env("ARGO_ATTEST_LOG", "trace");
        assert_eq!(
            attested(&pod, &s3),
            json!({"form": "native", "templateSource": "workflow", "templateFrom": "env", "parametersKnown": false})
        );
        let asked = server.requests();
        let gets: Vec<&Request> = asked.iter().filter(|request| request.method == "GET").collect();
        assert_eq!(gets.len(), 2, "{gets:?}");
        for get in gets {
            assert_eq!(get.header("authorization"), format!("Bearer {TOKEN}"));
            assert_eq!(get.header("accept"), "application/json");
            assert!(get.body.is_empty());
        }
        assert!(!fs::read_to_string(pod.at("log")).unwrap().contains(TOKEN));
    }
}

#[test]
fn what_may_not_be_read_is_not_claimed() {
    let Some(authority) = Authority::new() else { return };
    for (readable, source) in [(true, "pod"), (false, "text")] {
        let s3 = S3::new();
        let (pod, _server) = with_server(&authority, plain(&s3), |pod| {
            (if readable { found(&made(pod)) } else { denied() }, denied())
        });
        assert_eq!(attested(&pod, &s3)["templateSource"], source);
    }
    for least in ["pod", "workflow"] {
        let s3 = S3::new();
        let (pod, _server) = with_server(&authority, plain(&s3), |_| (denied(), denied()));
        assert_unattested(pod.env("ARGO_ATTEST_TEMPLATE_SOURCE", least), "403 (not allowed)");
        assert_eq!(s3.keys(), Vec::<String>::new());
    }
    let s3 = S3::new();
    assert_unattested(
        plain(&s3).env("ARGO_ATTEST_TEMPLATE_SOURCE", "workflow"),
        "there is no API server to be asked",
    );
}

/// A pod, and the API server that knows it.
fn with_server(authority: &Authority, pod: Pod, answers: impl FnOnce(&Pod) -> (Act, Act)) -> (Pod, Scripted) {
    let (of_pod, of_workflow) = answers(&pod);
    let server = api_server(authority, vec![of_pod], vec![of_workflow]);
    let pod = asking(pod, authority, server.address);
    (pod, server)
}

/// One placeholder is enough to add an output, at a key of the submitter's choice. Argo
/// itself uploads it; nobody attests it, and everybody is told.
#[test]
fn an_output_that_a_parameter_added_is_not_attested() {
    let Some(authority) = Authority::new() else { return };
    let s3 = S3::new();
    let (mut pod, server) = with_server(&authority, plain(&s3), |pod| (denied(), found(&stored(pod))));
    let mut evil = pod.template["outputs"]["artifacts"][0].clone();
    evil["name"] = json!("evil");
    evil["s3"] = json!({"key": "releases/evil"});
    pod.template["outputs"]["artifacts"].as_array_mut().unwrap().push(evil);
    let mut sidecar = pod.start_ready();
    let event = said(&server, "POST");
    assert_eq!((&event["type"], &event["reason"]), (&json!("Warning"), &json!("NotAttested")));
    let message = event["message"].as_str().unwrap();
    assert!(
        message.starts_with(
            "the step runs, and nothing of it is attested: the step's template is not the one of its Workflow"
        ),
        "{message}"
    );
    assert_eq!(
        said(&server, "PATCH")["metadata"]["annotations"],
        json!({"argo-attest.io/state": "not-established"})
    );
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["state"]), (Some(0), &json!("unattested")), "{message}");
    assert!(
        s3.keys().iter().all(|key| !key.contains("sigstore") && !key.contains("outcome")),
        "{:?}",
        s3.keys()
    );
    assert_unattested(pod, "outputs.artifacts has 2 items, stored are 1");
}

#[test]
fn a_node_that_the_workflow_has_not_yet_is_waited_for() {
    let Some(authority) = Authority::new() else { return };
    let s3 = S3::new();
    let pod = plain(&s3);
    let mut early = stored(&pod);
    early["status"] = json!({});
    let server =
        api_server(&authority, vec![denied()], vec![found(&early), found(&early), found(&stored(&pod))]);
    let pod = asking(pod, &authority, server.address);
    assert_eq!(attested(&pod, &s3)["templateSource"], "workflow");
    assert_eq!(server.asked().iter().filter(|asked| **asked == format!("GET {WORKFLOW}")).count(), 3);
}

/// Whatever the API server does, main starts in time, and nothing is claimed.
#[test]
fn an_api_server_that_says_nothing_of_use_holds_no_step() {
    let Some(authority) = Authority::new() else { return };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let huge = || Act::Reply(head(200, &[], 17 * 1024 * 1024));
    let flood = || Act::Flood(head(200, &[], usize::MAX));
    let endless = || Act::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec());
    let drip = || Act::Drip(head(200, &[], 1_000_000), Duration::from_millis(50));
    let garbage = || Act::Reply(reply(200, &[], b"\x00\xff{"));
    let cut = || Act::ReplyAndClose(head(200, &[], 100));
    let play = |act: Act| api_server(&authority, vec![act.clone()], vec![act]).address;
    let addresses = [
        silent.local_addr().unwrap(),
        play(Act::Hang),
        play(Act::Close),
        play(huge()),
        play(flood()),
        play(endless()),
        play(drip()),
        play(garbage()),
        play(cut()),
        play(Act::Reply(reply(503, &[], b""))),
        play(Act::Reply(reply(302, &[("location", "https://evil.example.com/")], b""))),
    ];
    let step = &|address| {
        let s3 = S3::new();
        let pod = asking(plain(&s3), &authority, address);
        let started = Instant::now();
        assert_eq!(attested(&pod, &s3)["templateSource"], "text");
        assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    };
    std::thread::scope(|all| {
        addresses.map(|address| all.spawn(move || step(address))).map(|one| one.join().unwrap())
    });
    let s3 = S3::new();
    let pod = asking(plain(&s3), &authority, silent.local_addr().unwrap());
    assert_unattested(pod.env("ARGO_ATTEST_TEMPLATE_SOURCE", "workflow"), "did not answer");
}

#[test]
fn the_pod_that_was_handed_over_is_compared() {
    let s3 = S3::new();
    let pod = plain(&s3);
    let text = handed_over(&made(&pod), &[ASKS]);
    let pod = pod.env("ARGO_ATTEST_POD_SPEC", &text).env("ARGO_ATTEST_TEMPLATE_SOURCE", "pod");
    assert_eq!(attested(&pod, &s3)["templateSource"], "pod");
    let spoilt: [(Spoil, &str); 6] = [
        (|pod| pod["spec"]["containers"][1]["image"] = json!("evil"), "the image of the container main"),
        (
            |pod| pod["spec"]["containers"][1]["command"][5] = json!("evil"),
            "the command of the container main",
        ),
        (|pod| pod["spec"]["containers"][1]["args"] = json!(["evil"]), "the args of the container main"),
        (|pod| pod["spec"]["containers"][1]["volumeMounts"] = json!([]), "the container main mounts"),
        (
            |pod| pod["spec"]["containers"].as_array_mut().unwrap().truncate(1),
            "a container main, and the pod has none",
        ),
        (
            |pod| {
                pod["spec"]["containers"][0]["command"] =
                    json!(["/var/run/argo/argoexec", "emissary", "--", "x"]);
            },
            "the pod runs a container wait of which",
        ),
    ];
    for (spoil, reason) in spoilt {
        let s3 = S3::new();
        let pod = plain(&s3);
        let mut spec = made(&pod);
        spoil(&mut spec);
        assert_unattested(pod.env("ARGO_ATTEST_POD_SPEC", &handed_over(&spec, &[ASKS])), reason);
        assert_eq!(s3.keys(), Vec::<String>::new());
    }
    for (text, reason) in
        [("", "does not begin"), ("v1;3:a", "malformed in its record 1"), ("too-large", "more than 100000")]
    {
        assert_unattested(plain(&S3::new()).env("ARGO_ATTEST_POD_SPEC", text), reason);
    }
}

#[test]
fn a_sidecar_that_the_template_conceals_is_told() {
    let s3 = S3::new();
    let mut pod = plain(&s3);
    let spec = made(&pod);
    pod.template["sidecars"] =
        json!([{"name": "db", "image": "postgres", "command": ["postgres"], "resources": {}}]);
    assert_unattested(
        pod.env("ARGO_ATTEST_POD_SPEC", &handed_over(&spec, &[ASKS])),
        "a container db, and the pod has none",
    );
}

#[test]
fn a_misspelt_wish_is_told() {
    for (annotations, reason) in [
        (json!({"argo-attest.io/atest": "true"}), "argo-attest.io/atest, which is none"),
        (
            json!({"argo-attest.io/place-attestations": "asunder"}),
            "which is neither \"beside\" nor \"apart\"",
        ),
        (json!({"argo-attest.io/attest": "True"}), "neither \"true\" nor \"false\""),
        (
            json!({"argo-attest.io/attest": "true", "argo-attest.io/verify-inputs": "1"}),
            "neither \"true\" nor \"false\"",
        ),
    ] {
        let mut pod = plain(&S3::new());
        pod.template["metadata"]["annotations"] = annotations;
        assert_unattested(pod, reason);
    }
    assert_unattested(
        plain(&S3::new()).env("ARGO_ATTEST_ASKED_ATTEST", "yes"),
        "neither \"true\" nor \"false\"",
    );
    let pod = plain(&S3::new());
    let text = handed_over(&made(&pod), &[ASKS, ("argo-attest.io/verify", "true")]);
    assert_unattested(
        pod.env("ARGO_ATTEST_POD_SPEC", &text),
        "the step's pod has the annotation argo-attest.io/verify",
    );
}

#[test]
fn the_pod_says_whether_it_asks() {
    let s3 = S3::new();
    let mut pod = plain(&s3).env("ARGO_ATTEST_ASKED_ATTEST", "true");
    pod.template["metadata"] = json!({});
    assert_eq!(attested(&pod, &s3)["templateSource"], "text");
    let pod = plain(&S3::new()).env("ARGO_ATTEST_ASKED_ATTEST", "");
    let mut sidecar = pod.start_ready();
    sidecar.reaches("idle");
}
