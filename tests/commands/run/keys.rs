//! The key: made on first use, named, refused, never given away.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::program::Desk;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_pair_is_made_and_never_overwritten() {
    let desk = Desk::new();
    for kind in ["ed25519", "ecdsa-p256"] {
        let made = desk.run(["keygen", "--out-dir", kind, "--type", kind]).with(0);
        assert!(made.out.contains("key id       SHA256:"), "{made:?}");
        assert_eq!(mode(&desk.path(kind).join("attest.key")), 0o600);
        let key = desk.read(format!("{kind}/attest.key"));
        desk.run(["keygen", "--out-dir", kind, "--type", kind])
            .with(77)
            .says("never overwritten")
            .says("\n  help: choose another directory");
        assert_eq!(desk.read(format!("{kind}/attest.key")), key);

        let key = format!("{kind}/attest.key");
        let public = format!("{kind}/attest.pub");
        let arguments = ["run", "--key", &key, "--outputs", kind, "--", "sh", "-c", "exit 0"];
        desk.run(arguments).with(77).says("lies in").says("\n  help: keep the key outside");
        let ran = desk.run(["run", "--key", &key, "--outputs", "o", "--", "sh", "-c", "echo hi > o"]).with(0);
        assert!(ran.err.contains(&format!("verify with   argo-attest verify --key {public} o\n")), "{ran:?}");
        desk.accepted(["--key", &public, "o"]).says(&format!("signed with {public} (SHA256:"));
        fs::remove_file(desk.path("o.intoto.jsonl")).unwrap();
    }
    // Two keys, either of which will do; and neither is one's own.
    desk.accepted(["--key", "ed25519/attest.pub", "--key", "ecdsa-p256/attest.pub", "o"]);
    desk.rejected(["--key", "ed25519/attest.pub", "o"], "not signed with a trusted key");
    desk.run(["verify", "o"])
        .with(77)
        .says("no key is trusted")
        .says("\n  help: name the signer's public key");
    desk.run(["run", "--outputs", "p", "--", "touch", "p"]).with(0);
    desk.rejected(["o"], "not signed with a trusted key");
}

#[test]
fn the_secret_holds_the_pair() {
    use base64::Engine as _;
    let desk = Desk::new();
    let made =
        desk.run(["keygen", "--out-dir", "k", "--secret-name", "attest-key", "--namespace", "ci"]).with(0);
    let lines: Vec<_> = made.out.lines().collect();
    assert_eq!(
        lines[..7],
        [
            "apiVersion: v1",
            "kind: Secret",
            "metadata:",
            "  name: attest-key",
            "  namespace: ci",
            "type: Opaque",
            "data:"
        ]
    );
    for (line, file) in [(lines[7], "attest.key"), (lines[8], "attest.pub")] {
        let (name, value) = line.trim_start().split_once(": ").unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(value).unwrap();
        assert_eq!((name, bytes), (file, desk.read(format!("k/{file}"))));
    }
    assert!(made.err.contains("key id") && !made.err.contains("PRIVATE"), "{made:?}");
    for (option, value) in [("--secret-name", "Not_A_Name"), ("--namespace", "x")] {
        desk.run(["keygen", "--out-dir", "other", option, value]).with(64);
    }
    assert!(!desk.path("other").exists());
}

#[test]
fn a_key_that_others_may_read_is_refused_with_the_remedy() {
    let desk = Desk::new();
    desk.run(["keygen", "--out-dir", "k"]).with(0);
    let key = desk.path("k/attest.key");
    for bad in [0o644, 0o640, 0o602] {
        fs::set_permissions(&key, fs::Permissions::from_mode(bad)).unwrap();
        let ended = desk.run(["run", "--key", "k/attest.key", "--outputs", "o", "--", "touch", "o"]).with(77);
        assert!(
            ended.err.contains(&format!("(mode {bad:04o})\n  help: chmod 600 k/attest.key")),
            "{ended:?}"
        );
        assert!(!desk.path("o").exists(), "the command must not start");
    }
    // The layout of a mounted Secret, where modes are the cluster's.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    fs::create_dir_all(desk.path("secret/..2026")).unwrap();
    for file in ["attest.key", "attest.pub"] {
        fs::copy(desk.path("k").join(file), desk.path("secret/..2026").join(file)).unwrap();
        symlink(format!("..data/{file}"), desk.path("secret").join(file)).unwrap();
    }
    symlink("..2026", desk.path("secret/..data")).unwrap();
    desk.run(["run", "--key", "secret/attest.key", "--outputs", "o", "--", "touch", "o"]).with(0);
    desk.accepted(["--key", "secret/attest.pub", "o"]);
}

#[test]
fn unusable_keys_are_named_with_a_remedy() {
    let desk = Desk::new();
    desk.write("junk", "junk");
    fs::set_permissions(desk.path("junk"), fs::Permissions::from_mode(0o600)).unwrap();
    for (arguments, what) in [
        (["run", "--key", "none", "--", "true"], "there is no key file none"),
        (["run", "--key", "junk", "--", "true"], "the key file junk is not usable"),
        (["verify", "--key", "none", "--", "junk"], "there is no key file none"),
        (["verify", "--key", "junk", "--", "junk"], "the key file junk is not usable"),
    ] {
        desk.run(arguments).with(77).says(what).says("\n  help: ");
    }
    let no_home = desk.program(["run", "--", "true"]).env_remove("XDG_CONFIG_HOME").output().unwrap();
    crate::program::Ended::from(no_home).with(77).says("neither XDG_CONFIG_HOME nor HOME").says("\n  help: ");
}

/// A link to the key among the outputs is not followed, and the key is read for signing alone.
#[test]
fn the_key_is_never_an_output() {
    let desk = Desk::new();
    desk.attest(&["o"], "touch o").with(0);
    let key = desk.own_key();
    let secret = fs::read_to_string(&key).unwrap();
    let digest = argo_attest_core::digest::Sha256Digest::of(secret.as_bytes()).to_string();
    let script = format!("mkdir out && ln -s {} out/key && echo hi > out/x", key.display());
    let ended = desk.attest(&["out"], &script).with(1).says("refused       out/key: a symbolic link");
    let said = format!("{ended:?}{:?}", desk.run(["inspect", "--json", "out.sigstore.json"]));
    assert!(!said.contains(&digest) && said.contains("out/x"), "{said}");

    // A key in the working directory that the command touches is no output of it either.
    desk.run(["keygen", "--out-dir", "."]).with(0);
    let digest = argo_attest_core::digest::Sha256Digest::of(&desk.read("attest.key")).to_string();
    let arguments =
        ["run", "--json", "--key", "attest.key", "--", "sh", "-c", "touch attest.key; echo hi > new"];
    let ended = desk.run(arguments).with(0);
    assert!(ended.out.contains("\"new\"") && !ended.out.contains(&digest), "{ended:?}");
}
