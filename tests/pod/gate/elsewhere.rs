//! Inputs that come from elsewhere than the artifact store, or do not come at all.

use std::path::Path;

use serde_json::{Value, json};

use crate::consumer::{Consumer, Input, policy};
use crate::init::Archive;
use crate::output::Output;
use crate::s3::S3;
use crate::upstream::Upstream;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const HELP: &str = "(help: let a step that is attested fetch it, or let the policy say `missing: warn`)";

fn consumer(s3: &S3) -> Consumer {
    Consumer::new(s3, &Upstream::new(s3, vec![Output::plain("a")]))
}

fn input(consumer: &Consumer, source: &str, location: &Value) -> Value {
    json!({"name": "app", "path": consumer.at("work/in/app"), source: location})
}

/// A repository as go-git leaves it: on a branch, or at a commit.
fn clone(at: &Path, head: &str) {
    std::fs::create_dir_all(at.join(".git/refs/heads")).unwrap();
    std::fs::write(at.join(".git/HEAD"), head).unwrap();
    std::fs::write(at.join("file"), "x").unwrap();
}

#[test]
fn of_a_git_repository_the_commit_goes_on_record() {
    let s3 = S3::new();
    for (head, loose) in [(format!("{COMMIT}\n"), false), ("ref: refs/heads/main\n".into(), true)] {
        let consumer = consumer(&s3);
        let git = json!({"repo": "https://user:secret@git.example.com/x.git", "revision": "main"});
        let artifact = input(&consumer, "git", &git);
        let consumer = consumer.declares(artifact);
        clone(&consumer.at("work/in/app"), &head);
        if loose {
            std::fs::write(consumer.at("work/in/app/.git/refs/heads/main"), COMMIT).unwrap();
        }
        let ended = consumer.opens();
        assert_eq!(ended.message, "inputs commit recorded: \"app\"");
        let expected = json!({"name": "app", "finding": "recorded", "digest": {"gitCommit": COMMIT}});
        assert_eq!(consumer.evidence().unwrap()["inputs"][0], expected);
        assert!(!ended.log.contains("secret"), "{}", ended.log);
    }
}

#[test]
fn a_git_repository_at_another_commit_than_the_template_names() {
    let s3 = S3::new();
    let consumer = consumer(&s3).policy(&policy("", "missing: warn\n"));
    let other = COMMIT.replace('0', "f");
    let artifact = input(&consumer, "git", &json!({"repo": "https://h/x.git", "revision": other}));
    let consumer = consumer.declares(artifact);
    clone(&consumer.at("work/in/app"), COMMIT);
    consumer.refuses(&format!("the staged repository is at commit {COMMIT}, not {other}"));
    std::fs::remove_file(consumer.at("work/in/app/.git/HEAD")).unwrap();
    consumer.refuses("what is staged has no .git/HEAD");
}

/// In capitals, or shortened: a commit is a commit, and the staged one has to be it.
#[test]
fn a_commit_in_another_spelling() {
    let s3 = S3::new();
    let consumer = consumer(&s3).policy(&policy("", "missing: warn\n"));
    let artifact = input(&consumer, "git", &json!({}));
    let mut consumer = consumer.declares(artifact);
    clone(&consumer.at("work/in/app"), &format!("{COMMIT}\n"));
    let other = COMMIT.replace('0', "f");
    let mut gate = |revision: &str, field: &str| {
        consumer.template["inputs"]["artifacts"][0]["git"] =
            json!({"repo": "https://h/x.git", field: revision});
        consumer.gate()
    };
    let spelled = |commit: &str| {
        let shortened = (4..40).map(|length| commit[..length].to_owned());
        let shortened = shortened.chain([commit.to_owned()]).collect::<Vec<_>>();
        let capitals = shortened.iter().map(|commit| commit.to_uppercase());
        capitals.chain(shortened.clone()).collect::<Vec<_>>()
    };
    for field in ["revision", "branch"] {
        for revision in spelled(COMMIT).iter().step_by(7) {
            assert_eq!(gate(revision, field).code, Some(0), "{revision}");
        }
        for revision in spelled(&other).iter().step_by(7) {
            let ended = gate(revision, field);
            assert_eq!(ended.code, Some(1), "{revision}: {ended:#?}");
            let why = format!("the staged repository is at commit {COMMIT}, not {revision}");
            assert!(ended.message.contains(&why), "{}", ended.message);
        }
    }
    for derived in ["^", "~1", "^{commit}", "@{0}"] {
        let ended = gate(&format!("{}{derived}", COMMIT.to_uppercase()), "revision");
        assert!(ended.code == Some(1) && ended.message.contains("takes git to tell"), "{ended:#?}");
    }
    for name in ["", "main", "v1.2", "refs/tags/20261125", "caf"] {
        assert_eq!(gate(name, "revision").code, Some(0), "{name}");
    }
    assert_eq!(gate("20261125", "revision").code, Some(1), "give it as refs/tags/20261125");
}

/// A commit is named, and the repository has none: that is not the lack of an attestation,
/// which a policy may let pass.
#[test]
fn a_commit_is_named_and_none_is_staged() {
    let s3 = S3::new();
    let consumer = consumer(&s3).policy(&policy("", "missing: warn\n"));
    let artifact = input(&consumer, "git", &json!({}));
    let mut consumer = consumer.declares(artifact);
    clone(&consumer.at("work/in/app"), "ref: refs/heads/none\n");
    for (revision, code) in [("main", 0), (COMMIT, 1), (&COMMIT[..7], 1)] {
        consumer.template["inputs"]["artifacts"][0]["git"] =
            json!({"repo": "https://h/x.git", "revision": revision});
        assert_eq!(consumer.gate().code, Some(code), "{revision}");
    }
}

/// Nobody can attest them; the policy decides.
#[test]
fn an_address_and_other_stores() {
    let s3 = S3::new();
    let cases = [
        (
            "http",
            json!({"url": "https://user:secret@h/x?token=secret"}),
            "it comes from an HTTP address, and nothing there can be attested",
        ),
        (
            "gcs",
            json!({"bucket": "b", "key": "k"}),
            "it is not known where it comes from, so there is no attestation to look for: artifacts in gcs storage are not supported",
        ),
    ];
    for (source, location, why) in cases {
        let consumer = consumer(&s3);
        let artifact = input(&consumer, source, &location);
        let consumer = consumer.declares(artifact);
        std::fs::create_dir_all(consumer.at("work/in")).unwrap();
        std::fs::write(consumer.at("work/in/app"), "secret").unwrap();
        consumer.refuses(&format!("{why} {HELP}"));
        let consumer = consumer.policy(&policy("", "missing: warn\n"));
        let ended = consumer.opens();
        assert_eq!(ended.message, "inputs without attestation, as the policy allows: \"app\"");
        assert!(ended.log.contains("WARN") && !ended.log.contains("secret"), "{}", ended.log);
        assert_eq!(consumer.evidence().unwrap()["inputs"], json!([{"name": "app", "finding": "missing"}]));
    }
}

/// One word for all lets too much pass where only some cannot be attested.
#[test]
fn what_may_be_missing_is_said_by_kind() {
    let s3 = S3::new();
    let commit_less = json!({"repo": "https://h/x.git", "revision": "main"});
    let cases = [
        ("http", json!({"url": "https://h/x"})),
        ("gcs", json!({"bucket": "b", "key": "k"})),
        ("git", commit_less),
        ("s3", json!({"key": "wf/none"})),
    ];
    for (source, location) in &cases {
        let mut consumer = consumer(&s3);
        let artifact = input(&consumer, source, location);
        consumer = consumer.declares(artifact);
        std::fs::create_dir_all(consumer.at("work/in")).unwrap();
        std::fs::write(consumer.at("work/in/app"), "x").unwrap();
        if *source == "git" {
            std::fs::remove_file(consumer.at("work/in/app")).unwrap();
            clone(&consumer.at("work/in/app"), "ref: refs/heads/none\n");
        }
        for (named, _) in &cases {
            consumer = consumer.policy(&policy("", &format!("missing: {{{named}: warn}}\n")));
            let ended = consumer.gate();
            assert_eq!(ended.code, Some(i32::from(named != source)), "{source} {named}: {ended:#?}");
        }
    }
    // Two kinds of storage at once are of no kind that a list could name.
    let consumer = consumer(&s3);
    let mut artifact = input(&consumer, "http", &json!({"url": "https://h/x"}));
    artifact["gcs"] = json!({"bucket": "b", "key": "k"});
    let consumer = consumer.declares(artifact);
    std::fs::create_dir_all(consumer.at("work/in")).unwrap();
    std::fs::write(consumer.at("work/in/app"), "x").unwrap();
    let consumer = consumer.policy(&policy("", "missing: {http: warn, gcs: warn}\n"));
    assert_eq!(consumer.gate().code, Some(1));
    consumer.policy(&policy("", "missing: warn\n")).opens();
}

/// Nobody signs the template's text, and what is staged has to be just that.
#[test]
fn text_in_the_template_is_compared_with_what_is_staged() {
    let s3 = S3::new();
    for (text, own_mount) in [("secret\n", false), ("", true)] {
        let consumer = consumer(&s3);
        let place = consumer.at(if own_mount { "mounts/app" } else { "work/in/app" });
        let artifact = json!({"name": "app", "path": place, "raw": {"data": text}});
        let consumer = consumer.declares(artifact);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(&place, text).unwrap();
        let ended = consumer.opens();
        assert_eq!(ended.message, "inputs as the template's text: \"app\"");
        assert!(!ended.log.contains("secret"), "{}", ended.log);
        let digest = argo_attest_core::digest::Sha256Digest::of(text.as_bytes()).to_string();
        let expected = json!({"name": "app", "finding": "recorded", "digest": {"sha256": digest}});
        assert_eq!(consumer.evidence().unwrap()["inputs"][0], expected);
    }
}

/// Whatever is missing and may be, this is not it.
#[test]
fn other_bytes_than_the_text_in_the_template() {
    let s3 = S3::new();
    let consumer = consumer(&s3).policy(&policy("", "missing: warn\n"));
    let place = consumer.at("work/in/app");
    let artifact = input(&consumer, "raw", &json!({"data": "secret"}));
    let consumer = consumer.declares(artifact);
    let why = "what is staged is not the text that the template has for it (help: let nothing else write \
               to the volume before main, and say no `archive` of the input)";
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    for other in ["Secret", "secret\n", "", "secre"] {
        std::fs::write(&place, other).unwrap();
        consumer.refuses(why);
    }
    // What Argo makes of a text that is a zip of this one file.
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    std::fs::write(place.join("app"), "secret").unwrap();
    consumer.refuses(why);
    std::fs::remove_dir_all(&place).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &place).unwrap();
    let ended = consumer.gate();
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.message.contains("a symbolic link"), "{}", ended.message);
}

#[test]
fn optional_inputs_that_are_not_there() {
    let s3 = S3::new();
    let absent = Input::new("wf/none").optional();
    let consumer = consumer(&s3)
        .stages(&s3, &absent.clone().named("volume"))
        .stages(&s3, &absent.own_mount().named("mount"));
    let unsupplied = json!({"name": "unsupplied", "path": "/app/x", "optional": true});
    let consumer = consumer.declares(unsupplied);
    std::fs::create_dir_all(consumer.at("work")).unwrap();
    let ended = consumer.opens();
    assert_eq!(ended.message, "inputs not there, and optional: \"volume\", \"mount\", \"unsupplied\"");
}

/// Something is there though Argo found nothing, or did: it is judged as any other.
#[test]
fn optional_inputs_that_are_there() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a")]);
    let input = Input::new(&upstream.key()).optional();
    Consumer::new(&s3, &upstream).stages(&s3, &input).opens();
    let planted = Input::new("wf/none").optional().archive(Archive::Unsaid);
    let consumer = Consumer::new(&s3, &upstream).stages(&s3, &planted);
    std::fs::create_dir_all(consumer.at("work/in")).unwrap();
    std::fs::write(consumer.path(&planted), "planted").unwrap();
    assert_eq!(consumer.gate().code, Some(1));
}
