//! A connection is made once and kept.

use std::path::Path;

use argo_attest::store::Store as _;

use super::tunnels::Tunnels;
use super::{key, store};
use crate::scripted::{Act, Scripted, error, object};
use crate::tls::Authority;

/// So many requests, one after another, each answered.
const REQUESTS: usize = 60;

fn answers() -> impl Iterator<Item = Act> {
    // Refusals leave a connection as usable as objects do.
    (0..REQUESTS).map(|i| Act::Reply(if i % 3 == 0 { error(404, "NoSuchKey") } else { object(b"x") }))
}

#[tokio::test]
async fn one_is_enough_for_many_requests() {
    let server = Scripted::start(answers());
    let store = store(&server.endpoint(), Path::new("/none"), &[]);
    for i in 0..REQUESTS {
        assert_eq!(store.get(&key(), 10).await.is_ok(), i % 3 != 0);
    }
    assert_eq!((server.requests().len(), server.connections()), (REQUESTS, 1));
}

#[tokio::test]
async fn one_is_enough_over_tls_and_through_a_tunnel() {
    let Some(ours) = Authority::new() else { return };
    let server = Scripted::start_over(ours.server("DNS:store.test", "2"), answers());
    let proxy = Tunnels::start(server.address, None);
    let store = store("https://store.test", &ours.bundle(), &[("HTTPS_PROXY", &proxy.url(""))]);
    for i in 0..REQUESTS {
        assert_eq!(store.get(&key(), 10).await.is_ok(), i % 3 != 0);
    }
    assert_eq!((server.requests().len(), server.connections()), (REQUESTS, 1));
    assert_eq!(proxy.asked(), ["CONNECT store.test:443 HTTP/1.1"]);
}
