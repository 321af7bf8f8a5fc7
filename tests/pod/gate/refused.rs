//! What an attacker can do to an input: main never starts.

use crate::consumer::{Consumer, Input, policy};
use crate::init::Archive;
use crate::output::{Output, Packing, Place, Shape};
use crate::pod::Pod;
use crate::s3::S3;
use crate::servers::BUCKET;
use crate::upstream::Upstream;

fn plain(s3: &S3) -> Upstream {
    Upstream::new(s3, vec![Output::plain("a")])
}

fn digest(bytes: &[u8]) -> String {
    argo_attest_core::digest::Sha256Digest::of(bytes).to_string()
}

fn consumer(s3: &S3, upstream: &Upstream) -> Consumer {
    Consumer::new(s3, upstream).stages(s3, &Input::new(&upstream.key()))
}

#[test]
fn a_swapped_object() {
    let s3 = S3::new();
    let upstream = plain(&s3);
    s3.put(&upstream.key(), b"other bytes");
    let found = digest(b"other bytes");
    consumer(&s3, &upstream).refuses(&format!(
        "its digest sha256:{found} is not one that is attested; the attestation is about a"
    ));
}

/// What Argo fetched is judged, not what is in the store by now.
#[test]
fn an_object_swapped_before_or_after_argo_fetched_it() {
    let s3 = S3::new();
    let upstream = plain(&s3);
    let right = s3.get(&upstream.key()).unwrap();
    let fetched_right = consumer(&s3, &upstream);
    s3.put(&upstream.key(), b"other bytes");
    fetched_right.opens();
    let fetched_wrong = consumer(&s3, &upstream);
    s3.put(&upstream.key(), &right);
    assert_eq!(fetched_wrong.gate().code, Some(1));
}

/// Object and attestation of another output of the same step, and of another run, put
/// in the place of ours: everything about them is right but the place.
#[test]
fn object_and_attestation_of_another_run() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::plain("a"), Output::plain("b")]);
    let other = upstream.pod.outputs[1].key();
    for suffix in ["", ".sigstore.json", ".intoto.jsonl"] {
        s3.put(&format!("{}{suffix}", upstream.key()), &s3.get(&format!("{other}{suffix}")).unwrap());
    }
    consumer(&s3, &upstream).refuses(&format!(
        "the attestation is about s3://{BUCKET}/{other}, and the artifact is s3://{BUCKET}/{}: both were moved here \
         (help: take it from where it was made, or attest the copy by itself (argo-attest attest))",
        upstream.key()
    ));
}

/// The same with a directory of objects.
#[test]
fn a_directory_and_its_attestation_of_another_run() {
    let s3 = S3::new();
    let kind = (Place::Volume, Packing::None, Shape::Directory);
    let upstream = Upstream::new(&s3, vec![Output::new("a", kind), Output::new("b", kind)]);
    let (ours, other) = (upstream.key(), upstream.pod.outputs[1].key());
    for key in s3.keys().iter().filter(|key| key.starts_with(&other)) {
        s3.put(&key.replacen(&other, &ours, 1), &s3.get(key).unwrap());
    }
    let ended = consumer(&s3, &upstream).gate();
    assert_eq!(ended.code, Some(1));
    assert!(ended.message.contains("both were moved here"), "{}", ended.message);
}

/// Another workflow's, another namespace's, another template's, of the same builder.
#[test]
fn an_attestation_of_another_workflow() {
    let expect = "expect: {workflow: {namespace: ci, name: \"build-*\"}, template: [build]}\n";
    let cases: [(&str, &str, &str); 2] = [
        ("ARGO_ATTEST_WORKFLOW_NAME", "evil", "the workflow's name is \"evil\", not \"build-*\""),
        ("ARGO_ATTEST_POD_NAMESPACE", "evil", "the workflow's namespace is \"evil\", not \"ci\""),
    ];
    for (variable, value, why) in cases {
        let s3 = S3::new();
        let upstream = Upstream::of(&s3, vec![Output::plain("a")], |pod| pod.env(variable, value));
        consumer(&s3, &upstream).policy(&policy("", expect)).refuses(why);
    }
    let s3 = S3::new();
    let other_template = |mut pod: Pod| {
        pod.template["name"] = "evil".into();
        pod
    };
    let upstream = Upstream::of(&s3, vec![Output::plain("a")], other_template);
    let ended = consumer(&s3, &upstream).policy(&policy("", expect)).gate();
    assert!(ended.message.contains("the template is \"evil\", not one of [\"build\"]"), "{}", ended.message);
    assert_eq!(ended.code, Some(1));
}

#[test]
fn an_attestation_by_an_unknown_key() {
    let s3 = S3::new();
    let (upstream, stranger) = (plain(&s3), Pod::new(s3.address(), Vec::new()));
    let consumer = consumer(&s3, &upstream);
    std::fs::copy(stranger.public_key(), consumer.at("policy/ci.pub")).unwrap();
    let ended = consumer.gate();
    assert_eq!(ended.code, Some(1));
    assert!(ended.message.starts_with("input \"app\" is not accepted: "), "{}", ended.message);
    assert!(ended.message.contains("not signed with a trusted key"), "{}", ended.message);
    assert!(
        ended.message.contains("(help: if you trust that signer, list its public key in the policy's `keys`")
    );
}

/// The key is trusted, for another builder than it signed for.
#[test]
fn an_attestation_under_another_builder() {
    let s3 = S3::new();
    let upstream = plain(&s3);
    let other = policy("", "").replace("ci.example.com", "cd.example.com");
    consumer(&s3, &upstream)
        .policy(&other)
        .refuses("key ci is not trusted for builder \"https://ci.example.com/argo\"");
}

#[test]
fn an_attestation_by_an_expired_key() {
    let s3 = S3::new();
    let upstream = plain(&s3);
    consumer(&s3, &upstream)
        .policy(&policy(", notAfter: 2020-01-01T00:00:00Z", ""))
        .refuses("key ci is accepted only until 2020-01-01T00:00:00Z");
}

#[test]
fn no_attestation() {
    let s3 = S3::new();
    let upstream = plain(&s3);
    for suffix in ["sigstore.json", "intoto.jsonl"] {
        s3.delete(&format!("{}.{suffix}", upstream.key()));
    }
    let consumer = consumer(&s3, &upstream);
    let ended = consumer.gate();
    assert_eq!(ended.code, Some(1));
    let looked = format!("no attestation: looked for s3://{BUCKET}/{}.sigstore.json, ", upstream.key());
    assert!(
        ended.message.starts_with(&format!("input \"app\" is not accepted: {looked}")),
        "{}",
        ended.message
    );
    assert!(
        ended
            .message
            .ends_with("(help: attest the step that makes it, or let the policy say `missing: warn`)"),
        "{}",
        ended.message
    );
    let ended = consumer.policy(&policy("", "missing: warn\n")).opens();
    assert_eq!(ended.message, "inputs without attestation, as the policy allows: \"app\"");
}

/// A damaged one is not a missing one, whatever the policy says of those.
#[test]
fn a_truncated_or_empty_attestation() {
    let s3 = S3::new();
    let upstream = plain(&s3);
    let whole = s3.get(&upstream.bundle_key()).unwrap();
    let consumer = consumer(&s3, &upstream).policy(&policy("", "missing: warn\n"));
    for length in [0, 1, whole.len() / 2, whole.len() - 1] {
        s3.put(&upstream.bundle_key(), &whole[..length]);
        let ended = consumer.gate();
        assert_eq!(ended.code, Some(1), "{length}: {ended:#?}");
        assert!(
            ended.message.starts_with("input \"app\" is not accepted: the attestation is malformed: "),
            "{}",
            ended.message
        );
    }
    s3.put(&upstream.bundle_key(), &whole);
    consumer.opens();
}

/// Every byte of the attestation counts; one of the signature here, one of the payload.
#[test]
fn an_altered_attestation() {
    let s3 = S3::new();
    let upstream = plain(&s3);
    let text = String::from_utf8(s3.get(&upstream.bundle_key()).unwrap()).unwrap();
    let consumer = consumer(&s3, &upstream).policy(&policy("", "missing: warn\n"));
    for field in ["\"sig\":\"", "\"payload\":\""] {
        let at = text.find(field).unwrap() + field.len() + 8;
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        s3.put(&upstream.bundle_key(), &bytes);
        let ended = consumer.gate();
        assert_eq!(ended.code, Some(1), "{field}: {ended:#?}");
    }
}

/// An older run's object and attestation, put back under the key that both runs write
/// to. All that they say is true, so only the age can tell: without a limit they pass.
#[test]
fn a_replayed_older_attestation() {
    let s3 = S3::new();
    let older = plain(&s3);
    let key = older.key();
    let names = ["", ".sigstore.json", ".intoto.jsonl"].map(|suffix| format!("{key}{suffix}"));
    let replayed = names.clone().map(|name| s3.get(&name).unwrap());
    let same_signer = |pod: Pod| {
        for name in ["attest.key", "attest.pub"] {
            std::fs::copy(older.pod.at("keys").join(name), pod.at("keys").join(name)).unwrap();
        }
        pod
    };
    let newer = Upstream::of(&s3, vec![Output::plain("a").altered()], same_signer);
    assert_eq!(newer.key(), key);
    assert_ne!(s3.get(&names[1]).unwrap(), replayed[1]);
    names.iter().zip(&replayed).for_each(|(name, bytes)| s3.put(name, bytes));
    let consumer = consumer(&s3, &newer);
    consumer.opens();
    std::fs::remove_file(consumer.at("evidence/inputs.json")).unwrap();
    let consumer = consumer.policy(&policy("", "expect: {maxAge: 1ms}\n"));
    let ended = consumer.gate();
    assert_eq!((ended.code, consumer.evidence()), (Some(1), None));
    let message =
        ended.message.strip_prefix("input \"app\" is not accepted: the build finished on ").unwrap();
    let told =
        ", longer ago than 1ms (help: have the artifact made anew, or change expect.maxAge in the policy)";
    assert!(message.ends_with(told), "{message}");
}

/// One of the attested files where the directory should be, or the other way round.
#[test]
fn a_part_in_place_of_the_whole() {
    let s3 = S3::new();
    let upstream =
        Upstream::new(&s3, vec![Output::new("a", (Place::Volume, Packing::Tar, Shape::Directory))]);
    let (_, part) = &upstream.output().files[0];
    s3.put(&upstream.key(), part);
    let consumer =
        Consumer::new(&s3, &upstream).stages(&s3, &Input::new(&upstream.key()).archive(Archive::Unsaid));
    consumer.refuses("it is one file of the attested directory \"a\", not the directory");
}

/// The archive where main should find what is in it, and what is in it where main
/// should find the archive.
#[test]
fn the_archive_in_place_of_its_content_and_the_other_way_round() {
    let s3 = S3::new();
    let upstream = Upstream::new(&s3, vec![Output::new("a", (Place::Volume, Packing::Tar, Shape::File))]);
    let packed = s3.get(&upstream.key()).unwrap();
    s3.put(&upstream.key(), &crate::archives::tgz(&vec![("x".into(), packed)], &Vec::new()));
    for archive in [Archive::Unsaid, Archive::Tar] {
        Consumer::new(&s3, &upstream)
            .stages(&s3, &Input::new(&upstream.key()).archive(archive))
            .refuses("the attested object itself is staged, and not what is in it");
    }
    s3.put(&upstream.key(), &upstream.output().files[0].1);
    Consumer::new(&s3, &upstream)
        .stages(&s3, &Input::new(&upstream.key()))
        .refuses("what is staged was in the attested object, and Argo was told not to unpack that");
}

type Change = fn(&std::path::Path);

#[test]
fn something_more_or_less_in_a_directory() {
    let s3 = S3::new();
    let upstream =
        Upstream::new(&s3, vec![Output::new("a", (Place::Volume, Packing::Tar, Shape::Directory))]);
    let input = Input::new(&upstream.key()).archive(Archive::Unsaid);
    let changes: [(&str, Change); 3] = [
        ("more", |dir| std::fs::write(dir.join("more"), "x").unwrap()),
        ("one", |dir| std::fs::remove_file(dir.join("one")).unwrap()),
        ("link", |dir| std::os::unix::fs::symlink("one", dir.join("link")).unwrap()),
    ];
    for (name, change) in changes {
        let consumer = Consumer::new(&s3, &upstream).stages(&s3, &input);
        change(&consumer.path(&input));
        let ended = consumer.gate();
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(ended.message.contains(name), "{}", ended.message);
    }
}
