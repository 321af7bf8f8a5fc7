//! Programs that give logins, as Docker's configuration names them.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::program::{Desk, Ended};
use crate::scripted::{Act, Plain, Scripted, reply};

const SECRET: &str = "s3cret-of-the-keychain";
const MANIFEST: &[u8] =
    br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// A registry that takes one login of a person whose keychain has it, and of nobody else.
struct Keychain {
    desk: Desk,
    registry: Scripted,
}

impl Keychain {
    fn new() -> Self {
        let wanted = format!("Basic {}", STANDARD.encode(format!("me:{SECRET}")));
        let registry = Scripted::choosing(Plain, move |request| {
            Some(if request.header("authorization") != wanted {
                Act::Reply(reply(401, &[("WWW-Authenticate", "Basic realm=r")], b"{}"))
            } else if request.path.ends_with("/manifests/v1") {
                let kind = ("Content-Type", "application/vnd.oci.image.index.v1+json");
                Act::Reply(reply(200, &[kind], MANIFEST))
            } else {
                Act::Reply(reply(404, &[], b"{}"))
            })
        });
        let desk = Desk::new();
        std::fs::create_dir(desk.path("bin")).unwrap();
        std::fs::create_dir(desk.path("docker")).unwrap();
        Self { desk, registry }
    }

    /// Installs `docker-credential-NAME`.
    fn helper(&self, name: &str, script: &str) {
        let path = self.desk.path("bin").join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Inspects an image with this configuration.
    fn inspect(&self, config: &str) -> Ended {
        let config = config.replace("HOST", &self.registry.address.to_string());
        self.desk.write("docker/config.json", config);
        let image = format!("oci://{}/app:v1", self.registry.address);
        let mut command = self.desk.program(["inspect", "--plain-http", &image]);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.desk.path("bin").display()));
        command.env("DOCKER_CONFIG", self.desk.path("docker"));
        let ended: Ended = command.output().unwrap().into();
        assert!(!format!("{ended:?}").contains(SECRET), "{ended:?}");
        ended
    }

    fn was_let_in(&self) -> bool {
        self.registry.requests().iter().any(|request| request.header("authorization").starts_with("Basic "))
    }
}

fn prints(user: &str) -> String {
    format!(
        r#"read -r asked; echo "$1 $asked" >asked; printf '{{"ServerURL":"x","Username":"{user}","Secret":"{SECRET}"}}'"#
    )
}

#[test]
fn a_helper_is_asked_for_the_login_of_the_registry() {
    for config in [
        r#"{"credsStore":"chain"}"#,
        r#"{"credHelpers":{"HOST":"chain"},"credsStore":"other"}"#,
        // As Docker has it: where a program is named, what is in the file does not count.
        r#"{"auths":{"HOST":{"username":"old","password":"old"}},"credsStore":"chain"}"#,
    ] {
        let keychain = Keychain::new();
        keychain.helper("chain", &prints("me"));
        keychain.inspect(config);
        assert!(keychain.was_let_in(), "{config}");
        let asked = String::from_utf8(keychain.desk.read("asked")).unwrap();
        assert_eq!(asked.trim(), format!("get {}", keychain.registry.address));
    }
}

#[test]
fn one_that_has_no_login_or_is_not_there_leaves_the_files_own() {
    let own = format!(r#""auths":{{"HOST":{{"username":"me","password":"{SECRET}"}}}}"#);
    let none = "echo credentials not found in native keychain; exit 1";
    for (script, config) in [
        (none, format!(r#"{{{own},"credsStore":"chain"}}"#)),
        ("", format!(r#"{{{own},"credsStore":"not-installed"}}"#)),
    ] {
        let keychain = Keychain::new();
        keychain.helper("chain", script);
        keychain.inspect(&config);
        assert!(keychain.was_let_in(), "{config}");
    }
    // And with none in the file either nobody is logged in, which the registry denies.
    let keychain = Keychain::new();
    keychain.helper("chain", none);
    keychain.inspect(r#"{"credsStore":"chain"}"#).with(77).says("the registry denied it (401");
    assert!(!keychain.was_let_in());
}

#[test]
fn one_that_fails_is_named_and_nothing_that_it_printed_is_repeated() {
    let flood = format!("while :; do echo {SECRET}; done");
    for (script, why) in [
        (format!("echo {SECRET}; exit 3"), "it ended with exit status: 3"),
        (format!("echo {SECRET}"), "what it printed is no login"),
        (format!(r#"printf '{{"Secret":"{SECRET}"}}'"#), "what it printed is no login"),
        (flood, "it printed more than 65536 bytes"),
    ] {
        let keychain = Keychain::new();
        keychain.helper("chain", &script);
        let begun = Instant::now();
        let ended = keychain.inspect(r#"{"credsStore":"chain"}"#).with(77);
        ended.says("docker-credential-chain gives no login").says(why);
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    let keychain = Keychain::new();
    let ended = keychain.inspect(r#"{"credHelpers":{"HOST":"not-there"}}"#).with(77);
    ended.says("it is not installed, or not in PATH").says("install docker-credential-not-there");
    // A name that would be a path is none.
    keychain.inspect(r#"{"credsStore":"../bin/x"}"#).with(65).says("the name of a helper is no plain word");
}
