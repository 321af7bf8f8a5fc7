//! What is asked of the API server, for how long, and what comes of each answer.

#[path = "../../../crates/core/src/argo/pod/tests/controller.rs"]
#[expect(dead_code, reason = "another test compares live pods")]
mod controller;
mod forged;

use std::collections::VecDeque;
use std::future::pending;
use std::slice::from_ref;
use std::sync::Mutex;
use std::time::Duration;

use argo_attest_core::argo::Source;
use argo_attest_core::slsa::PodIdentity;
use argo_attest_core::trouble::Trouble as _;
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::cluster::{ClusterError, Lookup};

const TEXT: &str = r#"{"name":"build","inputs":{},"outputs":{},"metadata":{"annotations":{"argo-attest.io/attest":"true"}},"container":{"name":"","image":"busybox:1","command":["sh","-c"],"args":["make 1.0"],"resources":{}}}"#;

/// What the API server says to one request.
#[derive(Clone)]
enum Answer {
    Json(Value),
    Text(&'static str),
    Status(u16),
    Gone,
    TooLarge,
    Nothing,
}

use Answer::{Gone, Json, Nothing, Status, Text, TooLarge};

/// An API server that answers in the given order, with the last one for ever.
struct Cluster {
    pods: Mutex<VecDeque<Answer>>,
    workflows: Mutex<VecDeque<Answer>>,
    asked: Mutex<(usize, usize)>,
}

impl Cluster {
    fn new(pods: &[Answer], workflows: &[Answer]) -> Self {
        Self {
            pods: Mutex::new(pods.iter().cloned().collect()),
            workflows: Mutex::new(workflows.iter().cloned().collect()),
            asked: Mutex::default(),
        }
    }

    async fn answer(answers: &Mutex<VecDeque<Answer>>) -> Result<Vec<u8>, ClusterError> {
        let answer = {
            let mut answers = answers.lock().unwrap();
            if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
        };
        match answer {
            Json(value) => Ok(value.to_string().into_bytes()),
            Text(text) => Ok(text.as_bytes().to_vec()),
            Status(status) => Err(ClusterError::Refused { status, message: Some("the reason".into()) }),
            Gone => Err(ClusterError::Unreachable("connection refused".into())),
            TooLarge => Err(ClusterError::TooLarge { limit: 7 }),
            Nothing => pending().await,
        }
    }
}

#[async_trait]
impl Lookup for Cluster {
    async fn own_pod(&self) -> Result<Vec<u8>, ClusterError> {
        self.asked.lock().unwrap().0 += 1;
        Self::answer(&self.pods).await
    }

    async fn workflow(&self, name: &str) -> Result<Vec<u8>, ClusterError> {
        assert_eq!(name, "wf");
        self.asked.lock().unwrap().1 += 1;
        Self::answer(&self.workflows).await
    }
}

fn pod() -> Value {
    let wrapped = ["/var/run/argo/argoexec", "emissary", "--loglevel", "info", "--", "sh", "-c"];
    json!({
        "metadata": {
            "uid": "u1",
            "annotations": {"argo-attest.io/attest": "true", "workflows.argoproj.io/node-id": "wf-1"},
            "ownerReferences": [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "wf", "uid": "w1"}],
        },
        "spec": {
            "initContainers": [{"name": "init", "image": "argoexec", "env": [{"name": "ARGO_TEMPLATE", "value": TEXT}]}],
            "containers": [{"name": "main", "image": "busybox:1", "command": wrapped, "args": ["make 1.0"]}],
        },
    })
}

fn workflow() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"name": "wf", "namespace": "ci", "uid": "w1"},
        "spec": {
            "entrypoint": "build",
            "arguments": {"parameters": [{"name": "version", "value": "1.0"}]},
            "templates": [{
                "name": "build",
                "metadata": {"annotations": {"argo-attest.io/attest": "true"}},
                "container": {"image": "busybox:1", "command": ["sh", "-c"], "args": ["make {{workflow.parameters.version}}"]},
            }],
        },
        "status": {"phase": "Running", "nodes": {"wf-1": {
            "id": "wf-1", "name": "wf", "displayName": "wf", "type": "Pod",
            "templateName": "build", "templateScope": "local/wf", "phase": "Pending",
        }}},
    })
}

fn without_nodes() -> Value {
    let mut workflow = workflow();
    workflow["status"]["nodes"] = json!({});
    workflow
}

fn identity() -> PodIdentity {
    let some = |text: &str| Some(text.to_owned());
    PodIdentity {
        pod_name: some("wf-1"),
        pod_uid: some("u1"),
        pod_namespace: some("ci"),
        node_id: some("wf-1"),
        workflow_name: some("wf"),
        workflow_uid: some("w1"),
        ..PodIdentity::default()
    }
}

struct Case<'a> {
    text: String,
    handed_over: HandedOver,
    identity: PodIdentity,
    cluster: Option<&'a Cluster>,
}

impl<'a> Case<'a> {
    fn new(cluster: Option<&'a Cluster>) -> Self {
        Self { text: TEXT.to_owned(), handed_over: HandedOver::default(), identity: identity(), cluster }
    }

    async fn at_least(&self, least: TemplateSource) -> Result<Established, Unestablished> {
        let text = TemplateText::new(Source::Env, self.text.clone().into_bytes()).unwrap();
        let platform = Platform {
            handed_over: &self.handed_over,
            identity: &self.identity,
            cluster: self.cluster.map(|cluster| cluster as &dyn Lookup),
            least,
        };
        establish(&text, &platform).await
    }

    async fn source(&self, least: TemplateSource) -> TemplateSource {
        self.at_least(least).await.unwrap().source
    }

    async fn refused(&self, least: TemplateSource) -> String {
        argo_attest_core::text::causes(&self.at_least(least).await.unwrap_err())
    }
}

/// What the admission policy writes for [`pod`], its annotations as they are given.
fn handed_over(annotations: &[(&str, &str)]) -> HandedOver {
    let net = |text: String| format!("{}:{text},", text.chars().count());
    let list = |words: &[&str]| net(words.iter().map(|word| net((*word).to_owned())).collect());
    let command = ["/var/run/argo/argoexec", "emissary", "--", "sh", "-c"];
    let main = net("main".into())
        + &net("busybox:1".into())
        + &list(&command)
        + &list(&["make 1.0"])
        + &net(String::new());
    let annotations =
        annotations.iter().map(|(name, value)| net(net((*name).to_owned()) + &net((*value).to_owned())));
    let text = "v1;".to_owned()
        + &net("c".to_owned() + &main)
        + &net("a".to_owned() + &annotations.collect::<String>());
    HandedOver { pod_spec: Some(text), ..HandedOver::default() }
}

const ASKS: (&str, &str) = ("argo-attest.io/attest", "true");

#[tokio::test]
async fn with_nobody_to_ask_there_is_the_text() {
    let case = Case::new(None);
    let established = case.at_least(TemplateSource::Text).await.unwrap();
    assert_eq!((established.source, established.asked.attest), (TemplateSource::Text, true));
    assert_eq!(established.step.containers[0].image, "busybox:1");
    let refused = case.refused(TemplateSource::Pod).await;
    assert!(
        refused
            .starts_with("the step's template was compared with nothing else, and has to be with its pod: "),
        "{refused}"
    );
    let refused = case.refused(TemplateSource::Workflow).await;
    assert!(refused.contains("its Workflow: there is no API server to be asked"), "{refused}");
}

#[tokio::test]
async fn what_was_handed_over_is_compared() {
    let mut case = Case { handed_over: handed_over(&[ASKS]), ..Case::new(None) };
    assert_eq!(case.source(TemplateSource::Pod).await, TemplateSource::Pod);
    let refused = case.refused(TemplateSource::Workflow).await;
    assert!(
        refused.starts_with(
            "the step's template was compared with its pod only, and has to be with its Workflow"
        )
    );
    case.text = TEXT.replace("busybox:1", "busybox:2");
    let refused = case.refused(TemplateSource::Text).await;
    assert!(refused.contains("the image of the container main"), "{refused}");
    case = Case {
        handed_over: HandedOver { pod_spec: Some("too-large".into()), ..HandedOver::default() },
        ..Case::new(None)
    };
    assert!(case.refused(TemplateSource::Text).await.contains("more than 100000 characters"));
}

#[tokio::test]
async fn the_pod_says_what_was_asked_for() {
    let text = TEXT.replace(r#"{"argo-attest.io/attest":"true"}"#, "{}").replace(r#""annotations":{}"#, "");
    let case = Case { text: text.clone(), handed_over: handed_over(&[ASKS]), ..Case::new(None) };
    assert!(case.at_least(TemplateSource::Text).await.unwrap().asked.attest);
    let case =
        Case { text, handed_over: handed_over(&[("argo-attest.io/atest", "true")]), ..Case::new(None) };
    let refused = case.refused(TemplateSource::Text).await;
    assert_eq!(
        refused,
        "the step's pod has the annotation argo-attest.io/atest, which is none of argo-attest's"
    );
    // The text asks, and the pod does not: somebody wrote that into the text.
    let case = Case { handed_over: handed_over(&[]), ..Case::new(None) };
    assert!(
        case.refused(TemplateSource::Text)
            .await
            .contains("the annotation argo-attest.io/attest, and the pod has not")
    );
    let told = HandedOver { asked_attest: Some(String::new()), ..HandedOver::default() };
    let case = Case { handed_over: told, ..Case::new(None) };
    assert!(!case.at_least(TemplateSource::Text).await.unwrap().asked.attest);
}

#[tokio::test]
async fn the_workflow_is_the_most_that_can_be_had() {
    for pods in [&[Json(pod())][..], &[Status(403)]] {
        let cluster = Cluster::new(pods, &[Json(workflow())]);
        assert_eq!(
            Case::new(Some(&cluster)).source(TemplateSource::Workflow).await,
            TemplateSource::Workflow
        );
        assert_eq!(*cluster.asked.lock().unwrap(), (1, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_not_asked_again() {
    for status in [401, 403, 404] {
        let cluster = Cluster::new(&[Json(pod())], &[Status(status)]);
        let case = Case::new(Some(&cluster));
        let started = Instant::now();
        assert_eq!(case.source(TemplateSource::Text).await, TemplateSource::Pod);
        assert_eq!(case.source(TemplateSource::Pod).await, TemplateSource::Pod);
        let refused = case.refused(TemplateSource::Workflow).await;
        assert!(
            refused.contains(&format!("its Workflow: the API server refused: {status} (the reason)")),
            "{refused}"
        );
        assert_eq!(*cluster.asked.lock().unwrap(), (3, 3));
        assert!(started.elapsed() < Duration::from_millis(50));
        let cluster = Cluster::new(&[Status(status)], &[Status(status)]);
        assert_eq!(Case::new(Some(&cluster)).source(TemplateSource::Text).await, TemplateSource::Text);
        assert!(
            Case::new(Some(&cluster))
                .refused(TemplateSource::Pod)
                .await
                .contains("its pod: the API server refused")
        );
    }
}

#[tokio::test]
async fn a_difference_is_refused_whatever_is_asked_for() {
    for (pods, workflows, told) in [
        (Json(pod()), Status(403), "is not what its pod runs, as the API server has it"),
        (Status(403), Json(workflow()), "is not the one of its Workflow"),
        (Json(pod()), Json(workflow()), "is not what its pod runs"),
    ] {
        for least in TemplateSource::ALL {
            let cluster = Cluster::new(from_ref(&pods), from_ref(&workflows));
            let text = TEXT.replace("busybox:1", "busybox:2");
            let case = Case { text, ..Case::new(Some(&cluster)) };
            let refused = case.refused(least).await;
            assert!(refused.contains(told), "{least}: {refused}");
        }
    }
}

/// It was had, and what it says is no reason to make do with less.
#[tokio::test]
async fn a_workflow_that_cannot_be_compared_with_is_refused_whatever_is_asked_for() {
    let packed = json!("H4sIAAAA");
    let mut unreadable = without_nodes();
    unreadable["status"]["compressedNodes"] = packed;
    let mut without_template = workflow();
    without_template["spec"]["templates"] = json!([]);
    for workflow in [unreadable, without_template] {
        let cluster = Cluster::new(&[Json(pod())], from_ref(&Json(workflow)));
        for least in TemplateSource::ALL {
            let refused = Case::new(Some(&cluster)).refused(least).await;
            assert!(refused.contains("cannot be compared with its Workflow: "), "{least}: {refused}");
        }
    }
}

/// The controller makes the pod before it stores the node.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_not_there_yet_is_waited_for() {
    let cluster =
        Cluster::new(&[Json(pod())], &[Json(without_nodes()), Json(without_nodes()), Json(workflow())]);
    assert_eq!(Case::new(Some(&cluster)).source(TemplateSource::Text).await, TemplateSource::Workflow);
    assert_eq!(*cluster.asked.lock().unwrap(), (1, 3));

    let cluster = Cluster::new(&[Json(pod())], &[Json(without_nodes())]);
    let started = Instant::now();
    // Whoever gives values could see to it that it comes late: nothing less will do.
    assert!(Case::new(Some(&cluster)).refused(TemplateSource::Text).await.contains("no node wf-1 yet"));
    let waited = started.elapsed();
    assert!(waited <= TOGETHER + NODE && waited > TOGETHER, "{waited:?}");
    assert!(Case::new(Some(&cluster)).refused(TemplateSource::Workflow).await.contains("no node wf-1 yet"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_holds_a_step_for_a_while_only() {
    for answer in [Nothing, Gone, Status(503), Status(429)] {
        let cluster = Cluster::new(from_ref(&answer), from_ref(&answer));
        let case = Case::new(Some(&cluster));
        // Nobody needs it: one try.
        let started = Instant::now();
        assert_eq!(case.source(TemplateSource::Text).await, TemplateSource::Text);
        assert!(started.elapsed() <= EACH, "{:?}", started.elapsed());
        assert_eq!(*cluster.asked.lock().unwrap(), (1, 1));
        // It is needed: some more.
        for least in [TemplateSource::Pod, TemplateSource::Workflow] {
            let started = Instant::now();
            let refused = case.refused(least).await;
            assert!(refused.contains("did not answer") || refused.contains("refused"), "{refused}");
            assert!(started.elapsed() <= TOGETHER, "{:?}", started.elapsed());
        }
        assert!(cluster.asked.lock().unwrap().1 > 3);
    }
    let cluster = Cluster::new(&[Gone, Json(pod())], &[Nothing, Status(500), Json(workflow())]);
    assert_eq!(Case::new(Some(&cluster)).source(TemplateSource::Workflow).await, TemplateSource::Workflow);
}

#[tokio::test]
async fn garbage_is_no_answer() {
    for garbage in [Text(""), Text("{}"), Text("[1"), Text("\u{0}\u{0}"), TooLarge] {
        let cluster = Cluster::new(from_ref(&garbage), from_ref(&garbage));
        let case = Case::new(Some(&cluster));
        let started = Instant::now();
        // A Workflow without nodes may come to have some; it is not waited for here.
        if !matches!(garbage, Text("{}")) {
            assert_eq!(case.source(TemplateSource::Text).await, TemplateSource::Text);
            case.refused(TemplateSource::Workflow).await;
            assert!(started.elapsed() < EACH);
        }
        case.refused(TemplateSource::Pod).await;
    }
}

#[tokio::test]
async fn another_pod_or_workflow_is_refused() {
    type Change = fn(&mut Value, &mut Value, &mut PodIdentity);
    let changes: [(Change, &str); 6] = [
        (
            |pod, _, _| pod["metadata"]["uid"] = json!("u2"),
            "another pod's UID than this container was told: u2, not u1",
        ),
        (|_, workflow, _| workflow["metadata"]["uid"] = json!("w2"), "another Workflow's UID"),
        (|_, _, identity| identity.workflow_uid = Some("w2".into()), "another Workflow's UID"),
        (|_, _, identity| identity.node_id = Some("wf-2".into()), "another node's id"),
        (|pod, _, _| pod["metadata"]["ownerReferences"][0]["name"] = json!("x"), "another Workflow than"),
        (|pod, _, _| pod["metadata"]["ownerReferences"][0]["uid"] = json!("w2"), "another Workflow's UID"),
    ];
    for (change, told) in changes {
        let (mut pod, mut workflow, mut identity) = (pod(), workflow(), identity());
        workflow["status"]["nodes"]["wf-2"] = workflow["status"]["nodes"]["wf-1"].clone();
        change(&mut pod, &mut workflow, &mut identity);
        let cluster = Cluster::new(&[Json(pod)], &[Json(workflow)]);
        let case = Case { identity, ..Case::new(Some(&cluster)) };
        let refused = case.refused(TemplateSource::Text).await;
        assert!(refused.contains(told), "{refused}");
    }
    // Where the pod may not be read, what was told counts.
    let mut other = workflow();
    other["metadata"]["uid"] = json!("w2");
    let cluster = Cluster::new(&[Status(403)], &[Json(other)]);
    assert!(Case::new(Some(&cluster)).refused(TemplateSource::Text).await.contains("w2, not w1"));
}

#[tokio::test]
async fn without_a_name_nobody_is_asked() {
    let cluster = Cluster::new(&[Status(403)], &[Json(workflow())]);
    for change in
        [(|id: &mut PodIdentity| id.workflow_name = None) as fn(&mut PodIdentity), |id| id.node_id = None]
    {
        let mut case = Case::new(Some(&cluster));
        change(&mut case.identity);
        assert_eq!(case.source(TemplateSource::Text).await, TemplateSource::Text);
        assert!(case.refused(TemplateSource::Workflow).await.contains("is not known"));
    }
    assert_eq!(cluster.asked.lock().unwrap().1, 0);
}

#[test]
fn each_refusal_says_what_to_do() {
    let too_little =
        |least| Unestablished::TooLittle { least, got: TemplateSource::Text, why: String::new() };
    assert!(too_little(TemplateSource::Workflow).remedy().unwrap().contains("get workflows.argoproj.io"));
    assert!(too_little(TemplateSource::Pod).remedy().unwrap().contains("get its own pod"));
    let other = Unestablished::Other { what: "pod's UID", there: "a".into(), here: "b".into() };
    assert!(other.remedy().unwrap().contains("downward API"));
}
