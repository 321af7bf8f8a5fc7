//! Proxies, as Argo's own containers would use them.

use std::path::Path;

use argo_attest::cluster::{ApiServer, ClusterError, Lookup as _};
use argo_attest::store::{Store as _, StoreError, StoreErrorKind};
use argo_attest_core::slsa::PodIdentity;
use argo_attest_core::text::causes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::tunnels::Tunnels;
use super::{key, store, variables};
use crate::scripted::{Act, Scripted, object, reply};
use crate::tls::Authority;

const USER: &str = "user:canary@";

fn basic() -> &'static str {
    format!("Basic {}", STANDARD.encode("user:canary")).leak()
}

/// Nothing that was told to a proxy alone.
fn is_discreet(error: &(dyn std::error::Error + 'static)) -> String {
    let told = format!("{} {error:?}", causes(error));
    assert!(!told.contains("canary") && !told.contains(basic()), "{told}");
    told
}

#[tokio::test]
async fn plain_http_asks_the_proxy_for_the_whole_address() {
    let proxy = Scripted::start([Act::Reply(object(b"x"))]);
    let address = format!("http://{USER}{}", proxy.address);
    let store = store("http://store.test:9000", Path::new("/none"), &[("http_proxy", &address)]);
    assert_eq!(store.get(&key(), 10).await.unwrap().bytes, "x");
    let asked = &proxy.requests()[0];
    assert!(asked.path.starts_with("http://store.test:9000/bucket/k?"), "{}", asked.path);
    assert_eq!((asked.header("host"), asked.header("proxy-authorization")), ("store.test:9000", basic()));
    assert!(!format!("{store:?}").contains("canary"), "{store:?}");
}

#[tokio::test]
async fn exceptions_are_asked_directly() {
    // Not a loopback address by name, and yet this machine.
    let here = |server: &Scripted| format!("http://0.0.0.0:{}", server.address.port());
    for (name, list, direct) in [
        ("NO_PROXY", "0.0.0.0", true),
        ("no_proxy", "store.test, 0.0.0.0/8", true),
        ("no_proxy", "*", true),
        ("no_proxy", "store.test,0.0.0.1", false),
    ] {
        let server = Scripted::start([Act::Reply(object(b"x"))]);
        let proxy = Scripted::start([Act::Reply(object(b"x"))]);
        let vars = [("HTTP_PROXY", &*proxy.endpoint()), (name, list)];
        store(&here(&server), Path::new("/none"), &vars).get(&key(), 10).await.unwrap();
        let counted = (server.requests().len(), proxy.requests().len());
        assert_eq!(counted, if direct { (1, 0) } else { (0, 1) }, "{list}");
        assert!(server.requests().iter().all(|r| r.header("proxy-authorization").is_empty()));
    }
    // This machine, whatever the variables say.
    let server = Scripted::start([Act::Reply(object(b"x"))]);
    let vars = [("HTTP_PROXY", "http://192.0.2.1:3128")];
    store(&server.endpoint(), Path::new("/none"), &vars).get(&key(), 10).await.unwrap();
}

#[tokio::test]
async fn over_https_the_proxy_is_asked_for_a_tunnel_and_sees_nothing_in_it() {
    let Some(ours) = Authority::new() else { return };
    let serve = |name| Scripted::start_over(ours.server(name, "2"), [Act::Reply(object(b"x"))]);
    let server = serve("DNS:store.test");
    let proxy = Tunnels::start(server.address, Some(basic()));
    let through = |proxy: &Tunnels, user| {
        store("https://store.test", &ours.bundle(), &[("HTTPS_PROXY", &proxy.url(user))])
    };
    assert_eq!(through(&proxy, USER).get(&key(), 10).await.unwrap().bytes, "x");
    assert_eq!(proxy.asked(), ["CONNECT store.test:443 HTTP/1.1"]);
    let seen = &server.requests()[0];
    assert!(seen.path.starts_with("/bucket/k?"), "{}", seen.path);
    assert_eq!((seen.header("host"), seen.header("proxy-authorization")), ("store.test", ""));

    // Whoever a proxy leads to has to be the store.
    let proxy = Tunnels::start(serve("DNS:elsewhere.test").address, None);
    match through(&proxy, "").get(&key(), 10).await {
        Err(StoreError::Tls { .. }) => {}
        other => panic!("{other:?}"),
    }

    // A proxy that wants to know who asks, and does not believe it.
    let proxy = Tunnels::start(server.address, Some("Basic other"));
    let error = through(&proxy, USER).get(&key(), 10).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreachable, "{error:?}");
    let told = is_discreet(&error);
    assert!(
        told.contains(&format!("the proxy {}/ makes no connection with store.test:443", proxy.url(""))),
        "{told}"
    );
    assert!(told.contains("proxy authorization required"), "{told}");
}

#[tokio::test]
async fn a_proxy_may_speak_tls_itself() {
    let Some(ours) = Authority::new() else { return };
    let proxy = Scripted::start_over(ours.server("IP:127.0.0.1", "2"), [Act::Reply(object(b"x"))]);
    let address = format!("https://{USER}{}", proxy.address);
    let store = store("http://store.test", &ours.bundle(), &[("HTTP_PROXY", &address)]);
    assert_eq!(store.get(&key(), 10).await.unwrap().bytes, "x");
    assert_eq!(proxy.requests()[0].header("proxy-authorization"), basic());
}

#[tokio::test]
async fn the_api_server_is_asked_as_gos_client_asks_it() {
    let Some(ours) = Authority::new() else { return };
    let account = tempfile::tempdir().unwrap();
    std::fs::copy(ours.bundle(), account.path().join("ca.crt")).unwrap();
    std::fs::write(account.path().join("token"), "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.canary").unwrap();
    let pod =
        PodIdentity { pod_name: Some("p".into()), pod_namespace: Some("n".into()), ..PodIdentity::default() };
    let server = || {
        let reply = reply(200, &[], b"{}");
        Scripted::start_over(ours.server("IP:192.0.2.9,IP:0.0.0.0", "2"), [Act::Reply(reply)])
    };
    let api = |host: &str, port: &str, proxy: &str, direct: &str| {
        let vars = [
            ("KUBERNETES_SERVICE_HOST", host),
            ("KUBERNETES_SERVICE_PORT", port),
            ("HTTPS_PROXY", proxy),
            ("NO_PROXY", direct),
        ];
        ApiServer::from_env(&variables(&vars), account.path(), &pod).unwrap()
    };
    let through = server();
    let proxy = Tunnels::start(through.address, Some(basic()));
    assert_eq!(api("192.0.2.9", "443", &proxy.url(USER), "").own_pod().await.unwrap(), b"{}");
    assert_eq!(proxy.asked(), ["CONNECT 192.0.2.9:443 HTTP/1.1"]);
    assert!(through.requests()[0].header("authorization").starts_with("Bearer "));

    let direct = server();
    let port = direct.address.port().to_string();
    api("0.0.0.0", &port, &proxy.url(USER), "0.0.0.0/0").own_pod().await.unwrap();
    assert_eq!((direct.requests().len(), proxy.asked().len()), (1, 1));

    let error = api("192.0.2.9", "443", &proxy.url(""), "").own_pod().await.unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable(_)), "{error:?}");
    is_discreet(&error);
    let error = api("192.0.2.9", "443", "socks5://canary@h", "").own_pod().await.unwrap_err();
    assert!(is_discreet(&error).contains("HTTPS_PROXY"), "{error:?}");
}
