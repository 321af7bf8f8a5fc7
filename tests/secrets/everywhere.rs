//! Runs all of it, and searches everything that came out.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use memchr::memmem;

use crate::canary::{Search, canaries};
use crate::cases::{Case, Place, names_a_file, places, unknown};
use crate::share::is_tried;

/// Where a child finds the command lines that it is to run.
const CASES: &str = "CANARY_CASES";
/// What a child is to panic with.
const PANIC: &str = "CANARY_PANIC";

/// What others call the variables that are read besides.
pub(crate) const OTHERS: [&str; 19] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "ARGO_TEMPLATE",
    "ARGO_WORKFLOW_NAME",
    "ARGO_TERMINATION_GRACE_PERIOD_SECONDS",
    "TRACEPARENT",
    "XDG_CONFIG_HOME",
    "HOME",
];

/// A program that knows nothing of its caller but where it may write, as loud as can be.
pub(crate) fn program(program: impl AsRef<std::ffi::OsStr>, scratch: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(scratch).env_clear().stdin(Stdio::null());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("XDG_CONFIG_HOME", scratch.join("config"));
    command.envs([("ARGO_ATTEST_LOG", "trace"), ("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")]);
    command
}

/// This very test, as a program of its own.
fn child(test: &str, scratch: &Path) -> Command {
    let mut command = program(std::env::current_exe().unwrap(), scratch);
    command.args(["--exact", test, "--nocapture", "--ignored"]);
    command
}

/// A directory's files, but for those that were put there.
pub(crate) fn written(directory: &Path, besides: &str) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        found.push((format!("the name of {name}"), path.file_name().unwrap().as_bytes().to_vec()));
        if path.is_dir() && name != besides {
            found.extend(written(&path, besides));
        } else if path.is_file() {
            found.push((name, fs::read(&path).unwrap()));
        }
    }
    found
}

/// Runs command lines one after the other in a process of their own: thousands of
/// processes would take minutes. What came out, by case.
pub(crate) fn run(cases: &[Case], scratch: &Path) -> Vec<Vec<u8>> {
    let lines: Vec<Vec<&[u8]>> = cases
        .iter()
        .map(|case| case.arguments.iter().map(|argument| argument.as_bytes()).collect())
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, serde_json::to_vec(&lines).unwrap()).unwrap();
    let said = child("everywhere::replays", scratch).env(CASES, file.path()).output().unwrap();
    let mut parts = Vec::new();
    // Standard output and error go their own ways; each tells where a case begins.
    for stream in [&said.stdout, &said.stderr] {
        let text = stream.as_slice();
        let mut from = 0;
        let mut marks = Vec::with_capacity(cases.len() + 1);
        for n in 0..=cases.len() {
            let mark = format!("\n==== {n} ====\n");
            let at = memmem::find(&text[from..], mark.as_bytes());
            let at = at.unwrap_or_else(|| {
                panic!("case {n} was not begun: {:?}", String::from_utf8_lossy(&text[from..]))
            });
            marks.push(from + at);
            from += at + 1;
        }
        parts.push(marks.windows(2).map(|at| text[at[0]..at[1]].to_vec()).collect::<Vec<_>>());
    }
    let errors = parts.pop().unwrap();
    parts.pop().unwrap().into_iter().zip(errors).map(|(out, err)| [out, err].concat()).collect()
}

#[test]
#[ignore = "a part of the others, in a process of its own"]
fn replays() {
    let Some(file) = std::env::var_os(CASES) else { return };
    let lines: Vec<Vec<Vec<u8>>> = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mark = |n: usize| {
        println!("\n==== {n} ====");
        eprintln!("\n==== {n} ====");
    };
    for (n, line) in lines.iter().enumerate() {
        mark(n);
        argo_attest::cli::main(line.iter().cloned().map(OsString::from_vec));
    }
    mark(lines.len());
}

#[test]
#[ignore = "a part of the others, in a process of its own"]
fn panics() {
    let Some(secret) = std::env::var(PANIC).ok() else { return };
    argo_attest::cli::main(["argo-attest", "--version"].map(OsString::from));
    let work = std::thread::spawn(move || panic!("called `unwrap()` on an `Err` value: {secret:?}"));
    drop(work.join());
}

/// Fails if anything of a secret is in what came out.
pub(crate) fn assert_silent(search: &Search, what: &str, said: &[u8]) {
    if let Some(part) = search.leak(said) {
        panic!("{what}: {part:?} came out:\n{}", String::from_utf8_lossy(said));
    }
}

#[test]
fn no_option_repeats_a_key() {
    let scratch = tempfile::tempdir().unwrap();
    let all = canaries();
    let search = Search::of(&all);
    let places = places();
    let mut cases = Vec::new();
    for (n, place) in places.iter().enumerate() {
        // Every way of writing with one canary, and every sixth canary in one of them.
        for (m, canary) in all.iter().enumerate() {
            if !(n + m).is_multiple_of(6) && place.arg.get_id() != "key" && m != n % all.len() {
                continue;
            }
            let mut lines = place.lines(&canary.name, &canary.argument(), scratch.path());
            if m != n % all.len() && !lines.is_empty() {
                lines = vec![lines.swap_remove((n + m) % lines.len())];
            }
            cases.extend(lines);
        }
    }
    cases.extend(all.iter().flat_map(unknown));
    let said = run(&cases, scratch.path());
    for (case, said) in cases.iter().zip(&said) {
        assert_silent(&search, &case.what, said);
        let text = String::from_utf8_lossy(said);
        assert!(text.contains("it is not repeated here"), "{}: {text}", case.what);
    }
    for (name, bytes) in written(scratch.path(), "") {
        assert_silent(&search, &name, &bytes);
    }
    assert!(!scratch.path().join("config").exists(), "a key was made on the way");
}

#[test]
fn no_reader_repeats_what_is_in_a_file() {
    let scratch = tempfile::tempdir().unwrap();
    let files = scratch.path().join("files");
    fs::create_dir(&files).unwrap();
    let all = canaries();
    let search = Search::of(&all);
    let places: Vec<_> = places().into_iter().filter(|place| names_a_file(&place.arg)).collect();
    let is_output =
        |place: &Place| place.arg.get_id() == "termination_log" || place.arg.get_id() == "outputs";
    let mut cases = Vec::new();
    for (n, canary) in all.iter().enumerate() {
        let (bare, held) = (files.join(format!("bare-{n}")), held(&canary.value));
        fs::write(&bare, &canary.value).unwrap();
        for (m, place) in places.iter().filter(|place| !is_output(place)).enumerate() {
            if !is_tried(n + 2 * m) {
                continue;
            }
            cases.push(place.reading(&canary.name, &bare, scratch.path()));
            // What a workflow's file holds besides is printed as it is.
            if place.name() == "inject file" {
                continue;
            }
            let (form, text) = &held[(n + m) % held.len()];
            let file = files.join(format!("held-{n}-{m}"));
            fs::write(&file, text).unwrap();
            cases.push(place.reading(&format!("{} {form}", canary.name), &file, scratch.path()));
        }
    }
    let said = run(&cases, scratch.path());
    for (case, said) in cases.iter().zip(&said) {
        assert_silent(&search, &case.what, said);
    }
    for (name, bytes) in written(scratch.path(), "files") {
        assert_silent(&search, &name, &bytes);
    }
}

/// The text in files of other kinds.
fn held(value: &[u8]) -> Vec<(&'static str, String)> {
    let text = String::from_utf8_lossy(value).into_owned();
    let block = text.replace('\n', "\n    ");
    let policy = |file: &str| {
        serde_json::json!({
            "apiVersion": "argo-attest.io/v1", "kind": "VerificationPolicy",
            "keys": [{"name": "k", "file": file}],
            "builders": [{"id": "https://x.example", "keys": ["k"]}],
        })
    };
    vec![
        ("twice", format!("{text}\n{text}")),
        ("as JSON", serde_json::to_string(&text).unwrap()),
        ("as a field of JSON", serde_json::json!({"payloadType": &text, "payload": 1}).to_string()),
        ("as another field of JSON", serde_json::json!({"payload": &text, "signatures": &text}).to_string()),
        ("as a name in JSON", serde_json::json!({&text: 1}).to_string()),
        ("as a policy's key", policy(&text).to_string()),
        ("as a policy's kind", format!("apiVersion: argo-attest.io/v1\nkind: |\n    {block}\n")),
        ("as a policy's field", format!("apiVersion: argo-attest.io/v1\n? |\n    {block}\n: x\n")),
        ("as a policy's age", format!("apiVersion: argo-attest.io/v1\nexpect:\n  maxAge: |\n    {block}\n")),
        ("in a Secret", format!("apiVersion: v1\nkind: Secret\nstringData:\n  attest.key: |\n    {block}\n")),
    ]
}

#[test]
fn no_variable_repeats_a_key() {
    let scratch = tempfile::tempdir().unwrap();
    let all = canaries();
    let search = Search::of(&all);
    let binary = env!("CARGO_BIN_EXE_argo-attest");
    let mut next = all.iter().cycle();
    let mut commands = std::collections::BTreeMap::new();
    for place in places() {
        let Some(variable) = place.arg.get_env().map(ToOwned::to_owned) else { continue };
        let canary = next.next().unwrap();
        let case = place.without(scratch.path());
        let mut command = program(binary, scratch.path());
        let ran = command.args(&case.arguments[1..]).env(&variable, canary.argument()).output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        let what = format!("{} = {}", case.what, canary.name);
        assert_silent(&search, &what, &said);
        let text = String::from_utf8_lossy(&said);
        let name = variable.to_string_lossy();
        assert!(text.contains(&*name) && text.contains("not repeated here"), "{what}: {text}");
        let variables =
            commands.entry(case.arguments[1].clone()).or_insert_with(|| (case.arguments, Vec::new()));
        variables.1.push(variable);
    }
    // All at once, with those of others that are read.
    for (n, (arguments, variables)) in commands.values().enumerate() {
        for canary in all.iter().skip(n % 3).step_by(3) {
            for variables in [variables.clone(), OTHERS.iter().map(OsString::from).collect()] {
                let mut command = program(binary, scratch.path());
                // The native form would wait for its pod's end.
                command.env("ARGO_ATTEST_MODE", "sidecar");
                command.args(&arguments[1..]).envs(variables.iter().map(|name| (name, canary.argument())));
                let ran = command.output().unwrap();
                let said = [ran.stdout, ran.stderr].concat();
                assert_silent(&search, &format!("{:?} of {}", arguments[1], canary.name), &said);
            }
        }
    }
    for (name, bytes) in written(scratch.path(), "") {
        assert_silent(&search, &name, &bytes);
    }
}

#[test]
fn no_panic_repeats_a_key() {
    let scratch = tempfile::tempdir().unwrap();
    let all = canaries();
    let search = Search::of(&all);
    for canary in all.iter().filter(|canary| canary.value.is_ascii()).take(4) {
        let ran = child("everywhere::panics", scratch.path()).env(PANIC, canary.argument()).output().unwrap();
        assert_eq!(ran.status.code(), Some(70), "{ran:?}");
        let said = [ran.stdout, ran.stderr].concat();
        assert_silent(&search, &canary.name, &said);
        let text = String::from_utf8_lossy(&said);
        assert!(text.contains("a bug in argo-attest, at tests/secrets/everywhere.rs:"), "{text}");
    }
}

#[test]
fn the_search_finds_what_a_command_says_itself() {
    let scratch = tempfile::tempdir().unwrap();
    let all = canaries();
    let search = Search::of(&all);
    let canary = all.iter().find(|canary| canary.name.ends_with("seed in base64")).unwrap();
    let words = ["argo-attest", "run", "--new-key", "--json", "--", "echo"].map(OsString::from);
    let arguments = words.into_iter().chain([canary.argument()]).collect();
    let said = run(&[Case { what: String::new(), arguments }], scratch.path());
    assert!(search.leak(&said[0]).is_some(), "{}", String::from_utf8_lossy(&said[0]));
}
