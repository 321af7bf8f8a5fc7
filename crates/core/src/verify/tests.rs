//! Everything that must be a no, each with its own reason; and the few that are a yes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::attestation_file::{AttestationFile, Found, Item};
use crate::bundle::Evidence;
use crate::contents::{Contents, MAX_FILES};
use crate::digest::Sha256Digest;
use crate::dsse::Envelope;
use crate::intoto::{self, ResourceDescriptor};
use crate::keys::{KeyType, PrivateKey};
use crate::links::{LinkTarget, Links};
use crate::policy::{KnownStore, Policy, Stores, TrustedKey};
use crate::relpath::RelPath;
use crate::slsa::{COMMAND_BUILD_TYPE, PROVENANCE_V1};
use crate::store_address::StoreAddress;
use crate::trouble::Trouble as _;

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
    authenticate(
        &Envelope::signed_by(statement(subjects), &key).unwrap(),
        &Evidence::default(),
        &policy(&key),
        NOW,
    )
    .unwrap()
}

/// What `run` says of these contents.
fn linked(contents: &Contents) -> Authentic {
    let key = key();
    let mut predicate = predicate();
    predicate["buildDefinition"]["buildType"] = COMMAND_BUILD_TYPE.into();
    predicate["runDetails"]["byproducts"] = serde_json::to_value(contents.byproducts("m")).unwrap();
    let payload = intoto::serialize(contents.subjects(), PROVENANCE_V1, &predicate).unwrap();
    authenticate(&Envelope::signed_by(payload, &key).unwrap(), &Evidence::default(), &policy(&key), NOW)
        .unwrap()
}

fn itself(known_as: &str) -> Place {
    Place::Itself(KnownAs::new(known_as))
}

fn named(known_as: &str) -> Place {
    Place::Named(KnownAs::new(known_as))
}

fn path(text: &str) -> RelPath {
    RelPath::from_bytes(text.as_bytes()).unwrap()
}

fn tree(entries: &[(&str, &str)]) -> BTreeMap<RelPath, Sha256Digest> {
    entries.iter().map(|(p, c)| (path(p), Sha256Digest::of(c.as_bytes()))).collect()
}

fn refusal(payload: Vec<u8>) -> String {
    let key = key();
    let envelope = Envelope::signed_by(payload, &key).unwrap();
    authenticate(&envelope, &Evidence::default(), &policy(&key), NOW).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_properly_signed_payload_still_has_to_be_provenance() {
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let with_type = |t: &str| intoto::serialize(&subject, t, &predicate()).unwrap();
    assert!(refusal(b"not json".to_vec()).contains("payload is malformed"));
    assert!(refusal(statement(&[])).contains("payload is malformed"));
    assert!(
        refusal(with_type("https://slsa.dev/verification_summary/v1"))
            .contains("SLSA provenance v0.2 or v1 is asked for")
    );
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
    let envelope = Envelope::signed_by(statement(&subject), &key).unwrap();
    let no = authenticate(&envelope, &Evidence::default(), &policy(&other), NOW).map(|_| ()).unwrap_err();
    assert!(no.to_string().contains("not signed with a trusted key"), "{no}");
    assert!(no.remedy().unwrap().contains("--key"));

    // The other key's name over this key's signature.
    let forged = String::from_utf8(envelope.to_json()).unwrap();
    let forged = forged.replace(&key.public().key_id().to_string(), &other.public().key_id().to_string());
    let forged = Envelope::from_json(forged.as_bytes()).unwrap();
    let no = authenticate(&forged, &Evidence::default(), &policy(&other), NOW).map(|_| ()).unwrap_err();
    assert!(no.to_string().contains("altered"), "{no}");
    // Over a good signature it is a hint that is wrong, or the name of another tool's making.
    authenticate(&forged, &Evidence::default(), &policy(&key), NOW).unwrap();
    // No name is no lie.
    let mut nameless: serde_json::Value = serde_json::from_slice(&envelope.to_json()).unwrap();
    nameless["signatures"][0].as_object_mut().unwrap().remove("keyid").unwrap();
    let nameless = Envelope::from_json(nameless.to_string().as_bytes()).unwrap();
    authenticate(&nameless, &Evidence::default(), &policy(&key), NOW).unwrap();
}

/// A statement that this program made, by a build type of its own.
fn own(key: &PrivateKey) -> Envelope {
    let mut predicate = predicate();
    predicate["buildDefinition"]["buildType"] = COMMAND_BUILD_TYPE.into();
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    Envelope::signed_by(intoto::serialize(&subject, PROVENANCE_V1, &predicate).unwrap(), key).unwrap()
}

/// What a file holds and a trusted key signed.
fn read(bytes: &[u8], key: &PrivateKey) -> Vec<Result<Authentic, Rejection>> {
    let Ok(file) = AttestationFile::read(bytes) else { return Vec::new() };
    let judge = |item: Item| match item.found {
        Found::Attestation(signed) => {
            Some(authenticate(&signed.content, &Evidence::default(), &policy(key), NOW))
        }
        _ => None,
    };
    file.into_items().into_iter().filter_map(judge).collect()
}

/// The signature covers neither the key's name nor what is around the envelope: of what this
/// program wrote every changed byte is noticed all the same, whoever reads it.
#[test]
fn every_changed_byte_of_our_own_is_noticed() {
    let key = key();
    let envelope = own(&key);
    let line = [envelope.to_json(), b"\n".to_vec()].concat();
    let bundle = crate::bundle::Bundle::new(envelope).unwrap().to_json();
    for file in [line, bundle] {
        assert!(matches!(read(&file, &key).as_slice(), [Ok(_)]));
        let text = String::from_utf8(file.clone()).unwrap();
        let start = text.find("\"payload\":\"").unwrap() + 11;
        let payload = start..start + text[start..].find('"').unwrap();
        let mut bytes = file.clone();
        for at in 0..bytes.len() {
            let before = bytes[at];
            // What is signed is known to be; a few of its bytes are enough.
            if payload.contains(&at) && at % 32 != 0 {
                continue;
            }
            for other in [0, 2, 5].map(|bit| before ^ (1 << bit)).into_iter().chain(*b" \"}") {
                if other == before {
                    continue;
                }
                // The end of a line has two forms, and a file may end without one.
                if before == b'\n' && matches!(other, b'\r' | b'\n') {
                    continue;
                }
                bytes[at] = other;
                assert!(!read(&bytes, &key).iter().any(Result::is_ok), "byte {at} changed to {other}");
            }
            bytes[at] = before;
        }
    }
}

/// The place of the key's name in a bundle is not signed either.
#[test]
fn a_certificate_beside_what_a_key_of_ours_signed_is_noticed() {
    let key = key();
    let certified = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/sigstore/conformance/rekor2-dsse-happy-path/bundle.sigstore.json"
    ));
    let certified: serde_json::Value = serde_json::from_str(certified).unwrap();
    let another = certified["verificationMaterial"]["certificate"].clone();
    assert!(another["rawBytes"].is_string());
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let others = Envelope::signed_by(statement(&subject), &key).unwrap();
    for (envelope, accepted) in [(others, true), (own(&key), false)] {
        let bundle = crate::bundle::Bundle::new(envelope).unwrap().to_json();
        for certificate in [&another, &json!({"rawBytes": "MAA="})] {
            let mut json: serde_json::Value = serde_json::from_slice(&bundle).unwrap();
            let material = json["verificationMaterial"].as_object_mut().unwrap();
            material.remove("publicKey");
            material.insert("certificate".to_owned(), certificate.clone());
            let bundle = crate::bundle::Bundle::whole(json.to_string().as_bytes()).unwrap();
            let judged = authenticate(bundle.envelope(), bundle.evidence(), &policy(&key), NOW);
            assert_eq!(judged.is_ok(), accepted, "{judged:?}");
            if let Err(no) = judged {
                assert!(matches!(no, Rejection::Altered { .. }), "{no}");
            }
        }
    }
}

#[test]
fn what_others_signed_is_taken_under_any_name_of_the_key() {
    let key = key();
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let others = Envelope::signed_by(statement(&subject), &key).unwrap();
    for (envelope, accepted) in [(others, true), (own(&key), false)] {
        let mut json: serde_json::Value = serde_json::from_slice(&envelope.to_json()).unwrap();
        for name in ["projects/p/keys/k/cryptoKeyVersions/1", "776a00e29f3559e0", "release key"] {
            json["signatures"][0]["keyid"] = name.into();
            let judged = read(json.to_string().as_bytes(), &key).remove(0);
            assert_eq!(judged.is_ok(), accepted, "{name}");
            if let Err(no) = judged {
                assert!(matches!(no, Rejection::KeyName { .. }), "{no}");
            }
        }
        json["signatures"][0]["cert"] = serde_json::Value::Null;
        json["signatures"][0]["keyid"] = "".into();
        let judged = read(json.to_string().as_bytes(), &key).remove(0);
        assert_eq!(judged.is_ok(), accepted);
        if let Err(no) = judged {
            assert!(matches!(no, Rejection::Altered { .. }), "{no}");
        }
    }
}

#[test]
fn the_claim_that_is_asked_for_is_the_only_one() {
    let key = key();
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let signed = |kind: &str| {
        Envelope::signed_by(intoto::serialize(&subject, kind, &json!({"a": 1})).unwrap(), &key).unwrap()
    };
    let judge = |kind: &str, policy: &Policy, wanted: &str| {
        let wanted: Wanted = wanted.parse().unwrap();
        authenticate_within(
            &signed(kind),
            &Evidence::default(),
            policy,
            &wanted,
            NOW,
            &mut crate::dsse::Effort::default(),
        )
    };
    let spdx = judge("https://spdx.dev/Document", &policy(&key), "spdx").unwrap();
    assert!(spdx.provenance().is_none());
    let accepted = spdx.accept(&itself("x"), &Content::File(Sha256Digest::of(b"x")), None).unwrap();
    assert_eq!((accepted.subject(), accepted.provenance().is_none()), ("x", true));
    let no = judge("https://spdx.dev/Document", &policy(&key), "cyclonedx").unwrap_err();
    assert!(no.remedy().unwrap().ends_with("--type https://spdx.dev/Document"), "{no}");
    let no =
        authenticate(&signed("https://slsa.dev/provenance/v1.1"), &Evidence::default(), &policy(&key), NOW)
            .unwrap_err();
    assert!(no.to_string().contains("\"https://slsa.dev/provenance/v1.1\", and SLSA provenance"), "{no}");
    // Who asks for a builder is not told of none.
    let no = judge("t", &policy(&key).only_builder("https://b".into()), "t").unwrap_err();
    assert!(matches!(no, Rejection::Policy(_)), "{no}");
}

#[test]
fn other_digests_of_sha_2_name_the_same_bytes() {
    let mut hasher = crate::digest::FileHasher::default();
    hasher.update(b"x");
    let file = hasher.finish();
    let sha256 = Sha256Digest::of(b"x");
    let content = Content::File(sha256);
    // `printf x | openssl dgst -sha384`, `-sha512`.
    let sha384 =
        "d752c2c51fba0e29aa190570a9d4253e44077a058d3297fa3a5630d5bd012622f97c28acaed313b5c83bb990caa7da85";
    let sha512 = "a4abd4448c49562d828115d13a1fccea927f52b4d5459297f8b43e42da89238bc13626e43dcb38ddb082488927ec904fb42057443983e88585179d50551afe62";
    let judge = |digests: serde_json::Value| {
        let subject = json!([{"digest": digests}]);
        let statement = json!({"_type": intoto::STATEMENT_V1, "subject": subject, "predicateType": PROVENANCE_V1, "predicate": predicate()});
        let key = key();
        let envelope = Envelope::signed_by(statement.to_string().into_bytes(), &key).unwrap();
        let authentic = authenticate(&envelope, &Evidence::default(), &policy(&key), NOW).unwrap();
        let authentic = if authentic.needs_longer() { authentic.knowing(&file) } else { authentic };
        authentic.accept(&itself("x"), &content, None).map(|accepted| accepted.digest().to_owned())
    };
    for same in [
        json!({"sha256": sha256.to_string()}),
        json!({"sha256": sha256.to_string().to_uppercase()}),
        json!({"sha384": sha384}),
        json!({"sha512": sha512}),
        json!({"sha512": sha512.to_uppercase(), "sha1": "00"}),
    ] {
        assert_eq!(judge(same).unwrap(), format!("sha256:{sha256}"));
    }
    for other in [
        json!({"sha512": sha512.replace('a', "b")}),
        // One that is there counts, whatever the others say.
        json!({"sha256": Sha256Digest::of(b"y").to_string(), "sha512": sha512}),
    ] {
        assert!(matches!(judge(other).unwrap_err(), Rejection::OtherArtifact { .. }));
    }
    for unknown in [
        json!({"SHA256": sha256.to_string()}),
        json!({"sha256": format!("sha256:{sha256}")}),
        json!({"sha512": "00"}),
    ] {
        assert!(matches!(judge(unknown).unwrap_err(), Rejection::Incomparable { .. }));
    }
}

#[test]
fn the_builder_that_was_asked_for_is_the_only_one() {
    let key = key();
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let envelope = Envelope::signed_by(statement(&subject), &key).unwrap();
    authenticate(
        &envelope,
        &Evidence::default(),
        &policy(&key).only_builder("https://ci.example.com".into()),
        NOW,
    )
    .unwrap();
    let other = policy(&key).only_builder("https://ci.example.com/".into());
    let no = authenticate(&envelope, &Evidence::default(), &other, NOW).map(|_| ()).unwrap_err();
    assert!(no.to_string().contains("the builder is"), "{no}");
}

#[test]
fn a_file_is_what_its_digest_says() {
    let subjects = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    // The only one may have been renamed: whoever has the bytes has the artifact.
    for place in [itself("/dl/x"), itself("/dl/renamed"), named("/dl/renamed"), named("x")] {
        let ask =
            |bytes: &[u8]| authentic(&subjects).accept(&place, &Content::File(Sha256Digest::of(bytes)), None);
        let yes = ask(b"x").unwrap();
        assert_eq!((yes.subject(), yes.files()), ("x", 1));
        let no = ask(b"z").map(|_| ()).unwrap_err();
        assert!(matches!(no, Rejection::OtherArtifact { .. }), "{no}");
    }
}

#[test]
fn by_digest_a_name_says_nothing() {
    let image = |bytes: &[u8]| ResourceDescriptor::named("r.example/app", Sha256Digest::of(bytes));
    let subjects = [image(b"index"), image(b"amd64"), image(b"arm64")];
    let ask = |bytes: &[u8]| {
        let content = Content::File(Sha256Digest::of(bytes));
        authentic(&subjects).accept(&Place::ByDigest, &content, None)
    };
    for bytes in [&b"index"[..], b"amd64", b"arm64"] {
        let yes = ask(bytes).unwrap();
        assert_eq!(
            (yes.subject(), yes.digest()),
            ("r.example/app", &*format!("sha256:{}", Sha256Digest::of(bytes)))
        );
    }
    let no = ask(b"of another index").map(|_| ()).unwrap_err();
    assert!(matches!(no, Rejection::OtherArtifact { .. }), "{no}");
    let no = authentic(&subjects).accept(&Place::ByDigest, &Content::Directory(Tree::default()), None);
    assert!(matches!(no.map(|_| ()).unwrap_err(), Rejection::NotADirectory { .. }));
}

#[test]
fn of_several_files_each_goes_by_its_own_name() {
    let subjects = ["x", "y", "d/x"].map(|n| ResourceDescriptor::named(n, Sha256Digest::of(n.as_bytes())));
    let ask = |place: &Place, bytes: &str| {
        authentic(&subjects)
            .accept(place, &Content::File(Sha256Digest::of(bytes.as_bytes())), None)
            .map(|verified| verified.subject().to_owned())
            .map_err(|no| no.to_string())
    };
    for (place, bytes, expected) in [
        (itself("/w/x"), "x", Some("x")),
        (itself("/w/y"), "y", Some("y")),
        (itself("/w/d/x"), "d/x", Some("d/x")),
        (itself("/w/y"), "x", None),
        (itself("/w/x"), "d/x", None),
        (itself("/w/X"), "x", None),
        (itself("/w/x/"), "x", None),
        (itself("/w/renamed"), "x", None),
        (named("/w/x"), "x", Some("x")),
        (named("/w/d/x"), "d/x", Some("d/x")),
        // What has more of the path is the artifact; `x` is another.
        (named("/w/d/x"), "x", None),
        (named("/w/y"), "x", None),
        (named("/w/renamed"), "x", None),
    ] {
        let said = ask(&place, bytes);
        assert_eq!(said.as_deref().ok(), expected, "{place:?} {bytes}: {said:?}");
        if let Err(why) = said {
            assert!(why.contains(&format!("its bytes are attested as {bytes:?}, and not under")), "{why}");
        }
    }
    let no = ask(&itself("/w/x"), "none").unwrap_err();
    assert!(no.contains("x and 2 more"), "{no}");
}

/// The attestation of a directory, put beside one of its files, or of something else.
#[test]
fn a_directory_vouches_for_no_file_under_another_name() {
    let contents = Contents::directory(
        "out",
        &tree(&[("safe.sh", "safe"), ("evil.sh", "evil"), ("sub/safe.sh", "sub")]),
    );
    let ask = |place: &Place, bytes: &str| {
        authentic(contents.subjects()).accept(place, &Content::File(Sha256Digest::of(bytes.as_bytes())), None)
    };
    for (place, good, bad) in [
        (named("/w/out/safe.sh"), "safe", ["evil", "sub"]),
        (named("/w/out/sub/safe.sh"), "sub", ["evil", "safe"]),
        (named("/dl/sub/safe.sh"), "sub", ["evil", "safe"]),
    ] {
        ask(&place, good).unwrap();
        for bytes in bad {
            let no = ask(&place, bytes).map(|_| ()).unwrap_err();
            assert!(matches!(no, Rejection::OtherName { .. }), "{place:?} {bytes}: {no}");
        }
    }
    // Put beside a file, whatever its bytes are.
    for place in ["/w/out/safe.sh", "/w/lib/safe.sh", "/w/safe.sh", "/w/out//safe.sh", "/w/out/safe.sh/"] {
        for bytes in ["safe", "evil", "none"] {
            let no = ask(&itself(place), bytes).map(|_| ()).unwrap_err();
            assert!(matches!(no, Rejection::OfDirectory { .. }), "{place} {bytes}: {no}");
        }
    }
    // An archive of it is the artifact; its files are not.
    let packed = contents.clone().stored_as("out.tgz", "s3://b/out.tgz", Sha256Digest::of(b"packed"));
    let ask = |bytes: &str| {
        let digest = Sha256Digest::of(bytes.as_bytes());
        authentic(packed.subjects()).accept(&itself("/dl/renamed.tgz"), &Content::File(digest), None)
    };
    ask("packed").unwrap();
    assert!(matches!(ask("safe").map(|_| ()).unwrap_err(), Rejection::OfDirectory { .. }));
    assert!(matches!(ask("else").map(|_| ()).unwrap_err(), Rejection::OtherArtifact { .. }));
}

#[test]
fn a_directory_is_all_of_its_files() {
    let files = tree(&[("a", "1"), ("b/c", "2")]);
    let contents = Contents::directory("out", &files);
    let ask = |there: &BTreeMap<_, _>| {
        authentic(contents.subjects()).accept(
            &itself("/w/out"),
            &Content::Directory(there.clone().into()),
            None,
        )
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

/// No digest speaks of a link: the statement lists them, and all of them count.
#[test]
fn a_directory_has_the_links_that_are_attested() {
    let links = |all: &[(&str, &str)]| -> Links {
        let link = |(at, to): &(&str, &str)| (path(at), LinkTarget::from_bytes(to.as_bytes()).unwrap());
        all.iter().map(link).collect()
    };
    let files = tree(&[("a", "1"), ("d/b", "2")]);
    let attested = links(&[("d/up", "../a"), ("l", "a"), ("only/x", "../a")]);
    let contents = Contents::directory("out", &files).with_links(attested.clone());
    let ask = |place: &Place, files: &BTreeMap<_, _>, links: &Links| {
        let content = Content::Directory(Tree { files: files.clone(), links: links.clone() });
        linked(&contents).accept(place, &content, None)
    };
    let out = itself("/w/out");
    assert_eq!(ask(&out, &files, &attested).unwrap().files(), 2);
    for (there, why) in [
        (
            links(&[]),
            "the symbolic link d/up is missing, the symbolic link l is missing, the symbolic link only/x is missing",
        ),
        (links(&[("d/up", "../a"), ("l", "d/b"), ("only/x", "../a")]), "the symbolic link l leads elsewhere"),
        (links(&[("d/up", "../a"), ("l", "a/"), ("only/x", "../a")]), "the symbolic link l leads elsewhere"),
        (
            links(&[("d/up", "../a"), ("l", "a"), ("m", "a"), ("only/x", "../a")]),
            "the symbolic link m was added",
        ),
    ] {
        let no = ask(&out, &files, &there).map(|_| ()).unwrap_err();
        assert_eq!((no.to_string().as_str(), matches!(no, Rejection::Differs(_))), (why, true));
        ask(&named("/x"), &files, &there).unwrap_err();
    }
    // A file where the link was is another file.
    let copied = tree(&[("a", "1"), ("d/b", "2"), ("l", "1")]);
    let no = ask(&out, &copied, &links(&[("d/up", "../a"), ("only/x", "../a")]));
    assert_eq!(no.map(|_| ()).unwrap_err().to_string(), "l was added");
    // Of a directory in it, those in there.
    let within = Place::Within(path("d"));
    ask(&within, &tree(&[("b", "2")]), &links(&[("up", "../a")])).unwrap();
    let no = ask(&within, &tree(&[("b", "2")]), &links(&[]));
    assert_eq!(no.map(|_| ()).unwrap_err().to_string(), "the symbolic link up is missing");
    ask(&Place::Within(path("only")), &BTreeMap::new(), &links(&[("x", "../a")])).unwrap();
    // A file may be asked for alone.
    linked(&contents)
        .accept(&Place::Within(path("a")), &Content::File(Sha256Digest::of(b"1")), None)
        .unwrap();

    // A statement that has no list speaks of no link.
    let before = Contents::directory("out", &files);
    let content = |links: &Links| Content::Directory(Tree { files: files.clone(), links: links.clone() });
    linked(&before).accept(&out, &content(&links(&[])), None).unwrap();
    let no = linked(&before).accept(&out, &content(&links(&[("l", "a")])), None).map(|_| ());
    assert_eq!(no.unwrap_err().to_string(), "the symbolic link l was added");
}

/// It is the list of nothing, and no manifest says more.
#[test]
fn an_empty_directory_is_empty() {
    let contents = Contents::directory("out", &BTreeMap::new());
    assert_eq!((contents.subjects().len(), contents.manifest().is_none()), (1, true));
    let packed = contents.stored_as("out.tgz", "s3://b/out.tgz", Sha256Digest::of(b"packed"));
    let ask = |place: &Place, content: &Content| {
        let statement = authentic(packed.subjects());
        assert!(!statement.needs_manifest(place, content));
        statement.accept(place, content, None)
    };
    let nothing = Content::Directory(BTreeMap::new().into());
    let verified = ask(&itself("/w/out"), &nothing).unwrap();
    assert_eq!((verified.subject(), verified.files()), ("out", 0));
    ask(&itself("/w/x.tgz"), &Content::File(Sha256Digest::of(b"packed"))).unwrap();
    let no = |place: &Place, content: &Content| ask(place, content).map(|_| ()).unwrap_err().to_string();
    assert_eq!(no(&itself("/w/out"), &Content::Directory(tree(&[("a", "")]).into())), "a was added");
    let within = Place::Within(path("a"));
    for content in [&Content::File(Sha256Digest::of(b"")), &nothing] {
        assert!(no(&within, content).contains("does not list a"), "{content:?}");
    }
    // An empty file has the same digest, and is none.
    no(&itself("/w/out"), &Content::File(Sha256Digest::of(b"")));
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
    assert_eq!(ask("b", Content::Directory(tree(&[("c", "2"), ("d", "3")]).into())).unwrap().files(), 2);
    let no = |at, content| ask(at, content).map(|_| ()).unwrap_err().to_string();
    assert!(no("a", file("2")).contains("about out/a"), "two files changed places");
    assert!(no("new", file("2")).contains("does not list new"));
    assert_eq!(no("b", Content::Directory(tree(&[("c", "2")]).into())), "d is missing");
    assert_eq!(no("b", Content::Directory(tree(&[("c", "2"), ("d", "3"), ("e", "")]).into())), "e was added");
    assert!(no("nothing", Content::Directory(BTreeMap::new().into())).contains("does not list nothing"));

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
    let manifest = contents.manifest().unwrap().chunks().collect::<Vec<_>>().concat();
    let ask = |place: Place, content: Content, manifest: &[u8]| {
        let statement = authentic(contents.subjects());
        assert!(statement.needs_manifest(&place, &content));
        statement.accept(&place, &content, Some(&mut &*manifest))
    };
    let seven = Content::File(Sha256Digest::of(b"7"));
    let yes = ask(Place::Within(path("f7")), seven.clone(), &manifest).unwrap();
    assert_eq!(yes.subject(), "out/f7");
    assert_eq!(ask(named("/w/out/f7"), seven.clone(), &manifest).unwrap().subject(), "out/f7");
    assert_eq!(ask(Place::ByDigest, seven.clone(), &manifest).unwrap().subject(), "out/f7");
    for place in [named("/w/out/f8"), named("/w/none")] {
        let no = ask(place, seven.clone(), &manifest).map(|_| ()).unwrap_err();
        assert!(matches!(no, Rejection::OtherName { .. }), "{no}");
    }

    let no = |place, content, manifest: &[u8]| ask(place, content, manifest).map(|_| ()).unwrap_err();
    let other = no(Place::Within(path("f8")), seven.clone(), &manifest);
    assert!(matches!(other, Rejection::OtherArtifact { .. }), "{other}");
    // The attacker lists his own file: the entry is there, the list is not the attested one.
    let evil = Sha256Digest::of(b"evil");
    let forged = String::from_utf8(manifest.clone()).unwrap();
    let forged = forged.replacen(&Sha256Digest::of(b"7").to_string(), &evil.to_string(), 1);
    for place in [Place::Within(path("f7")), named("/w/out/f7"), Place::ByDigest] {
        let no = no(place, Content::File(evil), forged.as_bytes());
        assert!(matches!(no, Rejection::OtherManifest { .. }), "{no}");
    }
    assert!(matches!(no(named("/w/out/f7"), seven.clone(), &manifest[1..]), Rejection::Manifest(_)));
    let mut less = files.clone();
    less.remove(&path("f9"));
    assert_eq!(no(itself("/w/out"), Content::Directory(less.into()), &manifest).to_string(), "f9 is missing");

    let whole = authentic(contents.subjects());
    assert!(!whole.needs_manifest(&itself("/w/out"), &Content::Directory(files.clone().into())));
    whole.accept(&itself("/w/out"), &Content::Directory(files.into()), None).unwrap();
    let without = authentic(contents.subjects()).accept(&Place::Within(path("f7")), &seven, None);
    assert!(matches!(without.map(|_| ()).unwrap_err(), Rejection::NotListed { .. }));
}

/// Where a statement says that its artifact is: in these by-products, and as this subject.
fn stored(byproducts: serde_json::Value, uri: Option<&str>) -> Authentic {
    let mut predicate = predicate();
    predicate["runDetails"]["byproducts"] = byproducts;
    let mut contents = Contents::file("a", Sha256Digest::of(b"a"));
    if let Some(uri) = uri {
        contents = contents.stored_as("a", uri, Sha256Digest::of(b"a"));
    }
    let key = key();
    let payload = intoto::serialize(contents.subjects(), PROVENANCE_V1, &predicate).unwrap();
    authenticate(&Envelope::signed_by(payload, &key).unwrap(), &Evidence::default(), &policy(&key), NOW)
        .unwrap()
}

#[test]
fn an_object_is_where_its_statement_says_or_it_is_another() {
    let address = |text: &str| text.parse::<StoreAddress>().unwrap();
    let stores = Stores::new(vec![KnownStore {
        name: "ours".into(),
        addresses: vec![address("https://s3.example.com"), address("http://minio:9000")],
    }]);
    let evidence = |uri: &str, endpoint: serde_json::Value| json!([{"name": "stored-object", "uri": uri, "annotations": {"check": "read-back", "endpoint": endpoint}}]);
    let (uri, here) = ("s3://b/k", "https://s3.example.com");
    let good = || evidence(uri, here.into());
    let ask = |statement: &Authentic, uri: &str, store: Option<&str>| {
        let store = store.map(address);
        statement.placed(Here { uri, store: store.as_ref() }, &stores)
    };
    for same in [here, "https://S3.example.com:443/", "http://minio:9000"] {
        ask(&stored(good(), Some(uri)), uri, Some(same)).unwrap();
        ask(&stored(good(), None), uri, Some(same)).unwrap();
        ask(&stored(evidence(uri, same.into()), Some(uri)), uri, Some(here)).unwrap();
    }
    for elsewhere in [
        "s3://b/K",
        "s3://b/k/",
        "s3://b/./k",
        "s3://b//k",
        "s3://b/k/x",
        "s3://c/k",
        "s3://b/%6B",
        "memory:k",
    ] {
        let no = ask(&stored(good(), Some(uri)), elsewhere, Some(here)).unwrap_err();
        assert!(matches!(no, PlaceError::Elsewhere { .. }), "{elsewhere}: {no}");
        // Nor does one place that is right make up for one that is not.
        for statement in
            [stored(evidence(elsewhere, here.into()), Some(uri)), stored(good(), Some(elsewhere))]
        {
            let no = ask(&statement, uri, Some(here)).unwrap_err();
            assert!(matches!(no, PlaceError::Elsewhere { .. }), "{elsewhere}: {no}");
        }
    }
    for store in [
        Some("http://s3.example.com"),
        Some("https://s3.example.com:9000"),
        Some("https://evil.example"),
        None,
    ] {
        let no = ask(&stored(good(), Some(uri)), uri, store).unwrap_err();
        assert!(matches!(no, PlaceError::OtherStore { .. }), "{store:?}: {no}");
    }
    for (said, why) in [
        (json!("https://evil.example"), "in the store https://evil.example, and"),
        (json!("https://s3.example.com@evil"), "in the store https://s3.example.com@evil"),
        (json!(""), "does not say in which store"),
        (json!(null), "does not say in which store"),
        (json!(["https://s3.example.com"]), "does not say in which store"),
    ] {
        let no = ask(&stored(evidence(uri, said.clone()), Some(uri)), uri, Some(here)).unwrap_err();
        assert!(no.to_string().contains(why), "{said}: {no}");
    }
    // As older versions wrote it; two that do not agree; none at all.
    let old = json!([{"name": "stored-object", "uri": uri, "annotations": {"check": "read-back"}}]);
    let no = ask(&stored(old.clone(), Some(uri)), uri, Some(here)).unwrap_err();
    assert!(matches!(no, PlaceError::NoStore { .. }), "{no}");
    let mut two = good();
    two.as_array_mut().unwrap().extend(old.as_array().unwrap().clone());
    let no = ask(&stored(two, Some(uri)), uri, Some(here)).unwrap_err();
    assert!(matches!(no, PlaceError::NoStore { .. }), "{no}");
    let no = ask(&stored(json!([]), Some(uri)), uri, Some(here)).unwrap_err();
    assert!(matches!(no, PlaceError::NoStore { .. }), "{no}");
    let no = ask(&stored(json!([]), None), uri, Some(here)).unwrap_err();
    assert!(matches!(no, PlaceError::Nowhere { .. }), "{no}");
}

/// The evidence of a directory of objects names its files; whose directory it is says one
/// annotation, or the files of `dir/sub` would be those of `dir`.
#[test]
fn a_directory_of_objects_is_in_its_own_place() {
    let contents = Contents::directory("sub", &tree(&[("a", "1")]));
    let mut predicate = predicate();
    predicate["runDetails"]["byproducts"] = json!([{
        "name": "stored-object", "uri": "s3://b/dir/sub/a",
        "annotations": {"check": "read-back", "endpoint": "https://h", "directory": "s3://b/dir/sub"},
    }]);
    let key = key();
    let payload = intoto::serialize(contents.subjects(), PROVENANCE_V1, &predicate).unwrap();
    let statement =
        authenticate(&Envelope::signed_by(payload, &key).unwrap(), &Evidence::default(), &policy(&key), NOW)
            .unwrap();
    let store: StoreAddress = "https://h".parse().unwrap();
    let ask = |uri| statement.placed(Here { uri, store: Some(&store) }, &Stores::default());
    ask("s3://b/dir/sub").unwrap();
    ask("s3://b/dir/sub/").unwrap();
    for elsewhere in ["s3://b/dir", "s3://b/dir/sub/a", "s3://b/dir/su", "s3://b/dir/subs"] {
        let no = ask(elsewhere).unwrap_err();
        assert!(matches!(no, PlaceError::Elsewhere { .. }), "{elsewhere}: {no}");
    }
}

/// What others wrote so is read; ours nobody did.
#[test]
fn of_ours_nothing_is_encoded_twice() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let key = key();
    let subject = [ResourceDescriptor::named("x", Sha256Digest::of(b"x"))];
    let others = Envelope::signed_by(statement(&subject), &key).unwrap();
    for (envelope, accepted) in [(others, true), (own(&key), false)] {
        for at in ["/payload", "/signatures/0/sig"] {
            let mut json: serde_json::Value = serde_json::from_slice(&envelope.to_json()).unwrap();
            let text = json.pointer_mut(at).unwrap();
            *text = STANDARD.encode(text.as_str().unwrap()).into();
            let judged = read(json.to_string().as_bytes(), &key).remove(0);
            assert_eq!(judged.is_ok(), accepted, "{at}: {judged:?}");
            if let Err(no) = judged {
                assert!(matches!(no, Rejection::Altered { .. }), "{at}: {no}");
            }
        }
    }
}

/// An image in an output, as `run` and the sidecar name it.
fn with_image(contents: Contents) -> (Vec<ResourceDescriptor>, Sha256Digest) {
    use crate::image::ManifestKind;
    use crate::image::layout::{Found, StoredManifest};
    let digest = Sha256Digest::of(b"manifest");
    let manifest = StoredManifest {
        digest,
        size: 8,
        kind: ManifestKind::OciImage,
        reference: Some("app".to_owned()),
        listed: true,
        config: None,
        parts: Vec::new(),
    };
    let found = Found { manifests: vec![manifest], ..Found::default() };
    (contents.with_images(&found).subjects().to_vec(), digest)
}

#[test]
fn an_image_in_a_file_is_known_by_digest_and_is_no_file() {
    let tar = Sha256Digest::of(b"tar");
    let (subjects, manifest) = with_image(Contents::file("app.tar", tar));
    let of = || authentic(&subjects);
    // The file is attested as a whole, as it is without an image in it.
    for place in [itself("renamed.tar"), named("renamed.tar")] {
        assert_eq!(of().accept(&place, &Content::File(tar), None).unwrap().subject(), "app.tar");
    }
    let accepted = of().accept(&Place::ByDigest, &Content::File(manifest), None).unwrap();
    assert_eq!(accepted.subject(), format!("app.tar//app@sha256:{manifest}"));
    // A file with the manifest's bytes, whatever it is called.
    for known_as in ["manifest.json", &format!("app@sha256:{manifest}"), &subjects[1].name] {
        for place in [itself(known_as), named(known_as)] {
            let no = of().accept(&place, &Content::File(manifest), None).unwrap_err();
            assert!(matches!(no, Rejection::OtherArtifact { .. }), "{known_as}: {no}");
        }
    }
    let name = path(&format!("app@sha256:{manifest}"));
    for place in [Place::Within(name.clone()), Place::Among(name)] {
        of().accept(&place, &Content::File(manifest), None).unwrap_err();
    }
}

#[test]
fn an_image_in_a_directory_is_none_of_its_files() {
    for directory in ["img", "."] {
        let files = tree(&[("index.json", "i"), ("blobs/sha256/x", "manifest")]);
        let (subjects, manifest) = with_image(Contents::directory(directory, &files));
        let of = || authentic(&subjects);
        let whole =
            |files: BTreeMap<_, _>| of().accept(&itself("img"), &Content::Directory(files.into()), None);
        assert_eq!(whole(files.clone()).unwrap().files(), 2);
        let mut more = files.clone();
        more.insert(path(&format!("app@sha256:{manifest}")), manifest);
        whole(more).unwrap_err();
        let accepted = of().accept(&Place::ByDigest, &Content::File(manifest), None).unwrap();
        assert_eq!(accepted.subject(), format!("{directory}//app@sha256:{manifest}"));
        let listed: Vec<_> = of().listed(&subjects[0]).map(|(path, _)| path).collect();
        assert_eq!(listed, [path("blobs/sha256/x"), path("index.json")]);
    }
}
