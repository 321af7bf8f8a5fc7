//! Registries as they ask who one is, send one elsewhere, are busy, or lie.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argo_attest::registry::{Registries, RegistryError};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::{ImageReference, Repository};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde_json::json;

use crate::scripted::{Act, Plain, Request, Scripted, reply};

const MANIFEST: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;
const BASIC: &str = "Basic dXNlcjpwYXNz";

fn manifest() -> Act {
    Act::Reply(reply(200, &[("Content-Type", "application/vnd.oci.image.index.v1+json")], MANIFEST))
}

fn challenge(challenge: &str) -> Act {
    Act::Reply(reply(401, &[("WWW-Authenticate", challenge)], b"{}"))
}

fn denied() -> Act {
    Act::Reply(reply(403, &[], br#"{"errors":[{"code":"DENIED","message":"not\u001b[2J you"}]}"#))
}

/// The user's Docker configuration has this entry for the server.
fn registries(server: &Scripted, entry: &str) -> (tempfile::TempDir, Registries) {
    let home = tempfile::tempdir().unwrap();
    let config = format!(r#"{{"auths":{{"{}":{entry}}}}}"#, server.address);
    std::fs::write(home.path().join("config.json"), config).unwrap();
    let folder = home.path().as_os_str().to_owned();
    let env = move |name: &str| -> Option<OsString> { (name == "DOCKER_CONFIG").then(|| folder.clone()) };
    let made = Registries::from_env(&env, true).unwrap();
    (home, made)
}

fn image(server: &Scripted) -> ImageReference {
    format!("{}/a/b:v1", server.address).parse().unwrap()
}

/// Gives a manifest to whoever shows this, and asks all others for it.
fn guarded(wanted: &'static str, ask: impl Fn(&Request) -> Act + Send + 'static) -> Scripted {
    Scripted::choosing(Plain, move |request| {
        let shown = request.header("authorization");
        Some(if request.path.starts_with("/v2/") && shown == wanted { manifest() } else { ask(request) })
    })
}

#[tokio::test]
async fn a_token_is_fetched_once_with_the_login_of_the_registry() {
    let server = guarded("Bearer good", |request| {
        let token = request.path.starts_with("/token?");
        match (token, request.header("authorization")) {
            (true, BASIC) => Act::Reply(reply(200, &[], br#"{"token":"good","expires_in":300}"#)),
            (true, _) => denied(),
            (false, _) => {
                let host = request.header("host");
                challenge(&format!(r#"Bearer realm="http://{host}/token",service="s p",scope="x""#))
            }
        }
    });
    let (_home, made) = registries(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    for _ in 0..2 {
        made.manifest(&image(&server)).await.unwrap();
    }
    let asked = server.asked();
    assert_eq!(asked[0], "GET /v2/a/b/manifests/v1");
    assert_eq!(asked[1], "GET /token?scope=repository%3Aa%2Fb%3Apull&service=s%20p");
    assert_eq!(asked[2..], ["GET /v2/a/b/manifests/v1", "GET /v2/a/b/manifests/v1"], "the token is kept");
}

#[tokio::test]
async fn what_is_exchanged_for_tokens_goes_in_a_form() {
    let server = guarded("Bearer good", |request| {
        if request.method == "POST" {
            let form = String::from_utf8(request.body.clone()).unwrap();
            assert!(
                form.contains("grant_type=refresh_token") && form.contains("refresh_token=long"),
                "{form}"
            );
            return Act::Reply(reply(200, &[], br#"{"access_token":"good"}"#));
        }
        challenge(&format!(r#"Bearer realm="http://{}/oauth""#, request.header("host")))
    });
    let (_home, made) = registries(&server, r#"{"identitytoken":"long"}"#);
    made.manifest(&image(&server)).await.unwrap();
}

/// What each of the large ones asks for, and where its token lies in the answer.
#[tokio::test]
async fn the_large_registries_give_their_tokens() {
    let basic =
        |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let key = "{\n  \"type\": \"service_account\",\n  \"private_key\": \"x\"\n}\n";
    let nobody = "00000000-0000-0000-0000-000000000000";
    let tables = [
        // (entry, challenge, request, who asks, answer)
        (
            json!({"auth": STANDARD.encode("octocat:ghp_x")}),
            r#"realm="http://HOST/token",service="ghcr.io",scope="repository:a/b:pull""#,
            "GET /token?scope=repository%3Aa%2Fb%3Apull&service=ghcr.io",
            basic("octocat", "ghp_x"),
            r#"{"token":"good"}"#,
        ),
        (
            json!({"username": "_json_key", "password": key}),
            r#"realm="http://HOST/v2/token",service="europe-docker.pkg.dev""#,
            "GET /v2/token?scope=repository%3Aa%2Fb%3Apull&service=europe-docker.pkg.dev",
            basic("_json_key", key),
            r#"{"expires_in":3599,"issued_at":"2026-11-26T00:00:00Z","token":"good"}"#,
        ),
        (
            json!({"username": "oauth2accesstoken", "password": "ya29.x"}),
            r#"realm="http://HOST/v2/token",service="europe-docker.pkg.dev""#,
            "GET /v2/token?scope=repository%3Aa%2Fb%3Apull&service=europe-docker.pkg.dev",
            basic("oauth2accesstoken", "ya29.x"),
            r#"{"token":"good"}"#,
        ),
        (
            json!({"username": "principal", "password": "secret"}),
            r#"realm="http://HOST/oauth2/token",service="x.azurecr.io",scope="repository:a/b:pull""#,
            "GET /oauth2/token?scope=repository%3Aa%2Fb%3Apull&service=x.azurecr.io",
            basic("principal", "secret"),
            r#"{"access_token":"good"}"#,
        ),
        (
            json!({"auth": STANDARD.encode(format!("{nobody}:")), "identitytoken": "long"}),
            r#"realm="http://HOST/oauth2/token",service="x.azurecr.io",scope="repository:a/b:pull""#,
            "POST /oauth2/token",
            String::new(),
            r#"{"access_token":"good"}"#,
        ),
    ];
    for (entry, asks, request, who, answer) in tables {
        let server = guarded("Bearer good", move |request| {
            if request.path.contains("/token") {
                return Act::Reply(reply(200, &[], answer.as_bytes()));
            }
            challenge(&format!("Bearer {}", asks.replace("HOST", request.header("host"))))
        });
        let (_home, made) = registries(&server, &entry.to_string());
        made.manifest(&image(&server)).await.unwrap();
        assert_eq!(server.asked()[1], request);
        let asked = &server.requests()[1];
        assert_eq!(asked.header("authorization"), who);
        let form = String::from_utf8(asked.body.clone()).unwrap();
        let exchanged = "scope=repository%3Aa%2Fb%3Apull&service=x.azurecr.io&grant_type=refresh_token\
                         &client_id=argo-attest&refresh_token=long";
        assert_eq!(form, if who.is_empty() { exchanged } else { "" });
    }
}

#[tokio::test]
async fn a_password_is_shown_where_it_is_asked_for_and_not_before() {
    let server = guarded(BASIC, |_| challenge(r#"Basic realm="r""#));
    let (_home, made) = registries(&server, r#"{"username":"user","password":"pass"}"#);
    made.manifest(&image(&server)).await.unwrap();
    let shown: Vec<_> = server.requests().iter().map(|r| r.header("authorization").to_owned()).collect();
    assert_eq!(shown, ["", BASIC]);
    // Who has no login is told how to get one, in the registry's words and ours.
    let (_home, nobody) = registries(&server, "{}");
    let error = nobody.manifest(&image(&server)).await.unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
    let no = guarded("nothing", |_| denied());
    let (_home, made) = registries(&no, "{}");
    let error = made.manifest(&image(&no)).await.unwrap_err().to_string();
    assert!(error.ends_with("(403 not%1B[2J you)"), "{error}");
}

/// A Secret is replaced while a sidecar runs.
#[tokio::test]
async fn a_login_that_was_replaced_is_read_anew() {
    let new = format!("Basic {}", STANDARD.encode("user:new"));
    let (taken, is_new) = (new.clone(), Arc::new(AtomicBool::new(false)));
    let changed = Arc::clone(&is_new);
    let server = Scripted::choosing(Plain, move |request| {
        let wanted = if changed.load(Ordering::SeqCst) { &taken } else { BASIC };
        let known = request.header("authorization") == wanted;
        Some(if known { manifest() } else { challenge("Basic realm=r") })
    });
    let (home, made) = registries(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    made.manifest(&image(&server)).await.unwrap();
    is_new.store(true, Ordering::SeqCst);
    let config = json!({"auths": {server.address.to_string(): {"username": "user", "password": "new"}}});
    std::fs::write(home.path().join("config.json"), config.to_string()).unwrap();
    made.manifest(&image(&server)).await.unwrap();
    assert_eq!(server.requests().last().unwrap().header("authorization"), new);
}

#[tokio::test]
async fn who_we_are_is_told_to_no_other_server() {
    let bytes = b"a blob";
    let other = Scripted::start([Act::Reply(reply(200, &[], bytes))]);
    let to = format!("http://{}/elsewhere?signed=1", other.address);
    let server = guarded("nothing", move |request| {
        if request.header("authorization") == BASIC {
            Act::Reply(reply(307, &[("Location", &to)], b""))
        } else {
            challenge("Basic realm=r")
        }
    });
    let (_home, made) = registries(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    let at: Repository = format!("{}/a/b", server.address).parse().unwrap();
    let read = made.blob(&at, Sha256Digest::of(bytes), 100).await.unwrap();
    assert_eq!(read, &bytes[..]);
    assert_eq!(other.asked(), ["GET /elsewhere?signed=1"]);
    assert_eq!(other.requests()[0].header("authorization"), "");
}

/// Where a blob lies, somebody else may ask for a login, and name where to bring it.
#[tokio::test]
async fn whoever_a_registry_sends_one_to_is_given_no_login() {
    for scheme in ["Basic realm=r", r#"Bearer realm="http://HOST/token",service="s""#] {
        let other = Scripted::choosing(Plain, move |request| {
            Some(challenge(&scheme.replace("HOST", request.header("host"))))
        });
        let to = format!("http://{}/elsewhere", other.address);
        let server =
            Scripted::choosing(Plain, move |_| Some(Act::Reply(reply(307, &[("Location", &to)], b""))));
        let (_home, made) = registries(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
        let at = image(&server).repository().clone();
        let error = made.blob(&at, Sha256Digest::of(b"x"), 100).await.unwrap_err();
        assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
        assert_eq!(other.asked(), ["GET /elsewhere"], "{scheme}");
        assert_eq!(other.requests()[0].header("authorization"), "");
    }
}

/// The next page of a list that lies with somebody else is asked for there, by nobody.
#[tokio::test]
async fn the_next_page_of_somebody_elses_list_is_asked_for_by_nobody() {
    let page = |link: &[(&str, &str)]| {
        let kind = [("Content-Type", "application/vnd.oci.image.index.v1+json")];
        Act::Reply(reply(200, &[&kind, link].concat(), MANIFEST))
    };
    let other = Scripted::choosing(Plain, move |request| {
        Some(match request.path.as_str() {
            "/list" => page(&[("Link", r#"</next>; rel="next""#)]),
            _ => challenge("Basic realm=r"),
        })
    });
    let to = format!("http://{}/list", other.address);
    let server = guarded("nothing", move |request| {
        if request.header("authorization") == BASIC {
            Act::Reply(reply(307, &[("Location", &to)], b""))
        } else {
            challenge("Basic realm=r")
        }
    });
    let (_home, made) = registries(&server, r#"{"auth":"dXNlcjpwYXNz"}"#);
    let at = image(&server).repository().clone();
    let error = made.referrers(&at, Sha256Digest::of(b"x")).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
    assert_eq!(other.asked(), ["GET /list", "GET /next"]);
    assert!(other.requests().iter().all(|request| request.header("authorization").is_empty()));
}

#[tokio::test]
async fn other_bytes_and_too_many_are_refused() {
    let server = Scripted::choosing(Plain, |_| Some(manifest()));
    let (_home, made) = registries(&server, "{}");
    let at = image(&server).repository().clone();
    let other = Sha256Digest::of(b"other");
    for error in [
        made.manifest(&at.at(other)).await.map(|_| ()).unwrap_err(),
        made.blob(&at, other, 100).await.map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, RegistryError::OtherBytes { .. }), "{error}");
    }
    let error = made.blob(&at, Sha256Digest::of(MANIFEST), 10).await.unwrap_err();
    assert!(matches!(error, RegistryError::TooLarge { limit: 10, .. }), "{error}");
    let flood = Scripted::start([Act::Flood(b"HTTP/1.1 200 OK\r\n\r\n".to_vec())]);
    let (_home, made) = registries(&flood, "{}");
    let error = made.manifest(&image(&flood)).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, RegistryError::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_busy_registry_is_asked_again_and_one_that_stays_busy_is_told_of() {
    let busy = |status| Act::Reply(reply(status, &[("Retry-After", "0")], b""));
    let server = Scripted::start([busy(429), busy(503), manifest()]);
    let (_home, made) = registries(&server, "{}");
    made.manifest(&image(&server)).await.unwrap();
    assert_eq!(server.asked().len(), 3);
    let server = Scripted::choosing(Plain, move |_| Some(busy(503)));
    let (_home, made) = registries(&server, "{}");
    let error = made.manifest(&image(&server)).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable { attempts: 3, .. }), "{error}");
}

#[tokio::test]
async fn a_place_that_sends_one_round_and_round_is_left() {
    let server = Scripted::choosing(Plain, |request| {
        let to = format!("{}x", request.path);
        Some(Act::Reply(reply(302, &[("Location", &to)], b"")))
    });
    let (_home, made) = registries(&server, "{}");
    made.manifest(&image(&server)).await.map(|_| ()).unwrap_err();
    assert!(server.asked().len() <= 15, "{:?}", server.asked());
}
