//! The policy file and its evaluation, together: what is written is what is judged.

use std::path::Path;

use jiff::Timestamp;
use serde_json::json;

use super::document::InvalidPolicy;
use super::*;
use crate::keys::{KeyType, PrivateKey, PublicKey};
use crate::proof::Proof;
use crate::slsa::Provenance;

const POLICY: &str = r#"
apiVersion: argo-attest.io/v1
kind: VerificationPolicy
keys:
  - {name: ci-2026, file: /etc/argo-attest/ci-2026.pub, notAfter: 2027-06-30T00:00:00Z}
  - {name: ci-2027, file: ci-2027.pub, notBefore: 2027-01-01T00:00:00Z}
stores:
  - {name: main, addresses: ["https://s3.example.com", "http://minio.argo:9000"]}
  - {name: other, addresses: ["https://s3.amazonaws.com"]}
builders:
  - {id: "https://ci.example.com/argo", keys: [ci-2026, ci-2027]}
  - {id: "https://ci.example.com/other", keys: [ci-2027]}
expect:
  workflow: {namespace: ci, name: "build-*"}
  template: [build, test]
  storedMatch: required
  maxAge: 720h
  stores: [main]
  templateSource: pod
  form: native
missing: fail
"#;

fn parse(yaml: &str) -> Result<Policy, InvalidPolicy> {
    Policy::from_yaml(yaml.as_bytes(), |_: &Path| {
        Ok::<PublicKey, std::io::Error>(PrivateKey::generate(KeyType::Ed25519).unwrap().public().clone())
    })
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn provenance() -> serde_json::Value {
    json!({
        "buildDefinition": {
            "buildType": "https://example.com/t",
            "externalParameters": {
                "workflow": {"name": "build-7", "namespace": "ci"},
                "template": {"name": "test"},
            },
            "internalParameters": {"sidecar": {"form": "native", "templateSource": "workflow"}},
        },
        "runDetails": {
            "builder": {"id": "https://ci.example.com/argo"},
            "metadata": {"finishedOn": "2026-11-01T00:00:00Z"},
            "byproducts": [{"name": "stored-object", "uri": "s3://b/k", "annotations": {
                "check": "read-back", "endpoint": "http://minio.argo:9000",
            }}],
        },
    })
}

fn judge_by(
    policy: &Policy,
    key: usize,
    provenance: &Provenance,
    now: Timestamp,
) -> Result<(), PolicyViolation> {
    let vouched = Vouched { by: &[Principal::Key(key)], proof: &Proof::default(), now };
    policy.judge(provenance, vouched).map(drop)
}

fn judge(change: impl FnOnce(&mut serde_json::Value), key: usize, now: &str) -> Result<(), PolicyViolation> {
    let mut value = provenance();
    change(&mut value);
    let provenance: Provenance = serde_json::from_value(value).unwrap();
    judge_by(&parse(POLICY).unwrap(), key, &provenance, time(now))
}

const NOW: &str = "2026-11-23T00:00:00Z";

#[test]
fn accepts_what_it_describes() {
    judge(|_| (), 0, NOW).unwrap();
}

#[test]
fn says_what_it_does_not_accept() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, usize, &str, &str); 13] = [
        (
            |v| v["runDetails"]["builder"]["id"] = "https://evil.example".into(),
            0,
            NOW,
            "not trusted for builder",
        ),
        (
            |v| v["runDetails"]["builder"]["id"] = "https://ci.example.com/other".into(),
            0,
            NOW,
            "ci-2026 is not",
        ),
        (|_| (), 2, NOW, "not trusted"),
        (|_| (), 1, NOW, "only from 2027-01-01T00:00:00Z"),
        (|_| (), 0, "2027-07-01T00:00:00Z", "only until 2027-06-30T00:00:00Z"),
        (
            |v| v["buildDefinition"]["externalParameters"]["workflow"]["namespace"] = "dev".into(),
            0,
            NOW,
            "namespace is \"dev\"",
        ),
        (
            |v| v["buildDefinition"]["externalParameters"]["workflow"]["name"] = "rebuild-7".into(),
            0,
            NOW,
            "name is \"rebuild-7\"",
        ),
        (
            |v| v["buildDefinition"]["externalParameters"] = json!({"command": ["x"]}),
            0,
            NOW,
            "names no workflow",
        ),
        (
            |v| v["buildDefinition"]["externalParameters"]["template"]["name"] = "deploy".into(),
            0,
            NOW,
            "template is \"deploy\"",
        ),
        (|v| v["runDetails"]["byproducts"] = json!([{"name": "stored-object"}]), 0, NOW, "does not say"),
        (|v| v["runDetails"]["metadata"]["finishedOn"] = "2026-10-01T00:00:00Z".into(), 0, NOW, "longer ago"),
        (
            |v| v["runDetails"]["metadata"]["finishedOn"] = "2026-11-24T00:00:00Z".into(),
            0,
            NOW,
            "no time that can be",
        ),
        (|v| v["runDetails"]["metadata"] = json!({}), 0, NOW, "absent"),
    ];
    for (change, key, now, why) in cases {
        let violation = judge(change, key, now).unwrap_err();
        assert!(violation.to_string().contains(why), "{violation} / {why}");
    }
}

/// Where it is stored, with what its template was compared, and how it was watched.
#[test]
fn says_which_store_source_and_form_it_does_not_accept() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(Change, &str); 9] = [
        (
            |v| {
                v["runDetails"]["byproducts"][0]["annotations"]["endpoint"] =
                    "https://s3.amazonaws.com".into();
            },
            "the store is \"https://s3.amazonaws.com\", not one of [\"main\"]",
        ),
        (
            |v| v["runDetails"]["byproducts"][0]["annotations"] = json!({"check": "read-back"}),
            "the store is not stated",
        ),
        (
            |v| {
                v["runDetails"]["byproducts"][0]["annotations"]["endpoint"] =
                    json!(["https://s3.example.com"]);
            },
            "the store is not stated",
        ),
        (
            |v| {
                let other = json!({"name": "stored-object", "uri": "s3://b/x", "annotations": {"endpoint": "https://evil"}});
                v["runDetails"]["byproducts"].as_array_mut().unwrap().push(other);
            },
            "the store is \"https://evil\"",
        ),
        (
            |v| v["buildDefinition"]["internalParameters"]["sidecar"]["templateSource"] = "text".into(),
            "the template's source is \"text\", not at least \"pod\"",
        ),
        (
            // As the version before wrote it: where the text was found.
            |v| v["buildDefinition"]["internalParameters"]["sidecar"]["templateSource"] = "env".into(),
            "the template's source is \"env\"",
        ),
        (|v| v["buildDefinition"]["internalParameters"] = json!({}), "the template's source is not stated"),
        (
            |v| v["buildDefinition"]["internalParameters"]["sidecar"]["templateSource"] = json!(["workflow"]),
            "the template's source is not stated",
        ),
        (
            |v| v["buildDefinition"]["internalParameters"]["sidecar"]["form"] = "sidecar".into(),
            "the sidecar's form is \"sidecar\", not \"native\"",
        ),
    ];
    for (change, why) in cases {
        let violation = judge(change, 0, NOW).unwrap_err();
        assert!(violation.to_string().contains(why), "{violation} / {why}");
    }
}

#[test]
fn a_builders_clock_may_be_a_little_ahead() {
    judge(|v| v["runDetails"]["metadata"]["finishedOn"] = "2026-11-23T00:04:00Z".into(), 0, NOW).unwrap();
}

#[test]
fn the_evidence_of_an_image_has_an_order() {
    let accepts = |least: &str, said: Option<serde_json::Value>| {
        let expect = format!("form: native\n  imageEvidence: {least}");
        let policy = parse(&POLICY.replace("form: native", &expect)).unwrap();
        let mut value = provenance();
        if let Some(said) = said {
            value["buildDefinition"]["internalParameters"]["image"] = said;
        }
        let provenance: Provenance = serde_json::from_value(value).unwrap();
        judge_by(&policy, 0, &provenance, time(NOW)).is_ok()
    };
    for (least, accepted) in [
        ("written", &["written"][..]),
        ("changed", &["written", "changed"]),
        ("named", &["written", "changed", "named"]),
    ] {
        for said in ["written", "changed", "named", "seen", "Written", ""] {
            let image = json!({"evidence": said});
            assert_eq!(accepts(least, Some(image)), accepted.contains(&said), "{least} {said}");
        }
        for other in [None, Some(json!("written")), Some(json!({"evidence": ["written"]})), Some(json!({}))] {
            assert!(!accepts(least, other.clone()), "{least} {other:?}");
        }
    }
    let error = parse(&POLICY.replace("form: native", "imageEvidence: seen")).unwrap_err();
    assert!(error.to_string().contains("not written, changed or named"), "{error}");
}

#[test]
fn the_source_of_the_template_has_an_order() {
    let accepts = |least: &str, said: &str| {
        let policy =
            parse(&POLICY.replace("templateSource: pod", &format!("templateSource: {least}"))).unwrap();
        let mut value = provenance();
        value["buildDefinition"]["internalParameters"]["sidecar"]["templateSource"] = said.into();
        let provenance: Provenance = serde_json::from_value(value).unwrap();
        judge_by(&policy, 0, &provenance, time(NOW)).is_ok()
    };
    for (least, accepted) in [
        ("workflow", &["workflow"][..]),
        ("pod", &["workflow", "pod"]),
        ("text", &["workflow", "pod", "text"]),
    ] {
        for said in ["workflow", "pod", "text", "env", "Workflow", "", "workflow "] {
            assert_eq!(accepts(least, said), accepted.contains(&said), "{least} {said}");
        }
    }
}

#[test]
fn a_store_is_known_by_any_of_its_addresses() {
    for endpoint in ["http://minio.argo:9000", "https://S3.Example.com:443/"] {
        judge(|v| v["runDetails"]["byproducts"][0]["annotations"]["endpoint"] = endpoint.into(), 0, NOW)
            .unwrap();
    }
    // What is only vouched for says so in its parameters, too.
    let object = json!({"uri": "s3://b/k", "endpoint": "https://s3.example.com"});
    let vouched = |object: serde_json::Value| {
        let policy = parse(&POLICY.replace("  storedMatch: required\n", "")).unwrap();
        let mut value = provenance();
        value["buildDefinition"]["buildType"] = crate::slsa::EXISTING_OBJECT_BUILD_TYPE.into();
        value["buildDefinition"]["externalParameters"]["object"] = object;
        value["runDetails"]["byproducts"] = json!([]);
        judge_by(&policy, 0, &serde_json::from_value(value).unwrap(), time(NOW))
    };
    vouched(object).unwrap();
    for object in
        [json!({"uri": "s3://b/k", "endpoint": "https://evil"}), json!({"uri": "s3://b/k"}), json!("x")]
    {
        vouched(object.clone()).expect_err(&object.to_string());
    }
}

#[test]
fn refuses_a_file_that_may_mean_something_else() {
    for (from, to, why) in [
        ("missing: fail", "missing: ignore", "missing is \"ignore\", not fail or warn"),
        ("missing: fail", "missing: [fail]", "missing is not text"),
        ("missing: fail", "missing: {git: maybe}", "missing.git is \"maybe\", not fail or warn"),
        ("missing: fail", "missing: {git: {a: warn}}", "missing.git is not text"),
        ("missing: fail", "missing: {gti: warn}", "unknown field `missing.gti`"),
        ("missing: fail", "missing: {S3: warn}", "unknown field `missing.S3`"),
        ("missing: fail", "missing: {}", "missing is empty"),
        ("missing: fail", "missing: {git: warn, git: warn}", "\"git\" is there twice"),
        ("builders:", "bulders:", "unknown field `bulders`"),
        ("file:", "fil:", "unknown field `keys[0].fil`"),
        ("missing: fail", "missing: {raw: fail}", "missing.raw says nothing: a `raw` input is compared"),
        ("storedMatch:", "storedmatch:", "unknown field `expect.storedmatch`"),
        ("missing: fail", "missing: fail\nmissing: warn", "\"missing\" is there twice"),
        ("kind: VerificationPolicy", "kind: Policy", "not argo-attest.io/v1 VerificationPolicy"),
        ("argo-attest.io/v1", "argo-attest.io/v2", "not argo-attest.io/v1"),
        ("keys: [ci-2026, ci-2027]", "keys: [ci-2025]", "is \"ci-2025\", not a name that `keys` lists"),
        ("keys: [ci-2026, ci-2027]", "keys: [ci-2026, ci-2026]", "builders[0].keys[1] is there twice"),
        ("name: ci-2027,", "name: ci-2026,", "keys[1] is there twice"),
        ("ci.example.com/other", "ci.example.com/argo", "builders[1] is there twice"),
        ("[build, test]", "[build, build]", "expect.template[1] is there twice"),
        ("stores: [main]", "stores: [main, main]", "expect.stores[1] is there twice"),
        ("stores: [main]", "stores: [none]", "not the name of a store that `stores` lists"),
        ("stores: [main]", "stores: main", "expect.stores is not a list"),
        ("name: other", "name: main", "stores[1] has a name or an address that another store has"),
        (
            "s3.amazonaws.com",
            "S3.example.com:443/",
            "stores[1] has a name or an address that another store has",
        ),
        ("http://minio.argo:9000", "https://s3.example.com.", "stores[0].addresses[1] is there twice"),
        (
            "http://minio.argo:9000",
            "minio:9000",
            "stores[0].addresses[1] is \"minio:9000\", not a store's address",
        ),
        ("templateSource: pod", "templateSource: env", "not workflow, pod or text"),
        ("form: native", "form: plain", "not native or sidecar"),
        ("720h", "soon", "expect.maxAge is \"soon\", not a duration"),
        ("720h", "-720h", "maxAge"),
        ("720h", "0s", "maxAge"),
        ("2027-06-30T00:00:00Z", "2027-06-30", "keys[0].notAfter is \"2027-06-30\""),
        (
            "notAfter: 2027-06-30T00:00:00Z",
            "notBefore: 2027-06-30T00:00:00Z, notAfter: 2027-06-30T00:00:00Z",
            "not a time, after notBefore",
        ),
        ("form: native", "form: native\n  log: yes", "expect.log is \"yes\", not required or optional"),
        (
            "form: native",
            "form: native\n  time: always",
            "expect.time is \"always\", not required or optional",
        ),
        ("namespace: ci", "namespace: [ci]", "expect.workflow.namespace is not text"),
        ("namespace: ci", "namespace: {ci: ci}", "expect.workflow.namespace is not text"),
        ("namespace: ci", "namespace: &x ci", "anchors and aliases are not read"),
        ("namespace: ci", "namespace: !!str ci", "tags are not read"),
        ("namespace: ci", "<<: {namespace: ci}", "unknown field `expect.workflow.<<`"),
    ] {
        let changed = POLICY.replacen(from, to, 1);
        assert_ne!(changed, POLICY);
        let error = parse(&changed).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(why), "{to}: {error}");
    }
    parse("keys: []").map(|_| ()).unwrap_err();
    assert!(matches!(
        Policy::from_yaml(&vec![b' '; 2 << 20], |_: &Path| Err::<PublicKey, _>("no")),
        Err(InvalidPolicy::TooLarge)
    ));
    let not_text = Policy::from_yaml(b"a: \xff", |_: &Path| Err::<PublicKey, _>("no")).map(|_| ());
    assert!(not_text.unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn what_is_missing_may_be_of_a_kind() {
    use crate::argo::StoreKind;

    let missing = |text: &str| {
        let policy = parse(&POLICY.replacen("missing: fail", text, 1)).unwrap();
        ArtifactKind::all()
            .filter(|(_, kind)| policy.missing().of(Some(*kind)) == Missing::Warn)
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert!(missing("missing: fail").is_empty() && missing("").is_empty());
    assert_eq!(missing("missing: {git: warn, http: warn, s3: fail}"), ["git", "http"]);
    assert_eq!(missing("missing:\n  file: warn\n"), ["file"]);
    let all: Vec<_> = ArtifactKind::all().map(|(name, _)| name).collect();
    assert_eq!(missing("missing: warn"), all);
    // Every name that Argo has, but for the text that is compared.
    let argo = StoreKind::ALL.map(StoreKind::name).into_iter().filter(|name| *name != "raw");
    assert_eq!(all, ["file", "image"].into_iter().chain(argo).collect::<Vec<_>>());
}

#[test]
fn of_images_something_else_may_be_expected() {
    let read = |images: &str| parse(&POLICY.replacen("missing: fail", images, 1)).unwrap();
    let whole: Provenance = serde_json::from_value(provenance()).unwrap();
    let mut image = provenance();
    image["runDetails"]["byproducts"] = json!([]);
    image["buildDefinition"]["externalParameters"]["template"]["name"] = json!("image");
    image["buildDefinition"]["internalParameters"]["image"] = json!({"evidence": "changed"});
    let image: Provenance = serde_json::from_value(image).unwrap();
    let now = time("2026-11-02T00:00:00Z");
    // Nothing is said of them: the same as of everything.
    let policy = read("");
    assert!(!policy.images().tags);
    judge_by(&policy.of_images(), 0, &whole, now).unwrap();
    judge_by(&policy.of_images(), 0, &image, now).unwrap_err();
    judge_by(&policy.upstream_images(), 0, &image, now).unwrap_err();
    let policy =
        read("images: {tags: allow, expect: {template: [image], imageEvidence: changed, maxAge: 48h}}");
    assert!(policy.images().tags);
    judge_by(&policy, 0, &whole, now).unwrap();
    judge_by(&policy.of_images(), 0, &image, now).unwrap();
    judge_by(&policy.of_images(), 0, &whole, now).unwrap_err();
    // What went into something may be old; who may make images is asked all the same.
    let later = time("2026-12-24T00:00:00Z");
    judge_by(&policy.of_images(), 0, &image, later).unwrap_err();
    judge_by(&policy.upstream_images(), 0, &image, later).unwrap();
    judge_by(&policy.upstream_images(), 0, &whole, now).unwrap_err();
    // One builder is asked for of everything.
    let other = policy.only_builder("https://ci.example.com/other".into());
    judge_by(&other.of_images(), 0, &image, now).unwrap_err();
    judge_by(&other.upstream_images(), 0, &image, now).unwrap_err();
    for bad in
        ["images: {tags: yes}", "images: {tag: allow}", "images: {expect: {stores: [none]}}", "images: allow"]
    {
        parse(&POLICY.replacen("missing: fail", bad, 1)).map(|_| ()).unwrap_err();
    }
}

#[test]
fn one_key_has_one_name() {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap().public().clone();
    let same = Policy::from_yaml(POLICY.as_bytes(), |_: &Path| Ok::<PublicKey, std::io::Error>(key.clone()));
    let error = same.map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "the keys \"ci-2026\" and \"ci-2027\" of the policy are one and the same");
}

/// An identity is a name and who vouched for it, and speaks for the builders that name it.
#[test]
fn identities_are_read_as_strictly_as_keys() {
    let policy = |identity: &str, builder: &str| {
        parse(&format!(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\ntrustedRoot: r.json\nidentities:\n- {identity}\n\
             builders:\n- {{id: \"https://ci.example.com/argo\", {builder}}}\n"
        ))
    };
    let identity =
        "{name: a, issuer: \"https://issuer.example.com\", identity: \"https://github.com/o/r/*\"}";
    let read = policy(identity, "identities: [a]").unwrap();
    assert!(read.trusts_identities() && read.keys().is_empty());
    assert_eq!(read.needs_trusted_root(), Some("identities"));
    assert_eq!(read.name_of(Principal::Identity(0)), "a");
    for (identity, builder, why) in [
        (identity, "identities: [b]", "is \"b\", not a name that `identities` lists"),
        (identity, "identities: [a, a]", "builders[0].identities[1] is there twice"),
        (identity, "identities: []", "builders[0].identities is empty"),
        (identity, "keys: [a]", "is \"a\", not a name that `keys` lists"),
        ("{name: a, issuer: i}", "identities: [a]", "identities[0].identity is missing"),
        ("{name: a, identity: i}", "identities: [a]", "identities[0].issuer is missing"),
        (
            "{name: a, issuer: i, identity: x, file: f}",
            "identities: [a]",
            "unknown field `identities[0].file`",
        ),
        ("{name: a, issuer: i, identity: \"*\"}", "identities: [a]", "identities[0].identity is \"*\", not"),
        ("{name: a, issuer: i, identity: [x]}", "identities: [a]", "identities[0].identity is not text"),
    ] {
        let error = policy(identity, builder).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

/// The policy of these tests in JSON, which is YAML: every field that there is.
fn document() -> serde_json::Value {
    json!({
        "apiVersion": "argo-attest.io/v1",
        "kind": "VerificationPolicy",
        "keys": [{
            "name": "ci", "file": "ci.pub",
            "notBefore": "2026-01-01T00:00:00Z", "notAfter": "2027-06-30T00:00:00Z",
        }],
        "builders": [{"id": "https://ci.example.com/argo", "keys": ["ci"]}],
        "stores": [{"name": "main", "addresses": ["https://s3.example.com"]}],
        "expect": {
            "workflow": {"namespace": "ci", "name": "build-*"},
            "template": ["build"],
            "storedMatch": "required",
            "maxAge": "720h",
            "stores": ["main"],
            "templateSource": "workflow",
            "form": "native",
            "log": "required",
            "time": "optional",
        },
        "trustedRoot": "trusted_root.json",
        "images": {"tags": "allow", "expect": {"template": ["image"], "imageEvidence": "changed"}},
        "missing": {"s3": "fail", "git": "warn"},
    })
}

/// Every value in it: its pointer (RFC 6901), and what an error has to call it.
fn values(value: &serde_json::Value, pointer: &str, name: &str, all: &mut Vec<(String, String)>) {
    let mut add = |pointer: String, name: String, value| {
        values(value, &pointer, &name, all);
        all.push((pointer, name));
    };
    match value {
        serde_json::Value::Object(fields) => fields.iter().for_each(|(field, value)| {
            let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
            add(format!("{pointer}/{field}"), name, value);
        }),
        serde_json::Value::Array(items) => items.iter().enumerate().for_each(|(n, value)| {
            add(format!("{pointer}/{n}"), format!("{name}[{n}]"), value);
        }),
        _ => {}
    }
}

/// A field that is there says something. Nothing in the file may mean "anything" but a
/// field that is not there.
#[test]
fn a_field_that_says_nothing_is_an_error_that_names_it() {
    let whole = document();
    parse(&whole.to_string()).unwrap();
    let mut all = Vec::new();
    values(&whole, "", "", &mut all);
    assert!(all.len() >= 30, "{all:?}");
    for (pointer, name) in &all {
        for nothing in
            ["null", "~", "", "\"\"", "\" \"", "''", "[]", "{}", "[\"\"]", "[null]", "{x: }", "Null"]
        {
            let mut changed = whole.clone();
            *changed.pointer_mut(pointer).unwrap() = "NOTHING".into();
            let text = changed.to_string().replace("\"NOTHING\"", nothing);
            let error = parse(&text).map(|_| ()).expect_err(&text).to_string();
            // Of a list or an object it may be the item that says nothing, and of one item the list.
            let list = name.strip_suffix("[0]").filter(|_| nothing.is_empty()).unwrap_or(name);
            let named = [" ", "[", "."].map(|next| error.contains(&format!("{list}{next}")));
            assert!(named.contains(&true), "{name} = {nothing}: {error}");
        }
    }
    // Not there: no expectation, where there may be none.
    let required = [
        "apiVersion",
        "kind",
        "keys",
        "builders",
        "keys[0].name",
        "keys[0].file",
        "builders[0].id",
        "builders[0].keys",
        "stores[0].name",
        "stores[0].addresses",
    ];
    for (pointer, name) in all.iter().filter(|(_, name)| !name.ends_with(']')) {
        let mut changed = whole.clone();
        // Without these what depends on them is unknown.
        let also: &[&str] = if name == "stores" { &["/expect/stores"] } else { &[] };
        for pointer in also.iter().copied().chain([pointer.as_str()]) {
            let (parent, field) = pointer.rsplit_once('/').unwrap();
            changed.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
        }
        let read = parse(&changed.to_string()).map(|_| ());
        if required.contains(&name.as_str()) {
            assert!(read.unwrap_err().to_string().contains(&format!("{name} is missing")), "{name}");
        } else {
            read.unwrap();
        }
    }
}

#[test]
fn a_key_that_cannot_be_read_is_named() {
    let error =
        Policy::from_yaml(POLICY.as_bytes(), |p: &Path| Err::<PublicKey, _>(format!("no {}", p.display())))
            .map(|_| ())
            .unwrap_err();
    assert_eq!(error.to_string(), "the key \"ci-2026\" of the policy cannot be used");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "no /etc/argo-attest/ci-2026.pub");
}
