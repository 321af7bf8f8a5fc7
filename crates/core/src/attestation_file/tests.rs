//! Containers around freshly signed envelopes, and things that are none.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::digest::Sha256Digest;
use crate::dsse::{Envelope, Unsigned};
use crate::intoto::{self, ResourceDescriptor};
use crate::keys::{KeyType, PrivateKey};

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::Ed25519).unwrap()
}

fn payload() -> Vec<u8> {
    let subject = ResourceDescriptor::named("x", Sha256Digest::of(b"x"));
    intoto::serialize(&[subject], "https://example.com/t", &json!({"a": 1})).unwrap()
}

fn envelope(key: &PrivateKey) -> Value {
    let unsigned = Unsigned::new(payload()).unwrap();
    let signature = key.sign(unsigned.pae());
    serde_json::from_slice(&Envelope::assemble(unsigned, signature, key.public()).unwrap().to_json()).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "texts and values are made where they are read")]
fn read(file: impl ToString) -> AttestationFile {
    AttestationFile::read(file.to_string().as_bytes()).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    crate::text::causes(&AttestationFile::read(bytes).unwrap_err())
}

/// How many of the file's attestations this key signed.
fn signed_by(file: &AttestationFile, key: &PrivateKey) -> usize {
    let by = |item: &&Item| match &item.found {
        Found::Attestation(signed) => {
            signed.content.verify(&[key.public()]).is_ok_and(|valid| valid.payload() == payload())
        }
        _ => false,
    };
    file.items().iter().filter(by).count()
}

fn bundle(envelope: &Value) -> Value {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "h"}, "tlogEntries": [{"logIndex": "1"}]},
        "dsseEnvelope": envelope,
    })
}

/// The members of an object, and of those in it, as protobuf has them in its files.
fn snake(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let spelt = |name: &str| {
                let fold = |mut name: String, c: char| {
                    if c.is_ascii_uppercase() {
                        name.push('_');
                    }
                    name.push(c.to_ascii_lowercase());
                    name
                };
                name.chars().fold(String::new(), fold)
            };
            members.iter().map(|(name, value)| (spelt(name), snake(value))).collect()
        }
        Value::Array(items) => items.iter().map(snake).collect(),
        other => other.clone(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), Compression::default());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[test]
fn every_version_and_spelling_of_a_bundle() {
    let key = key();
    let envelope = envelope(&key);
    for media_type in [
        "application/vnd.dev.sigstore.bundle+json;version=0.1",
        "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle+json; version=\"0.2\"",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
        "application/vnd.dev.sigstore.bundle.v0.3.1+json",
    ] {
        let mut bundle = bundle(&envelope);
        bundle["mediaType"] = media_type.into();
        for spelt in [bundle.clone(), snake(&bundle)] {
            for text in [spelt.to_string(), serde_json::to_string_pretty(&spelt).unwrap()] {
                let file = read(&text);
                assert_eq!((signed_by(&file, &key), file.form()), (1, "Sigstore bundle"), "{text}");
                assert_eq!(file.items()[0].found.unjudged().log_entries, 1);
                assert!(file.items()[0].found.claimed().contains(&Claimed::Key("h".into())), "{text}");
            }
        }
    }
    for other in ["application/vnd.dev.sigstore.bundle+json;version=0.9", "application/json", ""] {
        let mut bundle = bundle(&envelope);
        bundle["mediaType"] = other.into();
        assert!(
            refused(bundle.to_string().as_bytes()).contains("that of no version that is known"),
            "{other}"
        );
    }
    // Nothing that could be set, and is not, is missed.
    for (member, value) in [
        ("verificationMaterial", Value::Null),
        (
            "verificationMaterial",
            json!({"publicKey": null, "tlogEntries": null, "timestampVerificationData": null}),
        ),
        ("messageSignature", Value::Null),
        ("more", json!([1])),
    ] {
        let mut bundle = bundle(&envelope);
        bundle[member] = value;
        assert_eq!(signed_by(&read(&bundle), &key), 1, "{bundle}");
    }
}

#[test]
fn members_that_are_not_known_and_unset_ones_are_passed_over() {
    let key = key();
    let plain = envelope(&key);
    let altered = |change: &dyn Fn(&mut Value)| {
        let mut envelope = plain.clone();
        change(&mut envelope);
        signed_by(&read(&envelope), &key)
    };
    assert_eq!(altered(&|_| {}), 1);
    assert_eq!(altered(&|e| e["more"] = json!({"a": [1]})), 1);
    for keyid in [json!(null), json!(""), json!("any name"), json!("a\u{7}b"), json!("x".repeat(5000))] {
        assert_eq!(altered(&|e| e["signatures"][0]["keyid"] = keyid.clone()), 1, "{keyid}");
    }
    for (member, value) in [
        ("cert", json!(null)),
        ("cert", json!("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")),
        ("certificate", json!("MAA=")),
        ("intermediates", json!(["MAA="])),
        ("timestamps", json!([{"type": "tsp", "data": "MAA="}])),
    ] {
        assert_eq!(altered(&|e| e["signatures"][0][member] = value.clone()), 1, "{member}");
    }
    let spelt = |text: &Value| {
        let bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
        URL_SAFE_NO_PAD.encode(bytes).into()
    };
    assert_eq!(altered(&|e| e["payload"] = spelt(&e["payload"])), 1);
    assert_eq!(altered(&|e| e["signatures"][0]["sig"] = spelt(&e["signatures"][0]["sig"])), 1);
    // A signature that is none does not spoil the one that is.
    let others = [json!({"sig": "%"}), json!({"sig": ""}), json!({}), json!({"sig": null}), json!(7)];
    for other in others {
        assert_eq!(altered(&|e| e["signatures"].as_array_mut().unwrap().insert(0, other.clone())), 1);
    }
    assert_eq!(altered(&|e| e["signatures"] = json!([])), 0);
    assert_eq!(altered(&|e| e["signatures"][0]["sig"] = "AAAA".into()), 0);
}

#[test]
fn what_registries_and_services_put_around() {
    let key = key();
    let envelope = envelope(&key);
    let bundle = bundle(&envelope);
    let pypi = json!({
        "version": 1,
        "verification_material": {"certificate": "MAA=", "transparency_entries": [{"logIndex": "1"}]},
        "envelope": {"statement": envelope["payload"], "signature": envelope["signatures"][0]["sig"]},
    });
    let build =
        json!({"intotoStatement": {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "t"}});
    let cosign =
        json!({"base64Signature": STANDARD.encode(envelope.to_string()), "cert": "LS0t", "rekorBundle": {}});
    for (file, form, count) in [
        (
            json!({"attestations": [{"predicateType": "t", "bundle": bundle}]}),
            "list of attestations (npm registry, GitHub API)",
            1,
        ),
        (
            json!({"attestations": [{"bundle": bundle, "repository_id": 7}, {"bundle": bundle}]}),
            "list of attestations (npm registry, GitHub API)",
            2,
        ),
        (pypi.clone(), "PyPI attestation (PEP 740)", 1),
        (
            json!({"version": 1, "attestation_bundles": [{"publisher": {"kind": "x"}, "attestations": [pypi]}]}),
            "PyPI provenance (PEP 740)",
            1,
        ),
        (
            json!({"image_summary": {"digest": "x"}, "provenance_summary": {"provenance": [{"build": build, "envelope": envelope}]}}),
            "Google Cloud Build provenance",
            1,
        ),
        (json!([bundle, envelope]), "array of attestations", 2),
        (cosign, "cosign's older bundle", 1),
        (json!({"anything": {"else": [envelope]}}), "JSON with attestations in it", 1),
    ] {
        let found = read(&file);
        assert_eq!((signed_by(&found, &key), found.form()), (count, form), "{file}");
        assert_eq!(found.items().len(), count, "what is beside an envelope is not told twice: {file}");
        let packed = AttestationFile::read(&gzip(file.to_string().as_bytes())).unwrap();
        assert_eq!((signed_by(&packed, &key), packed.form().to_owned()), (count, format!("{form}, gzipped")));
    }
}

#[test]
fn lines_of_anything_each_for_itself() {
    let key = key();
    let (envelope, bundle) = (envelope(&key), bundle(&envelope(&key)));
    for (text, form, count, passed) in [
        (format!("{envelope}\n"), "DSSE envelopes, one a line", 1, 0),
        (format!("{envelope}\n\n{envelope}\r\n"), "DSSE envelopes, one a line", 2, 0),
        (format!("{bundle}\n{bundle}\n"), "Sigstore bundles, one a line", 2, 0),
        (format!("{bundle}\n  {envelope}  \n"), "attestations, one a line", 2, 0),
        (
            format!("{envelope}\n# a comment\n7\n{{\"a\":1}}\n{{\"a\":1,\"a\":2}}\n"),
            "DSSE envelopes, one a line",
            1,
            4,
        ),
        (serde_json::to_string_pretty(&envelope).unwrap(), "DSSE envelope", 1, 0),
    ] {
        let file = read(&text);
        assert_eq!((signed_by(&file, &key), file.form()), (count, form), "{text}");
        assert_eq!(file.passed_over().len(), passed, "{:?}", file.passed_over());
    }
    let file = read(format!("{envelope}\n{{\"a\":1,\"a\":2}}\n"));
    assert_eq!(
        file.passed_over()[0].to_string(),
        "line 2: it is not JSON: duplicate field `a` at line 1 column 13"
    );
}

#[test]
fn what_is_no_attestation_is_shown_as_what_it_is() {
    let found = |file: Value| read(file).into_items().remove(0).found;
    let digest = STANDARD.encode([7; 2]);
    let message = json!({"messageDigest": {"algorithm": "SHA2_256", "digest": digest}, "signature": "AAAA"});
    let mut file = bundle(&Value::Null);
    file["messageSignature"] = message;
    match found(file) {
        Found::FileSignature(signature) => assert_eq!(signature.digest.as_deref(), Some("sha256:0707")),
        other => panic!("{other:?}"),
    }
    let statement: Value = serde_json::from_slice(&payload()).unwrap();
    match found(statement) {
        Found::Statement(unsigned) => assert_eq!(unsigned.outline.subjects[0].name, "x"),
        other => panic!("{other:?}"),
    }
    let link = json!({"_type": "link", "name": "build", "products": {"a": {"sha256": "00"}}});
    match found(json!({"signed": link, "signatures": [{"keyid": "k", "sig": "00"}]})) {
        Found::Metablock(block) => {
            assert_eq!(
                (block.content.form(), block.content.products[0].name.as_str()),
                ("in-toto link", "a")
            );
            assert_eq!(block.claimed, [Claimed::Key("k".into())]);
        }
        other => panic!("{other:?}"),
    }
    match found(json!({"payloadType": "text/plain", "payload": "YQ==", "signatures": []})) {
        Found::Other(signed) => assert_eq!(
            (signed.content.payload.as_slice(), signed.content.payload_type.as_str()),
            (&b"a"[..], "text/plain")
        ),
        other => panic!("{other:?}"),
    }
    let listed = format!("{}  a\n{}  b\n", Sha256Digest::of(b"a"), Sha256Digest::of(b"b"));
    match read(listed).into_items().remove(0).found {
        Found::Manifest(manifest) => assert_eq!(manifest.files, 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_reason_is_that_of_what_was_meant() {
    let key = key();
    let envelope = envelope(&key);
    let text = envelope.to_string();
    let twice = text.replacen("\"payload\"", "\"payload\":\"\",\"payload\"", 1);
    let mut odd = envelope.clone();
    odd["payload"] = "%".into();
    let mut both = bundle(&envelope);
    both["dsse_envelope"] = envelope.clone();
    for (bytes, why) in [
        (Vec::new(), "the file is empty"),
        (b" \n\t".to_vec(), "the file is empty"),
        (b"hello".to_vec(), "the file is not JSON"),
        (b"[]".to_vec(), "there is no attestation in the file"),
        (b"7".to_vec(), "it is neither an object nor an array"),
        (b"{\"a\":1}".to_vec(), "an object with `a`"),
        (twice.into_bytes(), "duplicate field `payload`"),
        (odd.to_string().into_bytes(), "a DSSE envelope, and not usable: the field `payload` is not base64"),
        (json!({"a": 1, "x": [odd]}).to_string().into_bytes(), "x[0]: a DSSE envelope, and not usable"),
        (both.to_string().into_bytes(), "in two spellings"),
        (text.as_bytes()[..text.len() - 1].to_vec(), "the file is not JSON: EOF"),
        (b"\xef\xbb\xbf".to_vec(), "the file is empty"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}".to_vec(), "the file is not JSON"),
        (b"\xff\xfe{\0".to_vec(), "UTF-16"),
        (b"-----BEGIN PUBLIC KEY-----\n".to_vec(), "PEM"),
        (b"\x1f\x8bx".to_vec(), "gzipped, and damaged"),
        (gzip(&vec![b' '; MAX_FILE + 1]), "unpacked"),
        (gzip(b""), "the file is empty"),
        (vec![b' '; MAX_FILE + 1], "more than 16777216 bytes"),
    ] {
        let said = refused(&bytes);
        assert!(said.contains(why), "{said:?} is not about {why:?}");
    }
    let deep = (0..20).fold(envelope, |inner, _| json!([inner]));
    assert!(refused(deep.to_string().as_bytes()).contains("levels deep"));
    let many = vec![json!({"payload": "", "payloadType": "t"}); MAX_ITEMS + 1];
    assert!(refused(Value::from(many).to_string().as_bytes()).contains("more than 1024 attestations"));
}

/// What this program wrote is known to be as it was written, or not.
#[test]
fn in_what_a_file_deviates_from_ours() {
    let key = key();
    let text = envelope(&key);
    let unsigned = Unsigned::new(payload()).unwrap();
    let signature = key.sign(unsigned.pae());
    let ours = Envelope::assemble(unsigned, signature, key.public()).unwrap();
    let line = String::from_utf8(ours.to_json()).unwrap();
    let bundle = String::from_utf8(crate::bundle::Bundle::new(ours).unwrap().to_json()).unwrap();
    let deviation =
        |text: &str| match AttestationFile::read(text.as_bytes()).unwrap().into_items().remove(0).found {
            Found::Attestation(signed) => signed.content.deviation().map(str::to_owned),
            other => panic!("{other:?}"),
        };
    let (head, tail) = bundle.split_once("\"publicKey\":").unwrap();
    let tail = tail.split_once('}').unwrap().1;
    let certified = |certificate: &str| format!("{head}{certificate}{tail}");
    for same in [
        format!("{line}\n"),
        line.clone(),
        format!("{line}\r\n"),
        bundle.clone(),
        certified(r#""certificate":{"rawBytes":"MAA="}"#),
        format!("[{bundle}]"),
        format!("{line}\n{line}\n"),
    ] {
        assert_eq!(deviation(&same), None, "{same}");
    }
    for other in [
        format!(" {line}\n"),
        format!("{line} \n"),
        format!("{line} \n{line}\n"),
        line.replace("\"keyid\"", "\"keyie\""),
        line.replace("\"keyid\"", "\"a\":null,\"keyid\""),
        bundle.replace("\"mediaType\"", "\"nediaType\""),
        bundle.replace("\"hint\":\"SHA256", "\"hint\":\"SHA255"),
        bundle.replace("v0.3+json", "v0.3.1+json"),
        bundle.replace("\"publicKey\":{", "\"certificate\":{"),
        certified(r#""certificate":{"rawBytes":"MAA"}"#),
        certified(r#""certificate":{"rawBytes":"MAA=","a":1}"#),
        certified(r#""certificate":{ "rawBytes":"MAA="}"#),
        certified(r#""x509CertificateChain":{"rawBytes":"MAA="}"#),
        json!({"x": text}).to_string(),
    ] {
        assert!(deviation(&other).is_some(), "{other}");
    }
}

/// Chainloop wrote signatures so for a while, and reads them ever since.
#[test]
fn what_is_encoded_twice_is_what_was_signed() {
    for key_type in KeyType::ALL {
        let key = PrivateKey::generate(key_type).unwrap();
        let envelope = envelope(&key);
        let again = |text: &Value| Value::from(STANDARD.encode(text.as_str().unwrap()));
        let (mut signature, mut payload, mut both) = (envelope.clone(), envelope.clone(), envelope.clone());
        signature["signatures"][0]["sig"] = again(&envelope["signatures"][0]["sig"]);
        payload["payload"] = again(&envelope["payload"]);
        both["signatures"][0]["sig"] = signature["signatures"][0]["sig"].clone();
        both["payload"] = payload["payload"].clone();
        for twice in [signature.clone(), payload.clone(), both.clone()] {
            for file in [twice.clone(), bundle(&twice), snake(&bundle(&twice)), json!([twice])] {
                let file = read(&file);
                assert_eq!(signed_by(&file, &key), 1);
                let Found::Attestation(signed) = &file.items()[0].found else { panic!("{file:?}") };
                assert!(signed.content.deviation().is_some(), "no version of ours wrote that");
            }
        }
        // Three times nobody wrote it.
        signature["signatures"][0]["sig"] = again(&signature["signatures"][0]["sig"]);
        assert_eq!(signed_by(&read(&signature), &key), 0);
        payload["payload"] = again(&payload["payload"]);
        assert_eq!(signed_by(&read(&payload), &key), 0);
        // What was signed as base64 is no statement, whatever it stands for.
        let unsigned = Unsigned::new(STANDARD.encode("{}").into_bytes()).unwrap();
        both["payload"] = STANDARD.encode(STANDARD.encode("{}")).into();
        both["signatures"][0]["sig"] = STANDARD.encode(key.sign(unsigned.pae()).as_bytes()).into();
        let file = read(&both);
        let Found::Attestation(signed) = &file.items()[0].found else { panic!("{file:?}") };
        signed.content.verify(&[key.public()]).unwrap_err();
    }
}

fn wrapped() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0..6_u8, 0..6)
}

#[expect(clippy::needless_pass_by_value, reason = "it goes into what is returned")]
fn wrap(inner: Value, how: u8) -> Value {
    match how {
        0 => json!([inner]),
        1 => json!([{"unknown": 1}, inner, "text"]),
        2 => json!({"attestations": [{"bundle": inner}]}),
        3 => json!({"provenance_summary": {"provenance": [{"envelope": inner, "build": {}}]}}),
        4 => json!({"else": inner, "n": null}),
        _ => json!({"attestations": [inner]}),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_nesting_is_found_and_verifies(hows in wrapped(), as_bundle: bool, pretty: bool, packed: bool, flip: proptest::sample::Index) {
        let key = key();
        let inner = envelope(&key);
        let start = if as_bundle { bundle(&inner) } else { inner.clone() };
        let mut depth = 0;
        let mut file = start;
        for how in hows {
            let deeper = [1, 1, 3, 4, 1, 2][usize::from(how)];
            if depth + deeper <= 8 {
                depth += deeper;
                file = wrap(file, how);
            }
        }
        let text = |file: &Value| if pretty { serde_json::to_string_pretty(file).unwrap() } else { file.to_string() };
        let read = |text: &str| if packed { AttestationFile::read(&gzip(text.as_bytes())) } else { AttestationFile::read(text.as_bytes()) };
        let plain = text(&file);
        prop_assert_eq!(signed_by(&read(&plain).unwrap(), &key), 1, "{}", plain);

        // One byte of what is signed, or of the signature, and it is not.
        for member in ["payload", "sig"] {
            let of = if member == "payload" { &inner["payload"] } else { &inner["signatures"][0]["sig"] };
            let old = of.as_str().unwrap();
            let mut bytes = STANDARD.decode(old).unwrap();
            let at = flip.index(bytes.len());
            bytes[at] ^= 1;
            let changed = plain.replace(old, &STANDARD.encode(bytes));
            prop_assert_eq!(read(&changed).map_or(0, |file| signed_by(&file, &key)), 0);
        }
    }

    #[test]
    fn no_bytes_are_a_danger(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = AttestationFile::read(&bytes);
    }
}
