//! Private keys that cosign made, under a password.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use argo_attest::signer::{
    Followed, FollowedKey, KeyError, KeyFileError, Opening, Signer as _, SigningKey, create_pair, load_public,
};
use argo_attest_core::bundle::Bundle;
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::dsse::{Envelope, Unsigned};
use argo_attest_core::keys::{InvalidKey, KeyType, PrivateKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::conformance::conforms;
use super::open;
use crate::key_files::write;
use crate::skip::skip;

const PASSWORD: &str = "a pass word";

/// cosign, where `make tools` put it.
fn cosign() -> Option<Command> {
    let tools = std::env::var_os("ARGO_ATTEST_TOOLS").map(std::path::PathBuf::from);
    let cache = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/argo-attest-tools"));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let places =
        tools.into_iter().chain(cache).map(|dir| dir.join("bin")).chain(std::env::split_paths(&on_path));
    let found = places.map(|dir| dir.join("cosign")).find(|path| path.is_file());
    if found.is_none() {
        skip("cosign (make tools)");
    }
    let mut command = Command::new(found?);
    command.env("COSIGN_PASSWORD", PASSWORD).stdin(Stdio::null());
    Some(command)
}

fn run(mut command: Command, dir: &Path, arguments: &[&str]) {
    let done = command.current_dir(dir).args(arguments).output().unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A pair as cosign makes it; of an Ed25519 key, as it takes one over.
fn made(dir: &Path, key_type: KeyType) -> Option<()> {
    let command = cosign()?;
    if key_type == KeyType::EcdsaP256 {
        run(command, dir, &["generate-key-pair"]);
    } else {
        create_pair(&dir.join("plain/attest.key"), key_type).unwrap();
        run(command, dir, &["import-key-pair", "--key", "plain/attest.key", "--output-key-prefix", "cosign"]);
    }
    Some(())
}

#[tokio::test]
async fn signs_with_what_cosign_made_and_cosign_verifies_it() {
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        let Some(()) = made(dir.path(), key_type) else { return };
        let at = |name: &str| dir.path().join(name);
        let name = at("cosign.key").to_str().unwrap().to_owned();
        let signer = open(&name, &[("COSIGN_PASSWORD", PASSWORD)]).await.unwrap();
        assert_eq!(signer.public_key(), load_public(&at("cosign.pub")).unwrap());
        conforms(signer.as_ref()).await;
        let text = fs::read_to_string(&name).unwrap();
        let from_variable =
            open("env://KEY", &[("COSIGN_PASSWORD", PASSWORD), ("KEY", &text)]).await.unwrap();
        assert_eq!(from_variable.public_key(), signer.public_key());

        fs::write(at("artifact"), "what was built").unwrap();
        let statement = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"a","digest":{{"sha256":"{}"}}}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{"buildDefinition":{{"buildType":"https://example.com/b","externalParameters":{{"a":"b"}}}},"runDetails":{{"builder":{{"id":"https://example.com/c"}}}}}}}}"#,
            Sha256Digest::of(b"what was built")
        );
        let statement = Unsigned::new(statement.into_bytes()).unwrap();
        let made = signer.sign(statement.pae()).await.unwrap();
        let envelope = Envelope::assemble(statement, made.signature, &made.key).unwrap();
        fs::write(at("a.sigstore.json"), Bundle::new(envelope).unwrap().to_json()).unwrap();
        let arguments = "verify-blob-attestation --key cosign.pub --bundle a.sigstore.json \
             --insecure-ignore-tlog --type slsaprovenance1 artifact";
        run(cosign().unwrap(), dir.path(), &arguments.split_whitespace().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn without_the_password_nothing_is_opened() {
    let dir = TempDir::new().unwrap();
    let Some(()) = made(dir.path(), KeyType::EcdsaP256) else { return };
    let name = dir.path().join("cosign.key").to_str().unwrap().to_owned();
    for (given, expected) in [
        (None, InvalidKey::CosignEncrypted),
        (Some("a pass wore"), InvalidKey::Password),
        (Some(""), InvalidKey::Password),
        (Some("a pass word\n"), InvalidKey::Password),
    ] {
        let given: Vec<_> = given.map(|password| ("COSIGN_PASSWORD", password)).into_iter().collect();
        match open(&name, &given).await.map(drop).unwrap_err() {
            KeyError::File(KeyFileError::Invalid { source, .. }) => assert_eq!(source, expected, "{given:?}"),
            error => panic!("{error:?}"),
        }
    }
}

#[tokio::test]
async fn a_password_is_in_a_file_that_only_its_owner_reads() {
    let dir = TempDir::new().unwrap();
    let Some(()) = made(dir.path(), KeyType::EcdsaP256) else { return };
    let (key, password) = (dir.path().join("cosign.key"), dir.path().join("password"));
    // The option goes before the variable.
    let wrong = |name: &str| (name == "COSIGN_PASSWORD").then(|| OsString::from("another"));
    let name = SigningKey::try_from(OsString::from(key)).unwrap();
    let open = async || {
        let opening = Opening::new(&wrong).with_password_file(Some(&password));
        name.signer(&opening).await.map(drop)
    };
    for ending in ["", "\n", "\r\n"] {
        write(&password, format!("{PASSWORD}{ending}"), 0o600);
        open().await.unwrap();
    }
    write(&password, format!("{PASSWORD}\n\n"), 0o600);
    assert!(matches!(
        open().await,
        Err(KeyError::File(KeyFileError::Invalid { source: InvalidKey::Password, .. }))
    ));
    for (contents, mode) in
        [(PASSWORD.to_owned(), 0o640), (PASSWORD.to_owned(), 0o604), ("x".repeat(5000), 0o600)]
    {
        write(&password, contents, mode);
        assert!(matches!(open().await, Err(KeyError::File(KeyFileError::Password { .. }))), "{mode:o}");
    }
    fs::remove_file(&password).unwrap();
    assert!(matches!(open().await, Err(KeyError::File(KeyFileError::Password { .. }))));
}

/// Kubelet's layout of a Secret as `cosign generate-key-pair k8s://…` makes it.
struct Secret(TempDir);

impl Secret {
    fn new() -> Self {
        let secret = Self(TempDir::new().unwrap());
        for name in ["cosign.key", "cosign.pub", "cosign.password"] {
            symlink(Path::new("..data").join(name), secret.0.path().join(name)).unwrap();
        }
        secret
    }

    fn publish(&self, generation: &str, pair: &Path, password: &str) {
        let dir = self.0.path();
        fs::create_dir(dir.join(generation)).unwrap();
        for name in ["cosign.key", "cosign.pub"] {
            write(&dir.join(generation).join(name), fs::read(pair.join(name)).unwrap(), 0o644);
        }
        write(&dir.join(generation).join("cosign.password"), password, 0o644);
        let before = fs::read_link(dir.join("..data")).ok();
        symlink(generation, dir.join("..data_tmp")).unwrap();
        fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
        if let Some(before) = before {
            fs::remove_dir_all(dir.join(before)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_secret_of_cosigns_is_followed_with_its_password() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    for dir in [&first, &second] {
        let Some(()) = made(dir.path(), KeyType::EcdsaP256) else { return };
    }
    let public = |dir: &TempDir| load_public(&dir.path().join("cosign.pub")).unwrap();
    let secret = Secret::new();
    secret.publish("..2026_11_23_10_00_00.1", first.path(), PASSWORD);
    let none = |_: &str| None;
    // Where a key of ours would be, and by its own name.
    for name in ["attest.key", "cosign.key"] {
        let name = SigningKey::try_from(OsString::from(secret.0.path().join(name))).unwrap();
        let signer = name.signer(&Opening::new(&none)).await.unwrap();
        assert_eq!(signer.public_key(), public(&first));
        assert_eq!(name.public_half(&Opening::new(&none)).await.unwrap(), public(&first));
    }
    let name = SigningKey::try_from(OsString::from(secret.0.path().join("attest.key"))).unwrap();
    let followed = FollowedKey::load(&name, &Opening::new(&none)).await.unwrap();
    conforms(&followed).await;
    secret.publish("..2026_11_23_10_00_00.2", second.path(), "not that one's");
    assert!(matches!(followed.follow(), Followed::Kept(_)));
    assert_eq!(followed.public_key(), public(&first));
    secret.publish("..2026_11_23_10_00_00.3", second.path(), PASSWORD);
    assert!(matches!(followed.follow(), Followed::Replaced { .. }));
    assert_eq!(followed.public_key(), public(&second));
}

/// A key in cosign's form, whose JSON is this.
fn block(json: &str) -> String {
    format!(
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
        STANDARD.encode(json)
    )
}

#[test]
fn a_key_that_costs_too_much_or_is_none_is_refused_at_once() {
    let json = |kdf: &str, cipher: &str| {
        format!(
            r#"{{"kdf":{{"name":"scrypt","params":{kdf},"salt":"AAAA"}},"cipher":{cipher},"ciphertext":"AAAA"}}"#
        )
    };
    let cipher = format!(r#"{{"name":"nacl/secretbox","nonce":"{}"}}"#, STANDARD.encode([0; 24]));
    let cost = |n: u64, r: u64, p: u64| json(&format!(r#"{{"N":{n},"r":{r},"p":{p}}}"#), &cipher);
    let began = std::time::Instant::now();
    for (text, expected) in [
        (cost(1 << 30, 8, 1), InvalidKey::CosignCost),
        (cost(1 << 62, 8, 1), InvalidKey::CosignCost),
        (cost(65536, 1 << 20, 1), InvalidKey::CosignCost),
        (cost(65536, u64::from(u32::MAX), u64::from(u32::MAX)), InvalidKey::CosignCost),
        (cost(65536, 8, 1000), InvalidKey::CosignCost),
        (cost(65535, 8, 1), InvalidKey::Damaged),
        (cost(0, 8, 1), InvalidKey::Damaged),
        (cost(2, 0, 1), InvalidKey::Damaged),
        (cost(2, 8, u64::MAX), InvalidKey::Damaged),
        (json(r#"{"N":2,"r":8,"p":1}"#, r#"{"name":"nacl/secretbox","nonce":"AAAA"}"#), InvalidKey::Damaged),
        (json(r#"{"N":2,"r":8,"p":1}"#, r#"{"name":"aes","nonce":"AAAA"}"#), InvalidKey::CosignCipher),
        (cost(2, 8, 1).replace("scrypt", "argon2id"), InvalidKey::CosignCipher),
        (cost(2, 8, 1), InvalidKey::Password),
        ("[".repeat(30_000), InvalidKey::Damaged),
        (" ".to_owned(), InvalidKey::Damaged),
        ("{}".to_owned(), InvalidKey::Damaged),
    ] {
        let error = PrivateKey::from_pem_with(block(&text).as_bytes(), b"x").unwrap_err();
        assert_eq!(error, expected, "{text:.200}");
        assert!(!error.remedy("FILE").is_empty());
    }
    assert!(began.elapsed().as_secs() < 5);
}

/// The form of cosign's first version: another label, and less work.
#[test]
fn keys_of_an_older_cosign_are_opened() {
    let (key, text) = (include_bytes!("older.pub"), include_bytes!("older.key"));
    let opened = PrivateKey::from_pem_with(text, b"older").unwrap();
    assert_eq!(opened.public().to_spki_pem().as_bytes(), key);
    assert_eq!(PrivateKey::from_pem_with(text, b"newer").unwrap_err(), InvalidKey::Password);
}
