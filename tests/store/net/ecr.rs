//! Amazon's registries: a server that plays ECR, well and badly, and a registry that has the name
//! of one of Amazon's, reached through a tunnel.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use argo_attest::registry::{Registries, RegistryError};
use argo_attest_core::digest::Sha256Digest;
use argo_attest_core::image::ImageReference;
use argo_attest_core::text::causes;
use argo_attest_core::trouble::Trouble as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as STANDARD;
use serde_json::json;

use super::tunnels::Tunnels;
use super::variables;
use crate::moto::Moto;
use crate::scripted::{Act, Plain, Request, Scripted, reply};
use crate::tls::Authority;

const HOST: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
const SECRET: &str = "a-secret-access-key";
const MANIFEST: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;

/// A registry of Amazon's, and ECR's own service.
struct Amazon {
    registry: Scripted,
    tunnels: Tunnels,
    authority: Authority,
    service: String,
    home: tempfile::TempDir,
}

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("AWS:{password}")))
}

fn seconds_from_now(seconds: u64) -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + seconds
}

/// What ECR answers.
fn password(password: &str, lasts: u64) -> Act {
    let token = STANDARD.encode(format!("AWS:{password}"));
    let data = json!({"authorizationToken": token, "expiresAt": seconds_from_now(lasts), "proxyEndpoint": format!("https://{HOST}")});
    let body = json!({"authorizationData": [data]}).to_string();
    Act::Reply(reply(200, &[("Content-Type", "application/x-amz-json-1.1")], body.as_bytes()))
}

fn no(kind: &str) -> Act {
    let body = json!({"__type": kind, "message": format!("with {SECRET}")}).to_string();
    Act::Reply(reply(400, &[], body.as_bytes()))
}

/// ECR, which answers in turn, and then as the last.
fn ecr(mut answers: Vec<Act>) -> Scripted {
    Scripted::choosing(Plain, move |_| {
        Some(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    })
}

impl Amazon {
    /// A registry that does what is chosen, where ECR is at `service`. `None` without openssl.
    fn start(service: String, choose: impl FnMut(&Request) -> Option<Act> + Send + 'static) -> Option<Self> {
        let authority = Authority::new()?;
        let registry = Scripted::choosing(authority.server(&format!("DNS:{HOST}"), "2"), choose);
        let tunnels = Tunnels::start(registry.address, None);
        let home = tempfile::tempdir().unwrap();
        Some(Self { registry, tunnels, authority, service, home })
    }

    /// One that takes this password.
    fn taking(service: String, wanted: &'static str) -> Option<Self> {
        Self::start(service, move |request| Some(guarded(request, &basic(wanted))))
    }

    fn config(&self, config: &serde_json::Value) {
        std::fs::write(self.home.path().join("config.json"), config.to_string()).unwrap();
    }

    fn env(&self, more: &[(&str, &str)]) -> impl Fn(&str) -> Option<OsString> + use<> {
        let (bundle, proxy) = (self.authority.bundle(), self.tunnels.url(""));
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let (bundle, home) = (text(&bundle), text(self.home.path()));
        let usual = [
            ("SSL_CERT_FILE", bundle.as_str()),
            ("HTTPS_PROXY", &proxy),
            ("DOCKER_CONFIG", &home),
            ("HOME", &home),
            ("AWS_ENDPOINT_URL_ECR", &self.service),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        let other = |name: &str| more.iter().all(|(known, _)| *known != name);
        let usual = usual.into_iter().filter(|(name, _)| other(name));
        variables(&usual.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn registries(&self) -> Registries {
        Registries::in_pod(&self.env(&[]), false).unwrap()
    }

    /// What each request to the registry showed.
    fn shown(&self) -> Vec<String> {
        self.registry.requests().iter().map(|r| r.header("authorization").to_owned()).collect()
    }
}

fn guarded(request: &Request, wanted: &str) -> Act {
    if request.header("authorization") == wanted {
        return Act::Reply(reply(
            200,
            &[("Content-Type", "application/vnd.oci.image.index.v1+json")],
            MANIFEST,
        ));
    }
    let realm = format!(r#"Basic realm="https://{HOST}/",service="ecr.amazonaws.com""#);
    Act::Reply(reply(401, &[("WWW-Authenticate", &realm)], b"Not Authorized\n"))
}

fn image(name: &str) -> ImageReference {
    format!("{HOST}/{name}").parse().unwrap()
}

#[tokio::test]
async fn ecr_gives_the_password_of_its_registries_once() {
    let service = ecr(vec![password("good", 43_200)]);
    let Some(amazon) = Amazon::taking(service.endpoint(), "good") else { return };
    for place in [amazon.registries(), Registries::from_env(&amazon.env(&[]), false).unwrap()] {
        let begun = service.asked().len();
        for name in ["a/b:v1", "a/b:v2", "c:v1"] {
            place.manifest(&image(name)).await.unwrap();
        }
        assert_eq!(service.asked()[begun..], ["POST /"], "it is kept for all repositories");
    }
    let asked = &service.requests()[0];
    assert_eq!(asked.header("x-amz-target"), "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
    assert_eq!(asked.body, b"{}");
    let signed = asked.header("authorization");
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signed}");
    assert!(signed.contains("/eu-west-1/ecr/aws4_request"), "the region is the registry's: {signed}");
    assert!(amazon.tunnels.asked().iter().all(|line| line.starts_with(&format!("CONNECT {HOST}:443 "))));
}

#[tokio::test]
async fn a_login_of_dockers_configuration_comes_first_unless_it_names_ecrs_helper() {
    let service = ecr(vec![password("good", 43_200)]);
    let Some(amazon) = Amazon::start(service.endpoint(), |request| {
        let own = basic("own");
        let wanted = if request.path.contains("/own/") { &own } else { &basic("good") };
        Some(guarded(request, wanted))
    }) else {
        return;
    };
    let auths = json!({HOST: {"username": "AWS", "password": "own"}});
    amazon.config(&json!({"auths": auths}));
    amazon.registries().manifest(&image("own/a:v1")).await.unwrap();
    assert_eq!(service.asked(), [""; 0]);
    for config in [
        json!({"auths": auths, "credHelpers": {HOST: "ecr-login"}}),
        json!({"auths": auths, "credsStore": "ecr-login"}),
        json!({"auths": {HOST: {}}}),
        // A pod runs none; what is left is what AWS says.
        json!({"credsStore": "desktop"}),
    ] {
        amazon.config(&config);
        amazon.registries().manifest(&image("a:v1")).await.unwrap();
    }
    assert_eq!(service.asked().len(), 4);
}

#[tokio::test]
async fn a_password_that_is_not_taken_any_more_is_asked_for_anew() {
    let service = ecr(vec![password("first", 43_200), password("second", 43_200)]);
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let Some(amazon) = Amazon::start(service.endpoint(), move |request| {
        let first = counted.load(Ordering::SeqCst) == 0;
        let wanted = basic(if first { "first" } else { "second" });
        Some(guarded(request, &wanted))
    }) else {
        return;
    };
    let registries = amazon.registries();
    registries.manifest(&image("a:v1")).await.unwrap();
    taken.store(1, Ordering::SeqCst);
    registries.manifest(&image("a:v1")).await.unwrap();
    assert_eq!(service.asked().len(), 2);
    // One that is about to end is not used at all.
    let service = ecr(vec![password("good", 300)]);
    let Some(amazon) = Amazon::taking(service.endpoint(), "good") else { return };
    let registries = amazon.registries();
    for name in ["a:v1", "b:v1"] {
        registries.manifest(&image(name)).await.unwrap();
    }
    assert_eq!(service.asked().len(), 2);
}

/// The password opens all of Amazon's registries that its owner may use.
#[tokio::test]
async fn ecrs_password_is_shown_to_the_registry_alone() {
    let service = ecr(vec![password("good", 43_200)]);
    // Whom it names for tokens.
    let Some(amazon) = Amazon::start(service.endpoint(), |_| {
        let realm = format!(r#"Bearer realm="https://{HOST}/token",service="s""#);
        Some(Act::Reply(reply(401, &[("WWW-Authenticate", &realm)], b"")))
    }) else {
        return;
    };
    let error = amazon.registries().manifest(&image("a:v1")).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
    assert_eq!(amazon.registry.asked(), ["GET /v2/a/manifests/v1"]);
    assert_eq!(amazon.shown(), [""]);
    // Where it has its blobs.
    let Some(amazon) = Amazon::start(service.endpoint(), |request| {
        Some(if request.path.starts_with("/elsewhere") {
            Act::Reply(reply(200, &[], b"a blob"))
        } else if request.header("authorization") == basic("good") {
            Act::Reply(reply(307, &[("Location", "https://bucket.s3.amazonaws.com/elsewhere")], b""))
        } else {
            guarded(request, "nothing")
        })
    }) else {
        return;
    };
    let blob = amazon.registries().blob(image("a").repository(), Sha256Digest::of(b"a blob"), 100).await;
    // Its certificate is another's here: that is far enough.
    blob.unwrap_err();
    let asked = amazon.tunnels.asked();
    assert!(asked.iter().any(|line| line.starts_with("CONNECT bucket.s3.amazonaws.com:443 ")), "{asked:?}");
    // Without TLS.
    let open = Scripted::choosing(Plain, |request| Some(guarded(request, &basic("good"))));
    let env = amazon.env(&[("HTTP_PROXY", &open.endpoint())]);
    let begun = service.asked().len();
    let plain = Registries::from_env(&env, true).unwrap();
    let error = plain.manifest(&image("a:v1")).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, RegistryError::Denied { .. }), "{error}");
    assert_eq!((service.asked().len(), open.asked().len()), (begun, 1));
}

#[tokio::test]
async fn whoever_is_refused_by_ecr_is_told_what_to_do() {
    for (kind, said, remedy) in [
        (
            "UnrecognizedClientException",
            "400 UnrecognizedClientException",
            "check AWS's credentials, or sign in again",
        ),
        (
            "AccessDeniedException",
            "400 AccessDeniedException",
            "grant ecr:GetAuthorizationToken to who asks, on all resources",
        ),
    ] {
        let service = ecr(vec![no(kind)]);
        let Some(amazon) = Amazon::taking(service.endpoint(), "good") else { return };
        let error = amazon.registries().manifest(&image("a:v1")).await.map(|_| ()).unwrap_err();
        let told = causes(&error);
        assert_eq!(told, format!("oci://{HOST}/a:v1: Amazon ECR gives no login: it refused: {said}"));
        assert_eq!(error.remedy().unwrap(), remedy);
        assert!(!told.contains(SECRET), "{told}");
    }
    // Nobody at all, and one who would be asked without TLS.
    let Some(amazon) = Amazon::taking("http://ecr.example".into(), "good") else { return };
    for (env, why) in [
        (
            amazon.env(&[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")]),
            "no credentials for AWS are set",
        ),
        (amazon.env(&[]), "Amazon ECR has to be asked over https"),
    ] {
        let registries = Registries::in_pod(&env, false).unwrap();
        let error = registries.manifest(&image("a:v1")).await.map(|_| ()).unwrap_err();
        assert!(causes(&error).contains(why) && error.remedy().is_some(), "{}", causes(&error));
    }
    // Registries of others need nothing of AWS's.
    let other = Scripted::choosing(Plain, |_| {
        Some(Act::Reply(reply(200, &[("Content-Type", "application/vnd.oci.image.index.v1+json")], MANIFEST)))
    });
    let env = amazon.env(&[("AWS_SECRET_ACCESS_KEY", "")]);
    let registries = Registries::from_env(&env, true).unwrap();
    registries.manifest(&format!("{}/a:v1", other.address).parse().unwrap()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_password_of_ecrs_is_told_and_not_repeated() {
    let json = |body: serde_json::Value| Act::Reply(reply(200, &[], body.to_string().as_bytes()));
    let token =
        |token: &str| json(json!({"authorizationData": [{"authorizationToken": token, "expiresAt": 1}]}));
    for (answer, why) in [
        (Act::Flood(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()), "it is longer than is read"),
        (Act::Reply(reply(200, &[], b"<html>")), "it lacks what it should have"),
        (json(json!({"authorizationData": []})), "what should be a registry's password is none"),
        (token("c2VjcmV0"), "what should be a registry's password is none"),
        (token(&STANDARD.encode("other:c2VjcmV0")), "what should be a registry's password is none"),
        (
            token(&STANDARD.encode(format!("AWS:{}", "x".repeat(64 * 1024)))),
            "what should be a registry's password is none",
        ),
    ] {
        let service = ecr(vec![answer]);
        let Some(amazon) = Amazon::taking(service.endpoint(), "good") else { return };
        let begun = Instant::now();
        let error = amazon.registries().manifest(&image("a:v1")).await.map(|_| ()).unwrap_err();
        assert!(matches!(error, RegistryError::NoLogin { .. }), "{error}");
        let told = causes(&error);
        assert!(told.contains(why) && !told.contains("c2VjcmV0"), "{told}");
        assert!(begun.elapsed() < Duration::from_secs(30), "{why}: {:?}", begun.elapsed());
    }
}

/// Another's ECR gives what Amazon's client would read.
#[tokio::test]
async fn motos_password_is_shown_to_the_registry() {
    let Some(moto) = Moto::start() else { return };
    let Some(amazon) = Amazon::start(format!("http://{}", moto.address), |request| {
        let shown = request.header("authorization").to_owned();
        let is_amazons = shown
            .strip_prefix("Basic ")
            .and_then(|pair| STANDARD.decode(pair).ok())
            .is_some_and(|pair| pair.starts_with(b"AWS:") && pair.len() > 4);
        Some(guarded(request, if is_amazons { &shown } else { "nothing" }))
    }) else {
        return;
    };
    amazon.registries().manifest(&image("a:v1")).await.unwrap();
}
