//! Everything that must be a no, each with its own reason; and the few that are a yes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::attest::{Contents, MAX_FILES};
use crate::digest::Sha256Digest;
use crate::dsse::Envelope;
use crate::intoto::{self, ResourceDescriptor};
use crate::policy::{Policy, TrustedKey};
use crate::relpath::RelPath;
use crate::sign::{KeyType, PrivateKey};
use crate::slsa::PROVENANCE_V1;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::Ed25519).unwrap()
}

fn policy(key: &PrivateKey) -> Policy {
    Policy::of_keys(vec![TrustedKey::new("test", key.public().clone())])
}

fn predicate() -> serde_json::Value {
    json!({
        "buildDefinition": {"buildType": "https://example.com/t", "externalParameters": {"command": ["make"]}},
        "runDetails": {"builder": {"id": "https://ci.example.com"}},
    })
}

fn statement(subjects: &[ResourceDescriptor]) -> Vec<u8> {
    intoto::serialize(subjects, PROVENANCE_V1, &predicate()).unwrap()
}

fn authentic(subjects: &[ResourceDescriptor]) -> Authentic {
    let key = key();
    authenticate(&Envelope::sign(statement(subjects), &key).unwrap(), &policy(&key), NOW).unwrap()
}

fn path(text: &str) -> RelPath {
    RelPath::from_bytes(text.as_bytes()).unwrap()
}

fn tree(entries: &[(&str, &str)]) -> BTreeMap<RelPath, Sha256Digest> {
    entries.iter().map(|(p, c)| (path(p), Sha256Digest::of(c.as_bytes()))).collect()
}

fn refusal(payload: Vec<u8>) -> String {
    let key = key();
    let envelope = Envelope::sign(payload, &key).unwrap();
    authenticate(&envelope, &policy(&key), NOW).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_properly_signed_payload_still_has_to_be_provenance() {
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let with_type = |t: &str| intoto::serialize(&subject, t, &predicate()).unwrap();
    assert!(refusal(b"not json".to_vec()).contains("payload is malformed"));
    assert!(refusal(statement(&[])).contains("payload is malformed"));
    assert!(refusal(with_type("https://slsa.dev/verification_summary/v1")).contains("not SLSA provenance"));
    let no_builder =
        json!({"buildDefinition": {"buildType": "t", "externalParameters": {}}, "runDetails": {}});
    assert!(
        refusal(intoto::serialize(&subject, PROVENANCE_V1, &no_builder).unwrap())
            .contains("provenance is malformed")
    );
}

#[test]
fn another_key_is_not_trusted_whatever_it_calls_itself() {
    let (key, other) = (key(), key());
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let envelope = Envelope::sign(statement(&subject), &key).unwrap();
    let no = authenticate(&envelope, &policy(&other), NOW).map(|_| ()).unwrap_err();
    assert!(no.to_string().contains("not signed with a trusted key"), "{no}");
    assert!(no.remedy().unwrap().contains("--key"));

    // The other key's name over this key's signature.
    let forged = String::from_utf8(envelope.to_json()).unwrap();
    let forged = forged.replace(&key.public().key_id().to_string(), &other.public().key_id().to_string());
    let forged = Envelope::from_json(forged.as_bytes()).unwrap();
    let no = authenticate(&forged, &policy(&other), NOW).map(|_| ()).unwrap_err();
    assert!(no.to_string().contains("altered"), "{no}");
    // And over a good signature it is not what was published, though nothing signed was altered.
    let no = authenticate(&forged, &policy(&key), NOW).map(|_| ()).unwrap_err();
    assert!(matches!(no, Rejection::KeyName { .. }), "{no}");
    // No name is no lie.
    let mut nameless: serde_json::Value = serde_json::from_slice(&envelope.to_json()).unwrap();
    nameless["signatures"][0].as_object_mut().unwrap().remove("keyid").unwrap();
    let nameless = Envelope::from_json(nameless.to_string().as_bytes()).unwrap();
    authenticate(&nameless, &policy(&key), NOW).unwrap();
}

#[test]
fn the_builder_that_was_asked_for_is_the_only_one() {
    let key = key();
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let envelope = Envelope::sign(statement(&subject), &key).unwrap();
    authenticate(&envelope, &policy(&key).only_builder("https://ci.example.com".into()), NOW).unwrap();
    let other = policy(&key).only_builder("https://ci.example.com/".into());
    let no = authenticate(&envelope, &other, NOW).map(|_| ()).unwrap_err();
    assert!(no.to_string().contains("the builder is"), "{no}");
}

#[test]
fn a_file_is_what_its_digest_says() {
    let subjects = [
        ResourceDescriptor::named("x", Sha256Digest::of(b"x")),
        ResourceDescriptor::named("y", Sha256Digest::of(b"y")),
    ];
    let ask = |bytes: &[u8]| {
        authentic(&subjects).accept(&Place::Itself, &Content::File(Sha256Digest::of(bytes)), None)
    };
    let yes = ask(b"y").unwrap();
    assert_eq!((yes.subject(), yes.files()), ("y", 1));
    let no = ask(b"z").map(|_| ()).unwrap_err();
    assert!(matches!(no, Rejection::OtherArtifact { .. }) && no.to_string().contains("x and 1 more"), "{no}");
}

#[test]
fn a_directory_is_all_of_its_files() {
    let files = tree(&[("a", "1"), ("b/c", "2")]);
    let contents = Contents::directory("out", &files);
    let ask = |there: &BTreeMap<_, _>| {
        authentic(contents.subjects()).accept(&Place::Itself, &Content::Directory(there.clone()), None)
    };
    assert_eq!(ask(&files).unwrap().subject(), "out");
    for (there, why) in [
        (tree(&[("a", "1"), ("b/c", "3")]), "b/c differs"),
        (tree(&[("a", "1")]), "b/c is missing"),
        (tree(&[("a", "1"), ("b/c", "2"), ("d", "")]), "d was added"),
        (tree(&[("a", "2"), ("b/c", "1")]), "a differs, b/c differs"),
        (BTreeMap::new(), "a is missing, b/c is missing"),
    ] {
        assert_eq!(ask(&there).map(|_| ()).unwrap_err().to_string(), why);
    }
}

#[test]
fn a_member_is_attested_under_its_own_name() {
    let files = tree(&[("a", "1"), ("b/c", "2"), ("b/d", "3")]);
    let contents = Contents::directory("out", &files);
    let ask = |at: &str, content: Content| {
        authentic(contents.subjects()).accept(&Place::Within(path(at)), &content, None)
    };
    let file = |text: &str| Content::File(Sha256Digest::of(text.as_bytes()));
    assert_eq!(ask("b/c", file("2")).unwrap().subject(), "out/b/c");
    assert_eq!(ask("b", Content::Directory(tree(&[("c", "2"), ("d", "3")]))).unwrap().files(), 2);
    let no = |at, content| ask(at, content).map(|_| ()).unwrap_err().to_string();
    assert!(no("a", file("2")).contains("about out/a"), "two files changed places");
    assert!(no("new", file("2")).contains("does not list new"));
    assert_eq!(no("b", Content::Directory(tree(&[("c", "2")]))), "d is missing");
    assert_eq!(no("b", Content::Directory(tree(&[("c", "2"), ("d", "3"), ("e", "")]))), "e was added");
    assert!(no("nothing", Content::Directory(BTreeMap::new())).contains("does not list nothing"));

    let single = Contents::file("out", Sha256Digest::of(b"1"));
    let no = authentic(single.subjects()).accept(&Place::Within(path("a")), &file("1"), None).map(|_| ());
    assert!(matches!(no, Err(Rejection::NotADirectory { .. })));
}

#[test]
fn a_manifest_counts_only_if_it_is_the_attested_one() {
    let files: BTreeMap<_, _> = (0..=MAX_FILES)
        .map(|n| (path(&format!("f{n}")), Sha256Digest::of(n.to_string().as_bytes())))
        .collect();
    let contents = Contents::directory("out", &files);
    let manifest = contents.manifest().unwrap().to_vec();
    let ask = |place: Place, content: Content, manifest: &[u8]| {
        let statement = authentic(contents.subjects());
        assert!(statement.needs_manifest(&place, &content));
        statement.accept(&place, &content, Some(&mut &*manifest))
    };
    let seven = Content::File(Sha256Digest::of(b"7"));
    let yes = ask(Place::Within(path("f7")), seven.clone(), &manifest).unwrap();
    assert_eq!(yes.subject(), "out/f7");
    assert_eq!(ask(Place::Itself, seven.clone(), &manifest).unwrap().subject(), "out/f7");

    let no = |place, content, manifest: &[u8]| ask(place, content, manifest).map(|_| ()).unwrap_err();
    let other = no(Place::Within(path("f8")), seven.clone(), &manifest);
    assert!(matches!(other, Rejection::OtherArtifact { .. }), "{other}");
    // The attacker lists his own file: the entry is there, the list is not the attested one.
    let evil = Sha256Digest::of(b"evil");
    let forged = String::from_utf8(manifest.clone()).unwrap();
    let forged = forged.replacen(&Sha256Digest::of(b"7").to_string(), &evil.to_string(), 1);
    for place in [Place::Within(path("f7")), Place::Itself] {
        let no = no(place, Content::File(evil), forged.as_bytes());
        assert!(matches!(no, Rejection::OtherManifest { .. }), "{no}");
    }
    assert!(matches!(no(Place::Itself, seven.clone(), &manifest[1..]), Rejection::Manifest(_)));
    let mut less = files.clone();
    less.remove(&path("f9"));
    assert_eq!(no(Place::Itself, Content::Directory(less), &manifest).to_string(), "f9 is missing");

    let whole = authentic(contents.subjects());
    assert!(!whole.needs_manifest(&Place::Itself, &Content::Directory(files.clone())));
    whole.accept(&Place::Itself, &Content::Directory(files), None).unwrap();
    let without = authentic(contents.subjects()).accept(&Place::Within(path("f7")), &seven, None);
    assert!(matches!(without.map(|_| ()).unwrap_err(), Rejection::NotListed { .. }));
}
