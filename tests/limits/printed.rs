//! Text from elsewhere, in whatever a command says: printable, on the line where it is
//! expected, and not without end.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;

use argo_attest_core::bundle::Bundle;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::Envelope;
use argo_attest_core::keys::{KeyType, PrivateKey};
use argo_attest_core::relpath::RelPath;
use serde_json::json;

use crate::program::{Desk, Ended};
use crate::replies::with_store;
use crate::signing::Sign as _;

/// What could end a line, drive a terminal, hide or reorder text.
const HOSTILE: [&str; 12] = [
    "a\nINFO forged",
    "a\r\n\tb",
    "\u{1b}]0;title\u{7}",
    "\u{1b}[2J\u{1b}[31m",
    "\u{9b}2J",
    "\u{85}next line",
    "\u{202e}gpj.exe",
    "\u{2066}isolated\u{2069}",
    "\u{2028}\u{2029}",
    "zero\u{200b}\u{200d}\u{feff}width",
    "\u{7f}\u{8}\u{8}",
    "\u{e0001}\u{e007f}tags",
];

/// All of them, and more than a line should have.
fn all() -> String {
    HOSTILE.join("|") + &"long".repeat(20_000)
}

/// Lines, each shown as it is.
#[track_caller]
fn printable(ended: &Ended, longest: usize) {
    for text in [&ended.out, &ended.err] {
        for line in text.lines() {
            let path = RelPath::from_bytes(line.replace(['/', '%'], "").as_bytes());
            let shown = path.map(|path| path.escaped());
            assert!(
                shown.as_ref().is_ok_and(|shown| !shown.contains('%')) || line.is_empty() || line == ".",
                "{line:.300?}"
            );
            assert!(line.len() <= longest, "{} bytes: {line:.300}", line.len());
            assert!(!line.starts_with("INFO"), "{line:.300}");
        }
        assert!(!text.contains('\r') && !text.contains('\u{85}'), "{text:.300?}");
    }
}

fn key(desk: &Desk) -> PrivateKey {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    fs::write(desk.path("k.pub"), key.public().to_spki_pem()).unwrap();
    key
}

#[test]
fn what_an_attestation_says() {
    let desk = Desk::new();
    let key = key(&desk);
    fs::write(desk.path("f"), "x").unwrap();
    let text = all();
    let statement = |subject: &str, predicate: &str| {
        let descriptor = json!({
            "name": text, "uri": text, "digest": {"sha256": "00", &text[..200]: text},
            "mediaType": text, "annotations": {&text[..]: {"a": text}, "list": [text, [text]]},
        });
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": subject, "digest": {"sha256": Sha256Digest::of(b"x").to_string()}}, descriptor],
            "predicateType": predicate,
            "predicate": {
                "buildDefinition": {
                    "buildType": text,
                    "externalParameters": {&text[..]: text, "nested": {"list": [text]}},
                    "internalParameters": {"a": {&text[..]: 1}},
                    "resolvedDependencies": [descriptor],
                },
                "runDetails": {
                    "builder": {"id": text, "version": {&text[..]: text}},
                    "metadata": {"invocationId": text},
                    "byproducts": [descriptor],
                },
            },
        });
        // As JSON may have it: what is no control character is not escaped.
        statement.to_string().into_bytes()
    };
    for (subject, predicate) in [(text.as_str(), "https://slsa.dev/provenance/v1"), ("f", text.as_str())] {
        let envelope = Envelope::sign(statement(subject, predicate), &key).unwrap();
        fs::write(desk.path("f.sigstore.json"), Bundle::new(envelope).unwrap().to_json()).unwrap();
        for (arguments, longest) in [
            (&["inspect", "f.sigstore.json"][..], 5000),
            (&["inspect", "--json", "f.sigstore.json"], usize::MAX),
            (&["verify", "--key", "k.pub", "f"], 1 << 20),
            (&["verify", "--json", "--key", "k.pub", "f"], usize::MAX),
            (&["verify", "--key", "k.pub", "--builder-id", "https://b.example", "f"], 1 << 20),
            (&["verify", "--key", "k.pub", "--chain", "f"], 1 << 20),
        ] {
            let ended = desk.run(arguments);
            assert!(matches!(ended.code, Some(0 | 1)), "{:.300}", ended.err);
            printable(&ended, longest);
            if arguments.contains(&"--json") {
                serde_json::from_str::<serde_json::Value>(&ended.out).unwrap();
            }
        }
    }
}

#[test]
fn what_an_attestation_that_is_refused_says() {
    let desk = Desk::new();
    key(&desk);
    fs::write(desk.path("f"), "x").unwrap();
    for hostile in HOSTILE {
        let quoted = serde_json::Value::from(hostile).to_string();
        let (short, payload) = (format!("\"{}\"", "x".repeat(3)), "\"e30=\"");
        for text in [
            format!("{{{quoted}:1}}"),
            format!("{{\"mediaType\":{quoted}}}"),
            format!("{{\"payload\":{quoted},\"payloadType\":{short},\"signatures\":[]}}"),
            format!(
                "{{\"payload\":{payload},\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{{\"sig\":\"AA==\",\"keyid\":{quoted}}}]}}"
            ),
            hostile.to_owned(),
        ] {
            for beside in ["f.sigstore.json", "f.intoto.jsonl"] {
                fs::write(desk.path(beside), &text).unwrap();
                printable(&desk.run(["verify", "--key", "k.pub", "f"]), 2000);
                printable(&desk.run(["inspect", beside]), 2000);
                fs::remove_file(desk.path(beside)).unwrap();
            }
            fs::write(desk.path("policy.yaml"), &text).unwrap();
            printable(&desk.run(["verify", "--policy", "policy.yaml", "f"]), 2000);
            let policy = format!(
                "apiVersion: argo-attest.io/v1\nkind: VerificationPolicy\nkeys: [{{name: {quoted}, file: {quoted}}}]\nbuilders: []\n"
            );
            fs::write(desk.path("policy.yaml"), policy).unwrap();
            printable(&desk.run(["verify", "--policy", "policy.yaml", "f"]), 2000);
        }
    }
}

#[test]
fn names_of_files() {
    let desk = Desk::new();
    fs::create_dir(desk.path("out")).unwrap();
    let mut names = Vec::new();
    for hostile in HOSTILE {
        let name = hostile.replace('/', "");
        fs::write(desk.path("out").join(&name), "x").unwrap();
        std::os::unix::fs::symlink("nowhere", desk.path("out").join(format!("{name}.link"))).unwrap();
        names.push(name);
    }
    fs::write(desk.path("out").join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "x").unwrap();
    for arguments in [&["run", "--outputs", "out"][..], &["run", "--json", "--outputs", "out"]] {
        let touch = ["--", "sh", "-c", "for f in out/*; do echo >> \"$f\"; done"];
        printable(&desk.run(arguments.iter().chain(&touch)), usize::MAX);
    }
    for name in names {
        let path = format!("out/{name}");
        let bundle = format!("--bundle={path}");
        for arguments in [
            &["verify", &path][..],
            &["verify", "--json", &path],
            &["verify", "out/none", &bundle],
            &["inspect", &path],
            &["inspect", &format!("{path}.none")],
            &["inject", "--image=i", "--builder-id=https://b.example", "-f", &path],
            &["verify", "--policy", &path, "out"],
            &["verify", "--key", &path, "out"],
            &["run", "--outputs", &path, "--", "true"],
        ] {
            printable(&desk.run(arguments), 4000);
        }
    }
}

#[test]
fn names_in_workflows() {
    let desk = Desk::new();
    for hostile in HOSTILE.into_iter().chain([all().as_str()]) {
        let name = serde_json::Value::from(hostile).to_string();
        let template = format!(
            "  - name: {name}\n    metadata: {{annotations: {{argo-attest.io/attest: \"true\"}}}}\n    container: {{image: x}}\n"
        );
        let head = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: {name}}}\nspec:\n  templates:\n"
        );
        for text in [
            format!("{head}{template}"),
            format!("{head}{template}    sidecars: [{{name: argo-attest-gate, image: {name}}}]\n"),
            format!("{head}{template}    volumes: [{{name: argo-attest-key, emptyDir: {{}}}}]\n"),
            format!("{head}{template}    initContainers: []\n"),
            format!("{head}{template}    {name}: 1\n    {name}: 2\n"),
            format!("{name}: 1\n{name}: 2\n{head}{template}"),
            format!("kind: !{name} Workflow\n"),
            format!("a: &{} [*a, {name}\n", "x".repeat(10)),
            format!("{head}  - [{name}"),
            hostile.to_owned(),
        ] {
            fs::write(desk.path("w.yaml"), text).unwrap();
            let mut ended =
                desk.run(["inject", "--image=i", "--builder-id=https://b.example", "-f", "w.yaml"]);
            // The workflow itself, for kubectl, is what it was.
            ended.out.clear();
            printable(&ended, 4000);
        }
    }
}

#[test]
fn what_a_store_answers() {
    let desk = Desk::new();
    key(&desk);
    for hostile in HOSTILE {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let body = format!(
            "<Error><Code>{hostile}</Code><Message>{hostile}{}</Message></Error>",
            "long".repeat(10_000)
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut asked = vec![0; 16 * 1024];
                let _ = stream.read(&mut asked);
                let head = format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat());
            }
        });
        for log in ["warn", "trace"] {
            let mut verify = desk.program(["--log", log, "verify", "--key", "k.pub", "s3://bucket/k"]);
            let ended: Ended = with_store(&mut verify, address).output().unwrap().into();
            assert_eq!(ended.code, Some(77), "{:.300}", ended.err);
            printable(&ended, if log == "warn" { 2000 } else { usize::MAX });
        }
    }
}
