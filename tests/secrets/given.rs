//! Keys by value where they are taken: `env://NAME`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use argo_attest_core::keys::{KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scripted::{Act, Plain, Scripted, reply};

fn program(desk: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_argo-attest"));
    command.current_dir(desk).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("XDG_CONFIG_HOME", desk.join("config")).env("COLUMNS", "100000");
    command
}

fn said(command: &mut Command) -> (Option<i32>, String) {
    let ran = command.output().unwrap();
    let text = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8(text).unwrap())
}

/// A directory, and the PEM of a pair.
fn desk() -> (TempDir, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let (code, text) = said(program(dir.path()).args(["keygen", "--out-dir", "keys"]));
    assert_eq!(code, Some(0), "{text}");
    let read = |name: &str| fs::read_to_string(dir.path().join("keys").join(name)).unwrap();
    let (private, public) = (read("attest.key"), read("attest.pub"));
    (dir, private, public)
}

#[test]
fn signs_and_verifies_with_keys_from_variables_and_hides_them_from_the_command() {
    let (dir, private, public) = desk();
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    for (variable, value) in [("CI_KEY", private.clone()), ("ARGO_ATTEST_KEY", private.replace('\n', "\\n"))]
    {
        let key = format!("env://{variable}");
        let script = "env > ../seen; env > out";
        let mut command = program(&work);
        command.args(["run", "--key", &key, "--outputs", "out", "--", "sh", "-c", script]);
        let (code, text) = said(command.env(variable, &value).env("OTHER", "kept"));
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("argo-attest verify --key FILE.pub out\n"), "{text}");
        let seen = fs::read_to_string(dir.path().join("seen")).unwrap();
        assert!(
            seen.contains("OTHER=kept") && !seen.contains(variable) && !seen.contains(&private[30..60]),
            "{seen}"
        );
        let mut command = program(&work);
        let (code, text) = said(command.args(["verify", "--key", "env://PUB", "out"]).env("PUB", &public));
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("signed with env://PUB ("), "{text}");
    }
    // The same by the option's own variable.
    let mut command = program(&work);
    let (code, text) =
        said(command.args(["verify", "out"]).env("ARGO_ATTEST_PUBLIC_KEY", "env://PUB").env("PUB", &public));
    assert_eq!(code, Some(0), "{text}");
}

/// A key of an older cosign's, which the password "older" opens.
const SEALED: &str = include_str!("../crypto/signers/older.key");

#[test]
fn a_password_is_hidden_from_the_command() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cosign.key"), SEALED).unwrap();
    fs::set_permissions(dir.path().join("cosign.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(dir.path().join("plain.key"), desk().1).unwrap();
    fs::set_permissions(dir.path().join("plain.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    for (key, hidden) in [("../cosign.key", true), ("env://KEY", true), ("../plain.key", false)] {
        let mut command = program(&work);
        command.args(["run", "--key", key, "--outputs", "out", "--", "sh", "-c", "env > ../seen; env > out"]);
        let (code, text) = said(command.env("COSIGN_PASSWORD", "older").env("KEY", SEALED));
        assert_eq!(code, Some(0), "{text}");
        let seen = fs::read_to_string(dir.path().join("seen")).unwrap();
        // What did not open the key is the command's own affair.
        assert_eq!(!seen.contains("COSIGN_PASSWORD"), hidden, "{key}: {seen}");
    }
    let mut command = program(&work);
    let command = command.args(["run", "--key", "../cosign.key", "--outputs", "out", "--", "touch", "ran"]);
    let (code, text) = said(command.env("COSIGN_PASSWORD", "canary"));
    assert_eq!(code, Some(77), "{text}");
    assert!(
        text.contains("the password does not open the private key") && !text.contains("canary"),
        "{text}"
    );
    assert!(!work.join("ran").exists());
}

/// Vault with an Ed25519 key.
fn vault() -> Scripted {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    Scripted::choosing(Plain, move |request| {
        let data = if request.method == "GET" {
            let public = STANDARD.encode(&key.public().to_spki_der()[12..]);
            json!({"type": "ed25519", "latest_version": 1, "keys": {"1": {"public_key": public}}})
        } else {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let signature = key.sign(&STANDARD.decode(body["input"].as_str().unwrap()).unwrap());
            let signature = STANDARD.encode(signature.as_bytes());
            json!({"signature": format!("vault:v1:{signature}"), "key_version": 1})
        };
        let body = json!({ "data": data }).to_string();
        Some(Act::Reply(reply(200, &[("Content-Type", "application/json")], body.as_bytes())))
    })
}

#[test]
fn the_token_by_which_vault_signs_is_hidden_from_the_command() {
    let (dir, vault) = (tempfile::tempdir().unwrap(), vault());
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    let mut command = program(&work);
    let script = "env > ../seen; touch out";
    command.args(["run", "--key", "hashivault://ci", "--outputs", "out", "--", "sh", "-c", script]);
    // Of the two programs that ask such a server, each has a variable of its own; ours reads the first.
    command.env("VAULT_ADDR", vault.endpoint()).env("VAULT_TOKEN", "hvs.canary").env("BAO_TOKEN", "s.canary");
    let (code, text) = said(&mut command);
    assert_eq!(code, Some(0), "{text}");
    let seen = fs::read_to_string(dir.path().join("seen")).unwrap();
    assert!(seen.contains("VAULT_ADDR=") && !seen.contains("canary"), "{seen}");
}

#[cfg(feature = "pkcs11")]
#[test]
fn the_pin_by_which_a_token_signs_is_hidden_from_the_command() {
    let Some(token) = crate::softhsm::Token::new() else { return };
    token.key(KeyType::EcdsaP256, "ci", "01");
    let dir = tempfile::tempdir().unwrap();
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    let (name, pin) = (token.name("object=ci"), crate::softhsm::PIN);
    let name = name.split_once("&pin-source").unwrap().0;
    let mut command = program(&work);
    command.args(["run", "--key", name, "--outputs", "out", "--", "sh", "-c", "env > ../seen; touch out"]);
    let (code, text) = said(command.envs(token.environment()).env("COSIGN_PKCS11_PIN", pin));
    assert_eq!(code, Some(0), "{text}");
    let seen = fs::read_to_string(dir.path().join("seen")).unwrap();
    assert!(seen.contains("SOFTHSM2_CONF=") && !seen.contains("COSIGN_PKCS11_PIN") && !seen.contains(pin));
    // Another is told to the token, and to nobody else.
    let mut command = program(&work);
    command.args(["--log", "trace", "run", "--key", name, "--outputs", "out", "--", "touch", "ran"]);
    let (code, text) = said(command.envs(token.environment()).env("COSIGN_PKCS11_PIN", "canary-of-a-pin"));
    assert_eq!(code, Some(77), "{text}");
    assert!(text.contains("CKR_PIN_INCORRECT") && !text.contains("canary"), "{text}");
    assert!(!work.join("ran").exists());
}

/// Command lines are seen by everybody on a machine, and what they hold is repeated here by nobody.
#[test]
fn a_pin_by_value_is_refused_and_not_repeated() {
    let (dir, _, _) = desk();
    let name =
        "pkcs11:token=ci;object=ci?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-value=canary-of-a-pin";
    for arguments in [
        vec!["run", "--key", name, "--outputs", "out", "--", "touch", "ran"],
        vec!["attest", "--key", name, "--builder-id", "https://x.example", "s3://bucket/key"],
        vec!["public-key", "--key", name],
        vec!["verify", "--key", name, "out"],
        vec!["verify", name],
        vec!["inspect", name],
        vec!["keygen", "--out-dir", "keys", "--type", name],
        vec!["inject", "--service-key", name],
        vec!["sidecar", name],
        vec![name],
    ] {
        let (code, text) = said(program(dir.path()).args(&arguments));
        assert!(code != Some(0) && code != Some(70), "{arguments:?}: {text}");
        assert!(!text.contains("canary"), "{arguments:?}: {text}");
    }
    let (code, text) = said(program(dir.path()).args(["public-key", "--id"]).env("ARGO_ATTEST_KEY", name));
    assert_eq!(code, Some(64), "{text}");
    assert!(!text.contains("canary"), "{text}");
    let way_out = if cfg!(feature = "pkcs11") { "pin-source=file:/PATH" } else { "--features pkcs11" };
    assert!(text.contains(way_out), "{text}");
    assert!(!dir.path().join("ran").exists());
}

#[test]
fn what_a_variable_lacks_is_told_and_nothing_is_run() {
    let (dir, private, public) = desk();
    let half = &private[..private.len() / 2];
    for (value, why) in [
        (None, "the variable CI_KEY, which env://CI_KEY names, is not set"),
        (Some(""), "the variable CI_KEY, which env://CI_KEY names, is empty"),
        (Some(public.as_str()), "this is a public key, and a private key is expected"),
        (Some(half), "the PEM block is damaged or cut short"),
    ] {
        for arguments in [
            vec!["run", "--key", "env://CI_KEY", "--outputs", "out", "--", "touch", "ran"],
            vec!["attest", "--key", "env://CI_KEY", "--builder-id", "https://x.example", "s3://bucket/key"],
        ] {
            let mut command = program(dir.path());
            command.args(arguments).envs(value.map(|value| ("CI_KEY", value)));
            let (code, text) = said(&mut command);
            assert_eq!(code, Some(77), "{text}");
            assert!(text.contains(why) && text.contains("\n  help: "), "{text}");
            assert!(!text.contains(&half[30..50]), "{text}");
        }
    }
    let (code, text) = said(program(dir.path()).args(["run", "--key", "env://CI-KEY", "--", "touch", "ran"]));
    assert_eq!(code, Some(64), "{text}");
    assert!(text.contains("the name of a variable") && !dir.path().join("ran").exists(), "{text}");
}

#[test]
fn a_sidecar_that_was_given_a_key_says_so_where_its_pod_is_looked_at() {
    let (dir, private, _) = desk();
    let log = dir.path().join("termination-log");
    let template = argo_attest_core::argo::encode(&serde_json::json!({
        "name": "t",
        "container": {"image": "i", "command": ["sh"]},
        "outputs": {"artifacts": [{"name": "a", "path": "/tmp/none", "s3": {
            "endpoint": "127.0.0.1:9", "bucket": "bucket", "insecure": true, "key": "k", "region": "us-east-1"
        }}]},
    }))
    .unwrap();
    for arguments in [
        vec!["sidecar", "--all", "--mode", "sidecar", "--builder-id", "https://x.example/b"],
        vec!["verify-inputs"],
    ] {
        let sidecar = arguments.len() > 1;
        let mut command = program(dir.path());
        command.args(&arguments).arg("--termination-log").arg(&log).env("ARGO_TEMPLATE", &template);
        command.arg("--evidence").arg(dir.path());
        command.env(if sidecar { "ARGO_ATTEST_KEY" } else { "ARGO_ATTEST_POLICY" }, &private);
        let (code, text) = said(&mut command);
        let message = fs::read_to_string(&log).unwrap_or_else(|e| panic!("{e}: {text}"));
        let (code_expected, name) =
            if sidecar { (1, "ARGO_ATTEST_KEY was given") } else { (64, "ARGO_ATTEST_POLICY was given") };
        assert_eq!(code, Some(code_expected), "{text}");
        for told in [&text, &message] {
            assert!(told.contains(name) && !told.contains(&private[30..60]), "{told}");
        }
    }
}

#[test]
fn no_token_is_read_out_of_the_keys_folder() {
    let (dir, _, _) = desk();
    for variable in ["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
        for file in ["keys/attest.key", "keys/attest.pub", "keys/../keys/attest.key"] {
            let mut command = program(dir.path());
            command.args(["run", "--key", "keys/attest.key", "--", "touch", "ran"]);
            let (code, text) = said(command.env(variable, dir.path().join(file)));
            assert_eq!(code, Some(77), "{text}");
            assert!(text.contains(variable) && !dir.path().join("ran").exists(), "{text}");
        }
    }
}
