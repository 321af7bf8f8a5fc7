//! A pod without a key: what its step leaves, who believes it, and what it costs when Fulcio or the clock is away.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::fulcio::{IDENTITY, Mood, token, token_to};
use crate::keyless::Keyless;
use crate::output::{Output, PREFIX};
use crate::pod::POD_UID;
use crate::s3::S3;
use crate::scripted::{Act, Plain, Scripted, reply};
use crate::servers::BUCKET;
use crate::witnesses::{Authority, TimeLie};

const OTHER: &str = "https://kubernetes.io/namespaces/ci/serviceaccounts/other";

/// What is done to those who are asked.
type Turn<'a> = &'a dyn Fn(&Keyless);

fn outputs() -> Vec<Output> {
    vec![Output::plain("a"), Output::plain("b")]
}

fn bundle_of(output: &Output) -> String {
    format!("{}.sigstore.json", output.key())
}

#[test]
fn all_that_a_step_leaves_is_the_identitys() {
    let (s3, keyless) = (S3::new(), Keyless::new());
    let pod = keyless.pod(&s3, outputs());
    let mut sidecar = pod.start_ready();
    // It is on record that the step starts, before main does.
    let started = keyless.outcome(&s3);
    assert_eq!(started["state"], "started", "{started}");
    let (code, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", sidecar.logged());
    let done = keyless.outcome(&s3);
    assert_eq!((&done["state"], &done["complete"]), (&"succeeded".into(), &true.into()), "{done}");
    for output in &pod.outputs {
        let accepted = keyless.verify(&s3, IDENTITY, &output.key());
        assert_eq!(accepted.status.code(), Some(0), "{accepted:?}");
        let refused = keyless.verify(&s3, OTHER, &output.key());
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    }
    // One attestation for each and the outcome, in the form that has room for a certificate, and no copies.
    let beside = |key: &String| key.contains("sigstore") || key.contains("intoto") || key.contains("earlier");
    let mut left: Vec<_> = s3.keys().into_iter().filter(beside).collect();
    left.sort();
    let mut expected: Vec<_> = pod.outputs.iter().map(bundle_of).collect();
    expected.push(format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json"));
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(keyless.certifying.requests().len(), 1, "one certificate is enough for minutes");
    assert_eq!(keyless.stamping.requests().len(), 4, "started, two outputs, done");
    let logged = sidecar.logged();
    assert!(logged.contains(IDENTITY), "{logged}");
    assert!(!logged.contains("eyJ") && !logged.contains("system:serviceaccount"), "{logged}");
}

/// Started again it has another key, and is the same to whoever believes the account.
#[test]
fn started_again_it_is_the_same_signer() {
    let (s3, keyless) = (S3::new(), Keyless::new());
    let pod = keyless.pod(&s3, outputs());
    let mut first = pod.start_ready();
    pod.write();
    first.signal(rustix::process::Signal::KILL);
    crate::process::until("it is gone", || (!first.is_running()).then_some(()));
    let mut second = pod.start_ready();
    let (code, message) = pod.succeed(&s3, &mut second);
    assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", second.logged());
    // What was told is not told anew, by whichever key.
    let mut third = pod.start_ready();
    assert!(third.logged().contains("this pod's outcome is there already"), "{}", third.logged());
    third.terminate();
    assert_eq!(third.ends().0, Some(0));
    assert_eq!(keyless.outcome(&s3)["state"], "succeeded");
}

/// The certificate is there before it is needed: at the end nobody waits for Fulcio.
#[test]
fn what_is_signed_at_the_end_does_not_need_fulcio() {
    for mood in [Mood::Hangs, Mood::Closed] {
        let (s3, keyless) = (S3::new(), Keyless::new());
        let pod = keyless.pod(&s3, outputs());
        let mut sidecar = pod.start_ready();
        keyless.fulcio.turns(mood);
        std::fs::remove_file(pod.at("identity/token")).unwrap();
        let (code, message) = pod.succeed(&s3, &mut sidecar);
        assert_eq!((code, &message["attested"]), (Some(0), &2.into()), "{message}\n{}", sidecar.logged());
        assert_eq!(keyless.outcome(&s3)["state"], "succeeded");
    }
}

/// Whoever asked to sign without a key is not signed for with the one that happens to be there, and is told why.
#[test]
fn without_a_certificate_no_step_is_held_and_nothing_is_signed() {
    let later = Timestamp::now() + SignedDuration::from_hours(1);
    let api_server = token_to("attestor", later, &json!(["https://kubernetes.default.svc"]));
    let closed = |keyless: &Keyless| keyless.fulcio.turns(Mood::Closed);
    let nothing = |_: &Keyless| ();
    let cases: [(Turn<'_>, &str, &str, &str); 6] = [
        (&closed, "", "", "closed today"),
        (&nothing, "token", api_server.as_str(), "it is for the API server"),
        (&nothing, "token", "no token", "is not a JSON Web Token"),
        // Not that without them a certificate proves nothing, but what is wrong with them.
        (&nothing, "ARGO_ATTEST_TIMESTAMP_URL", "ftp://t.example.com", "the address in --timestamp-url"),
        (&nothing, "ARGO_ATTEST_TRUSTED_ROOT", "/nowhere.json", "cannot read the trusted root /nowhere.json"),
        (&nothing, "ARGO_ATTEST_FULCIO_URL", "http://f.example.com", "is no https address"),
    ];
    for (turn, what, with, why) in cases {
        let (s3, keyless) = (S3::new(), Keyless::new());
        turn(&keyless);
        let mut pod = keyless.pod(&s3, outputs());
        match what {
            "" => {}
            "token" => std::fs::write(pod.at("identity/token"), with).unwrap(),
            name => pod = pod.env(name, with),
        }
        let mut sidecar = pod.start();
        let message = sidecar.reaches("unattested");
        assert!(message["reason"].as_str().unwrap().contains(why), "{why}: {message}");
        assert!(message["remedy"].is_string(), "{message}");
        pod.write();
        pod.end(0);
        pod.upload(&s3);
        sidecar.terminate();
        assert_eq!(sidecar.ends().0, Some(0));
        let said = format!("{message}{}", sidecar.logged());
        assert!(!said.contains(&token()[..20]) && !said.contains("system:serviceaccount"), "{said}");
        assert!(!s3.keys().iter().any(|key| key.contains("sigstore")), "{:?}", s3.keys());
        if why != "closed today" {
            assert_eq!(keyless.certifying.requests().len(), 0, "{why}");
        }
    }
}

/// A token's variable without anybody who takes a token.
#[test]
fn a_token_for_nobody_holds_no_step_and_is_told() {
    let s3 = S3::new();
    let pod =
        crate::pod::Pod::new(s3.address(), outputs()).env("ARGO_ATTEST_IDENTITY_TOKEN", "/nowhere/token");
    let mut sidecar = pod.start();
    let message = sidecar.reaches("unattested");
    assert!(message["reason"].as_str().unwrap().contains("no Fulcio"), "{message}");
    assert!(message["remedy"].as_str().unwrap().contains("ARGO_ATTEST_FULCIO_URL"), "{message}");
    sidecar.terminate();
    assert_eq!(sidecar.ends().0, Some(0));
    assert!(!s3.keys().iter().any(|key| key.contains("sigstore")), "{:?}", s3.keys());
}

/// Where outputs took all of their time, the outcome still has some of its own, to be vouched for, too.
#[test]
fn the_outcome_has_time_to_be_vouched_for_when_outputs_had_none() {
    let (s3, time) = (S3::new(), Arc::new(Authority::new()));
    let (authority, mut asked) = (Arc::clone(&time), 0);
    let slow = Scripted::choosing(Plain, move |request| {
        asked += 1;
        // The started record; then two outputs, for which it is not there; then it takes its time.
        if matches!(asked, 2 | 3) {
            return Some(Act::Hang);
        }
        let answer = authority.answer(&request.body, TimeLie::None);
        if asked > 3 {
            std::thread::sleep(Duration::from_millis(1500));
        }
        Some(Act::Reply(reply(200, &[("Content-Type", "application/timestamp-reply")], &answer)))
    });
    let keyless = Keyless::of(time).stamped_by(slow);
    let pod = keyless.pod(&s3, outputs()).grace(21);
    let mut sidecar = pod.start_ready();
    let (code, message) = pod.succeed_within(Duration::from_secs(21), &s3, &mut sidecar);
    assert_eq!((code, &message["attested"]), (Some(0), &0.into()), "{message}\n{}", sidecar.logged());
    let outcome = keyless.outcome(&s3);
    assert_eq!((&outcome["state"], &outcome["complete"]), (&"succeeded".into(), &false.into()), "{outcome}");
    for output in &pod.outputs {
        assert!(s3.get(&bundle_of(output)).is_none());
    }
}

/// An auditor who trusts the account finds all of it accounted for; one who trusts another finds nothing.
#[test]
fn an_audit_accounts_for_it_by_identity() {
    const UID: &str = "0a1b2c3d-0000-4000-8000-0123456789ab";
    let (s3, keyless) = (S3::new(), Keyless::new());
    let pod = keyless
        .pod(&s3, outputs())
        .env("ARGO_ATTEST_WORKFLOW_UID", UID)
        .env("ARGO_ATTEST_WORKFLOW_NAME", "build-1")
        .env("ARGO_ATTEST_POD_NAMESPACE", "ci");
    let mut sidecar = pod.start_ready();
    let (_, message) = pod.succeed(&s3, &mut sidecar);
    assert_eq!(message["attested"], 2, "{message}");
    let artifacts: Vec<_> =
        pod.outputs.iter().map(|output| json!({"name": output.name, "s3": {"key": output.key()}})).collect();
    let workflow = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"name": "build-1", "namespace": "ci", "uid": UID},
        "spec": {"entrypoint": "build", "templates": [{"name": "build", "container": {"image": "x"}}]},
        "status": {
            "phase": "Succeeded",
            "nodes": {"wf-build-1": {
                "name": "wf.build", "type": "Pod", "phase": "Succeeded", "templateName": "build",
                "templateScope": "local/wf", "outputs": {"artifacts": artifacts},
            }},
            "artifactRepositoryRef": {"default": true, "artifactRepository": {"s3": {
                "endpoint": "elsewhere.example.com:9000", "bucket": BUCKET, "insecure": true,
                "accessKeySecret": {"name": "s", "key": "k"},
            }}},
        },
    });
    let file = pod.at("workflow.json");
    std::fs::write(&file, workflow.to_string()).unwrap();
    let place = format!("s3://{BUCKET}/wf/");
    let audit = |identity: &str| {
        let policy = keyless.policy(identity);
        let ran = keyless.asks(&s3, "audit", &policy, &["-f", file.to_str().unwrap(), "-o", "json", &place]);
        let lines: Vec<Value> = String::from_utf8(ran.stdout.clone())
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        (ran.status.code(), lines, ran)
    };
    let (code, lines, ran) = audit(IDENTITY);
    assert_eq!(code, Some(0), "{ran:?}");
    let attested = lines.iter().filter(|line| line["verdict"] == "attested").count();
    assert_eq!((lines.len(), attested), (2, 2), "{ran:?}");
    let (code, lines, ran) = audit(OTHER);
    assert_eq!(code, Some(1), "{ran:?}");
    assert!(!lines.iter().any(|line| line["verdict"] == "attested"), "{ran:?}");
    // A pod that was lost in mid-step is found by what it signed when it started.
    let bundle = format!("{PREFIX}/argo-attest-outcome-{POD_UID}.sigstore.json");
    s3.delete(&bundle);
    for output in &pod.outputs {
        s3.delete(&bundle_of(output));
    }
    let mut lost = pod.start_ready();
    lost.signal(rustix::process::Signal::KILL);
    crate::process::until("it is gone", || (!lost.is_running()).then_some(()));
    let (code, _, ran) = audit(IDENTITY);
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(code == Some(1) && said.contains("never-finished"), "{ran:?}");
}
