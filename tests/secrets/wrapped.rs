//! Key material within longer values: a path, a URL, a list, an option's text.
//!
//! Such a value may be real (an object may be called by 64 digits), so it need not be
//! refused as a key. It must not be repeated all the same.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use argo_attest_core::digest::Sha256Digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::canary::{Canary, Search, canaries};
use crate::cases::{Case, places};
use crate::everywhere::{OTHERS, assert_silent, program, run, written};
use crate::share::is_tried;

/// What stands around it.
const WRAPPERS: [(&str, &str); 27] = [
    ("", ""),
    ("s3://bucket/", ""),
    ("s3://bucket/a/", "/b"),
    ("s3://", "/key"),
    ("file:///", ""),
    ("https://x.example/", ""),
    ("https://x.example/?a=", "&b=c"),
    ("http://u:", "@127.0.0.1:9"),
    ("./", ""),
    ("a/../", ".key"),
    ("/proc/x/", ""),
    ("/proc/", "/attest.key"),
    ("/proc/", ".pub"),
    ("x,", ""),
    ("x", ""),
    ("a=", ""),
    ("x?", ""),
    ("", "#fragment"),
    ("", "?x"),
    ("", ".pub"),
    ("'", "'"),
    ("\"", "\""),
    ("info,argo_attest=", ""),
    ("1s ", ""),
    ("127.0.0.1:", ""),
    ("reg.example/", "@sha256:x"),
    ("env://", ""),
];

/// The same key in the forms that other tools give it.
fn others() -> Vec<Canary> {
    let bytes: Vec<u8> = ["a", "b", "c"]
        .iter()
        .flat_map(|part| *Sha256Digest::of(format!("wrapped {part}").as_bytes()).as_bytes())
        .collect();
    let seed = &bytes[..32];
    // Slashes where a path has them.
    let mut line = STANDARD.encode(&bytes[..48]).into_bytes();
    for at in [2, 9, 20, 33, 47] {
        line[at] = b'/';
    }
    let line = String::from_utf8(line).unwrap();
    let lines = [line.clone(), STANDARD.encode(&bytes[40..88])];
    // What programs take for a bucket, a host or a folder, and tell alone.
    let head: Vec<_> =
        [13, 15].map(|at| [&lines[1][..at], "/", &lines[1][at..].replace(['/', '+'], "x")].concat()).into();
    let pairs: Vec<_> = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let words: Vec<_> = pairs.chunks(2).map(<[String]>::concat).collect();
    let url_safe = URL_SAFE_NO_PAD.encode(seed);
    let base32: String = bytes[..52]
        .iter()
        .map(|b| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(b % 32)]))
        .collect();
    let jwk = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "d": url_safe, "x": url_safe});
    let spaced = jwk.to_string().replace("\":", "\": ").replace(",\"", ", \"");
    let escaped = line.replace('/', "%2F");
    let of = |name: &str, value: String, secrets: &[&str]| Canary::new(name, value, secrets);
    vec![
        of("line with slashes", line.clone(), &[&line]),
        of("line with a head", head[0].clone(), &[&head[0]]),
        of("line with a longer head", head[1].clone(), &[&head[1]]),
        of("half of a line", line[..32].to_owned(), &[&line[..32]]),
        of("other half of a line", line[32..].to_owned(), &[&line[32..]]),
        of("lines and commas", lines.join(","), &[&lines[0], &lines[1]]),
        of("lines and spaces", lines.join(" "), &[&lines[0], &lines[1]]),
        of("lines and \\n", lines.join("\\n"), &[&lines[0], &lines[1]]),
        of("line with %2F", escaped.clone(), &[&line, &escaped]),
        of("line with \\/", line.replace('/', "\\/"), &[&line]),
        of("seed in base64url", url_safe.clone(), &[&url_safe]),
        of("JWK", jwk.to_string(), &[&url_safe]),
        of("JWK with spaces", spaced.clone(), &[&url_safe]),
        of("JWK in single quotes", spaced.replace('"', "'"), &[&url_safe]),
        of("seed in hexadecimal", pairs.concat(), &[&pairs.concat()]),
        of("seed in capitals", pairs.concat().to_uppercase(), &[&pairs.concat().to_uppercase()]),
        of("pairs and spaces", pairs.join(" "), &[&pairs.join(" ")]),
        of("pairs and colons", pairs.join(":"), &[&pairs.join(":")]),
        of("pairs and dashes", pairs.join("-"), &[&pairs.join("-")]),
        of("pairs as in C", format!("0x{}", pairs.join(", 0x")), &[&pairs.join(", 0x")]),
        of("as xxd has it", words.join(" "), &[&words.join(" ")]),
        of("base32", base32.clone(), &[&base32]),
    ]
}

/// All that are text, and what must not come out of any.
fn all() -> (Vec<Canary>, Search) {
    let mut all: Vec<_> = canaries().into_iter().filter(|canary| canary.value.is_ascii()).collect();
    all.extend(others());
    let search = Search::of(&all);
    (all, search)
}

fn wrapped(n: usize, canary: &Canary) -> (String, OsString) {
    let (before, after) = WRAPPERS[n % WRAPPERS.len()];
    let value = [before.as_bytes(), &canary.value, after.as_bytes()].concat();
    (format!("{before}{}{after}", canary.name), OsString::from_vec(value))
}

#[test]
fn no_option_repeats_a_key_within_its_value() {
    let scratch = tempfile::tempdir().unwrap();
    let (all, search) = all();
    let mut cases = Vec::new();
    for (n, place) in places().iter().enumerate() {
        // What runs until its pod ends, if the value is one that it can take; and a folder that
        // is made, and then is there.
        if place.name().starts_with("sidecar ") || place.name() == "keygen out_dir" {
            continue;
        }
        for (m, canary) in all.iter().enumerate() {
            if !is_tried(2 * n + m) {
                continue;
            }
            // The wrappers take turns: over all options, each is around each key.
            let (name, value) = wrapped(n * 7 + m, canary);
            let mut lines = place.lines(&name, &value, scratch.path());
            if !lines.is_empty() {
                cases.push(lines.swap_remove((n + m) % lines.len()));
            }
        }
    }
    let said = run(&cases, scratch.path());
    for (case, said) in cases.iter().zip(&said) {
        assert_silent(&search, &case.what, said);
    }
}

#[test]
fn every_key_in_every_wrapper_is_hidden_where_paths_and_urls_are_told() {
    let scratch = tempfile::tempdir().unwrap();
    let (all, search) = all();
    let mut cases = Vec::new();
    for (n, canary) in all.iter().enumerate() {
        for m in 0..WRAPPERS.len() {
            let (name, value) = wrapped(m, canary);
            let joined = |head: &str| OsString::from_vec([head.as_bytes(), value.as_bytes()].concat());
            let word = |text: &str| OsString::from(text);
            let lines = [
                vec![word("verify"), value.clone()],
                vec![word("verify"), word("--json"), word("--bundle"), value.clone(), word("x")],
                vec![word("verify"), joined("--policy="), word("x")],
                vec![word("inspect"), value.clone()],
                vec![word("run"), word("--outputs"), value.clone(), word("--"), word("true")],
                vec![word("run"), joined("--store="), word("--"), word("false")],
                vec![word("keygen"), word("--out-dir"), word("/proc/x"), joined("--type=")],
                vec![word("inject"), joined("-f"), word("--image=i"), word("--builder-id=https://x.example")],
                vec![joined("--log="), word("ready")],
                vec![word("ready"), joined("--wait=1s ")],
                vec![word("run"), word("--outputs=o"), word("--"), value.clone()],
                vec![word("keygen"), joined("--out-dir=/proc/")],
                vec![value.clone()],
                vec![joined("--")],
            ];
            let given = lines[(n + m) % lines.len()].clone();
            let arguments = [vec![word("argo-attest")], given].concat();
            cases.push(Case { what: format!("{name} in {:?}", &arguments[1]), arguments });
        }
    }
    let said = run(&cases, scratch.path());
    for (case, said) in cases.iter().zip(&said) {
        assert_silent(&search, &case.what, said);
    }
}

#[test]
fn no_variable_repeats_a_key_within_its_value() {
    let scratch = tempfile::tempdir().unwrap();
    let (all, search) = all();
    let binary = env!("CARGO_BIN_EXE_argo-attest");
    let silent = |n: usize, arguments: &[OsString], variables: &[(&OsStr, &OsStr)], what: &str| {
        // What asks a server that is not there asks again for longer than a test has.
        let mut command = program("timeout", scratch.path());
        command.args(["1", binary]).args(arguments).args(n.is_multiple_of(5).then_some("--help"));
        let ran = command.envs(variables.iter().copied()).output().unwrap();
        assert_silent(&search, what, &[ran.stdout, ran.stderr].concat());
    };
    for (n, place) in places().iter().enumerate() {
        let Some(variable) = place.arg.get_env() else { continue };
        if place.name().starts_with("sidecar ") {
            continue;
        }
        for m in 0..2 {
            let (name, value) = wrapped(n + 5 * m, &all[(n * 3 + m * 17) % all.len()]);
            let case = place.without(scratch.path());
            silent(n, &case.arguments[1..], &[(variable, &value)], &format!("{} = {name}", case.what));
        }
    }
    let proxies = ["HTTPS_PROXY", "HTTP_PROXY", "AWS_PROFILE", "ARGO_NODE_ID", "KUBERNETES_SERVICE_HOST"];
    for (n, other) in OTHERS.iter().chain(&proxies).enumerate() {
        // Where a key is made on first use, and a folder with it.
        let is_home = ["HOME", "XDG_CONFIG_HOME"].contains(other);
        for (m, words) in [
            vec!["verify", "s3://bucket/key"],
            vec!["run", "--store", "s3://bucket/a", "--outputs", "o", "--", "false"],
            vec!["verify-inputs"],
        ]
        .into_iter()
        .enumerate()
        {
            let canary = &all[(n * 5 + m * 13) % all.len()];
            let (mut name, mut value) = wrapped(n * 3 + m, canary);
            if is_home {
                name = format!("/proc/{}", canary.name);
                value = OsString::from_vec([b"/proc/", canary.value.as_slice()].concat());
            }
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            let template = "{\"name\":\"t\",\"inputs\":{},\"outputs\":{},\"metadata\":{},\
                            \"container\":{\"name\":\"\",\"image\":\"i\",\"command\":[\"sh\"],\"resources\":{}}}";
            let log = scratch.path().join("termination-log");
            let variables = [
                ("ARGO_TEMPLATE", OsStr::new(template)),
                ("ARGO_ATTEST_TERMINATION_LOG", log.as_os_str()),
                ("AWS_REGION", OsStr::new("r")),
                ("AWS_ACCESS_KEY_ID", OsStr::new("a")),
                ("AWS_SECRET_ACCESS_KEY", OsStr::new("b")),
                ("AWS_ENDPOINT_URL", OsStr::new("http://127.0.0.1:9")),
                (other, &value),
            ]
            .map(|(name, value)| (OsStr::new(name), value));
            silent(1, &words, &variables, &format!("{other} = {name}"));
        }
    }
    // A home that was named so may have been made, and is called so.
    for (name, bytes) in written(scratch.path(), "").iter().filter(|(name, _)| !name.starts_with("the name"))
    {
        assert_silent(&search, name, bytes);
    }
}

#[test]
fn a_step_called_by_a_key_is_not_told_of() {
    let scratch = tempfile::tempdir().unwrap();
    let (all, search) = all();
    for canary in &all {
        let text = String::from_utf8(canary.value.clone()).unwrap();
        let template = argo_attest_core::argo::encode(&serde_json::json!({
            "name": text,
            "metadata": {"annotations": {"argo-attest.io/verify-inputs": "true"}},
            "container": {"image": "i", "command": ["sh"]},
        }))
        .unwrap();
        let log = scratch.path().join("termination-log");
        let mut command = program(env!("CARGO_BIN_EXE_argo-attest"), scratch.path());
        command.args(["verify-inputs", "--termination-log"]).arg(&log).env("ARGO_TEMPLATE", template);
        let ran = command.env("ARGO_NODE_ID", canary.argument()).output().unwrap();
        let message = std::fs::read(&log).unwrap_or_default();
        assert_silent(&search, &canary.name, &[ran.stdout, ran.stderr, message].concat());
    }
}

#[test]
fn a_command_that_a_private_key_is_given_to_is_not_run() {
    let scratch = tempfile::tempdir().unwrap();
    let (all, search) = all();
    let evident = |name: &str| ["PEM", "base64", "JWK"].iter().any(|form| name.ends_with(form));
    for canary in all.iter().filter(|canary| evident(&canary.name) && !canary.name.contains("seed")) {
        let mut command = program(env!("CARGO_BIN_EXE_argo-attest"), scratch.path());
        command.args(["run", "--", "touch", "ran"]).arg(canary.argument());
        let ran = command.output().unwrap();
        let said = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
        assert_eq!(ran.status.code(), Some(64), "{}: {said}", canary.name);
        assert!(said.contains("the command's argument 2 was given a key itself"), "{said}");
        assert_silent(&search, &canary.name, said.as_bytes());
        assert!(!scratch.path().join("ran").exists(), "{}", canary.name);
    }
}
