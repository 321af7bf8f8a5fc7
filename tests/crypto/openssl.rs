//! The same keys and signatures through OpenSSL and OpenSSH.
//!
//! Skipped with a word where a program is not installed; in CI that is a failure.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use argo_attest::signer::{create_pair, load_pair, load_private, public_path};
use argo_attest_core::dsse::{self, Envelope};
use argo_attest_core::keys::{KeyType, PrivateKey, PublicKey};
use tempfile::TempDir;

use crate::signing::Sign as _;
use crate::skip::skip;

/// Whether the program can be run.
fn have(program: &str) -> bool {
    // Neither program has one flag for its version that both know; being started is enough.
    let started = Command::new(program)
        .arg("-?")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !started {
        skip(program);
    }
    started
}

fn run(dir: &Path, program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap()
}

fn ok(dir: &Path, program: &str, args: &[&str]) -> String {
    let output = run(dir, program, args);
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn genpkey(dir: &Path, key_type: KeyType) {
    let algorithm: &[&str] = match key_type {
        KeyType::Ed25519 => &["-algorithm", "ed25519"],
        KeyType::EcdsaP256 => &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
    };
    ok(dir, "openssl", &[&["genpkey", "-out", "attest.key"], algorithm].concat());
    ok(dir, "openssl", &["pkey", "-in", "attest.key", "-pubout", "-out", "attest.pub"]);
}

/// `openssl`'s verdict on a signature over a message.
fn accepts(dir: &Path, message: &[u8], signature: &[u8]) -> bool {
    fs::write(dir.join("pae.bin"), message).unwrap();
    fs::write(dir.join("sig.bin"), signature).unwrap();
    let args = "pkeyutl -verify -pubin -inkey attest.pub -rawin -in pae.bin -sigfile sig.bin";
    run(dir, "openssl", &args.split(' ').collect::<Vec<_>>()).status.success()
}

#[test]
fn keys_of_openssl_are_read_and_written_byte_for_byte() {
    if !have("openssl") {
        return;
    }
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        genpkey(dir.path(), key_type);
        let path = dir.path().join("attest.key");
        let key = load_pair(&path).unwrap();
        assert_eq!(key.key_type(), key_type);
        assert_eq!(key.to_pkcs8_pem().as_bytes(), fs::read(&path).unwrap());
        assert_eq!(key.public().to_spki_pem().as_bytes(), fs::read(public_path(&path)).unwrap());
    }
}

#[test]
fn our_keys_are_read_by_openssl_and_written_byte_for_byte() {
    if !have("openssl") {
        return;
    }
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        let key = create_pair(&dir.path().join("attest.key"), key_type).unwrap();
        ok(dir.path(), "openssl", &["pkey", "-in", "attest.key", "-check", "-noout"]);
        let private = ok(dir.path(), "openssl", &["pkey", "-in", "attest.key"]);
        let public = ok(dir.path(), "openssl", &["pkey", "-in", "attest.key", "-pubout"]);
        assert_eq!((private, public), (key.to_pkcs8_pem().to_string(), key.public().to_spki_pem()));
    }
}

#[test]
fn openssl_verifies_the_signature_over_the_pae() {
    if !have("openssl") {
        return;
    }
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        let key = create_pair(&dir.path().join("attest.key"), key_type).unwrap();
        let envelope = Envelope::sign(br#"{"a":1}"#.to_vec(), &key).unwrap();
        let message = dsse::pae(dsse::PAYLOAD_TYPE, br#"{"a":1}"#);
        let signature = envelope.signatures()[0].bytes();
        assert!(accepts(dir.path(), &message, signature));
        assert!(!accepts(dir.path(), br#"{"a":1}"#, signature), "the bare payload");
        let mut altered = message.clone();
        *altered.last_mut().unwrap() ^= 1;
        assert!(!accepts(dir.path(), &altered, signature));

        // And the other way round.
        let args = "pkeyutl -sign -inkey attest.key -rawin -in pae.bin -out sig.bin";
        fs::write(dir.path().join("pae.bin"), &message).unwrap();
        ok(dir.path(), "openssl", &args.split(' ').collect::<Vec<_>>());
        let theirs = fs::read(dir.path().join("sig.bin")).unwrap();
        key.public().verify(&message, &theirs).unwrap();
        key.public().verify(&altered, &theirs).unwrap_err();
    }
}

/// What the remedies tell people to type.
#[test]
fn remedies_work_as_typed() {
    if !have("openssl") {
        return;
    }
    let dir = TempDir::new().unwrap();
    let (make, key_type) = ("genpkey -algorithm ed25519 -outform DER -out old.key", KeyType::Ed25519);
    ok(dir.path(), "openssl", &make.split(' ').collect::<Vec<_>>());
    let text = fs::read(dir.path().join("old.key")).unwrap();
    let error = PrivateKey::from_pem(&text).unwrap_err();
    let remedy = error.remedy("old.key");
    let command = remedy.split("openssl ").nth(1).unwrap().split(" (").next().unwrap();
    ok(dir.path(), "openssl", &command.split(' ').collect::<Vec<_>>());
    let key = load_private(&dir.path().join("NEW.key")).unwrap();
    assert_eq!(key.key_type(), key_type, "{remedy}");
    let public = PublicKey::from_spki_pem(&fs::read(dir.path().join("NEW.key")).unwrap());
    assert_eq!(
        public.unwrap_err().remedy("NEW.key"),
        "give its public half: argo-attest public-key --key NEW.key > NEW.pub"
    );
}

#[test]
fn ssh_keygen_agrees_on_the_name_of_a_key() {
    if !have("ssh-keygen") {
        return;
    }
    for key_type in KeyType::ALL {
        let dir = TempDir::new().unwrap();
        let key = PrivateKey::generate(key_type).unwrap();
        // Imports SPKI of both kinds only in new versions, so the wire form is given.
        fs::write(dir.path().join("ssh.pub"), ssh_line(&key)).unwrap();
        let printed = ok(dir.path(), "ssh-keygen", &["-l", "-E", "sha256", "-f", "ssh.pub"]);
        assert_eq!(printed.split(' ').nth(1).unwrap(), key.public().key_id().to_string());
    }
}

/// The line of an `authorized_keys` file (RFC 8709 section 4, RFC 5656 section 3.1).
fn ssh_line(key: &PrivateKey) -> String {
    use base64::Engine as _;
    let der = key.public().to_spki_der();
    let (kind, fields): (_, Vec<&[u8]>) = match key.key_type() {
        KeyType::Ed25519 => ("ssh-ed25519", vec![b"ssh-ed25519", &der[der.len() - 32..]]),
        KeyType::EcdsaP256 => {
            ("ecdsa-sha2-nistp256", vec![b"ecdsa-sha2-nistp256", b"nistp256", &der[der.len() - 65..]])
        }
    };
    let field = |f: &&[u8]| [&u32::try_from(f.len()).unwrap().to_be_bytes(), *f].concat();
    let wire: Vec<u8> = fields.iter().flat_map(field).collect();
    format!("{kind} {} test\n", base64::engine::general_purpose::STANDARD.encode(wire))
}
