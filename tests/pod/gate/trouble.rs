//! What keeps the gate from judging: main does not start either, and the exit code
//! tells whose trouble it is.

use serde_json::json;

use crate::consumer::{Consumer, Input, policy};
use crate::output::Output;
use crate::s3::S3;
use crate::servers::BUCKET;
use crate::upstream::Upstream;

fn upstream(s3: &S3) -> Upstream {
    Upstream::new(s3, vec![Output::plain("a")])
}

fn consumer(s3: &S3, upstream: &Upstream) -> Consumer {
    Consumer::new(s3, upstream).stages(s3, &Input::new(&upstream.key()))
}

#[test]
fn no_credentials() {
    let s3 = S3::new();
    let consumer = consumer(&s3, &upstream(&s3));
    std::fs::remove_dir_all(consumer.at("secrets/s3-cred")).unwrap();
    let secret = consumer.at("secrets/s3-cred");
    consumer.ends_with(
        77,
        &format!(
            "input \"app\" is not accepted: no credentials for the bucket {BUCKET}: {0}/accesskey does not exist \
             (help: mount the Secret at {0}, or give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or web identity)",
            secret.display()
        ),
    );
}

#[test]
fn wrong_credentials() {
    let s3 = S3::new();
    let consumer = consumer(&s3, &upstream(&s3));
    std::fs::write(consumer.at("secrets/s3-cred/secretkey"), "wrong-secret").unwrap();
    let ended = consumer.policy(&policy("", "missing: warn\n")).gate();
    assert_eq!(ended.code, Some(77), "{ended:#?}");
    assert!(!ended.log.contains("wrong-secret") && !ended.message.contains("wrong-secret"), "{ended:#?}");
}

#[test]
fn a_policy_that_is_no_policy() {
    let s3 = S3::new();
    let upstream = upstream(&s3);
    let ended = consumer(&s3, &upstream).policy("nonsense: true\n").gate();
    assert_eq!(ended.code, Some(65), "{ended:#?}");
    assert!(ended.message.contains("policy.yaml: the policy is not well formed"), "{}", ended.message);
    let gone = consumer(&s3, &upstream);
    std::fs::remove_file(gone.at("policy/ci.pub")).unwrap();
    let ended = gone.gate();
    assert_eq!(ended.code, Some(65), "{ended:#?}");
    assert!(ended.message.contains("the key \"ci\" of the policy cannot be used"), "{}", ended.message);
}

/// Its ConfigMap is mounted as optional: the kubelet would hold the pod for ever.
#[test]
fn a_policy_that_is_not_there_fails_the_step_at_once() {
    let s3 = S3::new();
    let upstream = upstream(&s3);
    let none = consumer(&s3, &upstream);
    for file in ["policy/policy.yaml", "policy/ci.pub"] {
        std::fs::remove_file(none.at(file)).unwrap();
    }
    let ended = none.gate();
    assert_eq!(ended.code, Some(66), "{ended:#?}");
    assert!(ended.message.contains("policy.yaml"), "{}", ended.message);
}

/// Main's mounts are not mirrored: what main will read cannot be seen from here. Not
/// even an optional input may then count as not there.
#[test]
fn mounts_that_are_not_mirrored() {
    let s3 = S3::new();
    let upstream = upstream(&s3);
    for input in [
        Input::new(&upstream.key()),
        Input::new(&upstream.key()).own_mount(),
        Input::new(&upstream.key()).optional(),
        Input::new(&upstream.key()).own_mount().optional(),
    ] {
        let consumer = Consumer::new(&s3, &upstream).takes(&input);
        std::fs::remove_dir_all(consumer.at("work")).unwrap();
        let mount = if input.on_volume { consumer.at("work") } else { consumer.path(&input) };
        consumer.ends_with(
            65,
            &format!(
                "input \"app\" is not accepted: {} is not mounted in this container \
                 (help: mount main's volumes into this container (mirrorVolumeMounts: true))",
                mount.display()
            ),
        );
    }
}

#[test]
fn an_input_that_is_not_staged() {
    let s3 = S3::new();
    let upstream = upstream(&s3);
    let input = Input::new(&upstream.key());
    let consumer = Consumer::new(&s3, &upstream).takes(&input);
    let path = consumer.path(&input);
    consumer.refuses(&format!("nothing is staged at {}", path.display()));
}

/// On a volume that other steps write to, a link leads somewhere else in main.
#[test]
fn an_input_behind_a_link() {
    let s3 = S3::new();
    let upstream = upstream(&s3);
    let input = Input::new(&upstream.key());
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
    std::fs::rename(consumer.at("work/in"), consumer.at("elsewhere")).unwrap();
    std::os::unix::fs::symlink(consumer.at("elsewhere"), consumer.at("work/in")).unwrap();
    let path = consumer.path(&input);
    consumer.refuses(&format!(
        "{} is staged, and cannot be verified: a symbolic link, which is never followed",
        path.display()
    ));
}

/// The template on the volume that all containers share is not to be trusted.
#[test]
fn no_template_that_can_be_trusted() {
    let s3 = S3::new();
    let mut consumer = consumer(&s3, &upstream(&s3));
    let log = consumer.at("termination-log");
    let mut command = crate::process::binary();
    let ran = command.arg("verify-inputs").env("ARGO_ATTEST_TERMINATION_LOG", &log).output().unwrap();
    assert!([Some(65), Some(66)].contains(&ran.status.code()), "{ran:?}");
    assert!(
        std::fs::read_to_string(log).unwrap().starts_with("the inputs could not be checked: "),
        "{ran:?}"
    );
    for text in ["[]", "", "{}", "{", "offloaded"] {
        consumer.template_text = Some(text.to_owned());
        assert_eq!(consumer.gate().code, Some(65), "{text:?}");
    }
}

/// One value, with quotes and brackets of its own, in an output's key: it asks that inputs
/// are not checked, and leaves what follows in an unknown field, or in one that exists.
#[test]
fn a_template_that_a_value_has_rewritten() {
    let s3 = S3::new();
    let mut consumer = consumer(&s3, &upstream(&s3));
    consumer.template["outputs"] =
        json!({"artifacts": [{"name": "app", "path": "/app", "s3": {"key": "KEY"}}]});
    let honest = argo_attest_core::argo::encode(&consumer.template).unwrap();
    let no = r#""metadata":{"annotations":{"argo-attest.io/verify-inputs":"false"}}"#;
    for swallow in [
        r#""zzz":[{"a":[{"b":{"key":""#,
        r#""plugin":{"a":[{"b":{"key":""#,
        r#""initContainers":[{"name":"a","args":[{"b":{"key":""#,
        r#""steps":[[{"name":"a","inline":{"inputs":{},"outputs":{"artifacts":[{"name":"b","s3":{"key":""#,
    ] {
        let value = format!(r#"x"}}}}]}},{no},{swallow}"#);
        consumer.template_text = Some(honest.replace("KEY", &value));
        let ended = consumer.gate();
        assert_eq!(ended.code, Some(65), "{}", ended.message);
        assert!(ended.message.contains("is not what Argo 3.7 to 4.1 writes"), "{}", ended.message);
    }
}

/// The first that is refused has its reason told; the others their names.
#[test]
fn of_several_inputs_the_first_reason_and_all_names() {
    let s3 = S3::new();
    let upstream = upstream(&s3);
    let input = |name: &str| Input::new(&upstream.key()).named(name);
    let mut consumer = Consumer::new(&s3, &upstream);
    for name in ["good", "bad", "worse"] {
        consumer = consumer.stages(&s3, &input(name));
    }
    for name in ["bad", "worse"] {
        std::fs::write(consumer.path(&input(name)), "x").unwrap();
    }
    let ended = consumer.gate();
    assert_eq!(ended.code, Some(1));
    assert!(ended.message.starts_with("input \"bad\" is not accepted: its digest "), "{}", ended.message);
    assert!(ended.message.ends_with("; nor are \"worse\""), "{}", ended.message);
}

/// Nothing is mounted for evidence: the inputs are checked all the same.
#[test]
fn no_place_for_evidence() {
    let s3 = S3::new();
    let consumer = consumer(&s3, &upstream(&s3));
    std::fs::remove_dir(consumer.at("evidence")).unwrap();
    let ended = consumer.opens();
    assert!(ended.log.contains("no volume for evidence is mounted"), "{}", ended.log);
}

/// A name that would break the line, or the terminal that shows it.
#[test]
fn hostile_names_stay_on_one_line() {
    let s3 = S3::new();
    let name = format!("a\nb\u{1b}[2J{}", "x".repeat(5000));
    let consumer = Consumer::new(&s3, &upstream(&s3))
        .declares(json!({"name": name, "path": "/none/x", "s3": {"key": "wf/none"}}));
    let ended = consumer.gate();
    assert_eq!(ended.code, Some(65), "{ended:#?}");
    assert!(ended.message.starts_with("input \"a%0Ab%1B[2J"), "{}", ended.message);
}
