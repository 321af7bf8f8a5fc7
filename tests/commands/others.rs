//! Attestations that other tools made, through the program: each is read as what it is, and
//! verified if a key signed it.

use std::fs;

use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse;
use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

use crate::program::Desk;

const BYTES: &str = "hello\n";

/// A desk with an artifact, and the key of somebody else's tool.
struct Others {
    desk: Desk,
    key: PrivateKey,
}

impl Others {
    fn new() -> Self {
        let (desk, key) = (Desk::new(), PrivateKey::generate(KeyType::EcdsaP256).unwrap());
        desk.write("app", BYTES);
        desk.write("their.pub", key.public().to_spki_pem());
        Self { desk, key }
    }

    fn statement() -> Value {
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "app", "digest": {"sha256": Sha256Digest::of(BYTES.as_bytes()).to_string()}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {
                "buildDefinition": {"buildType": "https://theirs.example/t", "externalParameters": {"a": 1}},
                "runDetails": {"builder": {"id": "https://theirs.example/b"}},
            },
        })
    }

    fn envelope(&self, statement: &Value) -> Value {
        let payload = statement.to_string().into_bytes();
        let sig = self.key.sign(&dsse::pae(dsse::PAYLOAD_TYPE, &payload));
        json!({
            "payload": STANDARD.encode(&payload),
            "payloadType": dsse::PAYLOAD_TYPE,
            "signatures": [{"sig": STANDARD.encode(sig.as_bytes()), "keyid": "projects/p/keys/k"}],
        })
    }

    fn good(&self) -> Value {
        self.envelope(&Self::statement())
    }

    fn verify(&self, file: impl ToString, code: i32) -> String {
        self.verify_as(file, &[], code)
    }

    #[expect(clippy::needless_pass_by_value, reason = "texts and values are made where they are used")]
    fn verify_as(&self, file: impl ToString, more: &[&str], code: i32) -> String {
        self.desk.write("it", file.to_string());
        let arguments = [&["verify", "--key", "their.pub", "--bundle", "it"], more, &["app"]].concat();
        self.desk.run(arguments).with(code).out
    }
}

#[test]
fn whatever_it_is_carried_in_it_verifies() {
    let others = Others::new();
    let envelope = others.good();
    let bundle = |kind: &str| json!({"mediaType": kind, "verificationMaterial": {"publicKey": {"hint": "h"}, "more": 1}, "dsseEnvelope": envelope});
    let mut extra = envelope.clone();
    extra["signatures"][0]["cert"] = json!(null);
    extra["more"] = json!(1);
    let mut url_safe = envelope.clone();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    url_safe["payload"] = URL_SAFE.encode(payload).into();
    let current = bundle("application/vnd.dev.sigstore.bundle.v0.3+json");
    let twice = |text: &Value| Value::from(STANDARD.encode(text.as_str().unwrap()));
    let mut chainloop = bundle("application/vnd.dev.sigstore.bundle+json;version=0.3");
    chainloop["dsseEnvelope"]["signatures"][0]["sig"] = twice(&envelope["signatures"][0]["sig"]);
    let mut both = chainloop.clone();
    both["dsseEnvelope"]["payload"] = twice(&envelope["payload"]);
    let mut no_name = Others::statement();
    no_name["subject"][0].as_object_mut().unwrap().remove("name");
    for file in [
        envelope.to_string(),
        serde_json::to_string_pretty(&envelope).unwrap(),
        extra.to_string(),
        url_safe.to_string(),
        bundle("application/vnd.dev.sigstore.bundle+json;version=0.1").to_string(),
        bundle("application/vnd.dev.sigstore.bundle+json;version=0.2").to_string(),
        bundle("application/vnd.dev.sigstore.bundle+json;version=0.3").to_string(),
        current.to_string(),
        chainloop.to_string(),
        both.to_string(),
        format!("{current}\n{current}\n"),
        json!({"attestations": [{"bundle": current}]}).to_string(),
        json!([current]).to_string(),
        json!({"base64Signature": STANDARD.encode(envelope.to_string())}).to_string(),
        // One line of another kind is no reason to refuse the others.
        format!("{envelope}\n# a note\n{{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[]}}\n"),
    ] {
        let said = others.verify(&file, 0);
        assert!(said.contains("as app, signed with their.pub"), "{said}");
        assert!(
            said.contains("builder https://theirs.example/b, build type https://theirs.example/t"),
            "{said}"
        );
        let changed = file.replace(BYTES, "");
        assert_eq!(changed, file, "what is signed is no part of this test");
    }
    let said = others.verify(others.envelope(&no_name), 0);
    assert!(said.contains("  signed with their.pub"), "no name, and no gap where it would be: {said}");
    others.desk.write("app", "other\n");
    assert!(others.verify(&envelope, 1).contains("not one that is attested"));
}

#[test]
fn the_reason_is_the_true_one() {
    let others = Others::new();
    let envelope = others.good();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut statement = Others::statement();
        change(&mut statement);
        others.envelope(&statement)
    };
    let twice = envelope.to_string().replacen("\"sig\"", "\"sig\":\"\",\"sig\"", 1);
    let mut unsigned = envelope;
    unsigned["signatures"] = json!([]);
    let mut other_type = others.good();
    other_type["payloadType"] = "text/plain".into();
    for (file, why) in [
        (String::new(), "the file is empty"),
        ("hello".into(), "the file is not JSON"),
        (twice, "duplicate field `sig`"),
        (unsigned.to_string(), "the envelope has no signature"),
        (other_type.to_string(), "there is no signed statement in it: it is DSSE envelope"),
        (Others::statement().to_string(), "it is in-toto statement, unsigned"),
        (
            with(&|s| s["subject"][0]["digest"] = json!({"sha1": "00"})).to_string(),
            "names its subjects by sha1",
        ),
        (
            with(&|s| s["predicateType"] = "https://slsa.dev/provenance/v1.1".into()).to_string(),
            "provenance/v1.1\", and SLSA",
        ),
        (with(&|s| s["subject"] = json!([])).to_string(), "no subjects"),
    ] {
        let said = others.verify(&file, 1);
        assert!(said.contains(why), "{said:?} is not about {why:?}");
    }
    others.desk.write("app.sigstore.json", "{}");
    let said = others.desk.run(["verify", "--key", "their.pub", "app.sigstore.json"]).with(1);
    said.says("it is called like an attestation");
    // In another predicate than provenance, if that is what is asked for.
    let spdx = with(&|s| s["predicateType"] = "https://spdx.dev/Document".into());
    assert!(others.verify(&spdx, 1).contains("--type https://spdx.dev/Document"));
    assert!(others.verify_as(&spdx, &["--type", "spdx"], 0).contains("predicate https://spdx.dev/Document"));
    others.verify_as(&spdx, &["--type", "cyclonedx"], 1);
    // By longer digests.
    let sha512 = "e7c22b994c59d9cf2b48e549b1e24666636045930d3da7c1acb299d1c3b7f931f94aae41edda2c2b207a36e10f8bcb8d45223e54878f5b316e7ce3b6bc019629";
    let long = with(&|s| s["subject"][0]["digest"] = json!({"sha512": sha512.to_uppercase()}));
    others.verify(&long, 0);
    let long = with(&|s| s["subject"][0]["digest"] = json!({"sha512": sha512.replace('e', "f")}));
    assert!(others.verify(&long, 1).contains("not one that is attested"));
}

/// A keyless bundle beside the artifact hides nothing that lies beside it as well.
#[test]
fn where_the_first_does_not_do_the_next_is_tried() {
    let others = Others::new();
    let mut keyless = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"certificate": {"rawBytes": "MAA="}, "tlogEntries": []},
        "dsseEnvelope": others.good(),
    });
    keyless["dsseEnvelope"]["signatures"][0]["sig"] = "AAAA".into();
    let verify = |code: i32| others.desk.run(["verify", "--key", "their.pub", "app"]).with(code).out;
    others.desk.write("app.sigstore.json", keyless.to_string());
    assert!(verify(1).contains("signed with a certificate"));
    others.desk.write("app.intoto.jsonl", format!("{}\n", others.good()));
    let said = verify(0);
    assert!(said.contains("app.sigstore.json was passed over: signed with a certificate for"), "{said}");
    let arguments = ["verify", "--json", "--key", "their.pub", "app"];
    let json: Value = serde_json::from_str(&others.desk.run(arguments).with(0).out).unwrap();
    assert!(json["passedOver"].as_str().unwrap().contains("app.sigstore.json"), "{json}");
    assert_eq!(json["predicateType"], "https://slsa.dev/provenance/v1");
}

/// A result that was restored, and one that a second key attested: the lines still hold what fits.
#[test]
fn what_was_rolled_back_or_signed_anew_is_found_in_the_lines() {
    let desk = Desk::new();
    desk.attest(&["app"], "echo v1 > app").with(0);
    desk.attest(&["app"], "echo v2 > app").with(0);
    desk.write("app", "v1\n");
    desk.accepted(["app"]).says("app.sigstore.json was passed over: its digest");
    desk.run(["keygen", "--out-dir", "k2"]).with(0);
    desk.run(["run", "--key", "k2/attest.key", "--outputs", "app", "--", "sh", "-c", "echo v1 > app"])
        .with(0);
    desk.accepted(["app"]).says("app.sigstore.json was passed over: not signed with a trusted key");
    desk.write("app", "v3\n");
    desk.rejected(["app"], "was passed over");
}

#[test]
fn an_outcome_is_verified_and_shown() {
    let others = Others::new();
    let outcome = |builder: &str| {
        let id = "uid/node/pod";
        let output =
            json!({"name": "bin", "path": "/out/bin", "verdict": "refused", "reason": "it is a FIFO"});
        let signed = others.envelope(&json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "urn:argo-attest:invocation:uid", "digest": {"sha256": Sha256Digest::of(id.as_bytes()).to_string()}}],
            "predicateType": "https://argo-attest.github.io/step-outcome/v1",
            "predicate": {
                "invocationId": id, "builder": {"id": builder}, "template": {"name": "build"},
                "state": "succeeded", "complete": false, "outputs": [output],
            },
        }));
        let mut ours = signed;
        ours["signatures"][0]["keyid"] = others.key.public().key_id().to_string().into();
        ours
    };
    others.desk.write("o.intoto.jsonl", format!("{}\n", outcome("https://b.example")));
    let verify = |more: &[&str], code: i32| {
        let arguments = [&["verify", "--key", "their.pub", "--outcome", "o.intoto.jsonl"], more].concat();
        others.desk.run(arguments).with(code)
    };
    verify(&[], 0)
        .says("accepted  o.intoto.jsonl  an outcome, signed with their.pub")
        .says("state        succeeded")
        .says("  refused     bin  /out/bin\n    it is a FIFO\n");
    verify(&["--builder-id", "https://b.example"], 0);
    verify(&["--builder-id", "https://other.example"], 1);
    let json: Value = serde_json::from_str(&verify(&["--json"], 0).out).unwrap();
    assert_eq!(json["outcome"]["outputs"][0]["verdict"], "refused");
    assert_eq!(
        (&json["outcome"]["state"], &json["outcome"]["complete"]),
        (&json!("succeeded"), &json!(false))
    );
    others
        .desk
        .run(["inspect", "o.intoto.jsonl"])
        .with(0)
        .says("state        succeeded")
        .says("it is a FIFO");
    // It is our own: any other name of the key is a change.
    let mut altered = outcome("https://b.example");
    altered["signatures"][0]["keyid"] = "k".into();
    others.desk.write("o.intoto.jsonl", format!("{altered}\n"));
    verify(&[], 1).says("the attestation was altered");
    others.desk.write("o.intoto.jsonl", format!("{}\n", others.good()));
    verify(&[], 1).says("step-outcome/v1 is asked for").says("help: name a step's outcome");
}

#[test]
fn what_is_shown_says_who_is_said_to_have_signed() {
    let others = Others::new();
    let desk = &others.desk;
    desk.write("it", others.good().to_string());
    desk.run(["inspect", "it"]).with(0).says("signatures not checked").says("claimed key  projects/p/keys/k");
    let mut old = Others::statement();
    old["predicateType"] = "https://slsa.dev/provenance/v0.2".into();
    old["predicate"] = json!({"builder": {"id": "https://old.example/b"}, "buildType": "t", "materials": [{"uri": "git+u"}]});
    desk.write("it", json!({"attestations": [{"bundle": others.envelope(&old)}, {"x": 1}]}).to_string());
    let shown = desk.run(["inspect", "it"]).with(0);
    let shown = shown.says("at           attestations[0].bundle").says("builder      https://old.example/b");
    shown.says("passed over (1)\n  attestations[1]: no attestation of any kind that is known");
    let json: Value = serde_json::from_str(&desk.run(["inspect", "--json", "it"]).with(0).out).unwrap();
    assert_eq!(json["attestations"][0]["kind"], "attestation");
    assert_eq!(json["attestations"][0]["keyIds"], json!(["projects/p/keys/k"]));
    assert_eq!(json["passedOver"][0]["at"], "attestations[1]");
    desk.run(["inspect", "."]).with(74).says("name one of the files in it");
    // What verify takes of each is what it can check.
    assert_eq!(json["signaturesChecked"], false);
}

/// As Windows editors and `PowerShell` leave them: the mark says nothing, and what says something
/// else is named.
#[test]
fn a_byte_order_mark_is_passed_over() {
    let others = Others::new();
    let marked = |text: &str| format!("\u{feff}{text}");
    let (envelope, desk) = (others.good(), &others.desk);
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {"publicKey": {"hint": "h"}},
        "dsseEnvelope": envelope,
    });
    for file in [
        marked(&bundle.to_string()),
        marked(&envelope.to_string()),
        marked(&format!("{envelope}\n{envelope}\n")),
    ] {
        others.verify(&file, 0);
        desk.run(["inspect", "it"]).with(0);
    }
    // Beside the artifact, and every other file that a user brings.
    desk.write("app.sigstore.json", marked(&bundle.to_string()));
    desk.write("marked.pub", marked(&others.key.public().to_spki_pem()));
    desk.write(
        "policy.yaml",
        marked(
            "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{name: k, file: marked.pub}]\n\
             builders: [{id: \"https://theirs.example/b\", keys: [k]}]\n",
        ),
    );
    desk.run(["verify", "--key", "marked.pub", "app"]).with(0);
    desk.run(["verify", "--policy", "policy.yaml", "app"]).with(0);
    // UTF-16 is said to be that.
    let wide: Vec<u8> = marked(&bundle.to_string()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.write("wide.json", wide);
    desk.run(["inspect", "wide.json"]).with(65).says("the file is UTF-16: save it as UTF-8");
    // Around what we wrote ourselves, too, as white space is.
    desk.attest(&["own"], "echo 1 > own").with(0);
    let ours = String::from_utf8(desk.read("own.sigstore.json")).unwrap();
    desk.write("own.sigstore.json", marked(&ours));
    fs::remove_file(desk.path("own.intoto.jsonl")).unwrap();
    desk.accepted(["own"]);
}

/// What others wrote into the lines of an artifact stays there, byte for byte.
#[test]
fn a_run_adds_to_lines_of_others() {
    let others = Others::new();
    let desk = &others.desk;
    let lines = format!(
        "# a note\n{}\n{{\"payloadType\":\"t\",\"payload\":\"\",\"signatures\":[]}}\r\n{{}}",
        others.good()
    );
    desk.write("app.intoto.jsonl", &lines);
    desk.attest(&["app"], "echo 1 > app").with(0);
    let now = String::from_utf8(desk.read("app.intoto.jsonl")).unwrap();
    assert!(now.starts_with(&format!("{lines}\n")), "{now}");
    assert_eq!(now.lines().count(), 5, "{now}");
    desk.accepted(["app"]);
    desk.run(["inspect", "app.intoto.jsonl"]).with(0);
}
