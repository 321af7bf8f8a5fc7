//! What the pod is told through the API server, where that is allowed; and that
//! nothing comes of it where it is not.

use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::nobody::Nobody;
use crate::output::Output;
use crate::pod::{POD_UID, Pod};
use crate::process::until;
use crate::proxy::{Proxy, Way};
use crate::s3::S3;
use crate::scripted::{Act, Request, Scripted, head, reply};
use crate::tls::Authority;

type Spoil = fn(Pod) -> Pod;

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2EifQ.token-of-the-service-account";

/// A pod with a service account for the API server at `address`.
fn pod(s3: &S3, outputs: Vec<Output>, authority: &Authority, address: SocketAddr) -> Pod {
    let pod = Pod::new(s3.address(), outputs);
    let account = pod.at("account");
    fs::create_dir(&account).unwrap();
    fs::write(account.join("token"), format!("{TOKEN}\n")).unwrap();
    fs::write(account.join("namespace"), "ci").unwrap();
    fs::copy(authority.bundle(), account.join("ca.crt")).unwrap();
    pod.env("ARGO_ATTEST_SERVICE_ACCOUNT_DIR", account.to_str().unwrap())
        .env("KUBERNETES_SERVICE_HOST", &address.ip().to_string())
        .env("KUBERNETES_SERVICE_PORT", &address.port().to_string())
        .env("ARGO_ATTEST_POD_NAME", "wf-build-1")
}

/// Does what it is told with what it is told; what it is asked for may not be read.
fn api_server(authority: &Authority, acts: impl IntoIterator<Item = Act>) -> Scripted {
    let mut acts = acts.into_iter().collect::<VecDeque<_>>();
    Scripted::choosing(authority.server("IP:127.0.0.1", "2"), move |request| match request.method.as_str() {
        "GET" => Some(Act::Reply(reply(403, &[], b"{}"))),
        _ => acts.pop_front(),
    })
}

fn json_of(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// What is told, after the pod was asked for what it runs.
fn told(server: &Scripted) -> Vec<Request> {
    server.requests().into_iter().filter(|request| request.method != "GET").collect()
}

fn asked(server: &Scripted, method: &str) -> Request {
    let all = told(server);
    assert_eq!(all.len(), 2, "{all:?}");
    all.into_iter().find(|request| request.method == method).unwrap()
}

/// Whether anything but the usual was logged.
fn trouble(log: &str) -> Vec<&str> {
    log.lines().filter(|line| line.contains("\"WARN\"") || line.contains("\"ERROR\"")).collect()
}

#[test]
fn says_where_people_look_what_was_attested() {
    let Some(authority) = Authority::new() else { return };
    let s3 = S3::new();
    let ok = || Act::Reply(reply(200, &[], b"{}"));
    let server = api_server(&authority, [ok(), ok()]);
    let outputs = vec![Output::plain("a"), Output::plain("b")];
    let pod = pod(&s3, outputs, &authority, server.address).env("ARGO_ATTEST_LOG", "trace");
    let mut sidecar = pod.start_ready();
    assert!(told(&server).is_empty());
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &json!(2)), "{message}");

    let patch = asked(&server, "PATCH");
    assert_eq!(patch.path, "/api/v1/namespaces/ci/pods/wf-build-1?fieldManager=argo-attest");
    assert_eq!(patch.header("content-type"), "application/merge-patch+json");
    assert_eq!(patch.header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(patch.header("host"), server.address.to_string());
    let metadata = &json_of(&patch)["metadata"];
    assert_eq!(metadata["uid"], POD_UID);
    let annotations = &metadata["annotations"];
    assert_eq!(annotations["argo-attest.io/state"], "attested");
    assert_eq!(annotations["argo-attest.io/attested"], "2/2");
    let map = |key: &str| -> Value { serde_json::from_str(annotations[key].as_str().unwrap()).unwrap() };
    for entry in message["artifacts"].as_array().unwrap() {
        let name = entry["name"].as_str().unwrap();
        assert_eq!(map("argo-attest.io/digests")[name], entry["digest"]);
        assert_eq!(map("argo-attest.io/attestations")[name], entry["attestation"]);
    }

    let post = asked(&server, "POST");
    assert_eq!(post.path, "/api/v1/namespaces/ci/events?fieldManager=argo-attest");
    let event = json_of(&post);
    assert_eq!((&event["type"], &event["reason"]), (&json!("Normal"), &json!("Attested")));
    assert_eq!(event["message"], "2 of 2 outputs are attested");
    assert_eq!(
        event["involvedObject"],
        json!({"apiVersion": "v1", "kind": "Pod", "namespace": "ci", "name": "wf-build-1", "uid": POD_UID})
    );
    assert_eq!(event["metadata"]["namespace"], "ci");
    let log = sidecar.logged();
    assert!(log.contains("the pod is annotated") && !log.contains(TOKEN), "{log}");
}

#[test]
fn an_output_that_is_not_attested_is_a_warning() {
    let Some(authority) = Authority::new() else { return };
    let s3 = S3::new();
    let created = || Act::Reply(reply(201, &[], b"{}"));
    let server = api_server(&authority, [created(), created()]);
    let outputs = vec![Output::plain("good"), Output::plain("never")];
    let pod = pod(&s3, outputs, &authority, server.address).env("ARGO_ATTEST_POD_NAMESPACE", "other");
    let mut sidecar = pod.start_ready();
    pod.write();
    pod.end(0);
    pod.upload_one(&s3, &pod.outputs[0]);
    sidecar.terminate();
    let (code, message) = sidecar.ends();
    assert_eq!((code, &message["notAttested"]), (Some(0), &json!(1)), "{message}");
    let annotations = json_of(&asked(&server, "PATCH"))["metadata"]["annotations"].clone();
    assert_eq!(annotations["argo-attest.io/state"], "incomplete");
    assert_eq!(annotations["argo-attest.io/attested"], "1/2");
    let event = json_of(&asked(&server, "POST"));
    assert_eq!((&event["type"], &event["reason"]), (&json!("Warning"), &json!("NotAttested")));
    assert_eq!(event["involvedObject"]["namespace"], "other");
    let said = event["message"].as_str().unwrap();
    assert!(said.starts_with("1 of 2 outputs are attested; never: ") && said.contains("not in the store"));
}

/// Most service accounts may not: no error, no noise, and the step's end is what it was.
#[test]
fn who_may_not_is_silent() {
    let Some(authority) = Authority::new() else { return };
    let refusal = json!({"kind": "Status", "message": "pods \"wf-build-1\" is forbidden"}).to_string();
    for status in [401, 403, 404, 500] {
        let s3 = S3::new();
        let refused = || Act::Reply(reply(status, &[], refusal.as_bytes()));
        let server = api_server(&authority, [refused(), refused()]);
        let pod = pod(&s3, vec![Output::plain("a")], &authority, server.address)
            .env("ARGO_ATTEST_LOG", "info,argo_attest=debug");
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &json!(1)), "{message}");
        assert_eq!(told(&server).len(), 2);
        let log = sidecar.logged();
        assert_eq!(trouble(&log), Vec::<&str>::new());
        let lines: Vec<_> = log.lines().filter(|line| line.contains("the pod was not told")).collect();
        let [line] = lines.as_slice() else { panic!("{log}") };
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "DEBUG", "{line}");
        let reason = line["annotation"].as_str().unwrap();
        assert!(reason.contains(&format!("{status} (pods \"wf-build-1\" is forbidden)")), "{reason}");
    }
}

/// Whatever the API server does, the container ends in time, and what it has to say
/// was said before.
#[test]
fn an_api_server_that_does_not_answer_holds_nothing_up() {
    let Some(authority) = Authority::new() else { return };
    let flood = || Act::Flood(head(403, &[], usize::MAX));
    let drip = || Act::Drip(head(200, &[], 1_000_000), Duration::from_millis(50));
    let long_head = || Act::Flood(b"HTTP/1.1 200 OK\r\nx: ".to_vec());
    let play = |acts: [Act; 2]| api_server(&authority, acts).address;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = Nobody::new();
    for address in [
        play([Act::Hang, Act::Hang]),
        play([Act::Close, Act::Close]),
        play([flood(), flood()]),
        play([drip(), drip()]),
        play([long_head(), long_head()]),
        // The kernel takes the connection, and nobody shakes hands.
        silent.local_addr().unwrap(),
        nobody.address(),
    ] {
        let s3 = S3::new();
        let pod = pod(&s3, vec![Output::plain("a")], &authority, address);
        let mut sidecar = pod.start_ready();
        let told = Instant::now();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert!(told.elapsed() < Duration::from_secs(15), "{:?}", told.elapsed());
        assert_eq!((code, &message["attested"]), (Some(0), &json!(1)), "{message}");
        assert_eq!(trouble(&sidecar.logged()), Vec::<&str>::new());
    }
}

/// Nor is anything tried where there is nothing to try it with.
#[test]
fn without_a_token_nobody_is_asked() {
    let Some(authority) = Authority::new() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let spoilt: [Spoil; 6] = [
        |pod| {
            fs::remove_file(pod.at("account/token")).unwrap();
            pod
        },
        |pod| {
            fs::write(pod.at("account/token"), " \n").unwrap();
            pod
        },
        |pod| {
            fs::write(pod.at("account/ca.crt"), "").unwrap();
            pod
        },
        |pod| pod.env("ARGO_ATTEST_SERVICE_ACCOUNT_DIR", "/nowhere"),
        |pod| pod.env("ARGO_ATTEST_POD_NAME", "../../secrets/x"),
        |pod| pod.env("KUBERNETES_SERVICE_PORT", ""),
    ];
    for spoil in spoilt {
        let s3 = S3::new();
        let pod = pod(&s3, vec![Output::plain("a")], &authority, listener.local_addr().unwrap());
        let pod = spoil(pod);
        let mut sidecar = pod.start_ready();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &json!(1)), "{message}");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(trouble(&sidecar.logged()), Vec::<&str>::new());
    }
}

/// The token is not given to whoever answers at the address.
#[test]
fn a_server_of_another_authority_gets_no_token() {
    let (Some(authority), Some(other)) = (Authority::new(), Authority::new()) else { return };
    let s3 = S3::new();
    let server = api_server(&other, []);
    let pod = pod(&s3, vec![Output::plain("a")], &authority, server.address);
    let mut sidecar = pod.start_ready();
    let (code, _) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(code, Some(0));
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[test]
fn a_sidecar_that_cannot_get_ready_says_so() {
    let Some(authority) = Authority::new() else { return };
    let s3 = S3::new();
    let ok = || Act::Reply(reply(200, &[], b"{}"));
    let server = api_server(&authority, [ok(), ok()]);
    let pod = pod(&s3, vec![Output::plain("a")], &authority, server.address);
    fs::remove_file(pod.at("keys/attest.key")).unwrap();
    let mut sidecar = pod.start();
    sidecar.reaches("unattested");
    until("both requests", || (told(&server).len() == 2).then_some(()));
    let event = json_of(&asked(&server, "POST"));
    assert_eq!((&event["type"], &event["reason"]), (&json!("Warning"), &json!("NotReady")));
    assert!(event["message"].as_str().unwrap().contains("there is no key file"), "{event}");
    let annotations = &json_of(&asked(&server, "PATCH"))["metadata"]["annotations"];
    assert_eq!(*annotations, json!({"argo-attest.io/state": "not-ready"}));
    sidecar.terminate();
    assert_eq!(sidecar.ends().0, Some(0));
}

/// Main was held for long enough: that is told at once, and what became of the step at its end.
#[test]
fn a_main_that_is_let_go_is_told_of() {
    let Some(authority) = Authority::new() else { return };
    let s3 = S3::new();
    let proxy = Proxy::to(s3.address(), Way::Hole);
    let ok = || Act::Reply(reply(200, &[], b"{}"));
    let server = api_server(&authority, [ok(), ok(), ok(), ok()]);
    let mut pod = pod(&s3, vec![Output::plain("a")], &authority, server.address).grace(60);
    pod.template["archiveLocation"]["s3"]["endpoint"] = json!(proxy.address);
    let pod = pod.env("ARGO_ATTEST_READY_TIMEOUT", "500ms");
    let mut sidecar = pod.start_ready();
    until("both requests", || (told(&server).len() == 2).then_some(()));
    let event = json_of(&asked(&server, "POST"));
    assert_eq!((&event["type"], &event["reason"]), (&json!("Warning"), &json!("NotReady")));
    assert!(event["message"].as_str().unwrap().contains("not all was ready within 500ms"), "{event}");
    proxy.set(Way::Open);
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &json!(1)), "{message}");
    let last = told(&server).pop().unwrap();
    assert!(String::from_utf8_lossy(&last.body).contains("ttested"), "{last:?}");
}

/// A step that did not ask for it leaves no trace.
#[test]
fn an_idle_sidecar_says_nothing() {
    let Some(authority) = Authority::new() else { return };
    let s3 = S3::new();
    let server = api_server(&authority, []);
    let mut pod = pod(&s3, vec![Output::plain("a")], &authority, server.address);
    pod.template["metadata"] = json!({});
    let mut sidecar = pod.start();
    sidecar.reaches("idle");
    sidecar.terminate();
    assert_eq!(sidecar.ends().0, Some(0));
    assert_eq!(server.asked(), Vec::<String>::new());
}
